#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "hear.h"
#include "net/audio.h"
#include "net/dsp.h"

enum { SECOND = 8000 };

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v & 0xffff);
    put16(p + 2, v >> 16);
}

/* A WAV by hand: tag 1 PCM, 6 A-law, 7 mu-law. */
static struct str wav(uint8_t *out, int tag, int rate, int channels, int bits, const void *data, size_t n)
{
    memcpy(out, "RIFF....WAVEfmt ....", 20);
    put32(out + 4, (uint32_t)(36 + n));
    put32(out + 16, 16);
    put16(out + 20, (unsigned)tag);
    put16(out + 22, (unsigned)channels);
    put32(out + 24, (uint32_t)rate);
    put32(out + 28, (uint32_t)(rate * channels * bits / 8));
    put16(out + 32, (unsigned)(channels * bits / 8));
    put16(out + 34, (unsigned)bits);
    memcpy(out + 36, "data....", 8);
    put32(out + 40, (uint32_t)n);
    memcpy(out + 44, data, n);
    return (struct str){ (char *)out, 44 + n };
}

static uint8_t file[1 << 18];

static void both_laws_follow_the_tables_of_g711(void **state)
{
    (void)state;
    /* G.711: positive full scale, zero and negative full scale, as in tables 1 and 2 */
    const int16_t in[] = { 32635, 0, -32635 };
    uint8_t u[3], a[3];
    int16_t back[3];
    dsp_encode(DSP_ULAW, in, 3, u);
    dsp_encode(DSP_ALAW, in, 3, a);
    assert_int_equal(u[0], 0x80);
    assert_int_equal(u[1], DSP_ULAW_SILENCE);
    assert_int_equal(u[2], 0x00);
    assert_int_equal(a[0], 0xaa);
    assert_int_equal(a[1], DSP_ALAW_SILENCE);
    assert_int_equal(a[2], 0x2a);
    dsp_decode(DSP_ULAW, u, 3, back);
    assert_int_equal(back[0], 32124);
    assert_int_equal(back[1], 0);
    for (int code = 0; code < 256; code++) {        /* decoding and encoding again changes nothing */
        uint8_t one = (uint8_t)code, again;
        dsp_decode(DSP_ALAW, &one, 1, back);
        dsp_encode(DSP_ALAW, back, 1, &again);
        assert_int_equal(again, one);
    }
}

static void pcm_at_8_khz_comes_through_untouched(void **state)
{
    (void)state;
    static int16_t in[SECOND];
    hear_make_speech(in, SECOND, SECOND, 1);
    int16_t *out = NULL;
    size_t n = 0;
    assert_int_equal(audio_decode(wav(file, 1, 8000, 1, 16, in, sizeof in), &out, &n, NULL), ERR_NONE);
    assert_int_equal(n, SECOND);
    assert_memory_equal(out, in, sizeof in);
    free(out);
}

/* Root of the mean square of a tone of this frequency, 16 kHz in, 8 kHz out; full scale 10000. */
static double level_after_halving(double frequency)
{
    static int16_t in[2 * SECOND];
    for (int i = 0; i < 2 * SECOND; i++)
        in[i] = (int16_t)(10000 * sin(2 * 3.14159265358979323846 * frequency * i / (2 * SECOND)));
    int16_t *out = NULL;
    size_t n = 0;
    assert_int_equal(audio_decode(wav(file, 1, 16000, 1, 16, in, sizeof in), &out, &n, NULL), ERR_NONE);
    assert_int_equal(n, SECOND);
    double sum = 0;
    for (size_t i = 100; i < n - 100; i++)
        sum += (double)out[i] * out[i];
    free(out);
    return sqrt(sum / (double)(n - 200));
}

static void halving_the_rate_keeps_the_voice_and_folds_nothing_back(void **state)
{
    (void)state;
    for (double f = 300; f <= 3000; f += 300)
        assert_true(fabs(level_after_halving(f) - 7071) < 72);      /* 0.1 dB */
    for (double f = 4500; f <= 7500; f += 500)
        assert_true(level_after_halving(f) < 7);                    /* 60 dB down */
}

static void sixteen_khz_is_the_same_sound(void **state)
{
    (void)state;
    static int16_t wide[2 * SECOND];
    hear_make_speech(wide, 2 * SECOND, 2 * SECOND, 3);
    int16_t narrow[SECOND];
    for (int i = 0; i < SECOND; i++)
        narrow[i] = wide[2 * i];
    int16_t *out = NULL;
    size_t n = 0;
    long lag = -1;
    assert_int_equal(audio_decode(wav(file, 1, 16000, 1, 16, wide, sizeof wide), &out, &n, NULL), ERR_NONE);
    assert_true(hear_correlate(narrow, SECOND, out, n, &lag) > 0.9);
    assert_int_equal(lag, 0);                       /* the filter's delay is taken out */
    free(out);
}

static void stereo_is_mixed_down(void **state)
{
    (void)state;
    const int16_t in[] = { 100, 300, -5, 5, 32767, 32767 };
    int16_t *out = NULL;
    size_t n = 0;
    assert_int_equal(audio_decode(wav(file, 1, 8000, 2, 16, in, sizeof in), &out, &n, NULL), ERR_NONE);
    assert_int_equal(n, 3);
    assert_int_equal(out[0], 200);
    assert_int_equal(out[1], 0);
    assert_int_equal(out[2], 32767);
    free(out);
}

