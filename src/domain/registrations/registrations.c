#include "domain/registrations/registrations.h"
#include "base/log.h"
#include "base/map.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/catalogue.h"
#include "domain/rules.h"

#include <stdio.h>

/* The simulated short codes, of which an approval takes the first that is free. */
enum { SHORT_CODE_FIRST = 555000, SHORT_CODE_LAST = 555999 };
/* What toll-free verification there is (docs/registrations.md). */
static const char verified_countries[] = "US CA PR";

struct registrations {
    struct control *control;
    struct numbers *numbers;
    struct map     *places;             /* resource -> struct place, owned */
    struct entry   *first, **last;      /* of all, by rising key */
};

struct place {
    struct entry *first, **last;        /* of a resource, by rising key */
    size_t        counts[2];            /* by kind */
};

struct entry {
    struct brief          pub;          /* its texts are owned */
    struct registrations *r;
    struct entry         *next, *next_here;
    bool                  committed;    /* clients know it */
    bool                  busy;         /* a change is being committed */
};

/* One unit on its way to disk, and what the brief will be behind it. */
struct change {
    struct db_done        done;
    struct registrations *r;
    struct entry         *entry;
    struct brief          next;         /* its texts are owned */
    bool                  creates, removes, made_part;
    brief_done_fn        *then;
    void                 *arg;
};

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

/* -- the objects ------------------------------------------------------------------------------------------------------------ */

static void texts_free(struct brief *b)
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
        texts_free(&e->pub);
        free(e);
    }
    for (size_t at = 0; map_next(r->places, &at, &key, &value);)
        free(value);
    map_free(r->places);
    free(r);
}

static enum err place_of(struct registrations *r, uint64_t resource, struct place **out)
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

static void entry_link(struct place *p, struct entry *e)
{
    *e->r->last = e;
    e->r->last = &e->next;
    *p->last = e;
    p->last = &e->next_here;
    p->counts[e->pub.kind]++;
}

/* Out of its lists, and gone. */
static void entry_drop(struct entry *e)
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
    texts_free(&e->pub);
    free(e);
}

/* The digits that its content lists. */
static enum err numbers_read(struct brief *b)
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
    return e->pub.content && e->pub.notes ? numbers_read(&e->pub) : ERR_NOMEM;
}

static void attachment_put(struct brief *b, const struct brief_attachment *a)
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
    attachment_put(&l->at->pub, &a);
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

static enum err id_read(struct str given, const char *field, char id[GUID_SIZE], struct problem *why)
{
    char shown[64];
    if (!guid_lower(given, id))
        return ERR_NONE;
    str_copyz(shown, sizeof shown, given);
    enum err err = rule_problem(why, ERR_RANGE, RULE_BRIEF_ID_INVALID, shown);
    problem_target(why, "%s", field);
    return err;
}

static const char *id_field(enum brief_kind kind)
{
    return kind == BRIEF_CAMPAIGN ? "campaignBriefId" : "programBriefId";
}

static enum err absent(const char *id, const char *field, struct problem *why)
{
    enum err err = rule_problem(why, ERR_ABSENT, RULE_BRIEF_NOT_FOUND, id);
    problem_target(why, "%s", field);
    return err;
}

static struct entry *find(const struct registrations *r, uint64_t resource, enum brief_kind kind, const char *id)
{
    const struct place *p = map_find(r->places, resource);
    struct entry *e = p ? p->first : NULL;
    while (e && (e->pub.kind != kind || strcmp(e->pub.id, id)))
        e = e->next_here;
    return e;
}

/* What a client may know of: it is on disk, and of that country. */
static enum err known(const struct registrations *r, const struct brief_ref *ref, struct entry **out, struct problem *why)
{
    char id[GUID_SIZE];
    enum err err = id_read(ref->id, id_field(ref->kind), id, why);
    if (err)
        return err;
    struct entry *e = find(r, ref->resource, ref->kind, id);
    if (!e || !e->committed || (ref->country.n && !str_eqz(ref->country, e->pub.country)))
        return absent(id, id_field(ref->kind), why);
    *out = e;
    return ERR_NONE;
}

