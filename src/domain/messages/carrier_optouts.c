/* carrier_optouts.c - opt-outs that a carrier knows of: its answer or its receipt says that this recipient wants no texts of this
 * sender (profile: --optout-status, --optout-error). Recorded by the unit that stores what it said, of each part, as if the phone had said STOP;
 * only START, or the application, takes it back. */
#include "base/metric.h"
#include "domain/messages/messages_priv.h"

#include <stdio.h>

METRIC_COUNTER(told_total, "carterfone_sms_optouts_by_carriers_total", "Opt-outs that a carrier's answer or receipt told")

static void source_of(char dst[80], const struct message *msg)
{
    snprintf(dst, 80, "carrier " STR_FMT, STR_ARG(message_carrier(msg)));
}

void carrier_optout_add(const struct message *msg, struct db_unit *u)
{
    char source[80];
    source_of(source, msg);
    optout_row_add(u, msg->texts->from, message_to(msg), control_now_us(msg->m->control), str_of(source), msg->key);
}

/* Without memory for it the row is there, and the next start finds it. */
void carrier_optout_stored(const struct message *msg)
{
    char source[80];
    source_of(source, msg);
    if (optouts_has(msg->m->optouts, msg->texts->from, message_to(msg)))
        return;
    metric_add(&told_total, 1);
    (void)!optout_known(msg->m, msg->texts->from, message_to(msg), str_of(source));
}
