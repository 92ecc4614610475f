/* api.h - what HTTP handlers reach: the domain objects of the control thread. Filled by app.c before the server starts. */
#pragma once
#include "base/json.h"
#include "domain/control.h"

struct accounts;
struct numbers;
struct messages;
struct calls;
struct events;
struct jwt_signer;
struct keyring;
struct sim;

struct sip_routing;
struct requests;
struct explain;
struct registrations;

struct carrier_trial {
    struct str name, from, to;      /* `to` empty: nothing is submitted */
    bool       from_simulated;      /* the wall */
    unsigned   burst, wait_s;
};
typedef void carrier_tested_fn(void *arg, enum err err, struct str json, const struct problem *why);
typedef void carrier_done_fn(void *arg, enum err err, const struct problem *why);

struct http_call;
struct app_api {
    struct control  *control;
    struct accounts *accounts;
    struct numbers  *numbers;
    struct messages *messages;
    struct calls    *calls;
    struct events   *events;
    struct sip_routing *sip_routing;
    struct registrations *registrations;
    struct keyring  *keyring;
    /* Handsets and faults of the simulated networks, when there are any (sim/sim.h, plugged in by app.c). */
    enum err (*sim_command)(void *sim, struct str verb, struct str args,
                            void (*done)(void *arg, enum err err, struct str answer, const struct problem *why),
                            void *arg);
    void *sim;
    /* Carriers ("smsc") and trunks ("trunk") that an operator adds at run time; main/carriers.c, plugged in by app.c.
     * `done` is called on control once the carrier is stored and started. */
    enum err (*carrier_add)(void *carriers, const char *kind, const struct json *conf, carrier_done_fn *done, void *arg,
                            struct problem *why);
    /* An SMSC's settings replaced in part, or an SMSC removed; as carrier_add. @return ERR_ABSENT, ERR_CONFLICT too */
    enum err (*carrier_change)(void *carriers, struct str name, const struct json *changes, carrier_done_fn *done, void *arg, struct problem *why);
    enum err (*carrier_remove)(void *carriers, struct str name, carrier_done_fn *done, void *arg, struct problem *why);
    /* Try a carrier on links of its own (edge/smpp/probe.h); `done` on any thread. @return ERR_ABSENT, ERR_NOMEM with `why` */
    enum err (*carrier_test)(void *carriers, const struct carrier_trial *trial, carrier_tested_fn *done, void *arg, struct problem *why);
    void (*carriers_write)(void *carriers, const char *kind, struct jw *w);     /* elements of an open array */
    void *carriers;
    struct requests *requests;
    struct explain  *explain;
    struct jwt_signer *signer;      /* of callbacks; its keys are public */
    const char *domain;             /* resources are NAME.domain; NULL: localhost */
    void *snapshots;                /* main/snapshots.h, plugged in by app.c */
    enum err (*snapshots_do)(void *snapshots, const char *verb, struct str name, struct http_call *hc);
    bool clock_moves;               /* --clock virtual */
    char real_carrier[64];          /* the first one; empty: everything is simulated */
    struct { const char *host; uint16_t port; } smpp;   /* where ESMEs bind; port 0: nowhere */
    bool faults;                    /* may be armed: while everything is simulated, or with --faults on */
};