static void a_mu_law_file_is_sent_octet_for_octet(void **state)
{
    (void)state;
    uint8_t law[256];
    for (int i = 0; i < 256; i++)
        law[i] = (uint8_t)(i == 0x7f ? 0xff : i);   /* minus zero becomes zero */
    struct audio *a = NULL;
    assert_int_equal(audio_read(&a, wav(file, 7, 8000, 1, 8, law, sizeof law), NULL), ERR_NONE);
    assert_int_equal(audio_octets(a).n, 256);
    assert_memory_equal(audio_octets(a).p, law, 256);
    audio_unref(audio_ref(a));
    audio_unref(a);

    assert_int_equal(audio_read(&a, wav(file, 6, 8000, 1, 8, law, sizeof law), NULL), ERR_NONE);
    assert_int_equal(audio_octets(a).n, 256);
    audio_unref(a);
}

static void what_is_no_such_wav_is_refused_with_the_reason(void **state)
{
    (void)state;
    const int16_t in[16] = { 0 };
    int16_t *out = NULL;
    size_t n = 0;
    struct problem why = { 0 };
    assert_int_equal(audio_decode(wav(file, 1, 44100, 1, 16, in, sizeof in), &out, &n, &why), ERR_SYNTAX);
    assert_non_null(strstr(why.text, "44100"));
    assert_int_equal(audio_decode(wav(file, 1, 8000, 6, 16, in, 24), &out, &n, &why), ERR_SYNTAX);
    assert_int_equal(audio_decode(wav(file, 3, 8000, 1, 32, in, sizeof in), &out, &n, &why), ERR_SYNTAX);
    assert_int_equal(audio_decode(STR("ID3 this is an MP3, says its header"), &out, &n, &why), ERR_SYNTAX);
    assert_int_equal(audio_decode(STR(""), &out, &n, &why), ERR_SYNTAX);
    assert_null(out);
    struct str whole = wav(file, 1, 8000, 1, 16, in, sizeof in);
    for (size_t cut = 0; cut < 40; cut++) {         /* no truncation crashes; the header must be whole */
        whole.n = cut;
        assert_int_equal(audio_decode(whole, &out, &n, &why), ERR_SYNTAX);
    }
}

static void a_written_recording_reads_back(void **state)
{
    (void)state;
    char path[] = "/tmp/carterfone-audio-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    static int16_t in[SECOND];
    hear_make_speech(in, SECOND, SECOND, 5);
    assert_int_equal(audio_write_wav(path, in, SECOND, NULL), ERR_NONE);
    FILE *f = fopen(path, "rb");
    size_t size = fread(file, 1, sizeof file, f);
    fclose(f);
    unlink(path);
    int16_t *out = NULL;
    size_t n = 0;
    assert_int_equal(audio_decode((struct str){ (char *)file, size }, &out, &n, NULL), ERR_NONE);
    assert_int_equal(n, SECOND);
    assert_memory_equal(out, in, sizeof in);
    free(out);

    struct problem why = { 0 };
    assert_int_equal(audio_write_wav("/nowhere/at/all.wav", in, SECOND, &why), ERR_IO);
    assert_string_not_equal(why.text, "");
}

static void tones_spoken_are_tones_heard(void **state)
{
    (void)state;
    scoped(dsp_tones) struct dsp_tones *t = dsp_tones_new();
    static const char keys[] = "159D#0*2";
    char heard[64];
    size_t n = 0;
    for (const char *k = keys; *k; k++) {
        int16_t sound[DSP_TONE_SAMPLES];
        assert_int_equal(dsp_tone_speak(*k, sound), DSP_TONE_SAMPLES);
        for (size_t at = 0; at < DSP_TONE_SAMPLES; at += 160)
            n += dsp_tones_hear(t, sound + at, 160, heard + n, sizeof heard - n);
    }
    assert_int_equal(n, sizeof keys - 1);
    assert_memory_equal(heard, keys, n);
    int16_t none[DSP_TONE_SAMPLES];
    assert_int_equal(dsp_tone_speak('x', none), 0);
}

static void correlation_tells_sounds_apart(void **state)
{
    (void)state;
    static int16_t a[SECOND], b[3 * SECOND], c[SECOND];
    hear_make_speech(a, SECOND, SECOND, 1);
    for (int i = 0; i < SECOND; i++)
        b[SECOND / 2 + i] = (int16_t)(a[i] / 3);
    for (int i = 0; i < SECOND; i++)
        c[i] = (int16_t)(3000 * sin(i * 0.9));
    long lag = 0;
    assert_true(hear_correlate(a, SECOND, b, 3 * SECOND, &lag) > 0.99);
    assert_int_equal(lag, SECOND / 2);
    assert_true(hear_correlate(c, SECOND, b, 3 * SECOND, NULL) < 0.3);
    int16_t silence[100] = { 0 };
    assert_true(hear_correlate(a, SECOND, silence, 100, NULL) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_laws_follow_the_tables_of_g711),
        cmocka_unit_test(pcm_at_8_khz_comes_through_untouched),
        cmocka_unit_test(halving_the_rate_keeps_the_voice_and_folds_nothing_back),
        cmocka_unit_test(sixteen_khz_is_the_same_sound),
        cmocka_unit_test(stereo_is_mixed_down),
        cmocka_unit_test(a_mu_law_file_is_sent_octet_for_octet),
        cmocka_unit_test(what_is_no_such_wav_is_refused_with_the_reason),
        cmocka_unit_test(a_written_recording_reads_back),
        cmocka_unit_test(tones_spoken_are_tones_heard),
        cmocka_unit_test(correlation_tells_sounds_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
