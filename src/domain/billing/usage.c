/* usage.c - charges and spend caps; renewals.c has the monthly ones, statement.c what is shown of them. */
#include "domain/billing/usage_priv.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/billing/price.h"
#include "domain/rules.h"

#include <stdio.h>
#include <time.h>

METRIC_COUNTER(charges_total, "carterfone_usage_charges_total", "Charges written")
METRIC_COUNTER(capped_total, "carterfone_usage_capped_total", "Requests refused by a spend cap")

static const int64_t MINUTE_US = 60 * (int64_t)US_PER_S;

/* -- words ---------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *word, *unit;
} kinds[CHARGE_KIND_COUNT] = {
#define CHARGE_ROW(name, word, unit) [name] = { word, unit },
    CHARGE_KINDS(CHARGE_ROW)
};

const char *charge_word(enum charge_kind kind)
{
    return kinds[kind].word;
}

const char *charge_unit(enum charge_kind kind)
{
    return kinds[kind].unit;
}

enum err charge_read(struct str word, enum charge_kind *out)
{
    for (int k = CHARGE_NONE + 1; k < CHARGE_KIND_COUNT; k++)
        if (str_eqz(word, kinds[k].word)) {
            *out = (enum charge_kind)k;
            return ERR_NONE;
        }
    return ERR_RANGE;
}

/* -- pure ----------------------------------------------------------------------------------------------------------- */

int64_t usage_minutes(int64_t connected_us, int64_t ended_us)
{
    int64_t us = ended_us - connected_us;
    return us <= MINUTE_US ? 1 : (us - 1) / MINUTE_US + 1;
}

enum err usage_amount(int64_t quantity, int64_t unit_micro, int64_t *amount_micro)
{
    int64_t amount;
    if (quantity < 0 || unit_micro < 0 || __builtin_mul_overflow(quantity, unit_micro, &amount))
        return ERR_RANGE;
    *amount_micro = amount;
    return ERR_NONE;
}

static struct tm utc(int64_t us)
{
    time_t s = us / US_PER_S;
    struct tm tm;
    gmtime_r(&s, &tm);
    return tm;
}

int usage_month(int64_t us)
{
    struct tm tm = utc(us);
    return (tm.tm_year + 1900) * 100 + tm.tm_mon + 1;
}

int usage_day(int64_t us)
{
    return usage_month(us) * 100 + utc(us).tm_mday;
}

int64_t usage_month_begin(int month)
{
    struct tm tm = { .tm_year = month / 100 - 1900, .tm_mon = month % 100 - 1, .tm_mday = 1 };
    return (int64_t)timegm(&tm) * US_PER_S;
}

int usage_month_after(int month)
{
    return month % 100 == 12 ? month + 100 - 11 : month + 1;
}

int64_t usage_pro_rata(int64_t amount_micro, int64_t from_us, int64_t to_us, int64_t begin_us, int64_t end_us)
{
    int64_t first = from_us > begin_us ? from_us : begin_us, last = to_us < end_us ? to_us : end_us;
    if (last <= first || to_us <= from_us)
        return 0;
    return (int64_t)((unsigned __int128)amount_micro * (uint64_t)(last - first) / (uint64_t)(to_us - from_us));
}

