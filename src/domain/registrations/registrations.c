#include "domain/registrations/registrations.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/registrations/registrations_priv.h"

#include <stdio.h>

/* -- its life, as a table -------------------------------------------------------------------------------------------------- */

#define NEVER BRIEF_STATE_COUNT
#define RULES(R)                        /* in, edit, submit, remove, approve, deny, return, new vanity, cancel */          \
    R(DRAFT,     BRIEF_DRAFT,    BRIEF_SUBMITTED, BRIEF_DRAFT,     NEVER, NEVER, NEVER, NEVER, NEVER)                       \
    R(SUBMITTED, NEVER,          BRIEF_SUBMITTED, NEVER,           BRIEF_APPROVED, BRIEF_DENIED, BRIEF_RETURNED,            \
                                                                   BRIEF_VANITY, BRIEF_CANCELLED)                           \
    R(RETURNED,  BRIEF_RETURNED, BRIEF_SUBMITTED, BRIEF_RETURNED,  NEVER, BRIEF_DENIED, NEVER, NEVER, BRIEF_CANCELLED)      \
    R(VANITY,    BRIEF_VANITY,   BRIEF_SUBMITTED, BRIEF_VANITY,    NEVER, BRIEF_DENIED, NEVER, NEVER, BRIEF_CANCELLED)      \
    R(APPROVED,  NEVER,          NEVER,           NEVER,           NEVER, BRIEF_DENIED, NEVER, NEVER, BRIEF_CANCELLED)      \
    R(DENIED,    NEVER,          NEVER,           BRIEF_DENIED,    BRIEF_APPROVED, NEVER, NEVER, NEVER, NEVER)              \
    R(CANCELLED, NEVER,          NEVER,           BRIEF_CANCELLED, NEVER, NEVER, NEVER, NEVER, NEVER)
#define R_ROW(in, ...) [BRIEF_##in] = { __VA_ARGS__ },
#define R_ONE(in, ...) + (sizeof((enum brief_state[]){ __VA_ARGS__ }) / sizeof(enum brief_state) == BRIEF_EVENT_COUNT)
static const enum brief_state rules[BRIEF_STATE_COUNT][BRIEF_EVENT_COUNT] = { RULES(R_ROW) };
static_assert(0 RULES(R_ONE) == BRIEF_STATE_COUNT, "a state does not answer every event");

#define STATE_WORDS(name, campaign, program) { campaign, program },
static const char *const state_words[BRIEF_STATE_COUNT][2] = { BRIEF_STATES(STATE_WORDS) };

const char *brief_state_word(enum brief_kind kind, enum brief_state state)
{
    return state_words[state][kind];
}

bool brief_rule(enum brief_kind kind, enum brief_state in, enum brief_event on, enum brief_state *to)
{
    enum brief_state next = rules[in][on];
    if (next == NEVER || !state_words[next][kind])
        return false;
    *to = next;
    return true;
}

enum err brief_next_state(const struct brief *b, enum brief_event on, enum brief_state *to, struct problem *why)
{
    static const char *const doing[] = { [BRIEF_EV_EDIT] = "changed", [BRIEF_EV_SUBMIT] = "submitted",
        [BRIEF_EV_REMOVE] = "deleted", [BRIEF_EV_APPROVE] = "approved", [BRIEF_EV_DENY] = "denied",
        [BRIEF_EV_RETURN] = "returned", [BRIEF_EV_NEW_VANITY] = "returned for new vanity numbers",
        [BRIEF_EV_CANCEL] = "cancelled" };
    char may[96] = "";
    if (brief_rule(b->kind, b->state, on, to))
        return ERR_NONE;
    for (int s = 0; s < BRIEF_STATE_COUNT; s++) {
        enum brief_state ignored;
        const char *word = state_words[s][b->kind];
        if (word && brief_rule(b->kind, (enum brief_state)s, on, &ignored))
            snprintf(may + strlen(may), sizeof may - strlen(may), "%s%s", may[0] ? ", " : "", word);
    }
    return rule_problem(why, ERR_CONFLICT, RULE_BRIEF_STATE, b->id, brief_state_word(b->kind, b->state), doing[on],
                        may[0] ? may : "none");
}

