/* http_fault.c - faults that an operator asked for, where they strike a request (base/fault.h).
 *
 * Only what has proved itself is struck: a stranger uses up no count. Without path= it is the service's API that is meant, not
 * the operator's own; and nothing ever strikes the requests that clear faults. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/str.h"
#include "domain/rules.h"
#include "edge/api/api.h"
#include "edge/api/http_priv.h"
#include "edge/api/keyring.h"

#include <stdio.h>

static const uint64_t KINDS = FAULT_BIT(API_STATUS) | FAULT_BIT(API_DELAY) | FAULT_BIT(API_DROP) | FAULT_BIT(API_DROP_ANSWER);

/* What a fault without path= may not mean. */
static bool is_spared(const struct call *c)
{
    return c->route->scope == HTTP_PUBLIC || str_starts(c->hc.path, STR("/carterfone/v1/faults"));
}

static bool strikes(struct call *c, uint64_t kinds, struct fault_hit *hit)
{
    char name[KEYRING_NAME_SIZE] = "";
    if (c->hc.resource)
        keyring_name(c->hc.api->keyring, c->hc.resource, name);
    bool own = c->route->scope == HTTP_OPERATOR;
    struct fault_subject s = { .path = c->hc.path, .method = str_of(c->hc.method), .resource = str_of(name), .only_path = own };
    return fault_strikes(kinds, &s, hit);
}

/* The envelope of its status. */
static void say_status(struct call *c, const struct fault_hit *hit)
{
    char id[16];
    struct http_call *hc = &c->hc;
    enum err err = hit->code == 429 ? ERR_BUSY : hit->code == 503 ? ERR_CLOSED : ERR_NONE;
    snprintf(id, sizeof id, "%u", hit->id);
    rule_problem(&hc->why, err, RULE_FAULT_INJECTED, id);
    if (hit->code != 503)
        str_copyz(hc->why.code, sizeof hc->why.code, str_of(hit->code == 429 ? "TooManyRequests" : hit->code == 500 ? "InternalServerError" : "Fault"));
    hc->why.retry_after_s = (int)((hit->delay_us + US_PER_S - 1) / US_PER_S);
    http_fail_as(hc, err, hit->code);
}

bool http_fault_strikes(struct call *c)
{
    struct fault_hit hit;
    if (!fault_armed(KINDS) || is_spared(c))
        return false;
    if (strikes(c, FAULT_BIT(API_STATUS) | FAULT_BIT(API_DROP), &hit)) {
        if (hit.kind == FAULT_API_STATUS)
            say_status(c, &hit);
        else
            c->dropped = true;
        return true;
    }
    if (strikes(c, FAULT_BIT(API_DELAY), &hit))
        c->delay_us = hit.delay_us;
    c->answer_dropped = strikes(c, FAULT_BIT(API_DROP_ANSWER), &hit);
    return false;
}