int64_t usage_plus(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

/* -- the object ----------------------------------------------------------------------------------------------------- */

enum err usage_new(struct usage **out, struct control *control, const struct accounts *accounts, const char *edition)
{
    struct usage *m = calloc(1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    *m = (struct usage){ .control = control, .accounts = accounts, .edition = edition, .spends = map_new() };
    if (!m->spends) {
        free(m);
        return ERR_NOMEM;
    }
    m->month = usage_month(control_now_us(control));
    *out = m;
    return ERR_NONE;
}

void usage_free(struct usage *m)
{
    if (!m)
        return;
    uint64_t key;
    void *spend;
    agenda_clear(m->control->agenda, &m->renewal);
    for (size_t at = 0; map_next(m->spends, &at, &key, &spend);)
        free(spend);
    map_free(m->spends);
    free(m);
}

/* A new month begins with nothing spent; what is put aside stays so. */
static void turn_month(struct usage *m)
{
    int now = usage_month(control_now_us(m->control));
    uint64_t key;
    void *spend;
    if (now == m->month)
        return;
    m->month = now;
    for (size_t at = 0; map_next(m->spends, &at, &key, &spend);)
        ((struct spend *)spend)->spent = 0;
}

struct spend *usage_spend_of(struct usage *m, uint64_t subscription)
{
    struct spend *s = map_find(m->spends, subscription);
    turn_month(m);
    if (s)
        return s;
    s = calloc(1, sizeof *s);
    if (s)
        s->cap = -1;
    if (s && map_put(m->spends, subscription, s)) {
        free(s);
        s = NULL;
    }
    if (!s)
        log_error("usage", "no memory to count what is spent");
    return s;
}

static enum err load_spent(void *arg, uint64_t subscription, int64_t micro)
{
    struct spend *s = usage_spend_of(arg, subscription);
    if (s)
        s->spent = micro;
    return s ? ERR_NONE : ERR_NOMEM;
}

static enum err load_cap(void *arg, uint64_t subscription, int64_t micro)
{
    struct spend *s = usage_spend_of(arg, subscription);
    if (s)
        s->cap = micro;
    return s ? ERR_NONE : ERR_NOMEM;
}

enum err usage_load(struct usage *m, struct problem *why)
{
    m->month = usage_month(control_now_us(m->control));
    enum err err = usage_spent_each(m->control->db, m->month, load_spent, m);
    if (!err)
        err = spend_cap_rows_each(m->control->db, load_cap, m);
    if (!err)
        err = usage_renewals_load(m);
    return err ? problem_set(why, err, "InternalError", "The charges in the database cannot be read: %s.", err_words(err))
               : ERR_NONE;
}

/* -- one charge ----------------------------------------------------------------------------------------------------- */

uint64_t usage_payer(const struct usage *m, uint64_t resource)
{
    const struct resource *r = accounts_resource_ever(m->accounts, resource);
    return r && r->subscription ? r->subscription->key : 0;
}

static void add_spent(struct usage *m, uint64_t subscription, int64_t at_us, int64_t micro)
{
    struct spend *s = usage_spend_of(m, subscription);
    if (s && usage_month(at_us) == m->month)
        s->spent = usage_plus(s->spent, micro);
}

void usage_undo(struct usage *m, uint64_t subscription, int64_t micro, int64_t at_us)
{
    add_spent(m, subscription, at_us, -micro);
}

int64_t usage_charge(struct usage *m, struct db_unit *u, struct usage_row *row)
{
    row->key = ids_next(m->control->ids);
    row->month = usage_month(row->at_us);
    row->day = usage_day(row->at_us);
    if (!row->subscription)
        row->subscription = usage_payer(m, row->resource);
    if (usage_amount(row->quantity, row->unit_micro, &row->amount_micro)) {
        log_error("usage", "a charge of %lld times %lld does not fit and is not written", (long long)row->quantity,
                  (long long)row->unit_micro);
        return 0;
    }
    usage_row_add(u, row);
    metric_add(&charges_total, 1);
    add_spent(m, row->subscription, row->at_us, row->amount_micro);
    return row->amount_micro;
}

/* -- what an end of ours costs ------------------------------------------------------------------------------------------ */

/* A number that is not leased any more was of the kind that its digits say. */
static const struct catalogue_row *row_of(const struct usage *m, const struct usage_ends *ends)
{
    const struct lease *l = ends->lease;
    uint64_t digits;
    struct nanp_number n;
    if (l)
        return catalogue_find(m->edition, str_of(l->country), l->type, l->assignment);
    if (e164_read(ends->number, &digits))
        return NULL;
    bool toll_free = nanp_read(digits, &n) && nanp_is_toll_free(n.npa);
    return catalogue_find(m->edition, toll_free ? STR("US") : str_of(e164_country(digits)),
                          toll_free ? NUMBER_TOLL_FREE : NUMBER_GEOGRAPHIC, ASSIGNED_APPLICATION);
}

/* What a unit costs, and whereto. Nobody's price is 0. */
struct tariff {
    const char *country, *destination;
    int64_t     unit_micro, surcharge_micro;
};

static int64_t priced(int64_t micro)
{
    return micro < 0 ? 0 : micro;
}

static uint64_t digits_of(struct str e164)
{
    uint64_t digits;
    return e164_read(e164, &digits) ? 0 : digits;
}

static struct tariff tariff_sms(const struct usage *m, const struct usage_ends *ends, bool inbound)
{
    const struct catalogue_row *row = row_of(m, ends);
    struct tariff t = { .country = e164_country(digits_of(ends->other)) };
    t.destination = t.country;
    if (row && inbound) {
        t.unit_micro = priced(price_sms_in(row, t.country));
        t.surcharge_micro = priced(catalogue_usage(row, USAGE_SMS_IN_SURCHARGE, t.country));
    } else if (row) {
        t.unit_micro = priced(price_sms_out(row, t.country, &t.surcharge_micro));
    }
    return t;
}

static struct tariff tariff_call_out(const struct usage_ends *ends)
{
    const struct rate *rate = rate_find(digits_of(ends->other));
    if (!rate)
        return (struct tariff){ .country = e164_country(digits_of(ends->other)), .destination = "not priced" };
    return (struct tariff){ .country = rate->country, .destination = rate->name, .unit_micro = rate->micro_a_minute };
}

static struct tariff tariff_item(const struct usage *m, const struct usage_ends *ends, enum usage_item item,
                                 const char *destination)
{
    const struct catalogue_row *row = row_of(m, ends);
    struct tariff t = { .country = e164_country(digits_of(ends->other)), .destination = destination };
    if (row)
        t.unit_micro = priced(catalogue_usage(row, item, t.country));
    return t;
}

static struct tariff tariff_call_in(const struct usage *m, const struct usage_ends *ends)
{
    return tariff_item(m, ends, USAGE_CALL_IN, ends->lease ? number_type_in_words(ends->lease->type) : "");
}

static struct tariff tariff_voip(const struct usage *m, const struct usage_ends *ends)
{
    return tariff_item(m, ends, USAGE_VOIP_LEG, "application");
}

static struct usage_row row_for(const struct usage_ends *ends, enum charge_kind kind, enum id_kind of, uint64_t cause,
                                const struct tariff *t)
{
    return (struct usage_row){ .cause = cause, .cause_kind = (int)of, .kind = (int)kind, .number = digits_of(ends->number),
                               .resource = ends->resource, .country = str_of(t->country),
                               .destination = str_of(t->destination), .quantity = 1, .unit_micro = t->unit_micro,
                               .surcharge_micro = t->surcharge_micro };
}

/* -- texts ---------------------------------------------------------------------------------------------------------- */

int64_t usage_sms_out(struct usage *m, struct db_unit *u, const struct usage_ends *ends, uint64_t message, unsigned segment,
                      bool again)
{
    if (!m)
        return 0;
    struct tariff t = tariff_sms(m, ends, false);
    struct usage_row row = row_for(ends, CHARGE_SMS_OUT, ID_MESSAGE, message, &t);
    row.part = (int)segment;
    row.at_us = control_now_us(m->control);
    int64_t micro = usage_charge(m, u, &row);
    if (again)
        usage_undo(m, row.subscription, micro, row.at_us);
    return micro;
}

void usage_sms_in(struct usage *m, struct db_unit *u, const struct usage_ends *ends, uint64_t message, unsigned segments)
{
    if (!m)
        return;
    struct tariff t = tariff_sms(m, ends, true);
    struct usage_row row = row_for(ends, CHARGE_SMS_IN, ID_MESSAGE, message, &t);
    row.quantity = segments;
    row.at_us = control_now_us(m->control);
    usage_charge(m, u, &row);
}

int64_t usage_sms_estimate(const struct usage *m, const struct usage_ends *ends, unsigned segments)
{
    int64_t amount = 0;
    if (m && usage_amount(segments, tariff_sms(m, ends, false).unit_micro, &amount))
        amount = INT64_MAX;
    return amount;
}

/* -- calls ---------------------------------------------------------------------------------------------------------- */

static void charge_leg(struct usage *m, struct db_unit *u, const struct usage_ends *ends, enum charge_kind kind, uint64_t call,
                       const struct tariff *t, int64_t connected_us, int64_t ended_us)
{
    struct usage_row row = row_for(ends, kind, ID_CALL, call, t);
    row.quantity = usage_minutes(connected_us, ended_us);
    row.at_us = connected_us;
    row.until_us = ended_us;
    usage_charge(m, u, &row);
}

void usage_call(struct usage *m, struct db_unit *u, const struct usage_ends *ends, uint64_t call, bool outbound, bool emergency,
                int64_t connected_us, int64_t ended_us)
{
    if (!m || !connected_us)
        return;                         /* nothing is billed before 200 OK */
    struct tariff free_one = { "", "emergency", 0, 0 }, voip = tariff_voip(m, ends);
    struct tariff phone = emergency ? free_one : outbound ? tariff_call_out(ends) : tariff_call_in(m, ends);
    charge_leg(m, u, ends, emergency ? CHARGE_EMERGENCY : outbound ? CHARGE_CALL_OUT : CHARGE_CALL_IN, call, &phone,
               connected_us, ended_us);
    if (!emergency && voip.unit_micro)
        charge_leg(m, u, ends, CHARGE_VOIP_LEG, call, &voip, connected_us, ended_us);
}

int64_t usage_call_estimate(const struct usage *m, const struct usage_ends *ends, bool outbound, int64_t minutes)
{
    int64_t amount = 0;
    if (!m)
        return 0;
    int64_t unit = (outbound ? tariff_call_out(ends) : tariff_call_in(m, ends)).unit_micro + tariff_voip(m, ends).unit_micro;
    return usage_amount(minutes, unit, &amount) ? INT64_MAX : amount;
}

/* -- numbers -------------------------------------------------------------------------------------------------------- */

int64_t usage_purchase(struct usage *m, struct db_unit *u, const struct lease *l, const struct number_operation *op)
{
    if (!m)
        return 0;
    const struct catalogue_row *offer = catalogue_find(m->edition, str_of(l->country), l->type, l->assignment);
    int64_t at_us = op->created_us;
    enum id_kind of = op->kind == OPERATION_RESERVATION ? ID_RESERVATION_PURCHASE : ID_OPERATION_PURCHASE;
    struct usage_row row = { .cause = op->key, .cause_kind = (int)of, .kind = CHARGE_LEASE, .number = l->number,
                             .at_us = at_us, .until_us = billing_cycle_end(at_us, at_us), .resource = l->resource,
                             .subscription = usage_payer(m, l->resource), .country = str_of(l->country),
                             .destination = str_of(number_type_in_words(l->type)), .quantity = 1,
                             .unit_micro = offer ? offer->lease_micro : 0 };
    lease_row_add(u, &(struct lease_row){ .number = l->number, .since_us = at_us, .resource = l->resource,
                                          .subscription = row.subscription, .cause = op->key, .cause_kind = (int)of,
                                          .country = row.country,
                                          .type = (int)l->type, .assignment = (int)l->assignment,
                                          .unit_micro = row.unit_micro, .next_us = row.until_us });
    usage_renew_at(m, row.until_us);
    return usage_charge(m, u, &row);
}

void usage_purchase_undo(struct usage *m, uint64_t resource, int64_t micro, int64_t at_us)
{
    if (m && micro)
        usage_undo(m, usage_payer(m, resource), micro, at_us);
}

void usage_release(struct usage *m, struct db_unit *u, uint64_t number, int64_t at_us)
{
    if (m)
        lease_row_end(u, number, at_us);
}

/* -- spend caps ----------------------------------------------------------------------------------------------------- */

void usage_hold_set(struct usage *m, struct usage_hold *h, uint64_t resource, int64_t micro)
{
    if (!m || micro == h->micro)
        return;
    if (!h->micro)
        h->subscription = usage_payer(m, resource);
    struct spend *s = usage_spend_of(m, h->subscription);
    if (!s)
        return;
    s->held = usage_plus(s->held, micro - h->micro);
    h->micro = micro;
}

/* "12.50": at least two decimals, no more than needed. */
struct dollars { char z[32]; };
static struct dollars dollars(int64_t micro)
{
    struct dollars d;
    int n = snprintf(d.z, sizeof d.z, "%lld.%06lld", (long long)(micro / 1000000), (long long)(micro % 1000000));
    while (d.z[n - 1] == '0' && d.z[n - 3] != '.')
        d.z[--n] = '\0';
    return d;
}

enum err usage_may_spend(struct usage *m, uint64_t resource, int64_t micro, struct problem *why)
{
    const struct resource *r = m ? accounts_resource(m->accounts, resource) : NULL;
    struct spend *s = r && r->subscription ? map_find(m->spends, r->subscription->key) : NULL;
    if (!s || s->cap < 0 || micro <= 0)
        return ERR_NONE;
    turn_month(m);
    int64_t spent = usage_plus(s->spent, s->held);
    if (usage_plus(spent, micro) <= s->cap)
        return ERR_NONE;
    char month[32], next[32];
    int after = usage_month_after(m->month);
    snprintf(month, sizeof month, "%04d-%02d", m->month / 100, m->month % 100);
    snprintf(next, sizeof next, "%04d-%02d-01", after / 100, after % 100);
    metric_add(&capped_total, 1);
    return rule_problem(why, ERR_FORBIDDEN, RULE_SPEND_CAP_REACHED, r->subscription->name, dollars(s->cap).z, month,
                        dollars(spent).z, dollars(micro).z, next);
}

int64_t usage_cap(const struct usage *m, uint64_t subscription)
{
    const struct spend *s = m ? map_find(m->spends, subscription) : NULL;
    return s ? s->cap : -1;
}

int64_t usage_spent(struct usage *m, uint64_t subscription)
{
    struct spend *s = m ? map_find(m->spends, subscription) : NULL;
    if (!s)
        return 0;
    turn_month(m);
    return s->spent;
}

/* A cap on its way to disk. */
struct capping {
    struct usage  *m;
    uint64_t       subscription;
    int64_t        micro;               /* below 0: none */
    usage_done_fn *then;
    void          *arg;
};

static void on_capped(void *mine, enum err err)
{
    const struct capping *c = mine;
    struct spend *s = usage_spend_of(c->m, c->subscription);
    if (!err && s)
        s->cap = c->micro;
    c->then(c->arg, err ? err : s ? ERR_NONE : ERR_NOMEM);
}

enum err usage_set_cap(struct usage *m, uint64_t subscription, int64_t micro, usage_done_fn *done, void *arg,
                       struct problem *why)
{
    struct capping *c = malloc(sizeof *c);
    struct db_unit *u = db_unit_new();
    if (c)
        *c = (struct capping){ m, subscription, micro < 0 ? -1 : micro, done, arg };
    spend_cap_row_put(u, subscription, micro);
    enum err err = control_write(m->control, u, on_capped, c);
    return err ? rule_problem(why, err, RULE_STORE_BUSY) : ERR_NONE;
}
