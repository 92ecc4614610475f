/* dsp.h - G.711 in both laws, and DTMF as sound, for peers without telephone-event (spandsp behind it).
 *
 * The functions are pure; a struct dsp_tones belongs to one thread. Samples are 16 bit, 8 kHz, mono. */
#pragma once
#include "base/base.h"

enum { DSP_RATE = 8000, DSP_ULAW_SILENCE = 0xff, DSP_ALAW_SILENCE = 0xd5 };
enum dsp_law { DSP_ULAW, DSP_ALAW };

void dsp_decode(enum dsp_law law, const uint8_t *in, size_t n, int16_t *out);
void dsp_encode(enum dsp_law law, const int16_t *in, size_t n, uint8_t *out);
/** G.711 table 4; in and out may be the same. */
void dsp_ulaw_to_alaw(const uint8_t *in, size_t n, uint8_t *out);

/** Hears DTMF in sound (Q.24). */
struct dsp_tones;
MUST_USE struct dsp_tones *dsp_tones_new(void);         /* NULL: out of memory */
void dsp_tones_free(struct dsp_tones *t);
SCOPED_FREE(dsp_tones)
/** Listen to the next samples, in order. Presses completed by them go to `out`, not terminated. @return how many */
size_t dsp_tones_hear(struct dsp_tones *t, const int16_t *in, size_t n, char *out, size_t size);

/** One tone as sound: 100 ms of it, then 60 ms of nothing. @return samples written, at most DSP_TONE_SAMPLES;
 *  0 when `tone` is none */
enum { DSP_TONE_SAMPLES = 160 * DSP_RATE / 1000 };
size_t dsp_tone_speak(char tone, int16_t out[DSP_TONE_SAMPLES]);
