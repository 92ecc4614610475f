#include "net/rtp_loop_priv.h"
#include "base/crypto.h"

/* A press: 100 ms of telephone-event, its last packet three times (RFC 4733, 2.5.1.4), then 60 ms of rest. As sound,
 * dsp_tone_speak() has the same 100 and 60. */
enum { PRESS_FRAMES = 5, PRESS_ENDS = 3, REST_FRAMES = 3, PRESS_VOLUME = 10 };

static void put(struct leg *leg, struct rtp_packet *p)
{
    uint8_t datagram[RTP_HEADER_OCTETS + FRAME_SAMPLES];
    struct wr w = wr_of(datagram, sizeof datagram);
    p->sequence = leg->send.sequence++;
    p->ssrc = leg->send.ssrc;
    rtp_write(p, &w);
    if (!wr_err(&w))
        line_send(leg, datagram, wr_len(&w));
}

static void put_sound(struct leg *leg, const uint8_t frame[FRAME_SAMPLES])
{
    struct rtp_packet p = { .marker = leg->send.fresh, .type = leg->payload, .timestamp = leg->send.timestamp,
                            .payload = frame, .n = FRAME_SAMPLES };
    leg->send.fresh = false;
    put(leg, &p);
}

/* -- tones -------------------------------------------------------------------------------------------------------------- */

static void put_event(struct leg *leg, unsigned tick)
{
    struct sender *s = &leg->send;
    unsigned frames = tick < PRESS_FRAMES ? tick + 1 : PRESS_FRAMES;
    struct rtp_event e = { .event = (uint8_t)rtp_tone_event(s->presses[0].tone), .end = tick + 1 >= PRESS_FRAMES,
                           .volume = PRESS_VOLUME, .duration = (uint16_t)(frames * FRAME_SAMPLES) };
    uint8_t payload[RTP_EVENT_OCTETS];
    struct wr w = wr_of(payload, sizeof payload);
    rtp_event_write(&e, &w);
    struct rtp_packet p = { .marker = tick == 0, .type = leg->dtmf_payload, .timestamp = s->press_timestamp,
                            .payload = payload, .n = sizeof payload };
    put(leg, &p);
}

static void put_silence(struct leg *leg)
{
    uint8_t frame[FRAME_SAMPLES];
    memset(frame, leg->payload == RTP_PCMA ? DSP_ALAW_SILENCE : DSP_ULAW_SILENCE, sizeof frame);
    put_sound(leg, frame);
}

static void put_tone_sound(struct leg *leg, unsigned tick)
{
    uint8_t frame[FRAME_SAMPLES];
    dsp_encode(leg->payload == RTP_PCMA ? DSP_ALAW : DSP_ULAW, leg->send.press_sound + tick * FRAME_SAMPLES,
               FRAME_SAMPLES, frame);
    put_sound(leg, frame);
}

/* The next frame of the press; true when it was the last. */
static bool press_on(struct leg *leg)
{
    struct sender *s = &leg->send;
    unsigned tick = s->press_tick++;
    if (tick == 0) {
        s->press_timestamp = s->timestamp;
        memset(s->press_sound, 0, sizeof s->press_sound);
        if (!leg->dtmf_payload)
            (void)dsp_tone_speak(s->presses[0].tone, s->press_sound);
    }
    if (!leg->dtmf_payload) {
        put_tone_sound(leg, tick);
        return tick + 1 == DSP_TONE_SAMPLES / FRAME_SAMPLES;
    }
    if (tick < PRESS_FRAMES + PRESS_ENDS - 1)
        put_event(leg, tick);
    else
        put_silence(leg);
    return tick + 1 == PRESS_FRAMES + PRESS_ENDS - 1 + REST_FRAMES;
}

static void forget_press(struct sender *s, size_t i)
{
    memmove(s->presses + i, s->presses + i + 1, (--s->n_presses - i) * sizeof *s->presses);
}

static void tick_press(struct leg *leg)
{
    struct sender *s = &leg->send;
    if (!press_on(leg))
        return;
    struct press done = s->presses[0];
    s->press_tick = 0;
    forget_press(s, 0);
    if (done.last)
        tell_sent(leg->rl, leg->id, done.op, ERR_NONE);
}

