/* probing.c - trials of SMSCs that control asks for: found by the bind's name, kept until they end. */
#include "base/str.h"
#include "edge/smpp/bind_priv.h"
#include "edge/smpp/probe.h"

struct probing {
    struct inbox_item item;
    struct smpp_edge *edge;
    struct probing   *next;
    struct probe     *probe;
    smpp_probe_fn    *done;
    void             *arg;
    char              name[64], from[32], to[32];
    unsigned          burst, wait_s;
};

static void on_ended(void *owner, struct probe *probe)
{
    struct probing *g = owner;
    struct probing **at = &g->edge->probes;
    while (*at && *at != g)
        at = &(*at)->next;
    if (*at)
        *at = g->next;
    probe_free(probe);
    free(g);
}

void probing_stop_all(struct smpp_edge *edge)
{
    while (edge->probes)
        probe_stop(edge->probes->probe);
}

static void fail(struct probing *g, enum err err)
{
    g->done(g->arg, err, STR(""), &(struct problem){ 0 });
    free(g);
}

static void on_asked(void *owner, struct inbox_item *item)
{
    struct smpp_edge *edge = owner;
    struct probing *g = container_of(item, struct probing, item);
    const struct smsc_bind *b = edge->binds;
    while (b && (b->retired || strcmp(b->name, g->name) != 0))
        b = b->next;
    if (!b || edge->stopping) {
        fail(g, b ? ERR_BUSY : ERR_ABSENT);
        return;
    }
    const struct probe_conf conf = { .name = b->name, .host = b->host, .system_id = b->system_id, .password = b->password,
                                     .tls = b->tls, .tls_name = b->tls_name,
                                     .system_type = b->system_type, .port = b->conf.port, .window = b->conf.window,
                                     .asked = { .from = str_of(g->from), .to = str_of(g->to), .burst = g->burst, .wait_s = g->wait_s } };
    g->next = edge->probes;
    edge->probes = g;
    if (probe_start(&g->probe, edge->loop, &conf, g->done, g->arg, on_ended, g)) {
        edge->probes = g->next;
        fail(g, ERR_NOMEM);
    }
}

static void drop_asked(struct inbox_item *item)
{
    fail(container_of(item, struct probing, item), ERR_BUSY);
}

static const struct inbox_kind asked_kind = { "smpp.probe", on_asked, drop_asked };

enum err smpp_edge_probe(struct smpp_edge *edge, const struct smpp_probe_conf *conf, smpp_probe_fn *done, void *arg)
{
    struct probing *g = calloc(1, sizeof *g);
    if (!g)
        return ERR_NOMEM;
    *g = (struct probing){ .item.kind = &asked_kind, .edge = edge, .done = done, .arg = arg, .burst = conf->burst, .wait_s = conf->wait_s };
    str_copyz(g->name, sizeof g->name, conf->name);
    str_copyz(g->from, sizeof g->from, conf->from);
    str_copyz(g->to, sizeof g->to, conf->to);
    inbox_post_always(loop_inbox(edge->loop), &g->item);
    return ERR_NONE;
}
