/* changing.c - what a resource does with its briefs: write, submit, delete, attach. One change of a brief at a time is on its
 * way to disk; memory follows the commit. */
#include "base/log.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/catalogue.h"
#include "domain/registrations/registrations_priv.h"

#include <stdio.h>

/* What toll-free verification there is (docs/registrations.md). */
static const char verified_countries[] = "US CA PR";

/* -- one change -------------------------------------------------------------------------------------------------------------------- */

void brief_change_free(struct change *c)
{
    if (!c)
        return;
    brief_texts_free(&c->next);
    free(c);
}

/* The server stops, and nobody is left to tell. */
static void drop_changed(struct inbox_item *item)
{
    brief_change_free(container_of(item, struct change, done.item));
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
    e->coming = NULL;
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
    brief_change_free(c);
}

static const struct inbox_kind changed_kind = { "registrations.changed", on_changed, drop_changed };

enum err brief_change_new(struct entry *e, brief_done_fn *then, void *arg, struct change **out, struct problem *why)
{
    if (e->busy)
        return rule_problem(why, ERR_BUSY, RULE_BRIEF_BUSY, e->pub.id);
    struct change *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    *c = (struct change){ .r = e->r, .entry = e, .next = e->pub, .then = then, .arg = arg };
    c->next.content = strdup(e->pub.content);
    c->next.notes = strdup(e->pub.notes);
    if (!c->next.content || !c->next.notes) {
        brief_change_free(c);
        return ERR_NOMEM;
    }
    *out = c;
    return ERR_NONE;
}

/* Takes both, and the entry that it creates when it cannot be posted. */
enum err brief_change_post(struct change *c, struct db_unit *u, struct problem *why)
{
    c->done.item.kind = &changed_kind;
    c->done.to = control_inbox(c->r->control);
    enum err err = db_post(c->r->control->db, u, &c->done);
    if (!err) {
        c->entry->busy = true;
        c->entry->coming = &c->next;
        return ERR_NONE;
    }
    db_unit_free(u);
    if (c->creates)
        entry_drop(c->entry);
    brief_change_free(c);
    return rule_problem(why, err, RULE_STORE_BUSY);
}

struct db_unit *brief_unit(const struct change *c)
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
        brief_texts_free(&e->pub);
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
    enum err err = brief_id_read(ref->id, brief_id_field(ref->kind), id, why);
    if (err)
        return err;
    *out = entry_find(r, ref->resource, ref->kind, id);
    *is_new = !*out;
    if (*is_new)
        return entry_new(r, ref, id, out, why);
    if (ref->country.n && !str_eqz(ref->country, (*out)->pub.country))
        return rule_problem(why, ERR_CONFLICT, RULE_BRIEF_OTHER_COUNTRY, id, (*out)->pub.country);
    return brief_next_state(&(*out)->pub, BRIEF_EV_EDIT, &to, why);
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
    return brief_numbers_read(&c->next);
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
    err = brief_change_new(e, done, arg, &c, why);
    if (!err) {
        c->creates = c->made_part = is_new;
        err = merge_into(c, patch, why);
        if (!err)
            return brief_change_post(c, brief_unit(c), why);
        brief_change_free(c);
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

/* Submitted or approved for this lease of the number. */
static bool claims(const struct brief *b, const struct lease *l)
{
    return (b->state == BRIEF_SUBMITTED || b->state == BRIEF_APPROVED) && b->submitted_us >= l->purchased_us
           && brief_lists_number(b, l->number);
}

/* One whose submission is on its way to disk claims its numbers already. */
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
            if (e->pub.key != b->key && (claims(&e->pub, l) || (e->coming && claims(e->coming, l))))
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
    enum err err = entry_known(r, ref, &e, why);
    if (!err)
        err = brief_next_state(&e->pub, BRIEF_EV_SUBMIT, &to, why);
    if (err)
        return err;
    if (e->pub.state == to && !e->busy) {       /* asked again, after an answer that did not arrive */
        done(arg, ERR_NONE, &e->pub, false, NULL);
        return ERR_NONE;
    }
    err = complete_check(r, &e->pub, why);
    if (!err)
        err = brief_change_new(e, done, arg, &c, why);
    if (err)
        return err;
    c->next.state = to;
    c->next.submitted_us = c->next.updated_us = control_now_us(r->control);
    return brief_change_post(c, brief_unit(c), why);
}

enum err registrations_delete(struct registrations *r, const struct brief_ref *ref, brief_done_fn *done, void *arg,
                              struct problem *why)
{
    struct entry *e;
    struct change *c;
    enum brief_state to;
    enum err err = entry_known(r, ref, &e, why);
    if (!err)
        err = brief_next_state(&e->pub, BRIEF_EV_REMOVE, &to, why);
    if (!err)
        err = brief_change_new(e, done, arg, &c, why);
    if (err)
        return err;
    c->removes = true;
    struct db_unit *u = db_unit_new();
    brief_row_delete(u, e->pub.key);
    return brief_change_post(c, u, why);
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
    enum err err = entry_known(r, ref, out, why);
    return err ? err : brief_next_state(&(*out)->pub, BRIEF_EV_EDIT, &to, why);
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
    err = brief_change_new(e, done, arg, &c, why);
    if (err)
        return err;
    c->made_part = is_new;
    brief_attachment_put(&c->next, a);
    struct db_unit *u = db_unit_new();
    brief_attachment_row_put(u, &(struct brief_attachment_row){
        .brief = e->pub.key, .guid = str_of(a->id), .type = str_of(a->type), .name = str_of(a->name),
        .file_type = str_of(a->file_type), .size = a->size, .content = content });
    return brief_change_post(c, u, why);
}

enum err registrations_detach(struct registrations *r, const struct brief_ref *ref, struct str attachment, brief_done_fn *done,
                              void *arg, struct problem *why)
{
    char id[GUID_SIZE];
    struct entry *e;
    struct change *c;
    enum err err = brief_id_read(attachment, "attachmentId", id, why);
    if (!err)
        err = editable(r, ref, &e, why);
    if (!err && !attachment_find(&e->pub, id))
        err = attachment_absent(id, why);
    if (!err)
        err = brief_change_new(e, done, arg, &c, why);
    if (err)
        return err;
    size_t i = (size_t)(attachment_find(&e->pub, id) - e->pub.attachments);
    memmove(&c->next.attachments[i], &c->next.attachments[i + 1],
            (c->next.n_attachments - i - 1) * sizeof c->next.attachments[0]);
    c->next.n_attachments--;
    struct db_unit *u = db_unit_new();
    brief_attachment_row_delete(u, e->pub.key, str_of(id));
    return brief_change_post(c, u, why);
}

enum err registrations_attachments(struct registrations *r, const struct brief_ref *ref, struct str attachment, int64_t skip,
                                   int64_t top, struct db_read *read, struct problem *why)
{
    char id[GUID_SIZE] = "";
    struct entry *e;
    enum err err = attachment.n ? brief_id_read(attachment, "attachmentId", id, why) : ERR_NONE;
    if (!err)
        err = entry_known(r, ref, &e, why);
    if (!err && id[0] && !attachment_find(&e->pub, id))
        err = attachment_absent(id, why);
    if (err)
        return err;
    err = brief_attachments_ask(r->control->db, e->pub.key, str_of(id), skip, top, read);
    return err ? rule_problem(why, err, RULE_STORE_BUSY) : ERR_NONE;
}