enum err registrations_find(const struct registrations *r, uint64_t resource, enum brief_kind kind, struct str country,
                            struct str id, const struct brief **out, struct problem *why)
{
    struct entry *e;
    enum err err = known(r, &(struct brief_ref){ resource, kind, country, id }, &e, why);
    if (!err)
        *out = &e->pub;
    return err;
}

enum err registrations_named(const struct registrations *r, uint64_t resource, struct str given, const struct brief **out,
                             struct problem *why)
{
    char id[GUID_SIZE];
    const struct brief *found = NULL;
    enum err err = id_read(given, "id", id, why);
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

static bool lists_number(const struct brief *b, uint64_t digits)
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
        if (e->committed && state > best && e->pub.submitted_us >= l->purchased_us && lists_number(&e->pub, l->number))
            best = state;
    }
    return best;
}

/* -- changing -------------------------------------------------------------------------------------------------------------------- */

static void change_free(struct change *c)
{
    if (!c)
        return;
    texts_free(&c->next);
    free(c);
}

/* The server stops, and nobody is left to tell. */
static void drop_changed(struct inbox_item *item)
{
    change_free(container_of(item, struct change, done.item));
}

static enum err refusal_of(const struct change *c, struct problem *why)
{
    enum err err = c->done.err;
    if (err == ERR_CONFLICT && c->next.number[0])
        return rule_problem(why, err, RULE_SHORT_CODE_TAKEN, c->next.number);
    if (err == ERR_CONFLICT)
        return problem_set(why, err, "Conflict", "Somebody else changed it first.");
    return rule_problem(why, err, RULE_STORE_BUSY);
}

static void on_changed(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct change *c = container_of(item, struct change, done.item);
    struct entry *e = c->entry;
    struct problem why = { 0 };
    enum err err = c->done.err ? refusal_of(c, &why) : ERR_NONE;
    e->busy = false;
    if (!err && !c->removes) {
        struct brief old = e->pub;
        e->pub = c->next;
        c->next = old;                  /* its texts go with the change */
        e->committed = true;
        if (e->pub.state != old.state)
            log_info("registrations", "a %s brief is %s", e->pub.kind == BRIEF_CAMPAIGN ? "toll-free" : "short-code",
                     brief_state_word(e->pub.kind, e->pub.state));
    }
    c->then(c->arg, err, err || c->removes ? NULL : &e->pub, c->made_part, &why);
    if (err ? c->creates : c->removes)
        entry_drop(e);
    change_free(c);
}

static const struct inbox_kind changed_kind = { "registrations.changed", on_changed, drop_changed };

static enum err change_new(struct entry *e, brief_done_fn *then, void *arg, struct change **out, struct problem *why)
{
    if (e->busy) {
        enum err err = rule_problem(why, ERR_BUSY, RULE_BRIEF_BUSY, e->pub.id);
        if (why)
            why->retry_after_s = 1;
        return err;
    }
    struct change *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    *c = (struct change){ .r = e->r, .entry = e, .next = e->pub, .then = then, .arg = arg };
    c->next.content = strdup(e->pub.content);
    c->next.notes = strdup(e->pub.notes);
    if (!c->next.content || !c->next.notes) {
        change_free(c);
        return ERR_NOMEM;
    }
    *out = c;
    return ERR_NONE;
}

/* Takes both, and the entry that it creates when it cannot be posted. */
static enum err change_post(struct change *c, struct db_unit *u, struct problem *why)
{
    c->done.item.kind = &changed_kind;
    c->done.to = control_inbox(c->r->control);
    enum err err = db_post(c->r->control->db, u, &c->done);
    if (!err) {
        c->entry->busy = true;
        return ERR_NONE;
    }
    db_unit_free(u);
    if (c->creates)
        entry_drop(c->entry);
    change_free(c);
    rule_problem(why, err, RULE_STORE_BUSY);
    if (why)
        why->retry_after_s = 1;
    return err;
}

static struct db_unit *brief_unit(const struct change *c)
{
    const struct brief *b = &c->next;
    struct db_unit *u = db_unit_new();
    struct brief_row row = { .key = b->key, .resource = b->resource, .kind = (int)b->kind, .state = (int)b->state,
                             .guid = str_of(b->id), .country = str_of(b->country), .number = str_of(b->number),
                             .content = str_of(b->content), .notes = str_of(b->notes), .submitted_us = b->submitted_us,
                             .updated_us = b->updated_us };
    if (c->creates)
        brief_row_insert(u, &row);
    else
        brief_row_update(u, &row);
    return u;
}

