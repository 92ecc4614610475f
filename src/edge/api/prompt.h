/* prompt.h - a sound to try calls with, made when it is asked for: GET /carterfone/prompts/hello.wav. */
#pragma once
#include "base/buf.h"

/** Two seconds of a rising and falling scale as WAV (RIFF, PCM 16 bit, mono, 8 kHz). Any thread. */
void prompt_write_hello(struct buf *out);
