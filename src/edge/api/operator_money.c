/* operator_money.c - what was used, what it costs, and the most that may be spent. */
#include "edge/api/operator_priv.h"

#include "codec/e164/e164.h"
#include "domain/billing/statement.h"
#include "domain/rules.h"

enum { LISTED = 200 };

static enum err unreadable(struct http_call *hc, const char *name, const char *want)
{
    rule_problem(&hc->why, ERR_RANGE, RULE_QUERY_UNREADABLE, name, want);
    problem_target(&hc->why, "%s", name);
    return ERR_RANGE;
}

/* -- whose ---------------------------------------------------------------------------------------------------------- */

/* A resource's key sees that resource; the operator an account (default: `default`), or a resource of it. */
static enum err query_whose(struct http_call *hc, struct usage_query *q)
{
    const struct accounts *a = hc->api->accounts;
    struct str account = http_query(hc, "account"), resource = http_query(hc, "resource");
    const struct resource *r = NULL;
    enum err err = hc->is_operator && !resource.n ? ERR_NONE : operator_resource(hc, resource, &r);
    if (err)
        return err;
    q->resource = r ? r->key : 0;
    q->account = r ? r->subscription : accounts_subscription_named(a, account.n ? account : STR("default"));
    if (q->account && (!r || !account.n || str_eqz(account, r->subscription->name)))
        return ERR_NONE;
    problem_set(&hc->why, ERR_ABSENT, "NotFound", "There is no account named '" STR_FMT "' for this key.",
                STR_ARG(account.n ? account : STR("default")));
    problem_target(&hc->why, "account");
    return ERR_ABSENT;
}

/* -- when ----------------------------------------------------------------------------------------------------------- */

/* "2026-11" */
static enum err query_month(struct http_call *hc, int *month)
{
    struct str text = http_query(hc, "month"), year, rest;
    uint64_t y, m;
    *month = usage_month(control_now_us(hc->api->control));
    if (!text.n)
        return ERR_NONE;
    if (!str_cut(text, '-', &year, &rest) || year.n != 4 || rest.n != 2 || str_u64(year, 9998, &y) || str_u64(rest, 12, &m)
        || y < 1970 || m < 1)
        return unreadable(hc, "month", "a month such as 2026-11");
    *month = (int)(y * 100 + m);
    return ERR_NONE;
}

/* A day, or a time. */
static enum err query_time(struct http_call *hc, const char *name, int64_t otherwise, int64_t *us)
{
    struct str text = http_query(hc, name);
    *us = otherwise;
    if (!text.n)
        return ERR_NONE;
    struct str whole = text.n == 10 ? arena_printf(hc->arena, STR_FMT "T00:00:00Z", STR_ARG(text)) : text;
    if (time_iso8601_read(whole, us) || *us < 0)
        return unreadable(hc, name, "a day such as 2026-11-22, or a time such as 2026-11-22T19:25:00Z");
    return ERR_NONE;
}

static enum err query_when(struct http_call *hc, struct usage_query *q)
{
    int month;
    enum err err = query_month(hc, &month);
    if (!err)
        err = query_time(hc, "from", usage_month_begin(month), &q->from_us);
    if (!err)
        err = query_time(hc, "to", usage_month_begin(usage_month_after(usage_month(q->from_us))), &q->to_us);
    if (!err && q->to_us <= q->from_us)
        err = unreadable(hc, "to", "a time after from");
    return err;
}

/* -- what ----------------------------------------------------------------------------------------------------------- */

static enum err query_page(struct http_call *hc, struct usage_query *q)
{
    int64_t most;
    enum err err = http_query_int(hc, "limit", 1, USAGE_PAGE_MOST, LISTED, &most);
    q->most = (size_t)most;
    q->after = http_query(hc, "after");
    q->link = http_next_link(hc, "after", STR(""));
    return err;
}