/* -- the objects ------------------------------------------------------------------------------------------------------------ */

void brief_texts_free(struct brief *b)
{
    free((char *)(uintptr_t)b->content);
    free((char *)(uintptr_t)b->notes);
}

enum err registrations_new(struct registrations **out, struct control *control, struct numbers *numbers)
{
    struct registrations *r = calloc(1, sizeof *r);
    struct map *places = map_new();
    if (!r || !places) {
        map_free(places);
        free(r);
        return ERR_NOMEM;
    }
    *r = (struct registrations){ .control = control, .numbers = numbers, .places = places, .last = &r->first };
    *out = r;
    return ERR_NONE;
}

void registrations_free(struct registrations *r)
{
    uint64_t key;
    void *value;
    if (!r)
        return;
    for (struct entry *e = r->first, *next; e; e = next) {
        next = e->next;
        brief_texts_free(&e->pub);
        free(e);
    }
    for (size_t at = 0; map_next(r->places, &at, &key, &value);)
        free(value);
    map_free(r->places);
    free(r);
}

enum err place_of(struct registrations *r, uint64_t resource, struct place **out)
{
    *out = map_find(r->places, resource);
    if (*out)
        return ERR_NONE;
    struct place *p = calloc(1, sizeof *p);
    if (!p || map_put(r->places, resource, p)) {
        free(p);
        return ERR_NOMEM;
    }
    p->last = &p->first;
    *out = p;
    return ERR_NONE;
}

void entry_link(struct place *p, struct entry *e)
{
    *e->r->last = e;
    e->r->last = &e->next;
    *p->last = e;
    p->last = &e->next_here;
    p->counts[e->pub.kind]++;
}

/* Out of its lists, and gone. */
void entry_drop(struct entry *e)
{
    struct place *p = map_find(e->r->places, e->pub.resource);
    struct entry **at = &e->r->first;
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    if (e->r->last == &e->next)
        e->r->last = at;
    at = &p->first;
    while (*at != e)
        at = &(*at)->next_here;
    *at = e->next_here;
    if (p->last == &e->next_here)
        p->last = at;
    p->counts[e->pub.kind]--;
    brief_texts_free(&e->pub);
    free(e);
}

/* The digits that its content lists. */
enum err brief_numbers_read(struct brief *b)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    b->n_numbers = 0;
    if (b->kind != BRIEF_CAMPAIGN)
        return ERR_NONE;
    enum err err = json_read(&doc, str_of(b->content), NULL);
    if (err)
        return err;
    const struct json *list = json_member(json_root(doc), "phoneNumbers");
    for (size_t i = 0; i < json_count(list) && b->n_numbers < BRIEF_NUMBERS_MAX; i++)
        if (!e164_read(json_text(json_item(list, i)), &b->numbers[b->n_numbers]))
            b->n_numbers++;
    return ERR_NONE;
}

/* -- reading at start --------------------------------------------------------------------------------------------------------- */

