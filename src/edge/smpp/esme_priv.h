/* esme_priv.h - what the files of the server for customers' ESMEs share: esme_server.c (thread, links), esme_bind.c (who may bind),
 * esme_submit.c (messages from ESMEs), esme_asked.c (query, cancel, replace), esme_out.c (letters to them).
 * Thread: esmes, but for what says control. */
#pragma once
#include "base/inbox.h"
#include "base/loop.h"
#include "base/map.h"
#include "domain/control.h"
#include "edge/smpp/esme_server.h"
#include "net/smpp_session.h"

#include <semaphore.h>
#include <stdatomic.h>

enum { UNBOUND_MAX = 32 /* of an address */, UNDER_WAY_MAX = 10000 /* submits at control */, PEER_SIZE = 64, GUESSES_MAX = 4096,
       BIND_TRIES = 3 };

/* All links of one resource. Lives as long as the server. */
struct customer {
    struct customer *next;
    uint64_t         resource;
    unsigned         binds, receivers;
    struct parcel   *head, **tail;      /* letters that wait for room in a window */
    uint16_t         last_ref;          /* of long messages to it */
};

struct esme_link {
    struct esme_link    *next;
    struct esme_server  *server;
    struct smpp_session *session;
    struct customer     *customer;      /* NULL: not bound */
    uint64_t             id;
    char                 peer[PEER_SIZE], address[PEER_SIZE];  /* "127.0.0.1:4711", "127.0.0.1" */
    char                 name[64];      /* of the resource */
    uint32_t             bind;          /* the command it bound with */
    char                 system_id[16], password[9];           /* as given; the password is wiped when it goes */
    unsigned             tries;         /* binds that were refused */
    uint32_t             denial;        /* command_status that waits for its time; 0: none */
    struct loop_timer    deny, idle;
    int64_t              active_us;     /* mono: when a message last went either way */
    struct parcel       *current;       /* a letter of which some parts have left */
    uint64_t             refused;       /* submits */
    bool                 deaf;          /* it left a deliver_sm unanswered, and has answered none since */
};

struct esme_server {
    struct esme_server_conf conf;
    char                 host[64];
    struct loop         *loop;
    struct tcp_listener *listener, *tls_listener;       /* the latter may be NULL */
    struct esme_link    *links;
    unsigned             n_links;
    uint64_t             last_link;
    struct customer     *customers;
    struct strmap       *guesses;       /* address -> struct guess */
    _Atomic unsigned     under_way;     /* submits at control */
    bool                 started, stopping;
    sem_t                stopped;
};

/* esme_server.c */
struct esme_link *esme_link_find(const struct esme_server *s, uint64_t id);     /* NULL: it is gone */
struct customer *esme_customer(struct esme_server *s, uint64_t resource);       /* found or made; NULL: out of memory */

/* esme_bind.c */
uint32_t esme_bind_ask(struct esme_link *l, const struct smpp_pdu *pdu);        /* smpp_session_hooks.on_bind */
void esme_bind_again(struct esme_link *l);      /* its keys may have changed */
void esme_bind_deny(void *link);                /* a loop_timer_fn */
void esme_bind_up(struct esme_link *l);
void esme_bind_down(struct esme_link *l);
void esme_bind_idle(void *link);      /* a loop_timer_fn: no message went for long? */
void esme_guesses_free(struct esme_server *s);

/* esme_submit.c */
void esme_submit(struct esme_link *l, const struct smpp_pdu *pdu);
/** For the log and for explain: a request that was refused. Thread: any. @param why  its text at least */
void esme_refused(struct esme_server *s, uint64_t key, uint64_t resource, uint32_t command, uint32_t status, int64_t began_us,
                  const struct problem *why);
uint32_t esme_status_of(enum err err, const struct problem *why);

/* esme_asked.c */
void esme_asked(struct esme_link *l, const struct smpp_pdu *pdu);

/* esme_out.c */
extern const struct letter_ops esme_letter_ops;
void esme_out_pump(struct customer *c, struct esme_server *s);
void esme_out_answer(struct esme_link *l, uint64_t tag, enum err err, const struct smpp_pdu *answer);
void esme_out_down(struct esme_link *l);        /* what of a letter has not left comes back */
void esme_out_return(struct customer *c, struct esme_server *s);    /* nobody is bound any more: all that waits goes back */
void esme_out_free(struct customer *c);
