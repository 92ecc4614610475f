#include "net/audio.h"
#include "base/str.h"
#include "net/dsp.h"

#include <errno.h>
#include <math.h>
#include <sndfile.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

struct audio {
    atomic_uint refs;
    size_t      n;
    uint8_t     octets[];
};

/* -- bytes in memory as libsndfile's idea of a file ------------------------------------------------------------------- */

struct view {
    struct str bytes;
    sf_count_t at;
};

static sf_count_t view_length(void *arg)
{
    struct view *v = arg;
    return (sf_count_t)v->bytes.n;
}

static sf_count_t view_seek(sf_count_t offset, int whence, void *arg)
{
    struct view *v = arg;
    sf_count_t end = view_length(v), from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? v->at : end;
    if (offset < -from || offset > end - from)
        return -1;
    return v->at = from + offset;
}

static sf_count_t view_read(void *to, sf_count_t n, void *arg)
{
    struct view *v = arg;
    sf_count_t left = view_length(v) - v->at;
    n = n < 0 ? 0 : n < left ? n : left;
    if (n)
        memcpy(to, v->bytes.p + v->at, (size_t)n);
    v->at += n;
    return n;
}

static sf_count_t view_tell(void *arg)
{
    struct view *v = arg;
    return v->at;
}

static sf_count_t view_write(const void *from, sf_count_t n, void *arg)
{
    (void)from, (void)n, (void)arg;
    return 0;                               /* opened for reading only */
}

static SF_VIRTUAL_IO view_io = { view_length, view_seek, view_read, view_write, view_tell };

/* -- decoding ----------------------------------------------------------------------------------------------------------- */

static enum err check_format(const SF_INFO *info, struct problem *why)
{
    int container = info->format & SF_FORMAT_TYPEMASK, coding = info->format & SF_FORMAT_SUBMASK;
    bool pcm = coding == SF_FORMAT_PCM_16 || coding == SF_FORMAT_PCM_U8 || coding == SF_FORMAT_PCM_24
               || coding == SF_FORMAT_PCM_32;
    if (container != SF_FORMAT_WAV && container != SF_FORMAT_WAVEX)
        return problem_set(why, ERR_SYNTAX, "InvalidAudio", "The sound file is not WAV.");
    if (!pcm && coding != SF_FORMAT_ULAW && coding != SF_FORMAT_ALAW)
        return problem_set(why, ERR_SYNTAX, "InvalidAudio", "The WAV file is neither PCM nor G.711.");
    if (info->samplerate != DSP_RATE && info->samplerate != 2 * DSP_RATE)
        return problem_set(why, ERR_SYNTAX, "InvalidAudio", "The WAV file has %d samples a second; 8000 and 16000 can be"
                           " played.", info->samplerate);
    if (info->channels < 1 || info->channels > 2)
        return problem_set(why, ERR_SYNTAX, "InvalidAudio", "The WAV file has %d channels; 1 and 2 can be played.",
                           info->channels);
    if (info->frames > (sf_count_t)AUDIO_SECONDS_MAX * info->samplerate)
        return problem_set(why, ERR_SIZE, "InvalidAudio", "The WAV file is longer than %d s.", AUDIO_SECONDS_MAX);
    return ERR_NONE;
}

/* Reads to the end of the data, which a truncated file has sooner than its header says; mixes down in place. */
static size_t read_mono(SNDFILE *sf, const SF_INFO *info, int16_t *samples)
{
    sf_count_t n = sf_readf_short(sf, samples, info->frames);
    n = n < 0 ? 0 : n;
    if (info->channels == 2)
        for (sf_count_t i = 0; i < n; i++)
            samples[i] = (int16_t)((samples[2 * i] + samples[2 * i + 1]) / 2);
    return (size_t)n;
}

/* A low-pass for halving the rate: 63 taps, sinc under a Blackman window, 6 dB down at 3.6 kHz and over 70 dB from
 * 4.4 kHz on, so that nothing audible folds back. Symmetric: the delay is HALF_TAPS samples and is taken out. */
enum { HALF_TAPS = 31 };

static void make_taps(double taps[2 * HALF_TAPS + 1])
{
    const double pi = 3.14159265358979323846, cut = 3600.0 / (2 * DSP_RATE);
    double sum = 0;
    for (int i = -HALF_TAPS; i <= HALF_TAPS; i++) {
        double sinc = i ? sin(2 * pi * cut * i) / (pi * i) : 2 * cut;
        double at = pi * i / (HALF_TAPS + 1);
        double window = 0.42 + 0.5 * cos(at) + 0.08 * cos(2 * at);
        sum += taps[i + HALF_TAPS] = sinc * window;
    }
    for (int i = 0; i <= 2 * HALF_TAPS; i++)
        taps[i] /= sum;                     /* unity at zero frequency */
}