static enum err load_brief(void *arg, const struct brief_row *row)
{
    struct registrations *r = arg;
    struct place *p;
    enum err err = place_of(r, row->resource, &p);
    struct entry *e = err ? NULL : calloc(1, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    *e = (struct entry){ .r = r, .committed = true,
                         .pub = { .key = row->key, .resource = row->resource, .kind = (enum brief_kind)row->kind,
                                  .state = (enum brief_state)row->state, .submitted_us = row->submitted_us,
                                  .updated_us = row->updated_us, .content = strdup(row->content.p),
                                  .notes = strdup(row->notes.p) } };
    str_copyz(e->pub.id, sizeof e->pub.id, row->guid);
    str_copyz(e->pub.country, sizeof e->pub.country, row->country);
    str_copyz(e->pub.number, sizeof e->pub.number, row->number);
    entry_link(p, e);
    ids_after(r->control->ids, row->key);
    return e->pub.content && e->pub.notes ? brief_numbers_read(&e->pub) : ERR_NOMEM;
}

void brief_attachment_put(struct brief *b, const struct brief_attachment *a)
{
    size_t i = 0;
    while (i < b->n_attachments && strcmp(b->attachments[i].id, a->id))
        i++;
    if (i == BRIEF_ATTACHMENTS_MAX)
        return;
    b->attachments[i] = *a;
    b->n_attachments += i == b->n_attachments;
}

struct loading { struct registrations *r; struct entry *at; };

/* Both lists come by rising key. */
static enum err load_attachment(void *arg, const struct brief_attachment_row *row)
{
    struct loading *l = arg;
    struct brief_attachment a = { .size = row->size };
    while (l->at && l->at->pub.key < row->brief)
        l->at = l->at->next;
    if (!l->at || l->at->pub.key != row->brief)
        return ERR_STORE;
    str_copyz(a.id, sizeof a.id, row->guid);
    str_copyz(a.type, sizeof a.type, row->type);
    str_copyz(a.name, sizeof a.name, row->name);
    str_copyz(a.file_type, sizeof a.file_type, row->file_type);
    brief_attachment_put(&l->at->pub, &a);
    return ERR_NONE;
}

enum err registrations_load(struct registrations *r, struct problem *why)
{
    enum err err = brief_rows_each(r->control->db, load_brief, r);
    if (!err)
        err = brief_attachment_rows_each(r->control->db, load_attachment, &(struct loading){ r, r->first });
    return err ? problem_set(why, err, "InternalError", "The registrations in the database cannot be read: %s.", err_words(err))
               : ERR_NONE;
}

/* -- looking -------------------------------------------------------------------------------------------------------------------- */

enum err brief_id_read(struct str given, const char *field, char id[GUID_SIZE], struct problem *why)
{
    char shown[64];
    if (!guid_lower(given, id))
        return ERR_NONE;
    str_copyz(shown, sizeof shown, given);
    enum err err = rule_problem(why, ERR_RANGE, RULE_BRIEF_ID_INVALID, shown);
    problem_target(why, "%s", field);
    return err;
}

const char *brief_id_field(enum brief_kind kind)
{
    return kind == BRIEF_CAMPAIGN ? "campaignBriefId" : "programBriefId";
}

static enum err absent(const char *id, const char *field, struct problem *why)
{
    enum err err = rule_problem(why, ERR_ABSENT, RULE_BRIEF_NOT_FOUND, id);
    problem_target(why, "%s", field);
    return err;
}

struct entry *entry_find(const struct registrations *r, uint64_t resource, enum brief_kind kind, const char *id)
{
    const struct place *p = map_find(r->places, resource);
    struct entry *e = p ? p->first : NULL;
    while (e && (e->pub.kind != kind || strcmp(e->pub.id, id)))
        e = e->next_here;
    return e;
}

/* What a client may know of: it is on disk, and of that country. */
enum err entry_known(const struct registrations *r, const struct brief_ref *ref, struct entry **out, struct problem *why)
{
    char id[GUID_SIZE];
    enum err err = brief_id_read(ref->id, brief_id_field(ref->kind), id, why);
    if (err)
        return err;
    struct entry *e = entry_find(r, ref->resource, ref->kind, id);
    if (!e || !e->committed || (ref->country.n && !str_eqz(ref->country, e->pub.country)))
        return absent(id, brief_id_field(ref->kind), why);
    *out = e;
    return ERR_NONE;
}

enum err registrations_find(const struct registrations *r, uint64_t resource, enum brief_kind kind, struct str country,
                            struct str id, const struct brief **out, struct problem *why)
{
    struct entry *e;
    enum err err = entry_known(r, &(struct brief_ref){ resource, kind, country, id }, &e, why);
    if (!err)
        *out = &e->pub;
    return err;
}

enum err registrations_named(const struct registrations *r, uint64_t resource, struct str given, const struct brief **out,
                             struct problem *why)
{
    char id[GUID_SIZE];
    const struct brief *found = NULL;
    enum err err = brief_id_read(given, "id", id, why);
    if (err)
        return err;
    for (const struct entry *e = r->first; e; e = e->next) {
        if (!e->committed || strcmp(e->pub.id, id) || (resource && e->pub.resource != resource))
            continue;
        if (found)
            return rule_problem(why, ERR_CONFLICT, RULE_BRIEF_AMBIGUOUS, id);
        found = &e->pub;
    }
    if (!found)
        return absent(id, "id", why);
    *out = found;
    return ERR_NONE;
}

static bool listed(const struct entry *e, const struct brief_filter *f)
{
    return e->committed && (!f->resource || e->pub.resource == f->resource) && (f->kind < 0 || (int)e->pub.kind == f->kind)
           && (!f->country.n || str_eqz(f->country, e->pub.country)) && (!f->with_number || e->pub.number[0]);
}

size_t registrations_list(const struct registrations *r, const struct brief_filter *f, size_t skip, size_t most,
                          const struct brief **out, bool *more)
{
    size_t n = 0, at = 0;
    const struct place *p = f->resource ? map_find(r->places, f->resource) : NULL;
    const struct entry *e = f->resource ? (p ? p->first : NULL) : r->first;
    *more = false;
    for (; e; e = f->resource ? e->next_here : e->next) {
        if (!listed(e, f) || at++ < skip)
            continue;
        if (n == most) {
            *more = true;
            break;
        }
        out[n++] = &e->pub;
    }
    return n;
}

bool brief_lists_number(const struct brief *b, uint64_t digits)
{
    for (size_t i = 0; i < b->n_numbers; i++)
        if (b->numbers[i] == digits)
            return true;
    return false;
}

static enum number_registration state_of(enum brief_state state)
{
    switch (state) {
    case BRIEF_SUBMITTED: return REGISTRATION_PENDING;
    case BRIEF_RETURNED:
    case BRIEF_VANITY:    return REGISTRATION_RETURNED;
    case BRIEF_APPROVED:  return REGISTRATION_VERIFIED;
    case BRIEF_DENIED:    return REGISTRATION_REJECTED;
    case BRIEF_DRAFT:
    case BRIEF_CANCELLED:
    case BRIEF_STATE_COUNT: break;
    }
    return REGISTRATION_UNVERIFIED;
}

/* A brief of an earlier lease of the number says nothing about this one. The enumeration rises with what is reached. */
enum number_registration registrations_of_number(void *registrations, const struct lease *l)
{
    const struct registrations *r = registrations;
    const struct place *p = map_find(r->places, l->resource);
    enum number_registration best = REGISTRATION_UNVERIFIED;
    for (const struct entry *e = p ? p->first : NULL; e; e = e->next_here) {
        enum number_registration state = state_of(e->pub.state);
        if (e->committed && state > best && e->pub.submitted_us >= l->purchased_us && brief_lists_number(&e->pub, l->number))
            best = state;
    }
    return best;
}

/* -- the end of a resource --------------------------------------------------------------------------------------------------------------- */

struct ending {
    struct registrations *r;
    uint64_t              resource;
    void                (*then)(void *arg, enum err err);
    void                 *arg;
};

static void on_ended(void *mine, enum err err)
{
    const struct ending *g = mine;
    struct place *p = map_find(g->r->places, g->resource);
    for (struct entry *e = p->first, *next; e; e = next) {
        next = e->next_here;
        e->busy = false;
        if (!err)
            entry_drop(e);
    }
    g->then(g->arg, err);
}

enum err registrations_end(void *registrations, uint64_t resource, void (*done)(void *arg, enum err err), void *arg)
{
    struct registrations *r = registrations;
    struct place *p = map_find(r->places, resource);
    for (struct entry *e = p ? p->first : NULL; e; e = e->next_here)
        if (e->busy)
            return ERR_BUSY;            /* the change's answer comes first */
    if (!p || !p->first) {
        done(arg, ERR_NONE);
        return ERR_NONE;
    }
    struct ending *g = malloc(sizeof *g);
    struct db_unit *u = db_unit_new();
    if (g)
        *g = (struct ending){ r, resource, done, arg };
    brief_rows_delete_of(u, resource);
    enum err err = control_write(r->control, u, on_ended, g);
    for (struct entry *e = p->first; e && !err; e = e->next_here)
        e->busy = true;
    return err;
}
