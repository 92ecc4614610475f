/* statement.c - charges, sums and invoices read from the store and written as JSON. */
#include "domain/billing/statement.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/billing/usage_priv.h"
#include "domain/messages/messages.h"
#include "domain/rules.h"

#include <stdio.h>

enum { READS_MOST = 50 };               /* of one page, where most rows do not match */

static const char *const view_words[] = { "charge", "kind", "day", "number", "destination" };

enum err usage_view_read(struct str word, enum usage_view *out)
{
    for (size_t v = 0; v < ARRAY_LEN(view_words); v++)
        if (str_eqz(word, view_words[v])) {
            *out = (enum usage_view)v;
            return ERR_NONE;
        }
    return ERR_RANGE;
}

/* Where a page ended: a charge's resource, time and key; or what a sum is of. */
struct place {
    uint64_t a;
    int64_t  b, c;
    char     country[8], destination[96];
};

/* One answer being put together. */
struct look {
    struct db_read     read;
    struct usage      *m;
    struct usage_query q;               /* account and after are not valid behind the request */
    char               account[64];
    uint64_t           subscription;
    struct place       at;
    size_t             rows, reads;     /* written, asked */
    bool               more;
    struct buf         out;
    struct jw          w;
    usage_json_fn     *done;
    void              *arg;
};

static void look_free(struct look *l)
{
    db_rows_free(l->read.rows);
    buf_done(&l->out);
    free(l);
}

static void look_finish(struct look *l, enum err err)
{
    if (!err)
        err = buf_err(&l->out);
    l->done(l->arg, err, err ? (struct str){ 0 } : buf_str(&l->out));
    look_free(l);
}

/* The next read of this answer; its answer goes to `kind`. */
static struct db_read *read_again(struct look *l, const struct inbox_kind *kind)
{
    db_rows_free(l->read.rows);
    l->read = (struct db_read){ .item.kind = kind, .to = control_inbox(l->m->control) };
    l->reads++;
    return &l->read;
}

static void drop_look(struct inbox_item *item)
{
    look_free(container_of(item, struct look, read.item));
}

/* -- where a page ended --------------------------------------------------------------------------------------------- */

static void place_write(const struct look *l, struct jw *w)
{
    char place[200];
    scoped_buf link = { 0 };
    if (!l->more) {
        jw_null(w, "nextLink");
        return;
    }
    snprintf(place, sizeof place, "%llu.%lld.%lld.%s.%s", (unsigned long long)l->at.a, (long long)l->at.b, (long long)l->at.c,
             l->at.country, l->at.destination);
    buf_puts(&link, l->q.link);
    buf_put_escaped(&link, str_of(place));
    jw_text(w, "nextLink", buf_str(&link));
    w->b->bad |= link.bad;
}

static enum err place_read(struct str text, struct place *out, struct problem *why)
{
    struct str part[3], country, rest = text;
    uint64_t v[3] = { 0 };
    *out = (struct place){ 0 };
    if (!text.n)
        return ERR_NONE;
    bool good = true;
    for (int i = 0; i < 3; i++)
        good = str_cut(rest, '.', &part[i], &rest) && !str_u64(part[i], INT64_MAX, &v[i]) && good;
    good = str_cut(rest, '.', &country, &rest) && country.n < sizeof out->country && rest.n < sizeof out->destination && good;
    if (!good) {
        problem_set(why, ERR_RANGE, "BadRequest", "after is not of the nextLink of a page.");
        problem_target(why, "after");
        return ERR_RANGE;
    }
    out->a = v[0];
    out->b = (int64_t)v[1];
    out->c = (int64_t)v[2];
    str_copyz(out->country, sizeof out->country, country);
    str_copyz(out->destination, sizeof out->destination, rest);
    return ERR_NONE;
}

static struct usage_sum place_sum(const struct look *l)
{
    return (struct usage_sum){ .number = l->at.a, .day = (int)l->at.a, .kind = (int)l->at.b, .unit_micro = l->at.c,
                               .country = str_of(l->at.country), .destination = str_of(l->at.destination) };
}

static void place_set(struct look *l, uint64_t a, const struct usage_sum *s)
{
    l->at = (struct place){ .a = a, .b = s->kind, .c = s->unit_micro };
    str_copyz(l->at.country, sizeof l->at.country, s->country);
    str_copyz(l->at.destination, sizeof l->at.destination, s->destination);
}

/* -- words ---------------------------------------------------------------------------------------------------------- */

static void write_number(struct jw *w, uint64_t number)
{
    char text[E164_SIZE];
    jw_textz(w, "number", e164_write(text, number));
}