static int16_t clip(double v)
{
    return v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : (int16_t)lrint(v);
}

/* out holds (n + 1) / 2. */
static void halve_rate(const int16_t *in, size_t n, int16_t *out)
{
    double taps[2 * HALF_TAPS + 1];
    make_taps(taps);
    for (size_t i = 0; i < n; i += 2) {
        double sum = 0;
        size_t first = i < HALF_TAPS ? 0 : i - HALF_TAPS, last = i + HALF_TAPS < n ? i + HALF_TAPS : n - 1;
        for (size_t k = first; k <= last; k++)
            sum += in[k] * taps[k + HALF_TAPS - i];
        out[i / 2] = clip(sum);
    }
}

static enum err decode_open(SNDFILE *sf, const SF_INFO *info, int16_t **samples, size_t *n, struct problem *why)
{
    enum err err = check_format(info, why);
    if (err)
        return err;
    size_t frames = info->frames > 0 ? (size_t)info->frames : 0;
    int16_t *got = calloc(frames * (size_t)info->channels + 1, sizeof *got);
    if (!got)
        return ERR_NOMEM;
    size_t count = read_mono(sf, info, got);
    if (info->samplerate == DSP_RATE) {
        *samples = got;
        *n = count;
        return ERR_NONE;
    }
    size_t halved = (count + 1) / 2;
    int16_t *out = calloc(halved + 1, sizeof *out);
    if (out) {
        halve_rate(got, count, out);
        *samples = out;
        *n = halved;
    }
    free(got);
    return out ? ERR_NONE : ERR_NOMEM;
}

enum err audio_decode(struct str file, int16_t **samples, size_t *n, struct problem *why)
{
    /* libsndfile knows many formats; only what is RIFF reaches it */
    if (!str_starts(file, STR("RIFF")) || !str_starts(str_from(file, 8), STR("WAVE")))
        return problem_set(why, ERR_SYNTAX, "InvalidAudio", "The sound file is not WAV.");
    struct view view = { .bytes = file };
    SF_INFO info = { 0 };
    SNDFILE *sf = sf_open_virtual(&view_io, SFM_READ, &info, &view);
    if (!sf)
        return problem_set(why, ERR_SYNTAX, "InvalidAudio", "The WAV file is malformed: %.200s", sf_strerror(NULL));
    enum err err = decode_open(sf, &info, samples, n, why);
    sf_close(sf);
    return err;
}

/* -- writing ------------------------------------------------------------------------------------------------------------ */

static enum err write_file(const char *path, const int16_t *samples, size_t n, struct problem *why)
{
    SF_INFO info = { .samplerate = DSP_RATE, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16 };
    SNDFILE *sf = sf_open(path, SFM_WRITE, &info);
    if (!sf)
        return problem_set(why, ERR_IO, "RecordingFailed", "%.200s: %.100s", path, sf_strerror(NULL));
    bool whole = sf_writef_short(sf, samples, (sf_count_t)n) == (sf_count_t)n;
    if (sf_close(sf) || !whole)
        return problem_set(why, ERR_IO, "RecordingFailed", "%.200s: could not be written whole", path);
    return ERR_NONE;
}

enum err audio_write_wav(const char *path, const int16_t *samples, size_t n, struct problem *why)
{
    size_t size = strlen(path) + 6;
    char *part = malloc(size);
    if (!part)
        return ERR_NOMEM;
    snprintf(part, size, "%s.part", path);
    enum err err = write_file(part, samples, n, why);
    if (!err && rename(part, path))
        err = problem_set(why, ERR_IO, "RecordingFailed", "%.200s: %s", path, strerror(errno));
    if (err)
        unlink(part);
    free(part);
    return err;
}

/* -- prompts ------------------------------------------------------------------------------------------------------------ */

enum err audio_of(struct audio **out, const int16_t *samples, size_t n)
{
    struct audio *a = malloc(sizeof *a + n);
    if (!a)
        return ERR_NOMEM;
    atomic_init(&a->refs, 1);
    a->n = n;
    dsp_encode(DSP_ULAW, samples, n, a->octets);
    *out = a;
    return ERR_NONE;
}

enum err audio_read(struct audio **out, struct str file, struct problem *why)
{
    int16_t *samples = NULL;
    size_t n = 0;
    enum err err = audio_decode(file, &samples, &n, why);
    if (err)
        return err;
    err = audio_of(out, samples, n);
    free(samples);
    return err;
}

struct audio *audio_ref(struct audio *a)
{
    atomic_fetch_add(&a->refs, 1);
    return a;
}

void audio_unref(struct audio *a)
{
    if (a && atomic_fetch_sub(&a->refs, 1) == 1)
        free(a);
}

struct str audio_octets(const struct audio *a)
{
    return (struct str){ (const char *)a->octets, a->n };
}