/* What an event makes of it. @return ERR_CONFLICT with `why` */
static enum err next_state(const struct brief *b, enum brief_event on, enum brief_state *to, struct problem *why)
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

/* -- put --------------------------------------------------------------------------------------------------------------------------- */

static enum err country_check(const struct brief_ref *ref, struct problem *why)
{
    char shown[16];
    str_copyz(shown, sizeof shown, ref->country);
    if (ref->kind == BRIEF_PROGRAM || catalogue_lists(verified_countries, shown))
        return ERR_NONE;
    enum err err = rule_problem(why, ERR_RANGE, RULE_VERIFICATION_COUNTRY, shown, verified_countries);
    problem_target(why, "countryCode");
    return err;
}

static enum err entry_new(struct registrations *r, const struct brief_ref *ref, const char *id, struct entry **out,
                          struct problem *why)
{
    char most[16];
    struct place *p;
    enum err err = country_check(ref, why);
    if (!err)
        err = place_of(r, ref->resource, &p);
    if (err)
        return err;
    snprintf(most, sizeof most, "%d", BRIEFS_MOST);
    if (p->counts[ref->kind] >= BRIEFS_MOST)
        return rule_problem(why, ERR_CONFLICT, RULE_TOO_MANY_BRIEFS, most);
    struct entry *e = calloc(1, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    *e = (struct entry){ .r = r, .pub = { .key = ids_next(r->control->ids), .resource = ref->resource, .kind = ref->kind,
                                          .state = BRIEF_DRAFT, .content = strdup("{}"), .notes = strdup("[]"),
                                          .updated_us = control_now_us(r->control) } };
    if (!e->pub.content || !e->pub.notes) {
        texts_free(&e->pub);
        free(e);
        return ERR_NOMEM;
    }
    str_copyz(e->pub.id, sizeof e->pub.id, str_of(id));
    str_copyz(e->pub.country, sizeof e->pub.country, ref->kind == BRIEF_PROGRAM ? STR("US") : ref->country);
    entry_link(p, e);
    *out = e;
    return ERR_NONE;
}

/* The brief that is meant, made if need be. */
static enum err entry_for(struct registrations *r, const struct brief_ref *ref, struct entry **out, bool *is_new,
                          struct problem *why)
{
    char id[GUID_SIZE];
    enum brief_state to;
    enum err err = id_read(ref->id, id_field(ref->kind), id, why);
    if (err)
        return err;
    *out = find(r, ref->resource, ref->kind, id);
    *is_new = !*out;
    if (*is_new)
        return entry_new(r, ref, id, out, why);
    if (ref->country.n && !str_eqz(ref->country, (*out)->pub.country))
        return rule_problem(why, ERR_CONFLICT, RULE_BRIEF_OTHER_COUNTRY, id, (*out)->pub.country);
    return next_state(&(*out)->pub, BRIEF_EV_EDIT, &to, why);
}

static enum err merge_into(struct change *c, const struct json *patch, struct problem *why)
{
    char most[16];
    scoped(json_doc) struct json_doc *doc = NULL;
    struct buf out = { 0 };
    enum err err = json_read(&doc, str_of(c->next.content), NULL);
    if (err)
        return err == ERR_NOMEM ? err : ERR_STORE;
    brief_merge(c->next.kind, json_root(doc), patch, &out);
    buf_putc(&out, '\0');
    snprintf(most, sizeof most, "%d", BRIEF_CONTENT_MAX);
    if (!buf_err(&out) && out.n > BRIEF_CONTENT_MAX)
        err = rule_problem(why, ERR_SIZE, RULE_BRIEF_TOO_LARGE, most);
    if (!err)
        err = buf_err(&out);
    if (err) {
        buf_done(&out);
        return err;
    }
    free((char *)(uintptr_t)c->next.content);
    c->next.content = out.p;
    return numbers_read(&c->next);
}

enum err registrations_put(struct registrations *r, const struct brief_ref *ref, const struct json *patch, brief_done_fn *done,
                           void *arg, struct problem *why)
{
    struct entry *e;
    struct change *c;
    bool is_new = false;
    enum err err = entry_for(r, ref, &e, &is_new, why);
    if (err)
        return err;
    err = change_new(e, done, arg, &c, why);
    if (!err) {
        c->creates = c->made_part = is_new;
        err = merge_into(c, patch, why);
        if (!err)
            return change_post(c, brief_unit(c), why);
        change_free(c);
    }
    if (is_new)
        entry_drop(e);
    return err;
}

/* -- submit and delete --------------------------------------------------------------------------------------------------------------- */

static enum err number_wrong(enum rule rule, uint64_t digits, const char *other, struct problem *why)
{
    char text[E164_SIZE];
    enum err err = rule_problem(why, ERR_RANGE, rule, e164_write(text, digits), other);
    problem_target(why, "phoneNumbers");
    return err;
}

static enum err numbers_check(const struct registrations *r, const struct brief *b, struct problem *why)
{
    char text[E164_SIZE];
    const struct place *p = map_find(r->places, b->resource);
    for (size_t i = 0; i < b->n_numbers; i++) {
        const struct lease *l = numbers_lease(r->numbers, str_of(e164_write(text, b->numbers[i])));
        if (!l || l->resource != b->resource)
            return number_wrong(RULE_BRIEF_NUMBER_NOT_LEASED, b->numbers[i], "", why);
        if (l->type != NUMBER_TOLL_FREE || strcmp(l->country, b->country))
            return number_wrong(RULE_BRIEF_NUMBER_NOT_TOLL_FREE, b->numbers[i], b->country, why);
        for (const struct entry *e = p->first; e; e = e->next_here)
            if (e->pub.key != b->key && (e->pub.state == BRIEF_SUBMITTED || e->pub.state == BRIEF_APPROVED)
                && e->pub.submitted_us >= l->purchased_us && lists_number(&e->pub, b->numbers[i]))
                return number_wrong(RULE_NUMBER_IN_OTHER_BRIEF, b->numbers[i], e->pub.id, why);
    }
    return ERR_NONE;
}

static enum err complete_check(const struct registrations *r, const struct brief *b, struct problem *why)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    enum err err = json_read(&doc, str_of(b->content), NULL);
    if (!err)
        err = brief_complete(b->kind, json_root(doc), why);
    if (!err && b->kind == BRIEF_PROGRAM
        && str_eqz(json_text_of(json_member(json_root(doc), "programDetails"), "numberType"), "alphaId")) {
        err = rule_problem(why, ERR_RANGE, RULE_ALPHA_ID_NOT_OFFERED);
        problem_target(why, "programDetails.numberType");
    }
    return err ? err : numbers_check(r, b, why);
}

