/* sound.h - what a simulated telephone can say: a WAV file, or one of the sounds that networks make.
 *
 * Thread: the simulator's loop. Decoding a long file takes it some tenths of a second. */
#pragma once
#include "base/base.h"
#include "base/problem.h"

struct audio;

/** "ringback" (440 + 480 Hz, 2 s on, 4 s off), "busy" (480 + 620 Hz, half a second on and off), "tone" (1004 Hz for 5 s),
 *  or the absolute path of a WAV file (net/audio.h). One reference is the caller's.
 *  @return ERR_RANGE with `why` (no such name; what is wrong with the file), ERR_NOMEM */
MUST_USE enum err sound_of(struct audio **out, struct str name, struct problem *why);
