#include "edge/smpp/esme_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "domain/messages/esmes.h"
#include "domain/messages/mailbox.h"
#include "net/tcp.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { INBOX_BOUND = 65536, STOP_S = 12 };

METRIC_COUNTER(turned_away, "carterfone_esme_turned_away_total", "Connections of ESMEs closed at once: there were too many")

/* -- links ---------------------------------------------------------------------------------------------------------- */
struct esme_link *esme_link_find(const struct esme_server *s, uint64_t id)
{
    struct esme_link *l = s->links;
    while (l && l->id != id)
        l = l->next;
    return l;
}

struct customer *esme_customer(struct esme_server *s, uint64_t resource)
{
    struct customer *c = s->customers;
    while (c && c->resource != resource)
        c = c->next;
    if (c)
        return c;
    c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    *c = (struct customer){ .next = s->customers, .resource = resource };
    c->tail = &c->head;
    s->customers = c;
    return c;
}

static void link_free(struct esme_link *l)
{
    struct esme_server *s = l->server;
    struct esme_link **at = &s->links;
    while (*at && *at != l)
        at = &(*at)->next;
    if (*at) {
        *at = l->next;
        s->n_links--;
    }
    loop_timer_done(&l->deny);
    loop_timer_done(&l->idle);
    smpp_session_free(l->session);
    explicit_bzero(l->password, sizeof l->password);
    free(l);
}

static uint32_t on_bind(void *arg, const struct smpp_pdu *pdu)
{
    return esme_bind_ask(arg, pdu);
}

static void on_up(void *arg)
{
    esme_bind_up(arg);
}

static void on_request(void *arg, const struct smpp_pdu *pdu)
{
    ((struct esme_link *)arg)->active_us = clock_mono().us;
    if (pdu->command == SMPP_query_sm || pdu->command == SMPP_cancel_sm || pdu->command == SMPP_replace_sm)
        esme_asked(arg, pdu);
    else
        esme_submit(arg, pdu);
}

static void on_answer(void *arg, uint64_t tag, enum err err, const struct smpp_pdu *answer)
{
    if (!err)
        ((struct esme_link *)arg)->active_us = clock_mono().us;
    esme_out_answer(arg, tag, err, answer);
}

static void stopped_if_empty(struct esme_server *s)
{
    if (s->stopping && !s->links)
        sem_post(&s->stopped);
}

static void on_down(void *arg, enum err why, uint32_t status)
{
    struct esme_link *l = arg;
    struct esme_server *s = l->server;
    (void)why, (void)status;
    esme_out_down(l);
    esme_bind_down(l);
    link_free(l);
    stopped_if_empty(s);
}

static const struct smpp_session_hooks hooks = {
    .on_bind = on_bind, .on_up = on_up, .on_request = on_request, .on_answer = on_answer, .on_down = on_down,
};

/* -- new connections ------------------------------------------------------------------------------------------------ */
static bool has_room(const struct esme_server *s, const char *address)
{
    unsigned unbound = 0;
    for (const struct esme_link *l = s->links; l; l = l->next)
        unbound += !l->customer && strcmp(l->address, address) == 0;
    return !s->stopping && s->n_links < s->conf.limits.links && unbound < UNBOUND_MAX;
}

/* "127.0.0.1" of "127.0.0.1:4711". */
static void address_of(char dst[PEER_SIZE], const char *peer)
{
    str_copyz(dst, PEER_SIZE, str_of(peer));
    char *colon = strrchr(dst, ':');
    if (colon)
        *colon = 0;
}

static struct esme_link *link_new(struct esme_server *s, const char *peer, const char *address)
{
    struct esme_link *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    *l = (struct esme_link){ .server = s, .id = ++s->last_link };
    str_copyz(l->peer, sizeof l->peer, str_of(peer));
    str_copyz(l->address, sizeof l->address, str_of(address));
    if (loop_timer_init(s->loop, &l->deny, esme_bind_deny, l) || loop_timer_init(s->loop, &l->idle, esme_bind_idle, l)) {
        link_free(l);
        return NULL;
    }
    return l;
}

static void admit(struct esme_server *s, int fd, const char *peer, const struct tls_context *tls)
{
    char name[64 + PEER_SIZE], address[PEER_SIZE];
    address_of(address, peer);
    struct esme_link *l = has_room(s, address) ? link_new(s, peer, address) : NULL;
    if (!l) {
        metric_add(&turned_away, 1);
        close(fd);
        return;
    }
    snprintf(name, sizeof name, "ESME %s", peer);
    const struct esme_limits *most = &s->conf.limits;
    const struct smpp_session_conf conf = { .role = SMPP_SMSC, .name = name, .system_id = "carterfone", .tls = tls,
                                            .window = most->window, .owed = most->submits, .bind_us = most->bind_us,
                                            .enquire_us = most->enquire_us, .answer_us = most->answer_us };
    if (smpp_session_serve(&l->session, s->loop, fd, &conf, &hooks, l)) {
        link_free(l);
        return;
    }
    l->next = s->links;
    s->links = l;
    s->n_links++;
}

