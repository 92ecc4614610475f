#include "codec/csv/csv.h"

#include "base/str.h"

enum { VIEW_MAX = CSV_RECORD_MAX + 3 };     /* a record, CR LF, and one octet to see that it ended */

/* A record being read. */
struct cut {
    const char *p;
    size_t      n, at;
    size_t      lines;          /* ends of line passed, those in quotes too */
    bool        last;           /* nothing follows p[n] */
    const char *fault;
};

void csv_init(struct csv *c, uint64_t line)
{
    *c = (struct csv){ .line = line };
}

void csv_done(struct csv *c)
{
    buf_done(&c->carry);
    buf_done(&c->plain);
}

void csv_feed(struct csv *c, struct str chunk, bool last)
{
    assert(!c->in.n && !c->last);
    c->in = chunk;
    c->last = last;
}

/* -- one record ---------------------------------------------------------------------------------------------------- */

static enum csv_step fault(struct cut *x, const char *words)
{
    x->fault = words;
    return CSV_FAULT;
}

/* Where a plain field ends: at a comma, an end of line, a quote that should not be there; at n when the input ends first. */
static size_t plain_end(const char *p, size_t at, size_t n)
{
    static const bool stops[256] = { [','] = true, ['\n'] = true, ['\r'] = true, ['"'] = true };
    while (at < n && !stops[(unsigned char)p[at]])
        at++;
    return at;
}

/* At a CR: is it half of an end of line? */
static enum csv_step at_return(struct cut *x)
{
    if (x->at + 1 == x->n)
        return x->last ? CSV_RECORD : CSV_MORE;
    if (x->p[x->at + 1] != '\n')
        return fault(x, "a carriage return stands within the line");
    x->at++;
    return CSV_RECORD;
}

/* Behind a field: a comma leads to the next, an end of line ends the record. */
static enum csv_step after_field(struct cut *x, bool quoted, bool *more)
{
    *more = false;
    if (x->at == x->n)
        return x->last ? CSV_RECORD : CSV_MORE;
    char c = x->p[x->at];
    if (c == ',') {
        x->at++;
        *more = true;
        return CSV_RECORD;
    }
    enum csv_step step = c == '\r' ? at_return(x) : CSV_RECORD;
    if (step != CSV_RECORD)
        return step;
    if (c != '\n' && c != '\r')
        return fault(x, quoted ? "text stands behind a closing quote" : "a quote stands inside an unquoted field");
    x->lines++;
    x->at++;
    return CSV_RECORD;
}

