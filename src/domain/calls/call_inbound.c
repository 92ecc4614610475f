/* call_inbound.c - a leg comes in: whose number is it, and does anybody want it? */
#include "base/str.h"
#include "domain/calls/calls_priv.h"
#include "domain/numbers/numbers.h"

enum { SIP_NOT_FOUND = 404, SIP_UNAVAILABLE = 480, Q850_UNALLOCATED = 1, Q850_SUBSCRIBER_ABSENT = 20 };

static void turn_away(struct calls *c, const struct signalling_news *n, int status, int q850, const char *why)
{
    char shown[24];
    log_info("calls", "inbound call to %s refused with %d: %s", log_number(shown, n->to), status, why);
    if (c->signalling->reject(c->signalling_arg, n->leg, status, q850))
        log_warn("calls", "the signalling edge has no room for a refusal");
}

void call_offered(struct calls *c, const struct signalling_news *n)
{
    const struct lease *lease = numbers_lease(c->conf.numbers, n->to);
    if (!lease)
        turn_away(c, n, SIP_NOT_FOUND, Q850_UNALLOCATED, "the number is not leased");
    else if (!(lease->calling & CAP_INBOUND))
        turn_away(c, n, SIP_UNAVAILABLE, Q850_SUBSCRIBER_ABSENT, "the number has no inbound calling");
    else    /* answering by Call Automation is not built: nobody can take it, whoever is subscribed */
        turn_away(c, n, SIP_UNAVAILABLE, Q850_SUBSCRIBER_ABSENT, "nobody can take it");
}