static void write_day(struct jw *w, const char *name, int day)
{
    jw_printf(w, name, "%04d-%02d-%02d", day / 10000, day / 100 % 100, day % 100);
}

static void write_kind(struct jw *w, int kind, int64_t quantity)
{
    enum charge_kind k = kind > CHARGE_NONE && kind < CHARGE_KIND_COUNT ? (enum charge_kind)kind : CHARGE_LEASE;
    jw_textz(w, "kind", charge_word(k));
    jw_int(w, "quantity", quantity);
    jw_textz(w, "unit", charge_unit(k));
}

static void write_cause(struct jw *w, const struct ids *ids, const struct usage_row *row)
{
    char id[SMS_ID_SIZE];
    static const char *const prefixes[] = { [ID_OPERATION_PURCHASE] = "purchase_",
                                            [ID_RESERVATION_PURCHASE] = "reservationPurchase_" };
    if (row->cause_kind == ID_MESSAGE) {
        sms_id_write(ids, row->cause, row->kind == CHARGE_SMS_IN, id);
        jw_textz(w, "cause", id);
        return;
    }
    ids_guid(ids, (enum id_kind)row->cause_kind, row->cause, id);
    bool known = row->cause_kind < (int)ARRAY_LEN(prefixes) && prefixes[row->cause_kind];
    jw_printf(w, "cause", "%s%s", known ? prefixes[row->cause_kind] : "", id);
}

/* -- charges -------------------------------------------------------------------------------------------------------- */

static void write_charge(struct look *l, const struct usage_row *row)
{
    struct jw *w = &l->w;
    const struct resource *r = accounts_resource_ever(l->m->accounts, row->resource);
    jw_object(w, NULL);
    jw_time(w, "time", row->at_us);
    if (row->until_us)
        jw_time(w, "until", row->until_us);
    jw_textz(w, "resource", r ? r->name : NULL);
    write_number(w, row->number);
    write_kind(w, row->kind, row->quantity);
    jw_text(w, "countryCode", row->country);
    jw_text(w, "destination", row->destination);
    jw_int(w, "unitMicroUsd", row->unit_micro);
    jw_int(w, "surchargeMicroUsd", row->surcharge_micro);
    jw_int(w, "microUsd", row->amount_micro);
    write_cause(w, l->m->control->ids, row);
    jw_int(w, "part", row->part);
    jw_end(w);
}

static bool wanted(const struct look *l, const struct usage_row *row)
{
    return (!l->q.number || l->q.number == row->number) && (!l->q.kind || (int)l->q.kind == row->kind);
}

static void charges_end(struct look *l, enum err err)
{
    jw_end(&l->w);
    place_write(l, &l->w);
    jw_end(&l->w);
    look_finish(l, err);
}

static void on_resource(void *owner, struct inbox_item *item);
static void on_charges(void *owner, struct inbox_item *item);
static const struct inbox_kind resource_kind = { "usage.resource", on_resource, drop_look };
static const struct inbox_kind charges_kind = { "usage.charges", on_charges, drop_look };

static void ask_charges(struct look *l)
{
    struct usage_row after = { .subscription = l->subscription, .resource = l->at.a, .at_us = l->at.b,
                               .key = (uint64_t)l->at.c };
    enum err err = usage_rows_ask(l->m->control->db, &after, l->q.to_us, USAGE_PAGE_MOST, read_again(l, &charges_kind));
    if (err)
        charges_end(l, err);
}

static void ask_resource(struct look *l)
{
    enum err err = usage_resource_ask(l->m->control->db, l->subscription, l->at.a, read_again(l, &resource_kind));
    if (err)
        charges_end(l, err);
}

static void on_resource(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct look *l = container_of(item, struct look, read.item);
    uint64_t resource = l->read.err ? 0 : usage_resource_read(l->read.rows);
    if (!resource) {
        charges_end(l, l->read.err);
        return;
    }
    l->at = (struct place){ .a = resource, .b = l->q.from_us };
    ask_charges(l);
}

/* A page may be short where little matches: it ends after so many reads, and the next one goes on. */
static void on_charges(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct look *l = container_of(item, struct look, read.item);
    struct usage_row row;
    size_t n = 0;
    for (; !l->read.err && l->rows < l->q.most && usage_row_next(l->read.rows, &row); n++) {
        l->at.b = row.at_us;
        l->at.c = (int64_t)row.key;
        if (!wanted(l, &row))
            continue;
        write_charge(l, &row);
        l->rows++;
    }
    bool whole = n < USAGE_PAGE_MOST && l->rows < l->q.most;    /* nothing is left of this resource */
    l->more = !l->read.err && (l->rows == l->q.most || l->reads >= READS_MOST);
    if (l->read.err || l->more || (whole && l->q.resource))
        charges_end(l, l->read.err);
    else if (whole)
        ask_resource(l);
    else
        ask_charges(l);
}

