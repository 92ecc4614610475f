/* How a telephone takes one call: whose manner it has, which faults strike, and what is said once sound flows. */
#include "sim/phone_priv.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/str.h"
#include "net/audio.h"
#include "sim/magic.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROMPT_ANSWER_MS = 200, OP_EARLY = 1, OP_SAY = 2, OWN_RECORDINGS = 20, STATUS_BUSY = 486, CAUSE_BUSY = 17 };

void phone_said(const struct call *c, const char *what, enum err err)
{
    if (err)
        log_warn("sim", "call %llu: %s failed: %s", (unsigned long long)c->id, what, err_words(err));
}

/* -- whose manner ----------------------------------------------------------------------------------------------------- */

/* NULL: the number has no magic for calls. */
static struct manner *of_magic(struct phones *p, struct str number)
{
    const struct magic *m = magic_of(number);
    size_t row = m ? (size_t)(m - magic_row(0)) : 0;
    struct problem why = { 0 };
    if (!m || !m->call || row >= MAGIC_ROWS_MAX)
        return NULL;
    if (!p->magic[row] && manner_of_text(&p->magic[row], str_of(m->call), &why))
        log_error("sim", "%s: %s", m->digits, why.text);
    return p->magic[row];
}

/* Attached, a number's magic is off: it is a telephone in somebody's hand. */
static struct manner *manner_for(struct phones *p, const struct handset *h, bool outgoing)
{
    struct manner *magic = h->attached || outgoing ? NULL : of_magic(p, str_of(h->number));
    return h->manner ? h->manner : magic ? magic : p->others && !h->attached ? p->others : p->kind;
}

static bool strikes(const struct call *c, uint64_t kinds, struct fault_hit *hit)
{
    return fault_strikes(kinds, &(struct fault_subject){ .number = str_of(c->h->number), .from = str_of(c->peer) }, hit);
}

static void refuse_with(struct call *c, int status, int q850, int after_ms)
{
    c->status = status;
    c->q850 = q850;
    c->refuse_ms = after_ms;
}

static void decide_incoming(struct call *c)
{
    const struct handset *h = c->h;
    struct fault_hit hit;
    c->answer_ms = c->m->answer_ms;
    if (h->attached && h->will_answer)
        c->answer_ms = PROMPT_ANSWER_MS;
    else if (h->attached && !c->m->given[MANNER_KEY_answer_after])
        c->answer_ms = MANNER_NEVER;
    if (h->attached && h->call != c->id)
        refuse_with(c, STATUS_BUSY, CAUSE_BUSY, 0);
    else if (c->m->refuse_status)
        refuse_with(c, c->m->refuse_status, c->m->refuse_q850, c->m->refuse_ms);
    if (strikes(c, FAULT_BIT(PHONE_BUSY) | FAULT_BIT(PHONE_REJECT), &hit))
        refuse_with(c, hit.code, manner_cause_of(hit.code), 0);
    if (!c->status && strikes(c, FAULT_BIT(PHONE_NO_ANSWER), &hit))
        c->answer_ms = MANNER_NEVER;
    if (!c->status && c->answer_ms != MANNER_NEVER && strikes(c, FAULT_BIT(PHONE_DELAY), &hit))
        c->answer_ms += (int)(hit.delay_us / US_PER_MS);
}

void phone_decide(struct call *c)
{
    c->m = manner_ref(manner_for(c->p, c->h, c->outgoing));
    if (!c->outgoing)
        decide_incoming(c);
}

/* -- sound ------------------------------------------------------------------------------------------------------------ */

static void set_line(struct call *c, bool answered)
{
    const struct manner *m = c->m;
    struct fault_hit hit;
    struct rtp_loop_line line = { .mute = m->way == MANNER_RECEIVES, .deaf = m->way == MANNER_SENDS,
                                  .echo = m->echo == MANNER_ECHO_AUDIO, .loss_permille = (uint16_t)m->loss_permille,
                                  .delay_ms = (uint16_t)m->delay_ms, .jitter_ms = (uint16_t)m->jitter_ms,
                                  .seed = hash_u64(c->p->conf.seed) ^ c->id };
    if (answered && strikes(c, FAULT_BIT(PHONE_BAD_AUDIO), &hit))
        line.loss_permille = (uint16_t)(hit.code * 10);
    if (answered && strikes(c, FAULT_BIT(PHONE_ONE_WAY), &hit))
        line.mute = true;
    phone_said(c, "line", rtp_loop_set_line(c->p->rtp, c->id, &line));
}

