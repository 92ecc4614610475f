/* clock.h - the three clocks (ARCHITECTURE.md, "Clocks").
 *
 * wall: signatures, TLS, tokens, Date, logs; never moved. mono: protocol deadlines. product = wall + offset: holds,
 * quarantine, billing, validity, back-off, every timestamp a customer reads. Any thread may read any clock. */
#pragma once
#include "base/base.h"

enum { US_PER_MS = 1000, US_PER_S = 1000000 };

struct mono clock_mono(void);
int64_t clock_wall_us(void);                /* microseconds since 1970, UTC */

/** The product clock. One per process, made by app.c; tests make their own. */
struct clock;
MUST_USE struct clock *clock_new(int64_t offset_us);
void clock_free(struct clock *c);
SCOPED_FREE(clock)
int64_t clock_product_us(const struct clock *c);
int64_t clock_offset_us(const struct clock *c);
void clock_set_offset_us(struct clock *c, int64_t offset_us);
/** For tests: stop at this product time until the next call. */
void clock_freeze(struct clock *c, int64_t product_us);

enum { ISO8601_SIZE = 36, RFC1123_SIZE = 32, TIME_STAMP_SIZE = 15 };
/** "20261122192514" */
void time_stamp(char dst[TIME_STAMP_SIZE], int64_t us);
/** "2026-11-22T19:25:14.1230000+00:00" (the service's own form). dst holds ISO8601_SIZE. */
void time_iso8601(char *dst, int64_t us);
/** Reads "YYYY-MM-DDThh:mm:ss[.fraction](Z|+hh:mm|-hh:mm)". @return ERR_SYNTAX */
MUST_USE enum err time_iso8601_read(struct str s, int64_t *us);
/** "Sun, 22 Nov 2026 19:23:56 GMT" (RFC 7231, 7.1.1.1). dst holds RFC1123_SIZE. */
void time_rfc1123(char *dst, int64_t us);
/** @return ERR_SYNTAX */
MUST_USE enum err time_rfc1123_read(struct str s, int64_t *us);
