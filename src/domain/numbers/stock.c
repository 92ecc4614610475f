#include "domain/numbers/stock.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/numbers_priv.h"

#include <stdio.h>

const char *stock_state_word(enum stock_state state)
{
    static const char *const words[] = { "available", "held", "leased", "released", "quarantine", "importing" };
    return words[state];
}

/* -- one number ----------------------------------------------------------------------------------------------------- */

static int64_t until(const struct numbers *n, const struct number *x)
{
    if (stock_state_of(x->state) != STOCK_HELD)
        return x->wait ? x->wait->until_us : 0;
    const struct search *s = map_find(n->searches, x->holder);
    const struct reservation *r = map_find(n->reservations, x->holder);
    return s ? s->pub.expires_us : r ? r->pub.expires_us : 0;
}

static void fill_own(const struct numbers *n, const struct lot *l, struct stock_number *out)
{
    const struct sort *s = sort_of(n, l);
    out->own = true;
    out->state = l->import->pub.state == IMPORT_OPEN ? STOCK_IMPORTING : STOCK_AVAILABLE;
    out->type = s->type;
    out->calling = s->calling;
    out->sms = s->sms;
    out->carrier = l->carrier;
    out->simulated = l->simulated;
    out->cost_micro = l->cost_micro;
    out->tags = l->tags;
    out->import = l->import->pub.key;
    out->import_id = l->import->pub.id;
    memcpy(out->country, s->country, sizeof out->country);
}

static void fill_used(const struct numbers *n, const struct number *x, struct stock_number *out)
{
    const struct lease *l = &x->lease;
    out->state = stock_state_of(x->state);
    out->resource = l->resource;
    out->since_us = l->purchased_us;
    out->until_us = until(n, x);
    out->lease = lease_in_use(x);
    if (out->own)
        return;
    out->type = l->type;
    out->calling = l->calling;
    out->sms = l->sms;
    out->carrier = l->carrier;
    out->simulated = l->simulated;
    memcpy(out->country, l->country, sizeof out->country);
}

static void fill(const struct numbers *n, const struct blocks_number *x, struct stock_number *out)
{
    const struct remark *r = map_find(n->remarks, x->digits);
    *out = (struct stock_number){ .number = x->digits, .carrier = "", .tags = "", .import_id = "",
                                  .own_tags = r ? r->tags : "", .note = r ? r->note : "" };
    if (x->lot)
        fill_own(n, n->lots[x->lot], out);
    if (x->who)
        fill_used(n, x->who, out);
}

/* @return ERR_RANGE, ERR_ABSENT */
static enum err known_number(const struct numbers *n, struct str e164, uint64_t *digits, struct problem *why)
{
    char text[64];
    str_copyz(text, sizeof text, e164);
    if (e164_read(e164, digits))
        return rule_problem(why, ERR_RANGE, RULE_INVALID_PHONE_NUMBER, text);
    if (!blocks_lot(n->blocks, *digits) && !number_find(n, *digits))
        return rule_problem(why, ERR_ABSENT, RULE_INVENTORY_HAS_NO_SUCH, e164_write(text, *digits));
    return ERR_NONE;
}

enum err numbers_stock_of(const struct numbers *n, struct str e164, struct stock_number *out, struct problem *why)
{
    uint64_t digits;
    enum err err = known_number(n, e164, &digits, why);
    if (!err)
        fill(n, &(struct blocks_number){ .digits = digits, .lot = blocks_lot(n->blocks, digits),
                                         .who = number_find(n, digits) }, out);
    return err;
}

/* -- patterns and prefixes ------------------------------------------------------------------------------------------ */

enum { PATTERN_MOST = 32, NANP_DIGITS = 11 };

enum err stock_pattern_check(struct str pattern)
{
    struct str p = pattern.n && pattern.p[0] == '+' ? str_from(pattern, 1) : pattern;
    bool good = p.n > 0 && p.n <= PATTERN_MOST;
    for (size_t i = 0; good && i < p.n; i++)
        good = (p.p[i] >= '0' && p.p[i] <= '9') || p.p[i] == '?' || p.p[i] == '*';
    return good ? ERR_NONE : ERR_SYNTAX;
}

/* '*' may be tried again where it was last met: work is at most pattern times text. */
static bool glob(struct str p, struct str text)
{
    size_t i = 0, at = 0, star = SIZE_MAX, star_at = 0;
    while (at < text.n) {
        if (i < p.n && p.p[i] == '*') {
            star = i++;
            star_at = at;
        } else if (i < p.n && (p.p[i] == '?' || p.p[i] == text.p[at])) {
            i++;
            at++;
        } else if (star != SIZE_MAX) {
            i = star + 1;
            at = ++star_at;
        } else {
            return false;
        }
    }
    while (i < p.n && p.p[i] == '*')
        i++;
    return i == p.n;
}

