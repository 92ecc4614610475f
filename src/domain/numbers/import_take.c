/* import_take.c - a slice of a list becomes numbers: in memory, where nobody finds them yet, and on disk as one unit; all of it
 * or nothing. */
#include "base/buf.h"
#include "base/metric.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/import_priv.h"
#include "domain/numbers/numbers_priv.h"

#include <stdio.h>

METRIC_COUNTER(taken, "carterfone_inventory_rows_taken_total", "Rows of imports that were taken")
METRIC_COUNTER(left_out, "carterfone_inventory_rows_left_out_total", "Rows of imports that were left out")

static enum err check_line(const struct import *im, uint64_t line, struct problem *why)
{
    char at[24], got[24];
    if (line == im->pub.next_line)
        return ERR_NONE;
    snprintf(at, sizeof at, "%llu", (unsigned long long)im->pub.next_line);
    snprintf(got, sizeof got, "%llu", (unsigned long long)line);
    return rule_problem(why, ERR_CONFLICT, RULE_IMPORT_NOT_AT_LINE, im->pub.id, at, got);
}

/* The lot of the import that a slice means; 0 with the rule that stands against all its rows. */
static enum err resolve(struct import_step *s, const struct import_lot *given, unsigned *out, enum rule *rule)
{
    char key[IMPORT_LOT_KEY_SIZE], tags[IMPORT_TAGS_SIZE];
    struct import_lot l = *given;
    struct import *im = s->im;
    struct lot like = { .import = im, .tags = tags, .cost_micro = l.cost_micro };
    *out = 0;
    l.carrier = l.carrier.n ? l.carrier : str_of(im->pub.carrier);
    *rule = l.carrier.n ? RULE_CARRIER_UNKNOWN : RULE_CARRIER_NEEDED;
    if (!l.carrier.n || !import_carrier_known(s->n, l.carrier, &like.simulated))
        return ERR_NONE;
    struct str k = { key, import_lot_key(key, &l) };
    if ((*out = (unsigned)(uintptr_t)strmap_find(im->lots, k)))
        return ERR_NONE;
    struct sort sort = { .type = l.type, .calling = l.calling, .sms = l.sms };
    memcpy(sort.country, l.country, sizeof sort.country);
    str_copyz(tags, sizeof tags, l.tags);
    like.key = ids_next(s->n->control->ids);
    like.carrier = number_carrier(s->n, l.carrier);
    unsigned lot = 0;
    enum err err = like.carrier ? lot_make(s->n, &like, &sort, &lot) : ERR_NOMEM;
    if (!err)
        err = strmap_put(im->lots, k, (void *)(uintptr_t)lot);
    if (err == ERR_SIZE) {
        *rule = RULE_TOO_MANY_SORTS;
        return ERR_NONE;
    }
    *out = err ? 0 : lot;
    return err;
}

static enum err leave_out(struct import_step *s, const struct import_slice_row *row, enum rule rule, struct str detail)
{
    struct import_bad bad = { .line = row->line, .rule = rule };
    char text[E164_SIZE];
    str_copyz(bad.number, sizeof bad.number, str_of(e164_write(text, row->digits)));
    str_copyz(bad.detail, sizeof bad.detail, detail);
    return import_bad_put(&s->bad, &bad);
}

/* Put one into memory, where nobody finds it yet, or note why not. */
static enum err take_row(struct import_step *s, const struct import_slice *slice, const enum rule *rules, size_t i,
                         size_t *counts)
{
    struct numbers *n = s->n;
    struct import_slice_row *row = &slice->rows[i];
    unsigned lot = s->lots[row->lot];
    if (!lot)
        return leave_out(s, row, rules[row->lot], slice->lots[row->lot].carrier.n ? slice->lots[row->lot].carrier
                                                                                  : str_of(s->im->pub.carrier));
    const struct lot *there = lot_of(n, row->digits);
    if (there)
        return there->import == s->im ? leave_out(s, row, RULE_ROW_DOUBLED, STR(""))
                                      : leave_out(s, row, RULE_INVENTORY_HAS_NUMBER, str_of(there->import->pub.id));
    const struct number *x = number_find(n, row->digits);
    if (x)
        return leave_out(s, row, RULE_NUMBER_IN_USE, str_of(stock_state_word(stock_state_of(x->state))));
    enum err err = own_put(n, row->digits, lot);
    if (err)
        return err;
    s->put[s->n_put++] = row->digits | (uint64_t)row->lot << 51;        /* 15 digits take 50 bits */
    counts[row->lot]++;
    return ERR_NONE;
}

static int rising(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* By lot, rising: the lot stands above the digits. Lists mostly are in order. */
static void sort_put(struct import_step *s)
{
    const uint64_t digits = ((uint64_t)1 << 51) - 1;
    bool sorted = true;
    for (size_t i = 1; i < s->n_put && sorted; i++)
        sorted = s->put[i - 1] < s->put[i];
    if (!sorted)
        qsort(s->put, s->n_put, sizeof *s->put, rising);
    for (size_t i = 0; i < s->n_put; i++)
        s->put[i] &= digits;
}

static void take_back(struct import_step *s)
{
    for (size_t i = 0; i < s->n_put; i++)
        own_take(s->n, s->put[i]);
}

static enum err resolve_all(struct import_step *s, const struct import_slice *slice, enum rule *rules)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; i < slice->n_lots && !err; i++)
        err = resolve(s, &slice->lots[i], &s->lots[i], &rules[i]);
    return err;
}

