/* carriers_priv.h - what carriers.c (read, started, added) and carrier_changes.c (changed, removed) share. Thread: control. */
#pragma once
#include "main/carriers.h"

struct smpp_bind_conf;

struct carrier {
    struct carrier *next;
    char            kind[8], name[64], host[160];
    bool            simulated, built_in;
    char           *conf;               /* the JSON it was made from, owned; NULL: built in */
};

struct carriers {
    struct carriers_conf conf;
    struct carrier      *list;
};
void carrier_free(struct carrier *one);
/** @return owned by the caller; NULL: out of memory */
MUST_USE char *carrier_conf_text(const struct json *conf);

/* What a person gave, checked; texts borrow from the JSON. */
struct given {
    const char *kind;
    struct str  name, system_id, user, password, transport, bind, long_as;
    char        host[128];
    uint16_t    port;
    int64_t     window, rate;
    const struct json *json;            /* all of it; NULL: built in */
    bool        simulated;
};

/** The SMSC of that name. @return ERR_ABSENT with `why` */
MUST_USE enum err carriers_find(const struct carriers *c, struct str name, struct carrier **out, struct problem *why);
/** @return ERR_RANGE: the field, and what it must be */
enum err carrier_bad(struct problem *why, const char *field, const char *text);
MUST_USE enum err given_read(struct given *g, const char *kind, const struct json *j, struct problem *why);
/** All that starting it would refuse. */
MUST_USE enum err given_check(const struct given *g, const char *kind, const struct json *conf, struct problem *why);
/** Borrows. */
MUST_USE enum err given_bind(struct smpp_bind_conf *out, const struct given *g, struct problem *why);
