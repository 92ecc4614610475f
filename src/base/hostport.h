/* hostport.h - "HOST:PORT" and "[ADDRESS]:PORT", as people and files write them.
 *
 * Pure; any thread. An IPv6 address needs its brackets: without them its last group would pass for a port. */
#pragma once
#include "base/base.h"

struct hostport {
    struct str host;            /* without brackets; lives as long as the text */
    uint16_t   port;            /* 0 too: who asks says whether that means something */
};

/** @return ERR_SYNTAX (not of that form), ERR_RANGE (no such port); *out is set on success only */
MUST_USE enum err hostport_read(struct hostport *out, struct str text);