enum err registrations_submit(struct registrations *r, const struct brief_ref *ref, brief_done_fn *done, void *arg,
                              struct problem *why)
{
    struct entry *e;
    struct change *c;
    enum brief_state to;
    enum err err = known(r, ref, &e, why);
    if (!err)
        err = next_state(&e->pub, BRIEF_EV_SUBMIT, &to, why);
    if (err)
        return err;
    if (e->pub.state == to && !e->busy) {       /* asked again, after an answer that did not arrive */
        done(arg, ERR_NONE, &e->pub, false, NULL);
        return ERR_NONE;
    }
    err = complete_check(r, &e->pub, why);
    if (!err)
        err = change_new(e, done, arg, &c, why);
    if (err)
        return err;
    c->next.state = to;
    c->next.submitted_us = c->next.updated_us = control_now_us(r->control);
    return change_post(c, brief_unit(c), why);
}

enum err registrations_delete(struct registrations *r, const struct brief_ref *ref, brief_done_fn *done, void *arg,
                              struct problem *why)
{
    struct entry *e;
    struct change *c;
    enum brief_state to;
    enum err err = known(r, ref, &e, why);
    if (!err)
        err = next_state(&e->pub, BRIEF_EV_REMOVE, &to, why);
    if (!err)
        err = change_new(e, done, arg, &c, why);
    if (err)
        return err;
    c->removes = true;
    struct db_unit *u = db_unit_new();
    brief_row_delete(u, e->pub.key);
    return change_post(c, u, why);
}