static bool fits_pattern(struct str pattern, uint64_t digits)
{
    char text[E164_SIZE];
    struct str whole = str_from(str_of(e164_write(text, digits)), 1);
    if (pattern.p[0] == '+')
        return glob(str_from(pattern, 1), whole);
    return glob(pattern, whole) || (whole.n == NANP_DIGITS && whole.p[0] == '1' && glob(pattern, str_from(whole, 1)));
}

/* -- listing -------------------------------------------------------------------------------------------------------- */

/* Is the word one of a list separated by blanks? */
static bool has_word(const char *list, struct str word)
{
    struct str head, rest = str_of(list);
    while (rest.n) {
        str_cut(rest, ' ', &head, &rest);
        if (str_eq(head, word))
            return true;
    }
    return false;
}

static bool fits(const struct stock_filter *f, const struct stock_number *x)
{
    return (!f->own || x->own) && (!f->has_type || f->type == x->type) && (!f->has_state || f->state == x->state)
           && (!f->import || f->import == x->import) && (!f->country.n || str_eq_nocase(f->country, str_of(x->country)))
           && (!f->carrier.n || str_eqz(f->carrier, x->carrier))
           && (!f->tag.n || has_word(x->tags, f->tag) || has_word(x->own_tags, f->tag))
           && (!f->pattern.n || fits_pattern(f->pattern, x->number));
}

/* Where to go on from `from`: the range that it lies in, or the next one. False: there is none. */
static bool range_from(const struct number_range *ranges, size_t n, struct blocks_cursor *c)
{
    uint64_t next = UINT64_MAX, from = c->from;
    c->to = UINT64_MAX / 2;
    if (!n)
        return c->from <= c->to;
    c->to = 0;
    for (size_t i = 0; i < n; i++) {
        if (ranges[i].least <= from && from <= ranges[i].most)
            c->to = c->to > ranges[i].most ? c->to : ranges[i].most;
        else if (ranges[i].least > from && ranges[i].least < next)
            next = ranges[i].least;
    }
    if (c->to || next == UINT64_MAX)
        return c->to;
    c->from = next;
    return range_from(ranges, n, c);    /* once: now it lies in one */
}

/* What a pattern begins with narrows the search as a prefix does. */
static size_t pattern_ranges(struct str pattern, struct number_range out[NUMBER_RANGES_MOST])
{
    size_t plus = pattern.n && pattern.p[0] == '+', n = plus;
    while (n < pattern.n && pattern.p[n] >= '0' && pattern.p[n] <= '9')
        n++;
    return n > plus ? number_ranges_read((struct str){ pattern.p, n }, out) : 0;
}

size_t numbers_stock_list(const struct numbers *n, const struct stock_filter *f, uint64_t after, size_t most,
                          struct stock_number *out, uint64_t *next)
{
    struct number_range own[NUMBER_RANGES_MOST];
    const struct number_range *ranges = f->n_ranges ? f->ranges : own;
    size_t n_ranges = f->n_ranges ? f->n_ranges : pattern_ranges(f->pattern, own), count = 0, looked = 0;
    bool used = f->has_state && f->state != STOCK_AVAILABLE && f->state != STOCK_IMPORTING;
    struct blocks_cursor c = { .from = after + 1, .given = used };
    struct blocks_number x;
    while (range_from(ranges, n_ranges, &c)) {
        while (blocks_walk(n->blocks, &c, &x)) {
            fill(n, &x, &out[count]);
            count += fits(f, &out[count]);
            if (count == most || ++looked == STOCK_LOOKED_AT_MOST) {
                *next = x.digits;
                return count;
            }
        }
        c = (struct blocks_cursor){ .from = c.to + 1, .given = used };
    }
    *next = 0;
    return count;
}

/* -- pools ---------------------------------------------------------------------------------------------------------- */

static void pool_add(struct stock_pool *p, const struct lot *l)
{
    uint64_t used = 0;
    for (unsigned state = 0; state < STOCK_STATES; state++) {
        p->count[state] += l->used[state];
        used += l->used[state];
    }
    p->total += l->total;
    p->count[l->import->pub.state == IMPORT_OPEN ? STOCK_IMPORTING : STOCK_AVAILABLE] += l->total - used;
}

