/* recognise.h - collecting pressed tones after a prompt: when is it over, and how?
 *
 * A pure table: no socket, store or clock. Its user plays the prompt, owns the one timer and passes on tones.
 * Thread: its user's. */
#pragma once
#include "base/base.h"

enum { RECOGNISE_TONES_MOST = 64 };

enum recognise_outcome {
    RECOGNISED_MOST,        /* as many tones as were asked for */
    RECOGNISED_STOP,        /* a stop tone, which is not among the tones */
    RECOGNISED_GAP,         /* no further tone in time */
    UNRECOGNISED_SILENCE,   /* no tone at all in time */
    UNRECOGNISED_PROMPT,    /* the prompt could not be played */
    UNRECOGNISED_CANCELLED,
};

struct recognise_conf {
    bool        prompted;       /* a prompt plays first: recognise_prompted() or _unprompted() ends it */
    bool        interruptible;  /* a tone ends the prompt and counts; else tones during the prompt are not heard */
    int64_t     silence_us, gap_us;
    unsigned    tones_most;     /* 1..RECOGNISE_TONES_MOST */
    const char *stop_tones;     /* outlives the recognise */
};

struct recognise_ops {
    void (*stop_prompt)(void *arg);
    void (*wait)(void *arg, int64_t us);        /* start or move the timer: recognise_time() when it fires */
    void (*over)(void *arg, enum recognise_outcome outcome);    /* once; the recognise may be gone afterwards */
};

struct recognise {
    struct recognise_conf       conf;
    const struct recognise_ops *ops;
    void                       *arg;
    int                         state;
    unsigned                    n;
    char                        tones[RECOGNISE_TONES_MOST + 1];
};

/** Caller's memory; nothing to give back. Without a prompt the wait starts here. */
void recognise_init(struct recognise *r, const struct recognise_conf *conf, const struct recognise_ops *ops, void *arg);
void recognise_prompted(struct recognise *r);       /* the prompt was played to its end */
void recognise_unprompted(struct recognise *r);     /* it could not be played */
void recognise_tone(struct recognise *r, char tone);
void recognise_time(struct recognise *r);
void recognise_cancel(struct recognise *r);