/* -- the operator's decision ------------------------------------------------------------------------------------------------------------ */

/* One more {"message","date"} behind those there are. */
static enum err note_add(struct change *c, const struct brief_decision *d, struct problem *why)
{
    struct buf out = { 0 };
    struct str old = str_of(c->next.notes);
    if (!d->code.n && !d->note.n)
        return ERR_NONE;
    buf_puts(&out, (struct str){ old.p, old.n - 1 });
    if (old.n > 2)
        buf_putc(&out, ',');
    struct jw w = jw_of(&out);
    jw_object(&w, NULL);
    if (d->code.n && d->note.n)
        jw_printf(&w, "message", STR_FMT ": " STR_FMT, STR_ARG(d->code), STR_ARG(d->note));
    else
        jw_text(&w, "message", d->code.n ? d->code : d->note);
    jw_time(&w, "date", control_now_us(c->r->control));
    jw_end(&w);
    buf_put(&out, "]", 2);              /* with its NUL */
    enum err err = buf_err(&out);
    if (!err && out.n > BRIEF_NOTES_MAX)
        err = rule_problem(why, ERR_SIZE, RULE_BRIEF_NOTES_FULL, c->next.id);
    if (err) {
        buf_done(&out);
        return err;
    }
    free((char *)(uintptr_t)c->next.notes);
    c->next.notes = out.p;
    return ERR_NONE;
}

static bool code_is_free(const struct registrations *r, const char *code)
{
    for (const struct entry *e = r->first; e; e = e->next)
        if (!strcmp(e->pub.number, code))
            return false;
    return true;
}

/* A vanity program gets the first of its wishes that is free; others the first simulated code. */
static enum err code_choose(const struct registrations *r, struct brief *b, struct problem *why)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    enum err err = json_read(&doc, str_of(b->content), NULL);
    if (err)
        return err;
    const struct json *details = json_member(json_root(doc), "programDetails");
    const struct json *wishes = json_bool_of(details, "isVanity", false) ? json_member(details, "preferredVanityNumbers") : NULL;
    for (size_t i = 0; i < json_count(wishes); i++) {
        str_copyz(b->number, sizeof b->number, json_text(json_item(wishes, i)));
        if (code_is_free(r, b->number))
            return ERR_NONE;
    }
    for (int code = SHORT_CODE_FIRST; !wishes && code <= SHORT_CODE_LAST; code++) {
        snprintf(b->number, sizeof b->number, "%d", code);
        if (code_is_free(r, b->number))
            return ERR_NONE;
    }
    return rule_problem(why, ERR_CONFLICT, RULE_SHORT_CODE_TAKEN, wishes ? b->number : "each simulated one");
}

static enum err code_give(const struct registrations *r, struct brief *b, struct str wanted, struct problem *why)
{
    uint64_t v;
    char shown[16];
    b->number[0] = '\0';
    if (b->state != BRIEF_APPROVED || b->kind != BRIEF_PROGRAM) {
        if (!wanted.n)
            return ERR_NONE;
        return rule_problem(why, ERR_RANGE, RULE_SHORT_CODE_UNASKED);
    }
    if (!wanted.n)
        return code_choose(r, b, why);
    str_copyz(shown, sizeof shown, wanted);
    if (wanted.n < 5 || wanted.n > 6 || str_u64(wanted, UINT32_MAX, &v))
        return rule_problem(why, ERR_RANGE, RULE_SHORT_CODE_INVALID, shown);
    str_copyz(b->number, sizeof b->number, wanted);
    return code_is_free(r, b->number) ? ERR_NONE : rule_problem(why, ERR_CONFLICT, RULE_SHORT_CODE_TAKEN, b->number);
}

enum err registrations_decide(struct registrations *r, const struct brief *b, const struct brief_decision *d,
                              brief_done_fn *done, void *arg, struct problem *why)
{
    struct entry *e = container_of((struct brief *)(uintptr_t)b, struct entry, pub);
    struct change *c;
    enum brief_state to;
    assert(d->event >= BRIEF_EV_APPROVE);
    enum err err = next_state(b, d->event, &to, why);
    if (!err)
        err = change_new(e, done, arg, &c, why);
    if (err)
        return err;
    c->next.state = to;
    c->next.updated_us = control_now_us(r->control);
    err = code_give(r, &c->next, d->short_code, why);
    if (!err)
        err = note_add(c, d, why);
    if (!err)
        return change_post(c, brief_unit(c), why);
    change_free(c);
    return err;
}