static size_t ends_of_line(const char *p, size_t n)
{
    size_t lines = 0;
    for (const char *end = p + n; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
        lines++;
    return lines;
}

/* A field in quotes, x->at behind the first. Doubled ones are made one in `plain`, where *from says, else SIZE_MAX. */
static enum csv_step quoted_field(struct cut *x, struct buf *plain, struct str *field, size_t *from)
{
    size_t start = x->at, end;
    bool doubled;
    do {
        const char *quote = memchr(x->p + x->at, '"', x->n - x->at);
        end = quote ? (size_t)(quote - x->p) : x->n;
        if (!quote) {
            (void)fault(x, "a quote opens that is not closed");
            return x->last ? CSV_FAULT : CSV_MORE;
        }
        if (end + 1 == x->n && !x->last)
            return CSV_MORE;            /* the next octet may be its twin */
        doubled = end + 1 < x->n && x->p[end + 1] == '"';
        if (doubled && *from == SIZE_MAX)
            *from = plain->n;
        if (*from != SIZE_MAX)
            buf_put(plain, x->p + x->at, end + doubled - x->at);
        x->lines += ends_of_line(x->p + x->at, end - x->at);
        x->at = end + 1 + doubled;
    } while (doubled);
    *field = (struct str){ x->p + start, *from == SIZE_MAX ? end - start : plain->n - *from };
    return CSV_RECORD;
}

/* One field and what follows it. */
static enum csv_step cut_field(struct cut *x, struct buf *plain, struct str *field, size_t *from, bool *more)
{
    enum csv_step step = CSV_RECORD;
    bool quoted = x->at < x->n && x->p[x->at] == '"';
    *from = SIZE_MAX;
    if (quoted) {
        x->at++;
        step = quoted_field(x, plain, field, from);
    } else {
        size_t end = plain_end(x->p, x->at, x->n);
        *field = (struct str){ x->p + x->at, end - x->at };
        x->at = end;
    }
    return step == CSV_RECORD ? after_field(x, quoted, more) : step;
}

/* Cut the record at x->p. CSV_MORE: its end is not in sight. */
static enum csv_step cut_record(struct cut *x, struct buf *plain, struct csv_record *rec)
{
    size_t from[CSV_FIELDS_MAX];
    bool   more = true;
    buf_clear(plain);
    for (rec->n = 0; more; rec->n++) {
        if (rec->n == CSV_FIELDS_MAX)
            return fault(x, "the line has more than 32 fields");
        enum csv_step step = cut_field(x, plain, &rec->fields[rec->n], &from[rec->n], &more);
        if (step != CSV_RECORD)
            return step;
    }
    for (size_t i = 0; plain->n && i < rec->n; i++)     /* now that it does not move any more */
        if (from[i] != SIZE_MAX)
            rec->fields[i].p = plain->p + from[i];
    return plain->bad ? CSV_NOMEM : CSV_RECORD;
}

/* -- the stream: what to look at, what was used of it --------------------------------------------------------------- */

/* The chunk, or what was carried with as much of the chunk behind it as a record may have. *had: octets that were carried. */
static struct cut view(struct csv *c, size_t *had)
{
    if (c->carry_done) {
        memmove(c->carry.p, c->carry.p + c->carry_done, c->carry.n - c->carry_done);
        c->carry.n -= c->carry_done;
        c->carry_done = 0;
    }
    *had = c->carry.n;
    size_t room = VIEW_MAX - c->carry.n, add = c->in.n < room ? c->in.n : room;
    struct cut x = { .p = c->in.p, .n = add, .last = c->last && add == c->in.n };
    if (*had) {
        buf_put(&c->carry, c->in.p, add);
        x.p = c->carry.p;
        x.n = c->carry.n;
    }
    return x;
}

static void use(struct csv *c, const struct cut *x, size_t had)
{
    if (x->at < had) {                  /* what was put behind it stays in the chunk */
        c->carry.n = had;
        c->carry_done = x->at;
    } else {
        c->in = str_from(c->in, x->at - had);
        c->carry_done = c->carry.n;     /* fields may borrow from it until the next step */
    }
    c->line += x->lines;
    c->offset += x->at;
}

/* The record's end is not in sight: keep what there is of it. */
static enum csv_step keep(struct csv *c, size_t had)
{
    if (!had)
        buf_puts(&c->carry, c->in);
    c->in = (struct str){ "", 0 };
    return c->carry.bad ? CSV_NOMEM : CSV_MORE;
}

/* A line at fault is passed over to its end. Its octets count, its end of line too. */
static enum csv_step skip(struct csv *c, struct cut *x, size_t had)
{
    const char *end = memchr(x->p, '\n', x->n);
    x->at = end ? (size_t)(end - x->p) + 1 : x->n;
    x->lines = end != NULL;
    c->skipping = !end && !x->last;
    use(c, x, had);
    return end || x->last ? CSV_RECORD : CSV_MORE;
}

/* What stands between records: the byte order mark, empty lines. x->at is behind it; CSV_MORE: more is needed to know. */
static enum csv_step pass_over(struct csv *c, struct cut *x)
{
    static const char mark[] = "\xEF\xBB\xBF";
    size_t n = x->n < 3 ? x->n : 3;
    if (!c->begun && !memcmp(x->p, mark, n)) {
        if (n < 3 && !x->last)
            return CSV_MORE;
        x->at = n == 3 ? 3 : 0;
    }
    c->begun = true;
    if (x->at)
        return CSV_RECORD;
    if (x->p[0] == '\r' && x->n == 1 && !x->last)
        return CSV_MORE;
    if (x->p[0] == '\n' || (x->p[0] == '\r' && (x->n == 1 || x->p[1] == '\n'))) {
        x->at = x->p[0] == '\r' && x->n > 1 ? 2 : 1;
        x->lines = 1;
    }
    return CSV_RECORD;
}

/* One try at what is in sight. *again: something was passed over, and it is worth another. */
static enum csv_step step_on(struct csv *c, struct csv_record *rec, bool *again)
{
    size_t had;
    struct cut x = view(c, &had);
    *again = false;
    if (c->carry.bad)
        return CSV_NOMEM;
    if (!x.n)
        return c->last ? CSV_END : CSV_MORE;
    if (c->skipping) {
        *again = true;
        (void)skip(c, &x, had);
        return CSV_RECORD;
    }
    if (pass_over(c, &x) == CSV_MORE)
        return keep(c, had);
    if (x.at) {
        *again = true;
        use(c, &x, had);
        return CSV_RECORD;
    }
    rec->line = c->line;
    rec->offset = c->offset;
    enum csv_step step = cut_record(&x, &c->plain, rec);
    if (step == CSV_MORE && x.n < VIEW_MAX)
        return keep(c, had);
    if (step == CSV_MORE)
        step = x.fault ? CSV_FAULT : fault(&x, "the line is longer than 16384 octets");
    if (step == CSV_FAULT) {
        rec->fault = x.fault;
        x.at = 0;
        x.lines = 0;
        c->skipping = true;
    }
    use(c, &x, had);
    return step;
}

enum csv_step csv_next(struct csv *c, struct csv_record *rec)
{
    bool again;
    enum csv_step step;
    do
        step = step_on(c, rec, &again);
    while (again);
    return step;
}

/* -- writing ------------------------------------------------------------------------------------------------------- */

void csv_put(struct buf *b, struct str field)
{
    size_t end = plain_end(field.p, 0, field.n);
    bool plain = end == field.n && !(field.n && (field.p[0] == ' ' || field.p[field.n - 1] == ' '));
    if (plain) {
        buf_puts(b, field);
        return;
    }
    buf_putc(b, '"');
    while (field.n) {
        const char *quote = memchr(field.p, '"', field.n);
        size_t n = quote ? (size_t)(quote - field.p) + 1 : field.n;
        buf_put(b, field.p, n);
        if (quote)
            buf_putc(b, '"');
        field = str_from(field, n);
    }
    buf_putc(b, '"');
}