static int by_name(const void *a, const void *b)
{
    const struct stock_pool *x = a, *y = b;
    int d = strcmp(x->carrier, y->carrier);
    d = d ? d : strcmp(x->country, y->country);
    d = d ? d : (int)x->type - (int)y->type;
    d = d ? d : (int)x->calling - (int)y->calling;
    return d ? d : (int)x->sms - (int)y->sms;
}

/* One text for each name of a carrier: its address and the sort are the pool. */
static enum err pool_find(const struct numbers *n, struct map *by, const struct lot *l, struct stock_pool **pools,
                          size_t *count, size_t *at)
{
    uint64_t key = (uint64_t)(uintptr_t)l->carrier << 16 | l->sort;
    *at = (size_t)map_find(by, key);
    if (*at)
        return ERR_NONE;
    struct stock_pool *more = realloc(*pools, (*count + 1) * sizeof *more);
    if (!more)
        return ERR_NOMEM;
    *pools = more;
    const struct sort *s = sort_of(n, l);
    more[*count] = (struct stock_pool){ .carrier = l->carrier, .simulated = l->simulated, .type = s->type,
                                        .calling = s->calling, .sms = s->sms };
    memcpy(more[*count].country, s->country, sizeof s->country);
    *at = ++*count;
    return map_put(by, key, (void *)*at);
}

enum err numbers_stock_pools(const struct numbers *n, struct stock_pool **out, size_t *count)
{
    scoped(map) struct map *by = map_new();
    struct stock_pool *pools = NULL;
    size_t n_pools = 0, at;
    enum err err = by ? ERR_NONE : ERR_NOMEM;
    for (size_t i = 1; i <= n->n_lots && !err; i++) {
        if (!n->lots[i]->total)
            continue;
        err = pool_find(n, by, n->lots[i], &pools, &n_pools, &at);
        if (!err)
            pool_add(&pools[at - 1], n->lots[i]);
    }
    if (err) {
        free(pools);
        return err;
    }
    if (n_pools)
        qsort(pools, n_pools, sizeof *pools, by_name);
    *out = pools;
    *count = n_pools;
    return ERR_NONE;
}

/* -- notes ---------------------------------------------------------------------------------------------------------- */

static void remark_free(struct remark *r)
{
    if (!r)
        return;
    free((void *)(uintptr_t)r->note);
    free((void *)(uintptr_t)r->tags);
    free(r);
}

void remarks_free(struct numbers *n)
{
    uint64_t key;
    void *value;
    for (size_t at = 0; n->remarks && map_next(n->remarks, &at, &key, &value);)
        remark_free(value);
    map_free(n->remarks);
}

static char *text_new(struct str s)
{
    char *z = malloc(s.n + 1);
    if (z)
        str_copyz(z, s.n + 1, s);
    return z;
}

static struct remark *remark_new(struct str note, struct str tags)
{
    struct remark *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->note = text_new(note);
    r->tags = text_new(tags);
    if (r->note && r->tags)
        return r;
    remark_free(r);
    return NULL;
}

static enum err load_note(void *arg, const struct inventory_note_row *row)
{
    struct numbers *n = arg;
    struct remark *r = remark_new(row->note, row->tags);
    if (r && !map_put(n->remarks, row->digits, r))
        return ERR_NONE;
    remark_free(r);
    return ERR_NOMEM;
}

enum err remarks_load(struct numbers *n)
{
    return inventory_note_rows_each(n->control->db, load_note, n);
}

/* A change of one number on its way to disk. */
struct stock_step {
    struct numbers *n;
    uint64_t        digits;
    struct remark  *is;                 /* a note: what will be known of the number; else NULL */
    stock_done_fn  *done;
    void           *arg;
};

static void stock_step_free(void *step)
{
    struct stock_step *s = step;
    if (!s)
        return;
    remark_free(s->is);
    free(s);
}

static void on_stock_step(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)op;
    struct stock_step *s = arg;
    s->done(s->arg, err, why);
    stock_step_free(s);
}

/* Gives the step away on success; else settle() was called. */
static enum err stock_post(struct stock_step *s, struct db_unit *u, void (*settle)(struct task *, enum err),
                           struct problem *why)
{
    struct task mine = { .n = s->n, .settle = settle, .extra = s, .extra_free = stock_step_free, .then = on_stock_step,
                         .arg = s };
    struct task *t = malloc(sizeof *t);
    if (!t) {
        db_unit_free(u);
        settle(&mine, ERR_NOMEM);
        return ERR_NOMEM;
    }
    *t = mine;
    return task_post(t, u, why);
}

/* What nothing is said of any more is forgotten. */
static void remark_set(struct numbers *n, uint64_t digits, struct remark *r)
{
    if (r->note[0] || r->tags[0])
        (void)!map_put(n->remarks, digits, r);          /* its place is there already */
    else
        remark_free(map_take(n->remarks, digits));
}

