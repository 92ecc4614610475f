#include "net/rtp_loop_priv.h"

enum {
    RECORD_SAMPLES_MAX   = 3600 * DSP_RATE,
    RECORD_SAMPLES_FIRST = 16 * DSP_RATE,
    JUMP_SAMPLES_MAX     = 30 * DSP_RATE,   /* a timestamp further off starts a new stretch of sound */
    SOUND_LEVEL          = 200,             /* mean magnitude of what counts as heard: some -40 dBm0 */
    COMFORT_NOISE        = 13,              /* RFC 3389 */
};

/* -- recording ---------------------------------------------------------------------------------------------------------- */

/* Room for n samples, the new ones silent. It doubles, so most ticks ask for nothing. */
static bool make_room(struct hearer *h, size_t n)
{
    if (n <= h->room)
        return true;
    size_t room = h->room ? h->room : RECORD_SAMPLES_FIRST;
    while (room < n)
        room *= 2;
    int16_t *samples = realloc(h->samples, room * sizeof *samples);
    if (!samples)
        return false;
    memset(samples + h->room, 0, (room - h->room) * sizeof *samples);
    h->samples = samples;
    h->room = room;
    return true;
}

/* Where in the recording this timestamp lies; negative: before its start. */
static int64_t place(struct hearer *h, uint32_t timestamp)
{
    int64_t at = (int32_t)(timestamp - h->origin);
    if (!h->placed || at > (int64_t)h->kept + JUMP_SAMPLES_MAX || at < (int64_t)h->kept - JUMP_SAMPLES_MAX) {
        h->origin = timestamp - (uint32_t)h->kept;      /* goes on where the recording ends */
        h->placed = true;
        at = (int64_t)h->kept;
    }
    return at;
}

static void keep(struct hearer *h, uint32_t timestamp, const int16_t *sound, size_t n)
{
    int64_t at = place(h, timestamp);
    if (at < 0 || at + (int64_t)n > RECORD_SAMPLES_MAX || !make_room(h, (size_t)at + n))
        return;
    memcpy(h->samples + at, sound, n * sizeof *sound);
    if ((size_t)at + n > h->kept)
        h->kept = (size_t)at + n;
}

/* -- tones and sound ------------------------------------------------------------------------------------------------------ */

static void tell_tone(const struct leg *leg, char tone)
{
    const struct rtp_loop_conf *c = &leg->rl->conf;
    if (tone && c->events->tone)
        c->events->tone(c->arg, leg->id, tone);
}

/* A press is one timestamp (RFC 4733, 2.5.1.2), told by whichever of its packets comes first. A very long one goes on
 * under a new timestamp, which is where the old one's duration ended, before any end (2.5.1.3). */
static bool is_new_press(const struct hearer *h, uint32_t timestamp, uint8_t event)
{
    int32_t later = (int32_t)(timestamp - h->event_timestamp);
    if (!h->pressed)
        return true;
    if (later <= 0)
        return false;                       /* the same, or overtaken on the way */
    return h->event_ended || event != h->event || (uint32_t)later != h->event_duration;
}

static void hear_event(struct leg *leg, const struct rtp_packet *p)
{
    struct hearer *h = &leg->hear;
    struct rtp_event e;
    struct rd r = rd_of(p->payload, p->n);
    if (rtp_event_read(&e, &r)) {
        leg->counters.malformed++;
        return;
    }
    bool fresh = is_new_press(h, p->timestamp, e.event);
    if (h->pressed && !fresh && (int32_t)(p->timestamp - h->event_timestamp) < 0)
        return;
    h->event_ended     = e.end || (!fresh && h->event_ended && p->timestamp == h->event_timestamp);
    h->pressed         = true;
    h->event           = e.event;
    h->event_timestamp = p->timestamp;
    h->event_duration  = e.duration;
    if (fresh)
        tell_tone(leg, rtp_event_tone(e.event));
}

static bool is_sound(const int16_t *samples, size_t n)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += abs(samples[i]);
    return n && sum / (int64_t)n >= SOUND_LEVEL;
}

static void listen_to(struct leg *leg, const int16_t *samples, size_t n)
{
    struct hearer *h = &leg->hear;
    const struct rtp_loop_conf *c = &leg->rl->conf;
    if (!is_sound(samples, n))
        return;
    h->sound_samples += n;
    if (h->sound_samples < h->listen_samples)
        return;
    h->listen_samples = 0;
    if (c->events->heard)
        c->events->heard(c->arg, leg->id);
}

static void hear_tones(struct leg *leg, const int16_t *samples, size_t n)
{
    char tones[8];
    size_t got = dsp_tones_hear(leg->hear.tones, samples, n, tones, sizeof tones);
    for (size_t i = 0; i < got; i++)
        tell_tone(leg, tones[i]);
}

static void hear_sound(struct leg *leg, const struct rtp_packet *p)
{
    struct hearer *h = &leg->hear;
    int16_t samples[DATAGRAM_OCTETS];
    line_echo(leg, p->type, p->payload, p->n);
    if (!h->recording && !h->listen_samples && !h->tones)
        return;
    dsp_decode(p->type == RTP_PCMA ? DSP_ALAW : DSP_ULAW, p->payload, p->n, samples);
    if (h->recording)
        keep(h, p->timestamp, samples, p->n);
    if (h->listen_samples)
        listen_to(leg, samples, p->n);
    if (h->tones)
        hear_tones(leg, samples, p->n);
}

/* -- the stream ----------------------------------------------------------------------------------------------------------- */

static void sum_up_losses(struct leg *leg)
{
    struct hearer *h = &leg->hear;
    if (!h->begun)
        return;
    uint64_t expected = (uint64_t)h->cycles * 65536 + h->highest - h->first + 1;
    if (expected > h->in_stream)
        leg->counters.lost += expected - h->in_stream;
}

static void count(struct leg *leg, const struct rtp_packet *p)
{
    struct hearer *h = &leg->hear;
    leg->counters.received++;
    if (!h->begun || p->ssrc != h->ssrc) {          /* another source: its numbers and times start anew */
        sum_up_losses(leg);
        h->begun     = true;
        h->ssrc      = p->ssrc;
        h->first     = h->highest = p->sequence;
        h->cycles    = 0;
        h->in_stream = 0;
        h->pressed   = h->placed = false;
    }
    h->in_stream++;
    if ((uint16_t)(p->sequence - h->highest) < 0x8000) {
        h->cycles += p->sequence < h->highest;
        h->highest = p->sequence;
    }
}

void hearer_datagram(struct leg *leg, const void *datagram, size_t n)
{
    struct rtp_packet p;
    struct rd r = rd_of(datagram, n);
    enum err err = rtp_read(&p, &r);
    bool sound = p.type == RTP_PCMU || p.type == RTP_PCMA;
    bool event = p.type == RTP_LOOP_DTMF_PAYLOAD || (leg->dtmf_payload && p.type == leg->dtmf_payload);
    if (err || (!sound && !event && p.type != COMFORT_NOISE)) {
        leg->counters.malformed++;
        return;
    }
    count(leg, &p);
    if (event)
        hear_event(leg, &p);
    else if (sound)
        hear_sound(leg, &p);
}

void hearer_done(struct leg *leg)
{
    struct hearer *h = &leg->hear;
    const struct rtp_loop_conf *c = &leg->rl->conf;
    sum_up_losses(leg);
    dsp_tones_free(h->tones);
    h->tones = NULL;
    if (h->recording && c->events->recorded)
        c->events->recorded(c->arg, leg->id, h->samples, h->kept);
    else
        free(h->samples);
    h->samples = NULL;
}