static enum err query_what(struct http_call *hc, struct usage_query *q)
{
    struct str by = http_query(hc, "by"), kind = http_query(hc, "kind"), number = str_trim(http_query(hc, "number"));
    if (by.n && usage_view_read(by, &q->view))
        return unreadable(hc, "by", "one of charge, kind, day, number, destination");
    if (kind.n && charge_read(kind, &q->kind))
        return unreadable(hc, "kind", "one of lease, smsOut, smsIn, callOut, callIn, voipLeg, emergency");
    if (number.n && e164_read(number, &q->number))
        return unreadable(hc, "number", "a phone number such as +18335550100");
    return ERR_NONE;
}

enum err usage_get(struct http_call *hc)
{
    struct usage_query q = { 0 };
    enum err err = http_query_only(hc, "account", "resource", "month", "from", "to", "number", "kind", "by", "limit", "after");
    if (!err)
        err = query_whose(hc, &q);
    if (!err)
        err = query_when(hc, &q);
    if (!err)
        err = query_what(hc, &q);
    if (!err)
        err = query_page(hc, &q);
    return err ? err : usage_list(hc->api->control->usage, &q, operator_answer_json, hc, &hc->why);
}

enum err invoice_get(struct http_call *hc)
{
    struct usage_query q = { 0 };
    int month;
    enum err err = http_query_only(hc, "account", "resource", "month", "limit", "after");
    if (!err)
        err = query_whose(hc, &q);
    if (!err)
        err = query_month(hc, &month);
    if (!err)
        err = query_page(hc, &q);
    if (err)
        return err;
    q.from_us = usage_month_begin(month);
    return usage_invoice(hc->api->control->usage, &q, operator_answer_json, hc, &hc->why);
}

/* -- POST /accounts/{name}/:spendCap {"microUsd": 25000000 | null} --------------------------------------------------- */

void spend_cap_write(const struct http_call *hc, const struct subscription *s, struct jw *w)
{
    struct usage *usage = hc->api->control->usage;
    int64_t cap = usage_cap(usage, s->key);
    if (cap < 0)
        jw_null(w, "spendCapMicroUsd");
    else
        jw_int(w, "spendCapMicroUsd", cap);
    jw_int(w, "spentMicroUsd", usage_spent(usage, s->key));
}

static enum err account_named(struct http_call *hc, const struct subscription **out)
{
    *out = accounts_subscription_find(hc->api->accounts, hc->params[0]);
    if (*out)
        return ERR_NONE;
    rule_problem(&hc->why, ERR_ABSENT, RULE_SUBSCRIPTION_NOT_FOUND, arena_shown(hc->arena, hc->params[0]));
    problem_target(&hc->why, "account");
    return ERR_ABSENT;
}

static void on_cap_set(void *arg, enum err err)
{
    struct http_call *hc = arg;
    const struct subscription *s = NULL;
    if (!err)
        err = account_named(hc, &s);
    else
        rule_problem(&hc->why, err, RULE_STORE_BUSY);
    if (err) {
        http_fail(hc, err);
        return;
    }
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_textz(&w, "account", s->name);
    spend_cap_write(hc, s, &w);
    jw_end(&w);
    http_reply(hc, 200);
}

/* Whether the body speaks of the cap at all: a cap goes by null alone, not by a slip. json_member() does not tell the two apart. */
static bool cap_is_said(const struct json *body)
{
    void              *at = NULL;
    struct str         name;
    const struct json *value;
    while (json_next(body, &at, &name, &value))
        if (str_eq(name, STR("microUsd")))
            return true;
    return false;
}

enum err spend_cap_post(struct http_call *hc)
{
    const struct subscription *s = NULL;
    const struct json *micro = json_member(hc->json, "microUsd");
    enum err err = operator_only(hc);
    if (!err)
        err = account_named(hc, &s);
    if (err)
        return err;
    if (!cap_is_said(hc->json)
        || (json_kind(micro) != JSON_IS_ABSENT && (json_kind(micro) != JSON_IS_INTEGER || json_int(micro, -1) < 0)))
        return unreadable(hc, "microUsd", "millionths of a US dollar from 0 up, or null for no cap");
    return usage_set_cap(hc->api->control->usage, s->key, json_int(micro, -1), on_cap_set, hc, &hc->why);
}