static void settle_note(struct task *t, enum err err)
{
    struct stock_step *s = t->extra;
    struct remark *now = map_find(s->n->remarks, s->digits);
    now->busy = false;
    if (err) {
        remark_set(s->n, s->digits, now);
        return;
    }
    remark_set(s->n, s->digits, s->is);
    if (map_find(s->n->remarks, s->digits) == s->is) {
        remark_free(now);
        s->is = NULL;
    }
}

static enum err check_note(const struct str *note, const struct str *tags, struct problem *why)
{
    char most[24], most_tags[24];
    bool good = (!note || (note->n < STOCK_NOTE_SIZE && utf8_valid(*note)))
                && (!tags || (tags->n < STOCK_TAGS_SIZE && utf8_valid(*tags)));
    snprintf(most, sizeof most, "%d", STOCK_NOTE_SIZE - 1);
    snprintf(most_tags, sizeof most_tags, "%d", STOCK_TAGS_SIZE - 1);
    return good ? ERR_NONE : rule_problem(why, ERR_RANGE, RULE_NOTE_TOO_LONG, most, most_tags);
}

/* Make its place, so that nothing can fail behind the commit. */
static enum err remark_place(struct numbers *n, uint64_t digits, struct remark **out)
{
    *out = map_find(n->remarks, digits);
    if (*out)
        return ERR_NONE;
    *out = remark_new(STR(""), STR(""));
    if (*out && !map_put(n->remarks, digits, *out))
        return ERR_NONE;
    remark_free(*out);
    return ERR_NOMEM;
}

/* The tags of one list that another has not. */
static void audit_tags(struct numbers *n, struct db_unit *u, uint64_t digits, enum number_audit what, const char *tags,
                       const char *others)
{
    struct str tag, rest = str_of(tags);
    while (rest.n) {
        char text[STOCK_TAGS_SIZE];
        str_cut(rest, ' ', &tag, &rest);
        if (!tag.n || has_word(others, tag))
            continue;
        str_copyz(text, sizeof text, tag);
        number_audit_row(n, u, digits, what, 0, text);
    }
}

/* What a change changes, a line each; what stays as it was is not told. */
static void audit_remark(struct numbers *n, struct db_unit *u, uint64_t digits, const struct remark *was, const struct remark *is)
{
    audit_tags(n, u, digits, AUDIT_TAG_REMOVED, was->tags, is->tags);
    audit_tags(n, u, digits, AUDIT_TAG_ADDED, is->tags, was->tags);
    if (strcmp(was->note, is->note) != 0)
        number_audit_row(n, u, digits, is->note[0] ? AUDIT_NOTE_SET : AUDIT_NOTE_REMOVED, 0, is->note[0] ? is->note : was->note);
}

enum err numbers_stock_note(struct numbers *n, struct str e164, const struct str *note, const struct str *tags,
                            stock_done_fn *done, void *arg, struct problem *why)
{
    uint64_t digits;
    struct remark *was;
    enum err err = known_number(n, e164, &digits, why);
    if (!err)
        err = check_note(note, tags, why);
    if (!err)
        err = remark_place(n, digits, &was);
    if (!err && was->busy)              /* what is not given stays as it is: that must be known */
        err = number_busy("the note of this number", why);
    if (err)
        return err;
    struct stock_step *s = calloc(1, sizeof *s);
    struct remark *is = remark_new(note ? *note : str_of(was->note), tags ? str_trim(*tags) : str_of(was->tags));
    if (!s || !is) {
        remark_free(is);
        free(s);
        remark_set(n, digits, was);
        return ERR_NOMEM;
    }
    *s = (struct stock_step){ .n = n, .digits = digits, .is = is, .done = done, .arg = arg };
    was->busy = true;
    struct db_unit *u = db_unit_new();
    inventory_note_row_put(u, &(struct inventory_note_row){ .digits = digits, .note = str_of(is->note),
                                                            .tags = str_of(is->tags) });
    audit_remark(n, u, digits, was, is);
    err = stock_post(s, u, settle_note, why);
    if (err)
        stock_step_free(s);
    return err;
}

/* -- withdrawing one ------------------------------------------------------------------------------------------------ */

static void settle_withdrawal(struct task *t, enum err err)
{
    struct stock_step *s = t->extra;
    map_take(s->n->withdrawing, s->digits);
    if (!err)
        own_take(s->n, s->digits);
    else if (!number_find(s->n, s->digits))
        blocks_offer(s->n->blocks, s->digits, true);
}

