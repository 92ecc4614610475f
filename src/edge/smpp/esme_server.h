/* esme_server.h - our own SMPP 3.4 server: customers' ESMEs bind here with a resource's credentials.
 *
 * One thread, `esmes`, with its own loop owns every link. What must be decided is asked of the control thread: who may bind
 * (domain/accounts/smpp_credentials.h), submits (messages_send(), as for POST /sms), queries. Letters for bound receivers come
 * from domain/messages/mailbox.h. _new, _start, _stop and _free are called by app.c, which plugs the server into the mailbox and
 * tells it of changed keys. (SMPP 3.4, 2, 4, 5) */
#pragma once
#include "base/base.h"
#include "base/problem.h"
#include "edge/smpp/esme_limits.h"

struct accounts;
struct control;
struct esme_server;
struct messages;
struct requests;
struct tls_context;

struct esme_server_conf {
    struct control  *control;
    struct accounts *accounts;
    struct messages *messages;
    struct requests *requests;
    const char      *host;
    uint16_t         port;              /* 0: a free one */
    const struct tls_context *tls;      /* for the second door; outlives the server */
    struct esme_limits limits;
};
/** Listens, and answers nobody before _start(). @return ERR_CONFLICT (the port is in use), ERR_IO, ERR_NOMEM with `why` */
MUST_USE enum err esme_server_new(struct esme_server **out, const struct esme_server_conf *conf, struct problem *why);
/** A second door, for TLS alone (conf.tls). Before _start(). Returns as _new(). */
MUST_USE enum err esme_server_listen_tls(struct esme_server *s, const char *host, uint16_t port, struct problem *why);
/** @return ERR_NOMEM */
MUST_USE enum err esme_server_start(struct esme_server *s);
/** Answer what is under way (5 s at most), unbind everywhere, end the thread. Control must still run. Twice is fine. */
void esme_server_stop(struct esme_server *s);
void esme_server_free(struct esme_server *s);
SCOPED_FREE(esme_server)
uint16_t esme_server_port(const struct esme_server *s);
uint16_t esme_server_tls_port(const struct esme_server *s);         /* 0: none */
/** Any thread: a resource's keys have changed, or ended. Who is bound with them proves itself again, or is unbound. */
void esme_server_prove_again(struct esme_server *s, uint64_t resource);
