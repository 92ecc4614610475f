/* smpp_priv.h - what the readers of smpp.c and multi.c share. */
#pragma once
#include "base/rdwr.h"

/* Up to the NUL. Longer than the specification's size is accepted: passwords of more than 8 octets and long
 * message_ids are common in the field, and the frame already bounds them. */
static inline struct str rd_cstr(struct rd *r)
{
    const uint8_t *nul = r->bad || !rd_left(r) ? NULL : memchr(r->p, 0, rd_left(r));
    if (!nul) {
        r->bad = true;
        return (struct str){ "", 0 };
    }
    struct str s = { (const char *)r->p, (size_t)(nul - r->p) };
    r->p = nul + 1;
    return s;
}
