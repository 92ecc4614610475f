/* sim_priv.h - what the operator's commands (sim.c takes and answers them; sim_<area>.c carries them out) share.
 * Thread: the simulator's loop. */
#pragma once
#include "base/json.h"
#include "sim/sim.h"

struct handset;
struct handsets;
struct loop;
struct phones;
struct smsc;

struct sim {
    struct loop     *loop;
    struct handsets *handsets;
    struct smsc     *smsc;
    struct phones   *phones;
    char            *handsets_told; /* sim_conf.handsets, for a state that says nothing of it; NULL: nothing */
    uint16_t         smpp_port;
    bool             started;
};

struct order {                  /* one command while it is carried out */
    struct sim        *s;
    const struct json *args;
    struct handset    *h;       /* of "number"; NULL for a command without */
    struct jw         *w;       /* the answer's members go here */
    struct problem    *why;
};
typedef enum err verb_fn(struct order *o);

struct sim_verb {
    const char *verb;
    verb_fn    *run;
    bool        of_handset;     /* has a "number" */
};
/* One area's verbs, ended by a NULL verb. */
extern const struct sim_verb sim_handset_verbs[], sim_smsc_verbs[], sim_save_verbs[];

/** o->h is of "number", made when it is new. @return ERR_RANGE, ERR_BUSY */
MUST_USE enum err sim_find_handset(struct order *o);
/** "NUMBER KEY=VALUE ...; NUMBER ..." of sim_conf.handsets. @return ERR_RANGE with `why`, ERR_NOMEM */
MUST_USE enum err sim_tell_handsets(struct sim *s, struct str text, struct problem *why);
/** `name` is missing from the arguments, or is no text. @return ERR_RANGE */
MUST_USE enum err sim_missing(struct order *o, const char *name);
