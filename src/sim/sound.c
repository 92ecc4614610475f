#include "sim/sound.h"
#include "base/file.h"
#include "base/str.h"
#include "net/audio.h"

#include <limits.h>
#include <math.h>

enum { RATE = 8000, FILE_MAX = 64 << 20, LOUDNESS = 4000 };

/* name, two frequencies (Hz; 0: one alone), sounding and silent (ms): North America's call progress tones */
static const struct network_sound {
    const char *name;
    int         low, high, on_ms, off_ms;
} sounds[] = {
    { "ringback", 440, 480, 2000, 4000 }, { "busy", 480, 620, 500, 500 }, { "tone", 1004, 0, 5000, 0 },
};

static enum err synthesise(struct audio **out, const struct network_sound *s)
{
    size_t on = (size_t)s->on_ms * RATE / 1000, n = on + (size_t)s->off_ms * RATE / 1000;
    int16_t *samples = calloc(n, sizeof *samples);
    if (!samples)
        return ERR_NOMEM;
    for (size_t i = 0; i < on; i++) {
        double t = 2 * M_PI * (double)i / RATE;
        samples[i] = (int16_t)(LOUDNESS * (sin(t * s->low) + (s->high ? sin(t * s->high) : 0)));
    }
    enum err err = audio_of(out, samples, n);
    free(samples);
    return err;
}

static enum err read_file(struct audio **out, struct str path, struct problem *why)
{
    char name[PATH_MAX], *bytes = NULL;
    size_t n = 0;
    if (path.n >= sizeof name || memchr(path.p, 0, path.n))
        return problem_set(why, ERR_RANGE, "BadRequest", "A path has at most %d octets.", PATH_MAX - 1);
    str_copyz(name, sizeof name, path);
    enum err err = file_read_whole(name, FILE_MAX, &bytes, &n);
    if (err)
        return problem_set(why, err == ERR_NOMEM ? err : ERR_RANGE, "BadRequest", "The sound %.200s cannot be read: %s.", name,
                           err_words(err));
    err = audio_read(out, (struct str){ bytes, n }, why);
    free(bytes);
    return err == ERR_NOMEM ? err : err ? ERR_RANGE : ERR_NONE;
}

enum err sound_of(struct audio **out, struct str name, struct problem *why)
{
    for (size_t i = 0; i < ARRAY_LEN(sounds); i++)
        if (str_eqz(name, sounds[i].name))
            return synthesise(out, &sounds[i]);
    if (str_starts(name, STR("/")))
        return read_file(out, name, why);
    return problem_set(why, ERR_RANGE, "BadRequest", "'%.*s' is no sound: an absolute path of a WAV file, or ringback, busy or "
                       "tone.", (int)(name.n < 100 ? name.n : 100), name.p);
}
