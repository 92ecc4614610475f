/* bind_means.c - what the numbers of one SMSC mean: the statuses of its answers, the errors of its receipts. */
#include "edge/smpp/bind_priv.h"

static bool is_among(const struct smpp_statuses *s, uint32_t status)
{
    for (unsigned i = 0; i < s->n; i++)
        if (s->v[i] == status)
            return true;
    return false;
}

enum means bind_means(const struct smpp_bind_conf *conf, uint32_t status)
{
    if (is_among(&conf->throttles, status))
        return MEANS_BUSY;
    if (is_among(&conf->transients, status))
        return MEANS_PASSING;
    if (is_among(&conf->optouts, status))
        return MEANS_OPTED_OUT;
    if (is_among(&conf->permanents, status))
        return MEANS_NEVER;
    if (status == ESME_RTHROTTLED || status == ESME_RMSGQFUL)
        return MEANS_BUSY;
    return status == ESME_RSYSERR || status == ESME_RX_T_APPN ? MEANS_PASSING : MEANS_NEVER;
}

bool bind_error_is_optout(const struct smpp_bind_conf *conf, uint32_t err)
{
    return is_among(&conf->optout_errors, err);
}
