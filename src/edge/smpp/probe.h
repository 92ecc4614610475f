/* probe.h - a trial of one SMSC on links of its own: what it answers to binds, enquire_link, submits, and what its receipts say.
 *
 * Thread: smpp. It goes beside the live bind; an SMSC that allows one alone says so. What it submits is the operator's own: it
 * walks no pipeline and is not charged. */
#pragma once
#include "edge/smpp/smpp_edge.h"

struct loop;
struct tls_context;
struct probe;
struct probe_conf {
    const char *name, *host, *system_id, *password, *system_type;     /* copied */
    const struct tls_context *tls;      /* NULL: plain; outlives the probe */
    const char *tls_name;               /* copied */
    uint16_t    port;
    unsigned    window;
    struct smpp_probe_conf asked;       /* its texts are copied */
};
typedef void probe_ended_fn(void *owner, struct probe *p);      /* after done; free it */
MUST_USE enum err probe_start(struct probe **out, struct loop *loop, const struct probe_conf *conf, smpp_probe_fn *done, void *arg,
                              probe_ended_fn *ended, void *owner);
/** Ends it as far as it came; done and ended follow at once. */
void probe_stop(struct probe *p);
void probe_free(struct probe *p);
