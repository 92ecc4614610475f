/* phone.h - the simulated phone network: whoever is called answers as its handset or its magic says, over real SIP and RTP.
 *
 * Threads: everything here is called on the simulator's loop, or before it starts and after it stopped. Beneath are a SIP
 * stack and an RTP loop with threads of their own, which post what happens to the simulator's loop. */
#pragma once
#include "base/base.h"
#include "base/problem.h"

struct audio;
struct handset;
struct handsets;
struct loop;
struct manner;
struct phones;

struct phones_conf {
    struct loop     *loop;
    struct handsets *handsets;
    const char      *host;              /* numeric; SIP and RTP */
    uint16_t         sip_port;          /* 0: a free one */
    uint16_t         rtp_min, rtp_max;
    const char      *folder;            /* for recordings of their own; NULL: there are none. Copied */
    uint64_t         seed;
};

/** @return ERR_RANGE, ERR_CONFLICT (port in use), ERR_NOMEM, ERR_IO; why says more */
MUST_USE enum err phones_new(struct phones **out, const struct phones_conf *conf, struct problem *why);
MUST_USE enum err phones_start(struct phones *p);
/** No more SIP; calls end. Before the simulator's loop stops, so that it hears of it; any thread. */
void phones_stop_sip(struct phones *p);
/** No more RTP; what was recorded is posted. After the simulator's loop stopped: drain its inbox once more. */
void phones_stop_rtp(struct phones *p);
void phones_free(struct phones *p);
uint16_t phones_sip_port(const struct phones *p);

/** Whoever has no manner of their own, no magic and is not attached: taken over. NULL: kind. */
void phones_set_others(struct phones *p, struct manner *m);
const struct manner *phones_others(const struct phones *p);     /* NULL: untold */
/** Where handsets' calls go. port 0: nowhere yet. */
void phones_set_inbound(struct phones *p, struct str host, uint16_t port);

/* Orders to a handset; why says what was in the way.
 * @return ERR_CONFLICT: it has no such call now; ERR_NOMEM, ERR_BUSY, ERR_RANGE (keys, address) */
/** What rings is answered at once; else what rings next. */
MUST_USE enum err phones_answer(struct phones *p, struct handset *h, struct problem *why);
MUST_USE enum err phones_press(struct phones *p, struct handset *h, struct str keys, struct problem *why);
/** Refuse what rings with this.  status  0: 603; q850 0: as goes with the status */
MUST_USE enum err phones_reject(struct phones *p, struct handset *h, int status, int q850, struct problem *why);
/** Say a sound in the call that goes on, after what is being said. Takes its own reference. */
MUST_USE enum err phones_say(struct phones *p, struct handset *h, struct audio *sound, struct problem *why);
/** Record the call that goes on from now, or the next one, into this file. */
MUST_USE enum err phones_record(struct phones *p, struct handset *h, struct str path);
/** Ringing: declined with 603. Else: ended. */
MUST_USE enum err phones_hang_up(struct phones *p, struct handset *h, struct problem *why);
/** @param context  what it says beside the call: codec/sip/context.h; may be empty */
MUST_USE enum err phones_dial(struct phones *p, struct handset *h, struct str to, struct str context, struct problem *why);
