/* Any file as a prompt: decoded within bounds, or refused with a reason. */
#include "net/audio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    int16_t *samples = NULL;
    size_t count = 0;
    struct problem why = { 0 };
    enum err err = audio_decode((struct str){ (const char *)data, n }, &samples, &count, &why);
    assert(!err == (samples != NULL));
    assert(!err || err == ERR_NOMEM || why.text[0]);
    assert(count <= (size_t)AUDIO_SECONDS_MAX * 8000);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)      /* every sample is there to be read */
        sum += (uint64_t)samples[i];
    __asm__ volatile("" : : "r"(sum));
    free(samples);
    return 0;
}
