/* correlate A.wav B.wav [LEAST] - was A heard in B? Prints the best normalised cross-correlation and where A begins.
 * Exit 0: at least LEAST (0.9 unless given); 1: less; 2: usage, or a file that cannot be read. */
#include "hear.h"
#include "net/audio.h"

#include <stdio.h>

static int read_sound(const char *path, int16_t **samples, size_t *n)
{
    static char bytes[64 << 20];
    struct problem why = { .text = "cannot be read" };
    FILE *f = fopen(path, "rb");
    size_t size = f ? fread(bytes, 1, sizeof bytes, f) : 0;
    if (f)
        fclose(f);
    if (size && !audio_decode((struct str){ bytes, size }, samples, n, &why))
        return 0;
    fprintf(stderr, "correlate: %s: %s\n", path, why.text);
    return 2;
}

int main(int argc, char **argv)
{
    int16_t *a = NULL, *b = NULL;
    size_t na = 0, nb = 0;
    long lag = 0;
    char *end = NULL;
    double least = argc > 3 ? strtod(argv[3], &end) : 0.9;
    if (argc < 3 || argc > 4 || (end && *end)) {
        fprintf(stderr, "usage: correlate A.wav B.wav [LEAST=0.9]\n");
        return 2;
    }
    int bad = read_sound(argv[1], &a, &na) | read_sound(argv[2], &b, &nb);
    if (!bad) {
        double r = hear_correlate(a, na, b, nb, &lag);
        printf("correlation %.4f at %.3f s (%.3f s of sound in %.3f s)\n", r, (double)lag / 8000, (double)na / 8000,
               (double)nb / 8000);
        bad = r < least;
    }
    free(a);
    free(b);
    return bad;
}
