/* csv.h - comma separated values (RFC 4180), read from chunks of any size, and written.
 *
 * The bytes come in chunks (csv_feed); csv_next gives whole records, whose fields borrow from the chunk wherever nothing had
 * to be unquoted or joined. Liberal: LF or CRLF ends a record, the last one may end without; a byte order mark and empty lines
 * are passed over; blanks belong to the field. Strict: a quote stands at a field's beginning or not at all. A record that breaks
 * the rules costs its first line alone: reading goes on with the line behind it, so that one stray quote does not swallow a file.
 * What is read does not depend on where the chunks were cut. Thread: its owner. Memory: two records, bounded. */
#pragma once
#include "base/base.h"
#include "base/buf.h"

enum { CSV_FIELDS_MAX = 32, CSV_RECORD_MAX = 16384 };       /* octets, about: the end of line may count or not */

struct csv {
    struct str  in;             /* what is left of the chunk; borrowed */
    bool        last;           /* no chunk follows */
    bool        begun;          /* past the byte order mark */
    bool        skipping;       /* to the end of a line that was at fault */
    struct buf  carry;          /* the beginning of a record, from chunks before */
    size_t      carry_done;     /* of it, what the record before used */
    struct buf  plain;          /* unquoted fields of the record */
    uint64_t    line, offset;   /* of what is read next: lines from 1, octets from 0 */
};

struct csv_record {
    uint64_t    line, offset;   /* where it begins */
    size_t      n;
    struct str  fields[CSV_FIELDS_MAX];     /* good until the next csv_next() or csv_feed() */
    const char *fault;          /* CSV_FAULT: what is wrong; static */
};

enum csv_step {
    CSV_RECORD,                 /* c->offset is where the next one begins */
    CSV_FAULT,                  /* rec->line and rec->fault; the next step reads on behind that line */
    CSV_MORE,                   /* the chunk is used up: feed the next */
    CSV_END,                    /* behind the last chunk */
    CSV_NOMEM,
};

/** @param line  the number of the first line, for input that is a part of something: 1.. */
void csv_init(struct csv *c, uint64_t line);
void csv_done(struct csv *c);
static inline void csv_free_scoped(struct csv *c) { csv_done(c); }
#define scoped_csv __attribute__((cleanup(csv_free_scoped))) struct csv

/** The next chunk, once csv_next() said CSV_MORE, or at the start. It must stay until csv_next() asks for another. */
void csv_feed(struct csv *c, struct str chunk, bool last);
MUST_USE enum csv_step csv_next(struct csv *c, struct csv_record *rec);

/** One field, in quotes where it must be. The caller writes commas and ends of line. */
void csv_put(struct buf *b, struct str field);