/* -- attachments -------------------------------------------------------------------------------------------------------------------------- */

static const struct brief_attachment *attachment_find(const struct brief *b, const char *id)
{
    for (size_t i = 0; i < b->n_attachments; i++)
        if (!strcmp(b->attachments[i].id, id))
            return &b->attachments[i];
    return NULL;
}

static enum err attachment_absent(const char *id, struct problem *why)
{
    enum err err = rule_problem(why, ERR_ABSENT, RULE_ATTACHMENT_NOT_FOUND, id);
    problem_target(why, "attachmentId");
    return err;
}

/* A known brief that may be changed. */
static enum err editable(struct registrations *r, const struct brief_ref *ref, struct entry **out, struct problem *why)
{
    enum brief_state to;
    enum err err = known(r, ref, out, why);
    return err ? err : next_state(&(*out)->pub, BRIEF_EV_EDIT, &to, why);
}

enum err registrations_attach(struct registrations *r, const struct brief_ref *ref, const struct brief_attachment *a,
                              struct str content, brief_done_fn *done, void *arg, struct problem *why)
{
    char most[16];
    struct entry *e;
    struct change *c;
    enum err err = editable(r, ref, &e, why);
    if (err)
        return err;
    bool is_new = !attachment_find(&e->pub, a->id);
    snprintf(most, sizeof most, "%d", BRIEF_ATTACHMENTS_MAX);
    if (is_new && e->pub.n_attachments == BRIEF_ATTACHMENTS_MAX)
        return rule_problem(why, ERR_CONFLICT, RULE_TOO_MANY_ATTACHMENTS, most);
    err = change_new(e, done, arg, &c, why);
    if (err)
        return err;
    c->made_part = is_new;
    attachment_put(&c->next, a);
    struct db_unit *u = db_unit_new();
    brief_attachment_row_put(u, &(struct brief_attachment_row){
        .brief = e->pub.key, .guid = str_of(a->id), .type = str_of(a->type), .name = str_of(a->name),
        .file_type = str_of(a->file_type), .size = a->size, .content = content });
    return change_post(c, u, why);
}

enum err registrations_detach(struct registrations *r, const struct brief_ref *ref, struct str attachment, brief_done_fn *done,
                              void *arg, struct problem *why)
{
    char id[GUID_SIZE];
    struct entry *e;
    struct change *c;
    enum err err = id_read(attachment, "attachmentId", id, why);
    if (!err)
        err = editable(r, ref, &e, why);
    if (!err && !attachment_find(&e->pub, id))
        err = attachment_absent(id, why);
    if (!err)
        err = change_new(e, done, arg, &c, why);
    if (err)
        return err;
    size_t i = (size_t)(attachment_find(&e->pub, id) - e->pub.attachments);
    memmove(&c->next.attachments[i], &c->next.attachments[i + 1],
            (c->next.n_attachments - i - 1) * sizeof c->next.attachments[0]);
    c->next.n_attachments--;
    struct db_unit *u = db_unit_new();
    brief_attachment_row_delete(u, e->pub.key, str_of(id));
    return change_post(c, u, why);
}

enum err registrations_attachments(struct registrations *r, const struct brief_ref *ref, struct str attachment, int64_t skip,
                                   int64_t top, struct db_read *read, struct problem *why)
{
    char id[GUID_SIZE] = "";
    struct entry *e;
    enum err err = attachment.n ? id_read(attachment, "attachmentId", id, why) : ERR_NONE;
    if (!err)
        err = known(r, ref, &e, why);
    if (!err && id[0] && !attachment_find(&e->pub, id))
        err = attachment_absent(id, why);
    if (err)
        return err;
    err = brief_attachments_ask(r->control->db, e->pub.key, str_of(id), skip, top, read);
    return err ? rule_problem(why, err, RULE_STORE_BUSY) : ERR_NONE;
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