static enum err admit_tones(const struct sender *s, struct str tones)
{
    if (!tones.n)
        return ERR_RANGE;
    for (size_t i = 0; i < tones.n; i++)
        if (rtp_tone_event(tones.p[i]) < 0)
            return ERR_RANGE;
    return tones.n > RTP_LOOP_TONES_MAX - s->n_presses ? ERR_BUSY : ERR_NONE;
}

void sender_press(struct leg *leg, uint64_t op, struct str tones)
{
    struct sender *s = &leg->send;
    enum err err = admit_tones(s, tones);
    if (err) {
        tell_sent(leg->rl, leg->id, op, err);
        return;
    }
    for (size_t i = 0; i < tones.n; i++)
        s->presses[s->n_presses++] = (struct press){ op, rtp_event_tone((uint8_t)rtp_tone_event(tones.p[i])),
                                                     i + 1 == tones.n };
}

/* -- sound -------------------------------------------------------------------------------------------------------------- */

static void end_play(struct leg *leg, size_t i, enum err err)
{
    struct sender *s = &leg->send;
    struct play done = s->plays[i];
    memmove(s->plays + i, s->plays + i + 1, (--s->n_plays - i) * sizeof *s->plays);
    audio_unref(done.audio);
    tell_played(leg->rl, leg->id, done.op, err);
}

static void tick_play(struct leg *leg)
{
    struct play *p = &leg->send.plays[0];
    struct str sound = audio_octets(p->audio);
    size_t left = sound.n - p->at, n = left < FRAME_SAMPLES ? left : FRAME_SAMPLES;
    uint8_t frame[FRAME_SAMPLES];
    memcpy(frame, sound.p + p->at, n);
    memset(frame + n, DSP_ULAW_SILENCE, sizeof frame - n);
    if (leg->payload == RTP_PCMA)
        dsp_ulaw_to_alaw(frame, sizeof frame, frame);
    put_sound(leg, frame);

    p->at += n;
    if (p->at < sound.n)
        return;
    p->at = 0;
    if (!p->repeat)
        end_play(leg, 0, ERR_NONE);
}

void sender_play(struct leg *leg, uint64_t op, struct audio *a, bool repeat)
{
    struct sender *s = &leg->send;
    bool full = s->n_plays == RTP_LOOP_PLAYS_MAX, empty = !audio_octets(a).n;
    if (full || empty) {                    /* nothing to play is played */
        audio_unref(a);
        tell_played(leg->rl, leg->id, op, full ? ERR_BUSY : ERR_NONE);
        return;
    }
    s->plays[s->n_plays++] = (struct play){ .op = op, .audio = a, .repeat = repeat };
}

/* -- both --------------------------------------------------------------------------------------------------------------- */

void sender_tick(struct leg *leg)
{
    struct sender *s = &leg->send;
    uint8_t frame[FRAME_SAMPLES];
    if (s->n_presses)
        tick_press(leg);
    else if (s->n_plays)
        tick_play(leg);
    else if (line_echo_take(leg, frame))
        put_sound(leg, frame);
    else
        put_silence(leg);
    s->timestamp += FRAME_SAMPLES;
}

void sender_skip(struct leg *leg, uint64_t frames)
{
    leg->send.timestamp += (uint32_t)(frames * FRAME_SAMPLES);
}

void sender_stop(struct leg *leg, uint64_t op)
{
    struct sender *s = &leg->send;
    for (size_t i = 0; i < s->n_plays;)
        if (!op || s->plays[i].op == op)
            end_play(leg, i, ERR_CLOSED);
        else
            i++;
    /* from behind, as the last tone of an op is the one that tells; a key that is down is let go properly */
    for (size_t i = s->n_presses; i-- > 0;) {
        struct press *p = &s->presses[i];
        if (op && p->op != op)
            continue;
        if (p->last)
            tell_sent(leg->rl, leg->id, p->op, ERR_CLOSED);
        p->last = false;
        if (i || !s->press_tick)
            forget_press(s, i);
    }
}

void sender_init(struct sender *s)
{
    struct { uint16_t sequence; uint32_t timestamp, ssrc; } start;      /* unpredictable (RFC 3550, 5.1) */
    random_bytes(&start, sizeof start);
    s->sequence  = start.sequence;
    s->timestamp = start.timestamp;
    s->ssrc      = start.ssrc;
    s->fresh     = true;
}

void sender_done(struct leg *leg)
{
    sender_stop(leg, 0);
}
