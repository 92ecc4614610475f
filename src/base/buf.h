/* buf.h - bytes that grow, for answers and messages being written.
 *
 * Thread: its owner. After a failed allocation the buffer is `bad`: later writes do nothing, and whoever finishes
 * it looks once (buf_err) instead of after every write. */
#pragma once
#include "base/base.h"

struct buf {
    char  *p;
    size_t n, cap;
    bool   bad;
};

void buf_done(struct buf *b);                       /* frees the bytes; b is empty again */
void buf_clear(struct buf *b);                      /* n = 0, keeps the memory */
void buf_put(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, struct str s);
void buf_putz(struct buf *b, const char *z);
void buf_putc(struct buf *b, char c);
void buf_put_int(struct buf *b, int64_t v);         /* decimal */
/** For a place in a URL: all but RFC 3986's unreserved characters as %XX. */
void buf_put_escaped(struct buf *b, struct str s);
void buf_printf(struct buf *b, const char *format, ...) PRINTF(2, 3);
/** Room for n more octets at b->p + b->n; the caller then adds to b->n. NULL when bad. */
char *buf_room(struct buf *b, size_t n);
struct str buf_str(const struct buf *b);            /* borrows until the next write */
static inline enum err buf_err(const struct buf *b) { return b->bad ? ERR_NOMEM : ERR_NONE; }
static inline void buf_free_scoped(struct buf *b) { buf_done(b); }
#define scoped_buf __attribute__((cleanup(buf_free_scoped))) struct buf