/* -- sums ----------------------------------------------------------------------------------------------------------- */

static struct usage_range range_of(const struct look *l)
{
    const struct usage_query *q = &l->q;
    return (struct usage_range){ .subscription = l->subscription, .resource = q->resource, .number = q->number,
                                 .kind = (int)q->kind, .first_month = usage_month(q->from_us),
                                 .last_month = usage_month(q->to_us - 1), .first_day = usage_day(q->from_us),
                                 .last_day = usage_day(q->to_us - 1) };
}

static void write_sum(struct look *l, const struct usage_sum *s)
{
    struct jw *w = &l->w;
    jw_object(w, NULL);
    if (l->q.view == USAGE_DAYS)
        write_day(w, "day", s->day);
    if (l->q.view == USAGE_NUMBERS)
        write_number(w, s->number);
    if (l->q.view == USAGE_DESTINATIONS) {
        jw_text(w, "countryCode", s->country);
        jw_text(w, "destination", s->destination);
    }
    write_kind(w, s->kind, s->quantity);
    jw_int(w, "surchargeMicroUsd", s->surcharge_micro);
    jw_int(w, "microUsd", s->amount_micro);
    jw_end(w);
}

static void on_sums(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct look *l = container_of(item, struct look, read.item);
    struct usage_sum s;
    for (; !l->read.err && usage_sum_next(l->read.rows, &s); l->rows++) {
        write_sum(l, &s);
        place_set(l, l->q.view == USAGE_DAYS ? (uint64_t)s.day : s.number, &s);
    }
    l->more = l->rows == l->q.most && l->q.view != USAGE_KINDS;
    charges_end(l, l->read.err);
}

static const struct inbox_kind sums_kind = { "usage.sums", on_sums, drop_look };

static enum err ask_sums(struct look *l)
{
    static const enum usage_group groups[] = { [USAGE_KINDS] = USAGE_BY_KIND, [USAGE_DAYS] = USAGE_BY_DAY,
                                               [USAGE_NUMBERS] = USAGE_BY_NUMBER,
                                               [USAGE_DESTINATIONS] = USAGE_BY_DESTINATION };
    struct usage_range range = range_of(l);
    struct usage_sum after = place_sum(l);
    return usage_sums_ask(l->m->control->db, groups[l->q.view], &range, &after,
                          l->q.view == USAGE_KINDS ? CHARGE_KIND_COUNT : l->q.most, read_again(l, &sums_kind));
}

/* -- asking --------------------------------------------------------------------------------------------------------- */

static enum err look_new(struct look **out, struct usage *m, const struct usage_query *q, usage_json_fn *done, void *arg,
                         struct problem *why)
{
    struct look *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    *l = (struct look){ .m = m, .q = *q, .subscription = q->account->key, .done = done, .arg = arg };
    str_copyz(l->account, sizeof l->account, str_of(q->account->name));
    l->w = jw_of(&l->out);
    enum err err = place_read(q->after, &l->at, why);
    if (err)
        free(l);
    else
        *out = l;
    return err;
}

enum err usage_list(struct usage *m, const struct usage_query *q, usage_json_fn *done, void *arg, struct problem *why)
{
    struct look *l;
    enum err err = look_new(&l, m, q, done, arg, why);
    if (err)
        return err;
    jw_object(&l->w, NULL);
    jw_textz(&l->w, "account", l->account);
    jw_time(&l->w, "from", q->from_us);
    jw_time(&l->w, "to", q->to_us);
    jw_textz(&l->w, "by", view_words[q->view]);
    jw_array(&l->w, "value");
    if (q->view == USAGE_CHARGES && q->resource && !l->at.a)
        l->at = (struct place){ .a = q->resource, .b = q->from_us };
    if (q->view != USAGE_CHARGES)
        err = ask_sums(l);
    else if (q->resource && l->at.a != q->resource)
        err = ERR_RANGE;                /* of another question */
    else if (l->at.a)
        ask_charges(l);
    else
        ask_resource(l);
    if (err)
        look_free(l);
    return err;
}

/* -- an invoice ----------------------------------------------------------------------------------------------------- */

