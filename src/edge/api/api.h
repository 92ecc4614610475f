/* api.h - what HTTP handlers reach: the domain objects of the control thread. Filled by app.c before the server starts. */
#pragma once
#include "base/json.h"
#include "domain/control.h"

struct accounts;
struct numbers;
struct messages;
struct calls;
struct events;
struct keyring;
struct sim;

struct app_api {
    struct control  *control;
    struct accounts *accounts;
    struct numbers  *numbers;
    struct messages *messages;
    struct calls    *calls;
    struct events   *events;
    struct keyring  *keyring;
    /* Handsets and faults of the simulated networks, when there are any (sim/sim.h, plugged in by app.c). */
    enum err (*sim_command)(void *sim, struct str verb, struct str args,
                            void (*done)(void *arg, enum err err, struct str answer, const struct problem *why),
                            void *arg);
    void *sim;
    /* Carriers and trunks an operator adds at run time (edge/smpp, edge/sip, plugged in by app.c). */
    enum err (*smsc_add)(void *app, const struct json *conf, struct problem *why);
    enum err (*trunk_add)(void *app, const struct json *conf, struct problem *why);
    void *app;
};
