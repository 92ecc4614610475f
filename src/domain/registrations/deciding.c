/* deciding.c - what the operator makes of a submitted brief: a state, a note, a short code. */
#include "base/str.h"
#include "domain/registrations/registrations_priv.h"

#include <stdio.h>

/* The simulated short codes, of which an approval takes the first that is free. */
enum { SHORT_CODE_FIRST = 555000, SHORT_CODE_LAST = 555999 };

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

/* The first simulated code that no brief has. */
static bool code_first_free(const struct registrations *r, struct brief *b)
{
    bool taken[SHORT_CODE_LAST - SHORT_CODE_FIRST + 1] = { false };
    uint64_t code;
    for (const struct entry *e = r->first; e; e = e->next)
        if (!str_u64(str_of(e->pub.number), SHORT_CODE_LAST, &code) && code >= SHORT_CODE_FIRST)
            taken[code - SHORT_CODE_FIRST] = true;
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        if (!taken[i]) {
            snprintf(b->number, sizeof b->number, "%d", SHORT_CODE_FIRST + (int)i);
            return true;
        }
    return false;
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
    if (!wishes && code_first_free(r, b))
        return ERR_NONE;
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
    enum err err = brief_next_state(b, d->event, &to, why);
    if (!err)
        err = brief_change_new(e, done, arg, &c, why);
    if (err)
        return err;
    c->next.state = to;
    c->next.updated_us = control_now_us(r->control);
    err = code_give(r, &c->next, d->short_code, why);
    if (!err)
        err = note_add(c, d, why);
    if (!err)
        return brief_change_post(c, brief_unit(c), why);
    brief_change_free(c);
    return err;
}
