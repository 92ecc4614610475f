#include "edge/api/prompt.h"

#include <math.h>

enum { RATE = 8000, NOTE_SAMPLES = RATE / 4, AMPLITUDE = 12000 };

/* Hz: a scale up and down again; every note differs from its neighbours, so that a recording correlates at one place. */
static const double notes[] = { 392.0, 440.0, 493.9, 523.3, 587.3, 659.3, 523.3, 392.0 };

static void put_le(struct buf *b, uint32_t v, unsigned octets)
{
    for (unsigned i = 0; i < octets; i++)
        buf_putc(b, (char)(v >> (8 * i) & 255));
}

static void put_header(struct buf *b, uint32_t data_octets)
{
    buf_putz(b, "RIFF");
    put_le(b, 36 + data_octets, 4);
    buf_putz(b, "WAVEfmt ");
    put_le(b, 16, 4);           /* of this chunk */
    put_le(b, 1, 2);            /* PCM */
    put_le(b, 1, 2);            /* mono */
    put_le(b, RATE, 4);
    put_le(b, RATE * 2, 4);     /* octets a second */
    put_le(b, 2, 2);            /* octets a frame */
    put_le(b, 16, 2);           /* bits a sample */
    buf_putz(b, "data");
    put_le(b, data_octets, 4);
}

/* One note with soft edges: a jump at its ends would click. */
static void put_note(struct buf *b, double hz)
{
    const double turn = 6.283185307179586;
    for (int i = 0; i < NOTE_SAMPLES; i++) {
        double edge = i < 80 ? i / 80.0 : i > NOTE_SAMPLES - 80 ? (NOTE_SAMPLES - i) / 80.0 : 1.0;
        double v = AMPLITUDE * edge * sin(turn * hz * i / RATE);
        put_le(b, (uint16_t)(int16_t)v, 2);
    }
}

void prompt_write_hello(struct buf *out)
{
    put_header(out, (uint32_t)(ARRAY_LEN(notes) * NOTE_SAMPLES * 2));
    for (size_t i = 0; i < ARRAY_LEN(notes); i++)
        put_note(out, notes[i]);
}
