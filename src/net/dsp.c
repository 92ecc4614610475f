#include "net/dsp.h"

#include <spandsp.h>

static int16_t linear_of[2][256];
static uint8_t alaw_of_ulaw[256];

/* Before main(), so that the tables need no lock and no first user. */
__attribute__((constructor)) static void fill_tables(void)
{
    for (int code = 0; code < 256; code++) {
        linear_of[DSP_ULAW][code] = ulaw_to_linear((uint8_t)code);
        linear_of[DSP_ALAW][code] = alaw_to_linear((uint8_t)code);
        alaw_of_ulaw[code] = ulaw_to_alaw((uint8_t)code);
    }
}

void dsp_decode(enum dsp_law law, const uint8_t *in, size_t n, int16_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = linear_of[law][in[i]];
}

void dsp_encode(enum dsp_law law, const int16_t *in, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = law == DSP_ULAW ? linear_to_ulaw(in[i]) : linear_to_alaw(in[i]);
}

void dsp_ulaw_to_alaw(const uint8_t *in, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = alaw_of_ulaw[in[i]];
}

/* A struct dsp_tones is spandsp's own state under our name. */
struct dsp_tones *dsp_tones_new(void)
{
    return (struct dsp_tones *)dtmf_rx_init(NULL, NULL, NULL);
}

void dsp_tones_free(struct dsp_tones *t)
{
    if (t)
        dtmf_rx_free((dtmf_rx_state_t *)t);
}

size_t dsp_tones_hear(struct dsp_tones *t, const int16_t *in, size_t n, char *out, size_t size)
{
    char digits[32];            /* dtmf_rx_get terminates what it gives */
    dtmf_rx((dtmf_rx_state_t *)t, in, (int)n);
    size_t want = size < sizeof digits ? size : sizeof digits - 1;
    size_t got = dtmf_rx_get((dtmf_rx_state_t *)t, digits, (int)want);
    memcpy(out, digits, got);
    return got;
}

size_t dsp_tone_speak(char tone, int16_t out[DSP_TONE_SAMPLES])
{
    if (!tone || !strchr("0123456789*#ABCD", tone))
        return 0;
    dtmf_tx_state_t *tx = dtmf_tx_init(NULL);
    if (!tx)
        return 0;
    dtmf_tx_set_timing(tx, 100, 60);
    dtmf_tx_put(tx, &tone, 1);
    int n = dtmf_tx(tx, out, DSP_TONE_SAMPLES);
    dtmf_tx_free(tx);
    return n > 0 ? (size_t)n : 0;
}
