/* hear.h - was this sound in that recording? Normalised cross-correlation, for tests and tools/correlate.c.
 *
 * 1 means the same up to loudness and delay, 0 nothing in common. All lags are tried at which at least nine tenths of
 * the shorter sound lie on the other; the products come from one Fourier transform, so an hour costs seconds. */
#pragma once
#include <complex.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* In place, n a power of two; sign -1 forward, +1 back (not scaled). */
static inline void hear_fft(double complex *x, size_t n, int sign)
{
    for (size_t i = 1, j = 0; i < n; i++) {
        size_t bit = n >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            double complex t = x[i];
            x[i] = x[j];
            x[j] = t;
        }
    }
    for (size_t len = 2; len <= n; len <<= 1) {
        double angle = sign * 2 * 3.14159265358979323846 / (double)len;
        for (size_t k = 0; k < len / 2; k++) {
            double complex w = CMPLX(cos(angle * (double)k), sin(angle * (double)k));
            for (size_t i = k; i < n; i += len) {
                double complex u = x[i], v = x[i + len / 2] * w;
                x[i] = u + v;
                x[i + len / 2] = u - v;
            }
        }
    }
}

/* sums[i]: energy of the first i samples. */
static inline double *hear_energies(const int16_t *x, size_t n)
{
    double *sums = calloc(n + 1, sizeof *sums);
    for (size_t i = 0; sums && i < n; i++)
        sums[i + 1] = sums[i] + (double)x[i] * x[i];
    return sums;
}

/** Best correlation of a and b over all lags; *lag (may be NULL): where a begins in b, in samples, may be negative.
 *  0 for silence, nothing, or no memory. */
static inline double hear_correlate(const int16_t *a, size_t na, const int16_t *b, size_t nb, long *lag)
{
    size_t n = 1, least = (na < nb ? na : nb) * 9 / 10 + 1;
    while (n < na + nb + 1)
        n <<= 1;
    double complex *x = calloc(n, sizeof *x), *y = calloc(n, sizeof *y);
    double *ea = hear_energies(a, na), *eb = hear_energies(b, nb), best = 0;
    if (!x || !y || !ea || !eb || !na || !nb)
        goto out;
    for (size_t i = 0; i < na; i++)
        x[i] = a[i];
    for (size_t i = 0; i < nb; i++)
        y[i] = b[i];
    hear_fft(x, n, -1);
    hear_fft(y, n, -1);
    for (size_t i = 0; i < n; i++)
        x[i] = conj(x[i]) * y[i];
    hear_fft(x, n, 1);

    for (long l = -(long)na + 1; l < (long)nb; l++) {
        long from = l > 0 ? l : 0, to = l + (long)na < (long)nb ? l + (long)na : (long)nb;   /* the overlap, in b */
        if (to - from < (long)least)
            continue;
        double energy = (ea[to - l] - ea[from - l]) * (eb[to] - eb[from]);
        double r = energy > 0 ? creal(x[l < 0 ? l + (long)n : l]) / (double)n / sqrt(energy) : 0;
        if (r > best) {
            best = r;
            if (lag)
                *lag = l;
        }
    }
out:
    free(x);
    free(y);
    free(ea);
    free(eb);
    return best;
}

/** A sound with the shape of speech: noise and a gliding tone in syllables. The same seed gives the same sound. */
static inline void hear_make_speech(int16_t *out, size_t n, int rate, uint32_t seed)
{
    double phase = 0;
    for (size_t i = 0; i < n; i++) {
        double t = (double)i / rate, syllable = 0.5 - 0.5 * cos(2 * 3.14159265358979323846 * 4 * t);
        phase += 2 * 3.14159265358979323846 * (400 + 900 * fmod(t, 1.0)) / rate;
        seed = seed * 1664525u + 1013904223u;
        double noise = (double)(seed >> 8) / (1 << 23) - 1;
        out[i] = (int16_t)(syllable * (5000 * sin(phase) + 2000 * noise));
    }
}