/* The month of the lease that begins in the invoice's month, and how much of it lies in that. */
static void write_lease(struct jw *w, const struct usage_sum *line, int64_t begin_us, int64_t end_us)
{
    int64_t from = line->since_us >= begin_us ? line->since_us : billing_cycle_end(line->since_us, begin_us - 1);
    int64_t to = billing_cycle_end(line->since_us, from), amount = line->amount_micro;
    bool released = line->ended_us && line->ended_us < to;
    jw_object(w, "period");
    jw_time(w, "from", from);
    jw_time(w, "to", to);
    jw_end(w);
    jw_int(w, "proRataMicroUsd", usage_pro_rata(amount, from, to, begin_us, end_us));
    if (!released)
        return;
    jw_time(w, "releasedAt", line->ended_us);
    jw_int(w, "unusedMicroUsd", amount - usage_pro_rata(amount, from, to, from, line->ended_us));
}

static void write_line(struct look *l, const struct usage_sum *line)
{
    struct jw *w = &l->w;
    jw_object(w, NULL);
    write_number(w, line->number);
    write_kind(w, line->kind, line->quantity);
    jw_text(w, "countryCode", line->country);
    jw_text(w, "destination", line->destination);
    jw_int(w, "unitMicroUsd", line->unit_micro);
    jw_int(w, "surchargeMicroUsd", line->surcharge_micro);
    jw_int(w, "microUsd", line->amount_micro);
    if (line->kind == CHARGE_LEASE && line->since_us)
        write_lease(w, line, l->q.from_us, l->q.to_us);
    jw_end(w);
}

static void on_lines(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct look *l = container_of(item, struct look, read.item);
    struct usage_sum line;
    jw_array(&l->w, "lines");
    for (; !l->read.err && usage_line_next(l->read.rows, &line); l->rows++) {
        write_line(l, &line);
        place_set(l, line.number, &line);
    }
    l->more = l->rows == l->q.most;
    charges_end(l, l->read.err);
}

static const struct inbox_kind lines_kind = { "usage.lines", on_lines, drop_look };

static enum err ask_lines(struct look *l)
{
    struct usage_range range = range_of(l);
    struct usage_sum after = place_sum(l);
    return usage_lines_ask(l->m->control->db, &range, l->q.to_us, &after, l->q.most, read_again(l, &lines_kind));
}

static void on_totals(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct look *l = container_of(item, struct look, read.item);
    struct usage_sum s;
    int64_t total = 0;
    jw_array(&l->w, "totals");
    while (!l->read.err && usage_sum_next(l->read.rows, &s)) {
        write_sum(l, &s);
        total = usage_plus(total, s.amount_micro);
    }
    jw_end(&l->w);
    jw_int(&l->w, "microUsd", total);
    enum err err = l->read.err;
    if (!err)
        err = ask_lines(l);
    if (err)
        look_finish(l, err);
}

static const struct inbox_kind totals_kind = { "usage.totals", on_totals, drop_look };

/* Of the first page only: the others are about lines. */
static enum err ask_totals(struct look *l)
{
    struct usage_range range = range_of(l);
    return usage_sums_ask(l->m->control->db, USAGE_BY_KIND, &range, &(struct usage_sum){ 0 }, CHARGE_KIND_COUNT,
                          read_again(l, &totals_kind));
}

static void write_cap(struct look *l)
{
    int64_t cap = usage_cap(l->m, l->subscription);
    if (cap < 0)
        jw_null(&l->w, "spendCapMicroUsd");
    else
        jw_int(&l->w, "spendCapMicroUsd", cap);
}

enum err usage_invoice(struct usage *m, const struct usage_query *q, usage_json_fn *done, void *arg, struct problem *why)
{
    struct look *l;
    enum err err = look_new(&l, m, q, done, arg, why);
    if (err)
        return err;
    int month = usage_month(q->from_us);
    const struct resource *r = q->resource ? accounts_resource(m->accounts, q->resource) : NULL;
    l->q.view = USAGE_KINDS;
    l->q.number = 0;
    l->q.kind = CHARGE_NONE;
    l->q.from_us = usage_month_begin(month);
    l->q.to_us = usage_month_begin(usage_month_after(month));
    jw_object(&l->w, NULL);
    jw_textz(&l->w, "account", l->account);
    jw_textz(&l->w, "resource", r ? r->name : NULL);
    jw_printf(&l->w, "month", "%04d-%02d", month / 100, month % 100);
    jw_textz(&l->w, "currency", "USD");
    jw_textz(&l->w, "state", month < usage_month(control_now_us(m->control)) ? "complete" : "preview");
    write_cap(l);
    err = q->after.n ? ask_lines(l) : ask_totals(l);
    if (err)
        look_free(l);
    return err;
}