enum err numbers_stock_withdraw(struct numbers *n, struct str e164, stock_done_fn *done, void *arg, struct problem *why)
{
    uint64_t digits;
    char text[E164_SIZE];
    enum err err = known_number(n, e164, &digits, why);
    if (err)
        return err;
    struct stock_number x;
    fill(n, &(struct blocks_number){ .digits = digits, .lot = blocks_lot(n->blocks, digits), .who = number_find(n, digits) },
         &x);
    e164_write(text, digits);
    if (!x.own)
        return rule_problem(why, ERR_ABSENT, RULE_INVENTORY_HAS_NO_SUCH, text);
    if (map_find(n->withdrawing, digits))
        return number_busy(text, why);
    bool pending = x.state == STOCK_AVAILABLE && !own_is_available(n, digits);
    if (pending || x.state == STOCK_HELD || x.state == STOCK_LEASED || x.state == STOCK_IMPORTING)
        return rule_problem(why, ERR_CONFLICT, RULE_NUMBER_IN_USE, text, stock_state_word(x.state));
    struct stock_step *s = calloc(1, sizeof *s);
    if (!s || map_put(n->withdrawing, digits, s)) {
        free(s);
        return ERR_NOMEM;
    }
    *s = (struct stock_step){ .n = n, .digits = digits, .done = done, .arg = arg };
    blocks_offer(n->blocks, digits, false);
    struct db_unit *u = db_unit_new();
    inventory_withdrawn_row_insert(u, digits, lot_of(n, digits)->key);
    number_audit_row(n, u, digits, AUDIT_WITHDRAWN, 0, x.carrier);
    err = stock_post(s, u, settle_withdrawal, why);
    if (err)
        stock_step_free(s);
    return err;
}

/* -- audit ---------------------------------------------------------------------------------------------------------- */

void number_audit_row(struct numbers *n, struct db_unit *u, uint64_t digits, enum number_audit what, uint64_t resource,
                      const char *detail)
{
#define AUDIT_WORD(name, word) [AUDIT_##name] = word,
    static const char *const words[] = { NUMBER_AUDITS(AUDIT_WORD) };
#undef AUDIT_WORD
    number_audit_row_insert(u, &(struct number_audit_row){
        .digits = digits, .key = ids_next(n->control->ids), .at_us = numbers_now(n), .what = str_of(words[what]),
        .resource = resource, .detail = str_of(detail) });
}

struct audit_listing {
    struct db_read   read;
    number_audit_fn *done;
    void            *arg;
    size_t           most;
};

static void on_audit_listed(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct audit_listing *g = container_of(item, struct audit_listing, read.item);
    scoped(db_rows) struct db_rows *rows = g->read.err ? NULL : g->read.rows;
    size_t asked = rows ? db_rows_count(rows) : 0, count = 0;
    struct number_audit_line *lines = calloc(asked + 1, sizeof *lines);
    enum err err = g->read.err ? g->read.err : lines ? ERR_NONE : ERR_NOMEM;
    while (!err && count < g->most && db_rows_next(rows)) {
        struct number_audit_row row;
        number_audit_row_read(rows, &row);
        lines[count++] = (struct number_audit_line){ .key = row.key, .at_us = row.at_us, .what = row.what.p,
                                                     .resource = row.resource, .detail = row.detail };
    }
    g->done(g->arg, err, lines, count, asked > g->most);
    free(lines);
    free(g);
}

static void drop_audit_listing(struct inbox_item *item)
{
    struct audit_listing *g = container_of(item, struct audit_listing, read.item);
    if (!g->read.err)
        db_rows_free(g->read.rows);
    free(g);
}

static const struct inbox_kind audit_listed_kind = { "numbers.audit", on_audit_listed, drop_audit_listing };

enum err numbers_audit(struct numbers *n, struct str e164, uint64_t before, size_t most, number_audit_fn *done, void *arg,
                       struct problem *why)
{
    char text[64];
    uint64_t digits;
    str_copyz(text, sizeof text, e164);
    if (e164_read(e164, &digits))
        return rule_problem(why, ERR_RANGE, RULE_INVALID_PHONE_NUMBER, text);
    struct audit_listing *g = calloc(1, sizeof *g);
    if (!g)
        return ERR_NOMEM;
    *g = (struct audit_listing){ .done = done, .arg = arg, .most = most };
    g->read.item.kind = &audit_listed_kind;
    g->read.to = control_inbox(n->control);
    enum err err = number_audit_ask(n->control->db, digits, before ? before : INT64_MAX, most + 1, &g->read);
    if (!err)
        return ERR_NONE;
    free(g);
    return rule_problem(why, err, RULE_STORE_BUSY);
}
