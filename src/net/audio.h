/* audio.h - sound files <-> samples (libsndfile behind it), and prompts ready to be sent as RTP.
 *
 * Reading decodes WAV bytes in memory: PCM or G.711, mono or stereo, 8 or 16 kHz; stereo is mixed down, 16 kHz is
 * low-passed and halved. It costs milliseconds: not for the media thread. A struct audio is immutable once made and
 * shared by count, from any thread. */
#pragma once
#include "base/base.h"
#include "base/problem.h"

enum { AUDIO_SECONDS_MAX = 1800 };

/** 8 kHz mono as 16-bit samples; the caller frees *samples.
 *  @return ERR_SYNTAX (not such a WAV; why says what), ERR_SIZE (over AUDIO_SECONDS_MAX), ERR_NOMEM */
MUST_USE enum err audio_decode(struct str file, int16_t **samples, size_t *n, struct problem *why);
/** Write 8 kHz mono 16-bit WAV; atomically: a reader never sees half a file. @return ERR_IO (why), ERR_NOMEM */
MUST_USE enum err audio_write_wav(const char *path, const int16_t *samples, size_t n, struct problem *why);

struct audio;                       /* 8 kHz mono, encoded as mu-law */
/** As audio_decode(), encoded. One reference is the caller's. */
MUST_USE enum err audio_read(struct audio **out, struct str file, struct problem *why);
/** From samples (copied and encoded). @return ERR_NOMEM */
MUST_USE enum err audio_of(struct audio **out, const int16_t *samples, size_t n);
struct audio *audio_ref(struct audio *a);
void audio_unref(struct audio *a);  /* NULL is fine */
/** The mu-law octets, one a sample; they live as long as a reference does. */
struct str audio_octets(const struct audio *a);