/* The folder and the one above it: `sim` alone has none before. */
static bool folder_is_there(const char *folder)
{
    char above[PATH_MAX];
    str_copyz(above, sizeof above, str_of(folder));
    char *slash = strrchr(above, '/');
    if (slash && slash != above)
        *slash = '\0';
    (void)!mkdir(above, 0700);
    return !mkdir(folder, 0700) || !access(folder, W_OK | X_OK);
}

/* A file of its own: the last OWN_RECORDINGS of each number stay. NULL: there is no place for it. */
static char *own_recording(struct call *c)
{
    const char *folder = c->p->conf.folder, *number = c->h->number;
    char *path = NULL;
    if (!folder || !folder_is_there(folder)
        || asprintf(&path, "%s/%s-%u.wav", folder, number + (number[0] == '+'), c->h->n_recordings++ % OWN_RECORDINGS + 1) < 0) {
        log_warn("sim", "call %llu is not recorded: there is no folder for it", (unsigned long long)c->id);
        return NULL;
    }
    return path;
}

static void begin_recording(struct call *c)
{
    const char *told = c->m->record;
    c->record_path = c->h->record_path;
    c->h->record_path = NULL;
    if (!c->record_path && told)
        c->record_path = *told ? strdup(told) : own_recording(c);
    if (c->record_path)
        phone_said(c, "recording", rtp_loop_record(c->p->rtp, c->id));
}

void phone_connect_sound(struct call *c)
{
    struct rtp_loop_peer peer = { .port = c->remote.port, .payload = c->remote.payload, .dtmf_payload = c->remote.dtmf_payload };
    snprintf(peer.host, sizeof peer.host, "%s", c->remote.host);
    phone_said(c, "RTP", rtp_loop_connect(c->p->rtp, c->id, &peer));
}

void phone_begin_sound(struct call *c, bool answered)
{
    struct rtp_loop *rtp = c->p->rtp;
    set_line(c, answered);
    if (!c->early)
        phone_connect_sound(c);
    if (!answered) {
        c->early = true;
        phone_said(c, "early media", rtp_loop_play(rtp, c->id, OP_EARLY, c->m->early, true));
        return;
    }
    if (c->early)
        phone_said(c, "the end of early media", rtp_loop_stop(rtp, c->id, OP_EARLY));
    c->h->will_answer = false;
    begin_recording(c);
}

/* -- talking ---------------------------------------------------------------------------------------------------------- */

void phone_press(struct call *c)
{
    char keys[HANDSET_NUMBER_MAX + 2];
    size_t n = 0;
    for (const char *p = c->peer; c->m->press_caller && *p; p++)
        if (*p >= '0' && *p <= '9')
            keys[n++] = *p;
    keys[n++] = '#';
    if (c->will_press)
        phone_said(c, "keys", rtp_loop_send_tones(c->p->rtp, c->id, 0, c->m->press_caller ? (struct str){ keys, n }
                                                                                           : str_of(c->m->press)));
    c->will_press = false;
}

static void begin_drop(struct call *c)
{
    struct fault_hit hit;
    int64_t after_us = (int64_t)c->m->drop_ms * US_PER_MS;
    if (strikes(c, FAULT_BIT(PHONE_DROP), &hit)) {
        c->vanishes = true;
        after_us = hit.delay_us;
    }
    if (c->vanishes || c->m->drop_ms != MANNER_NEVER)
        loop_timer_start(&c->drop, after_us);
}

void phone_talk(struct call *c)
{
    const struct manner *m = c->m;
    if (m->say)
        phone_said(c, "speech", rtp_loop_play(c->p->rtp, c->id, OP_SAY, m->say, false));
    c->will_press = m->press[0] || m->press_caller;
    if (c->will_press && m->press_heard)
        phone_said(c, "listening", rtp_loop_listen(c->p->rtp, c->id, MANNER_HEARD_MS));
    if (c->will_press)
        loop_timer_start(&c->timer, (int64_t)m->press_ms * US_PER_MS);
    begin_drop(c);
}