/* Merge what the reader left out with what stood against its rows here. */
static enum err merge_bad(struct import_step *s, const struct import_slice *slice)
{
    struct import_bad_list here = s->bad, all = { 0 };
    size_t i = 0, j = 0;
    enum err err = ERR_NONE;
    while (!err && (i < here.n || j < slice->n_bad)) {
        bool mine = i < here.n && (j == slice->n_bad || here.at[i].line <= slice->bad[j].line);
        err = import_bad_put(&all, mine ? &here.at[i++] : &slice->bad[j++]);
    }
    free(here.at);
    s->bad = all;
    return err;
}

static void lot_rows(struct db_unit *u, const struct numbers *n, const struct import_step *s)
{
    for (size_t i = 0; i < s->n_lots; i++) {
        const struct lot *l = s->lots[i] ? n->lots[s->lots[i]] : NULL;
        if (!l || l->stored)
            continue;
        const struct sort *sort = sort_of(n, l);
        inventory_lot_row_insert(u, &(struct inventory_lot_row){
            .key = l->key, .import = s->im->pub.key, .carrier = str_of(l->carrier), .country = str_of(sort->country),
            .tags = str_of(l->tags), .simulated = l->simulated, .type = (int)sort->type, .calling = (int)sort->calling,
            .sms = (int)sort->sms, .cost_micro = l->cost_micro });
    }
}

static void bad_rows(struct db_unit *u, const struct import_step *s)
{
    uint64_t kept = s->im->pub.bad;
    for (size_t i = 0; i < s->bad.n && kept < IMPORT_BAD_KEPT; i++, kept++) {
        const struct import_bad *b = &s->bad.at[i];
        inventory_bad_row_insert(u, s->im->pub.key, &(struct inventory_bad_row){
            .line = b->line, .rule = str_of(rule_name(b->rule)), .number = str_of(b->number), .detail = str_of(b->detail) });
    }
}

/* NULL: out of memory. */
static struct db_unit *slice_unit(const struct import_step *s, const size_t *counts)
{
    struct numbers *n = s->n;
    const struct number_import *im = &s->im->pub;
    scoped_buf packed = { 0 };
    struct db_unit *u = db_unit_new();
    inventory_import_row_move(u, im->key, im->next_line, s->next_line, s->n_put, s->bad.n, str_of(s->mark));
    lot_rows(u, n, s);
    for (size_t i = 0, at = 0; i < s->n_lots; at += counts[i++]) {
        if (!counts[i])
            continue;
        buf_clear(&packed);
        inventory_pack(&packed, s->put + at, counts[i]);
        inventory_batch_row_insert(u, ids_next(n->control->ids), im->key, n->lots[s->lots[i]]->key, buf_str(&packed));
    }
    bad_rows(u, s);
    if (!buf_err(&packed))
        return u;
    db_unit_free(u);
    return NULL;
}

static void settle_slice(struct task *t, enum err err)
{
    struct import_step *s = t->extra;
    struct import *im = s->im;
    im->pub.busy = false;
    if (err) {
        take_back(s);
        return;
    }
    for (size_t i = 0; i < s->n_lots; i++)
        if (s->lots[i])
            s->n->lots[s->lots[i]]->stored = true;
    im->pub.next_line = s->next_line;
    memcpy(im->pub.mark, s->mark, sizeof im->pub.mark);
    im->pub.rows += s->n_put;
    im->pub.bad += s->bad.n;
    import_wait(s->n, im);
    imports_measure(s->n);
    metric_add(&taken, (int64_t)s->n_put);
    metric_add(&left_out, (int64_t)s->bad.n);
}

/* Everything of the slice that can be put is in memory. @param counts  by the slice's lots */
static enum err take_rows(struct import_step *s, const struct import_slice *slice, enum rule *rules, size_t *counts)
{
    enum err err = resolve_all(s, slice, rules);
    for (size_t i = 0; i < slice->n_rows && !err; i++)
        err = take_row(s, slice, rules, i, counts);
    sort_put(s);
    return err ? err : merge_bad(s, slice);
}

enum err numbers_import_slice(struct numbers *n, struct str id, const struct import_slice *slice, import_done_fn *done,
                              void *arg, struct problem *why)
{
    struct import *im;
    enum err err = import_find(n, id, &im, why);
    if (!err)
        err = import_check_open(im, why);
    if (!err)
        err = check_line(im, slice->first_line, why);
    if (err)
        return err;
    scoped(import_step) struct import_step *s = import_step_new(n, im, done, arg);
    size_t *counts = calloc(slice->n_lots + 1, sizeof *counts);
    enum rule *rules = calloc(slice->n_lots + 1, sizeof *rules);
    if (s) {
        s->put = calloc(slice->n_rows + 1, sizeof *s->put);
        s->lots = calloc(slice->n_lots + 1, sizeof *s->lots);
        s->n_lots = slice->n_lots;
        s->next_line = slice->next_line;
        memcpy(s->mark, slice->mark, sizeof s->mark);
    }
    err = s && s->put && s->lots && counts && rules ? take_rows(s, slice, rules, counts) : ERR_NOMEM;
    struct db_unit *u = err ? NULL : slice_unit(s, counts);
    free(counts);
    free(rules);
    if (!u && s && s->put)
        take_back(s);
    if (!u)
        return err ? err : ERR_NOMEM;
    err = import_step_post(s, u, settle_slice, import_stepped, why);
    if (!err)
        s = NULL;                       /* on its way */
    return err;
}