static void on_accept(void *arg, int fd, const char *peer)
{
    admit(arg, fd, peer, NULL);
}

static void on_accept_tls(void *arg, int fd, const char *peer)
{
    struct esme_server *s = arg;
    admit(s, fd, peer, s->conf.tls);
}

/* -- from other threads --------------------------------------------------------------------------------------------- */
struct again_item {
    struct inbox_item item;
    uint64_t          resource;
};

static void on_prove_again(void *owner, struct inbox_item *item)
{
    struct esme_server *s = owner;
    uint64_t resource = container_of(item, struct again_item, item)->resource;
    free(item);
    for (struct esme_link *l = s->links; l; l = l->next)
        if (l->customer && l->customer->resource == resource)
            esme_bind_again(l);
}

static void on_stop(void *owner, struct inbox_item *item)
{
    struct esme_server *s = owner;
    free(item);
    s->stopping = true;
    tcp_listener_free(s->listener);
    tcp_listener_free(s->tls_listener);
    s->listener = s->tls_listener = NULL;
    for (struct esme_link *l = s->links, *next; l; l = next) {
        next = l->next;
        smpp_session_unbind(l->session);
    }
    stopped_if_empty(s);
}

static const struct inbox_kind again_kind = { "esmes.again", on_prove_again, NULL };
static const struct inbox_kind stop_kind = { "esmes.stop", on_stop, NULL };

void esme_server_prove_again(struct esme_server *s, uint64_t resource)
{
    struct again_item *again = malloc(sizeof *again);
    if (!again) {
        log_error("smpp", "out of memory: binds with an ended key go on");
        return;
    }
    *again = (struct again_item){ .item.kind = &again_kind, .resource = resource };
    inbox_post_always(loop_inbox(s->loop), &again->item);       /* one a change of a key */
}

/* -- the server ----------------------------------------------------------------------------------------------------- */
enum err esme_server_new(struct esme_server **out, const struct esme_server_conf *conf, struct problem *why)
{
    struct esme_server *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->conf = *conf;
    str_copyz(s->host, sizeof s->host, str_of(conf->host));
    s->conf.host = s->host;
    sem_init(&s->stopped, 0, 0);
    s->guesses = strmap_new();
    enum err err = s->guesses ? loop_new(&s->loop, "esmes", INBOX_BOUND, s) : ERR_NOMEM;
    if (!err)
        err = tcp_listen(&s->listener, s->loop, s->host, conf->port, on_accept, s, why);
    if (err) {
        esme_server_free(s);
        return err;
    }
    mailbox_set_postman(messages_mailbox(conf->messages), &esme_letter_ops, s);
    *out = s;
    return ERR_NONE;
}

enum err esme_server_listen_tls(struct esme_server *s, const char *host, uint16_t port, struct problem *why)
{
    return tcp_listen(&s->tls_listener, s->loop, host, port, on_accept_tls, s, why);
}

enum err esme_server_start(struct esme_server *s)
{
    enum err err = loop_start(s->loop);
    s->started = !err;
    return err;
}

void esme_server_stop(struct esme_server *s)
{
    struct timespec until;
    if (!s || !s->started)
        return;
    s->started = false;
    struct inbox_item *item = calloc(1, sizeof *item);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += STOP_S;
    if (item) {
        item->kind = &stop_kind;
        inbox_post_always(loop_inbox(s->loop), item);
        while (sem_clockwait(&s->stopped, CLOCK_MONOTONIC, &until) && errno == EINTR)
            ;
    }
    loop_stop(s->loop);
}

void esme_server_free(struct esme_server *s)
{
    if (!s)
        return;
    esme_server_stop(s);
    tcp_listener_free(s->listener);
    tcp_listener_free(s->tls_listener);
    for (struct esme_link *l = s->links; l; l = l->next)
        esme_out_down(l);
    while (s->links)
        link_free(s->links);
    while (s->customers) {
        struct customer *c = s->customers;
        s->customers = c->next;
        esme_out_free(c);
        free(c);
    }
    esme_guesses_free(s);
    loop_free(s->loop);
    sem_destroy(&s->stopped);
    free(s);
}

uint16_t esme_server_port(const struct esme_server *s)
{
    return tcp_listener_port(s->listener);
}

uint16_t esme_server_tls_port(const struct esme_server *s)
{
    return s->tls_listener ? tcp_listener_port(s->tls_listener) : 0;
}
