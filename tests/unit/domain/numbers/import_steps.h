/* import_steps.h - imports in the world of world.h: each step to its end. */
#pragma once
#include "domain/numbers/import.h"
#include "domain/numbers/stock.h"
#include "unit/domain/numbers/world.h"

struct heard {
    struct world        *w;
    enum err             err;
    struct number_import im;
    struct import_bad    bad[64];
    size_t               n_bad;
    struct problem       why;
};

static inline void on_import(void *arg, enum err err, const struct number_import *im, const struct import_bad *bad,
                             size_t n_bad, const struct problem *why)
{
    struct heard *h = arg;
    h->err = err;
    if (im)
        h->im = *im;
    h->n_bad = n_bad;
    for (size_t i = 0; i < n_bad && i < ARRAY_LEN(h->bad); i++)
        h->bad[i] = bad[i];
    if (why)
        h->why = *why;
    h->w->waiting--;
}

static inline enum err import_settle(struct heard *h, enum err err)
{
    if (err) {
        h->w->waiting--;
        return err;
    }
    world_pump(h->w);
    return h->err;
}

static inline struct heard hearing(struct world *w)
{
    w->waiting++;
    return (struct heard){ .w = w };
}

static inline enum err import_begin(struct world *w, const char *id, const char *carrier, struct heard *h)
{
    *h = hearing(w);
    struct import_new rq = { .id = str_of(id), .file = STR("list.csv"), .carrier = str_of(carrier) };
    return import_settle(h, numbers_import_begin(w->numbers, &rq, on_import, h, &h->why));
}

static inline enum err import_give(struct world *w, const char *id, const struct import_slice *s, struct heard *h)
{
    *h = hearing(w);
    return import_settle(h, numbers_import_slice(w->numbers, str_of(id), s, on_import, h, &h->why));
}

static inline enum err import_complete(struct world *w, const char *id, struct heard *h)
{
    *h = hearing(w);
    return import_settle(h, numbers_import_complete(w->numbers, str_of(id), on_import, h, &h->why));
}

static inline enum err import_roll_back(struct world *w, const char *id, struct heard *h)
{
    *h = hearing(w);
    return import_settle(h, numbers_import_roll_back(w->numbers, str_of(id), on_import, h, &h->why));
}

/* A row of a local or toll-free number that can do everything. */
static inline struct import_row row_of(const char *number)
{
    return (struct import_row){ .number = str_of(number), .calling = CAP_BOTH, .sms = CAP_BOTH };
}

static inline struct import_slice *slice_new(uint64_t line)
{
    struct import_slice *s = NULL;
    assert_int_equal(import_slice_new(&s, line), ERR_NONE);
    return s;
}

static inline void slice_add(struct import_slice *s, uint64_t line, struct import_row row)
{
    row.line = line;
    assert_int_equal(import_slice_add(s, &row), ERR_NONE);
}

/* `count` numbers from `first` on, one a line. */
static inline struct import_slice *slice_of(uint64_t line, uint64_t first, size_t count)
{
    struct import_slice *s = slice_new(line);
    for (size_t i = 0; i < count; i++) {
        char text[E164_SIZE];
        slice_add(s, line + i, row_of(e164_write(text, first + i)));
    }
    return s;
}

/* Begun, given, complete. */
static inline void import_all(struct world *w, const char *id, const char *carrier, uint64_t first, size_t count)
{
    struct heard h;
    assert_int_equal(import_begin(w, id, carrier, &h), ERR_NONE);
    for (size_t done = 0; done < count;) {
        size_t n = count - done < IMPORT_SLICE_MOST ? count - done : IMPORT_SLICE_MOST;
        struct import_slice *s = slice_of(done + 1, first + done, n);
        if (import_give(w, id, s, &h))
            fail_msg("%s: %s", h.why.rule, h.why.text);
        import_slice_free(s);
        done += n;
    }
    assert_int_equal(import_complete(w, id, &h), ERR_NONE);
    assert_int_equal(h.im.numbers, count);
}

static inline enum stock_state stock_state(struct world *w, uint64_t digits)
{
    char text[E164_SIZE];
    struct stock_number x;
    struct problem why;
    if (numbers_stock_of(w->numbers, str_of(e164_write(text, digits)), &x, &why))
        return STOCK_STATES;
    return x.state;
}

static inline bool real_carriers(void *arg, struct str name, bool *simulated)
{
    (void)arg;
    *simulated = str_eqz(name, "rehearsal");
    return str_eqz(name, "acme") || str_eqz(name, "rehearsal");
}
