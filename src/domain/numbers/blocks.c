#include "domain/numbers/blocks.h"
#include "base/map.h"

/* A number is area * 10^7 + leaf * 1000 + line. */
enum { LINES = 1000, LEAVES = BLOCKS_AREA / LINES, CHUNKS = 100, SPARSE_MOST = 400, WORDS = (LINES + 63) / 64 };
enum { LEAF_WORDS = (LEAVES + 63) / 64 };

/* Sparse: sorted, line << 17 | lot << 1 | offered. */
#define ENTRY(line, lot) ((uint32_t)(line) << 17 | (uint32_t)(lot) << 1)
#define ENTRY_LINE(e)    ((unsigned)((e) >> 17))
#define ENTRY_LOT(e)     ((unsigned)((e) >> 1 & 0xffff))

struct dense {
    uint16_t lots[LINES];               /* 0: none */
    uint64_t offered[WORDS];
};
struct given {
    void    *who;
    uint16_t line;
};

/* A thousand numbers. */
struct leaf {
    uint16_t n, n_given;                /* with a lot; that somebody has */
    uint16_t cap, cap_given;            /* of what is sparse */
    bool     dense, dense_given;
    union { uint32_t *sparse; struct dense *dense; } lots;
    union { struct given *sparse; void **dense; } given;
};

/* What an area has of one kind. */
struct cell {
    uint16_t kind;
    uint32_t offered;
    uint64_t leaves[LEAF_WORDS];        /* those that offer any of it */
};

struct chunk { struct leaf *leaf[LEAVES / CHUNKS]; };

struct area {
    uint64_t      key;
    struct chunk *chunk[CHUNKS];
    struct cell **cells;
    size_t        n_cells;
};

struct areas { struct area **list; size_t n, cap; };        /* by rising key */

struct kind {
    struct areas areas;                 /* those that offer any of it */
    size_t       cells, offered;        /* areas.cap is at least `cells` */
};

struct blocks {
    struct map   *by_key;               /* area's key -> struct area, owned */
    struct areas  areas;                /* the same */
    struct kind  *kinds;
    size_t        n_kinds;
    uint16_t     *kind_of;              /* by lot */
    size_t        n_lots, cap_lots;     /* lot 0 is none */
    struct blocks_size size;
};

/* -- one thousand: lots --------------------------------------------------------------------------------------------- */

/* Index of the first entry whose line is `line` or behind it. */
static unsigned sparse_at(const struct leaf *f, unsigned line)
{
    unsigned from = 0, to = f->n;
    if (to && ENTRY_LINE(f->lots.sparse[to - 1]) < line)
        return to;                      /* lists are mostly sorted */
    while (from < to) {
        unsigned mid = (from + to) / 2;
        if (ENTRY_LINE(f->lots.sparse[mid]) < line)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static uint32_t *sparse_find(const struct leaf *f, unsigned line)
{
    unsigned i = sparse_at(f, line);
    return i < f->n && ENTRY_LINE(f->lots.sparse[i]) == line ? &f->lots.sparse[i] : NULL;
}

static unsigned leaf_lot(const struct leaf *f, unsigned line)
{
    if (!f->n)
        return 0;
    if (f->dense)
        return f->lots.dense->lots[line];
    const uint32_t *e = sparse_find(f, line);
    return e ? ENTRY_LOT(*e) : 0;
}

static bool leaf_offers(const struct leaf *f, unsigned line)
{
    if (!f->n)
        return false;
    if (f->dense)
        return f->lots.dense->offered[line / 64] >> line % 64 & 1;
    const uint32_t *e = sparse_find(f, line);
    return e && (*e & 1);
}

static void leaf_set_offered(struct leaf *f, unsigned line, bool on)
{
    if (!f->dense) {
        uint32_t *e = sparse_find(f, line);
        *e = (*e & ~(uint32_t)1) | on;
        return;
    }
    uint64_t bit = (uint64_t)1 << line % 64, *word = &f->lots.dense->offered[line / 64];
    *word = on ? *word | bit : *word & ~bit;
}

static enum err leaf_make_dense(struct blocks *b, struct leaf *f)
{
    struct dense *d = calloc(1, sizeof *d);
    if (!d)
        return ERR_NOMEM;
    for (unsigned i = 0; i < f->n; i++) {
        uint32_t e = f->lots.sparse[i];
        d->lots[ENTRY_LINE(e)] = (uint16_t)ENTRY_LOT(e);
        d->offered[ENTRY_LINE(e) / 64] |= (uint64_t)(e & 1) << ENTRY_LINE(e) % 64;
    }
    b->size.octets += sizeof *d;
    b->size.octets -= f->cap * sizeof *f->lots.sparse;
    free(f->lots.sparse);
    f->lots.dense = d;
    f->dense = true;
    f->cap = 0;
    return ERR_NONE;
}

static enum err leaf_grow(struct blocks *b, struct leaf *f)
{
    unsigned cap = f->cap ? f->cap * 2u : 4;
    cap = cap > SPARSE_MOST ? SPARSE_MOST : cap;
    uint32_t *more = realloc(f->cap ? f->lots.sparse : NULL, cap * sizeof *more);
    if (!more)
        return ERR_NOMEM;
    b->size.octets += (cap - f->cap) * sizeof *more;
    f->lots.sparse = more;
    f->cap = (uint16_t)cap;
    return ERR_NONE;
}

static enum err leaf_put(struct blocks *b, struct leaf *f, unsigned line, unsigned lot)
{
    enum err err = ERR_NONE;
    if (!f->dense && f->n == f->cap)
        err = f->n == SPARSE_MOST ? leaf_make_dense(b, f) : leaf_grow(b, f);
    if (err)
        return err;
    if (f->dense) {
        f->lots.dense->lots[line] = (uint16_t)lot;
    } else {
        unsigned i = sparse_at(f, line);
        uint32_t *at = &f->lots.sparse[i];
        memmove(at + 1, at, (f->n - i) * sizeof *at);
        *at = ENTRY(line, lot);
    }
    f->n++;
    return ERR_NONE;
}

static void leaf_drop_lots(struct blocks *b, struct leaf *f)
{
    b->size.octets -= f->dense ? sizeof *f->lots.dense : f->cap * sizeof *f->lots.sparse;
    if (f->dense)
        free(f->lots.dense);
    else
        free(f->lots.sparse);
    f->lots.sparse = NULL;
    f->dense = false;
    f->cap = 0;
}

static void leaf_take(struct blocks *b, struct leaf *f, unsigned line)
{
    if (f->dense) {
        f->lots.dense->lots[line] = 0;
    } else {
        uint32_t *at = sparse_find(f, line);
        memmove(at, at + 1, (size_t)(f->lots.sparse + f->n - at - 1) * sizeof *at);
    }
    f->n--;
    if (!f->n)
        leaf_drop_lots(b, f);
}

/* The first line from `line` on that is offered and of the kind; LINES: none. */
static unsigned leaf_next_offered(const struct blocks *b, const struct leaf *f, unsigned kind, unsigned line)
{
    if (!f->dense) {
        for (unsigned i = f->n ? sparse_at(f, line) : 0; i < f->n; i++) {
            uint32_t e = f->lots.sparse[i];
            if ((e & 1) && b->kind_of[ENTRY_LOT(e)] == kind)
                return ENTRY_LINE(e);
        }
        return LINES;
    }
    const struct dense *d = f->lots.dense;
    for (unsigned w = line / 64; w < WORDS; w++) {
        uint64_t bits = d->offered[w] & (w == line / 64 ? UINT64_MAX << line % 64 : UINT64_MAX);
        for (; bits; bits &= bits - 1) {
            unsigned at = w * 64 + (unsigned)__builtin_ctzll(bits);
            if (b->kind_of[d->lots[at]] == kind)
                return at;
        }
    }
    return LINES;
}

/* -- one thousand: who ---------------------------------------------------------------------------------------------- */

static unsigned given_at(const struct leaf *f, unsigned line)
{
    unsigned from = 0, to = f->n_given;
    if (to && f->given.sparse[to - 1].line < line)
        return to;
    while (from < to) {
        unsigned mid = (from + to) / 2;
        if (f->given.sparse[mid].line < line)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static void *leaf_who(const struct leaf *f, unsigned line)
{
    if (!f->n_given)
        return NULL;
    if (f->dense_given)
        return f->given.dense[line];
    unsigned i = given_at(f, line);
    return i < f->n_given && f->given.sparse[i].line == line ? f->given.sparse[i].who : NULL;
}

static enum err given_make_dense(struct blocks *b, struct leaf *f)
{
    void **d = calloc(LINES, sizeof(void *));
    if (!d)
        return ERR_NOMEM;
    for (unsigned i = 0; i < f->n_given; i++)
        d[f->given.sparse[i].line] = f->given.sparse[i].who;
    b->size.octets += LINES * sizeof(void *);
    b->size.octets -= f->cap_given * sizeof *f->given.sparse;
    free(f->given.sparse);
    f->given.dense = d;
    f->dense_given = true;
    f->cap_given = 0;
    return ERR_NONE;
}

static enum err given_grow(struct blocks *b, struct leaf *f)
{
    unsigned cap = f->cap_given ? f->cap_given * 2u : 4;
    cap = cap > SPARSE_MOST ? SPARSE_MOST : cap;
    struct given *more = realloc(f->cap_given ? f->given.sparse : NULL, cap * sizeof *more);
    if (!more)
        return ERR_NOMEM;
    b->size.octets += (cap - f->cap_given) * sizeof *more;
    f->given.sparse = more;
    f->cap_given = (uint16_t)cap;
    return ERR_NONE;
}

static enum err leaf_give(struct blocks *b, struct leaf *f, unsigned line, void *who)
{
    enum err err = ERR_NONE;
    if (!f->dense_given && f->n_given == f->cap_given)
        err = f->n_given == SPARSE_MOST ? given_make_dense(b, f) : given_grow(b, f);
    if (err)
        return err;
    if (f->dense_given) {
        f->given.dense[line] = who;
    } else {
        unsigned i = given_at(f, line);
        struct given *at = &f->given.sparse[i];
        memmove(at + 1, at, (f->n_given - i) * sizeof *at);
        *at = (struct given){ who, (uint16_t)line };
    }
    f->n_given++;
    return ERR_NONE;
}

static void leaf_drop_given(struct blocks *b, struct leaf *f)
{
    b->size.octets -= f->dense_given ? LINES * sizeof(void *) : f->cap_given * sizeof *f->given.sparse;
    if (f->dense_given)
        free(f->given.dense);
    else
        free(f->given.sparse);
    f->given.sparse = NULL;
    f->dense_given = false;
    f->cap_given = 0;
}

static void leaf_free_one(struct blocks *b, struct leaf *f, unsigned line)
{
    f->n_given--;
    if (f->dense_given) {
        f->given.dense[line] = NULL;
    } else {
        unsigned i = given_at(f, line);
        struct given *at = &f->given.sparse[i];
        memmove(at, at + 1, (f->n_given - i) * sizeof *at);
    }
    if (!f->n_given)
        leaf_drop_given(b, f);
}

/* The first line from `line` on that has somebody, or a lot (not asked for with `only_given`); LINES: none. */
static unsigned leaf_next(const struct leaf *f, unsigned line, bool only_given)
{
    unsigned lots = LINES, given = LINES;
    if (only_given) {
        ;
    } else if (f->n && f->dense) {
        for (lots = line; lots < LINES && !f->lots.dense->lots[lots]; lots++)
            ;
    } else if (f->n) {
        unsigned i = sparse_at(f, line);
        lots = i < f->n ? ENTRY_LINE(f->lots.sparse[i]) : LINES;
    }
    if (f->n_given && f->dense_given) {
        for (given = line; given < lots && !f->given.dense[given]; given++)
            ;
    } else if (f->n_given) {
        unsigned i = given_at(f, line);
        given = i < f->n_given ? f->given.sparse[i].line : LINES;
    }
    return lots < given ? lots : given;
}

/* -- areas ---------------------------------------------------------------------------------------------------------- */

/* Index of the first area whose key is `key` or behind it. */
static size_t areas_at(const struct areas *a, uint64_t key)
{
    size_t from = 0, to = a->n;
    while (from < to) {
        size_t mid = (from + to) / 2;
        if (a->list[mid]->key < key)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static enum err areas_room(struct areas *a, size_t wanted)
{
    if (wanted <= a->cap)
        return ERR_NONE;
    size_t cap = a->cap * 2 > wanted ? a->cap * 2 : wanted;
    struct area **list = realloc(a->list, cap * sizeof(struct area *));
    if (!list)
        return ERR_NOMEM;
    a->list = list;
    a->cap = cap;
    return ERR_NONE;
}

static void areas_put(struct areas *a, struct area *area)
{
    size_t i = areas_at(a, area->key);
    memmove(&a->list[i + 1], &a->list[i], (a->n - i) * sizeof(struct area *));
    a->list[i] = area;
    a->n++;
}

static void areas_take(struct areas *a, const struct area *area)
{
    size_t i = areas_at(a, area->key);
    a->n--;
    memmove(&a->list[i], &a->list[i + 1], (a->n - i) * sizeof(struct area *));
}

static struct area *area_find(const struct blocks *b, uint64_t digits)
{
    return map_find(b->by_key, digits / BLOCKS_AREA);
}

static struct area *area_make(struct blocks *b, uint64_t digits)
{
    struct area *a = area_find(b, digits);
    if (a)
        return a;
    a = calloc(1, sizeof *a);
    if (!a || areas_room(&b->areas, b->areas.n + 1) || map_put(b->by_key, digits / BLOCKS_AREA, a)) {
        free(a);
        return NULL;
    }
    a->key = digits / BLOCKS_AREA;
    areas_put(&b->areas, a);
    b->size.octets += sizeof *a;
    return a;
}

static unsigned leaf_of(uint64_t digits)
{
    return (unsigned)(digits % BLOCKS_AREA / LINES);
}

static unsigned line_of(uint64_t digits)
{
    return (unsigned)(digits % LINES);
}

static struct leaf *area_leaf(const struct area *a, unsigned i)
{
    const struct chunk *c = a ? a->chunk[i / CHUNKS] : NULL;
    return c ? c->leaf[i % CHUNKS] : NULL;
}

/* The first leaf from i on; LEAVES: none. */
static unsigned area_next_leaf(const struct area *a, unsigned i)
{
    for (; i < LEAVES; i += CHUNKS - i % CHUNKS) {
        const struct chunk *c = a->chunk[i / CHUNKS];
        for (unsigned at = i % CHUNKS; c && at < CHUNKS; at++)
            if (c->leaf[at])
                return i - i % CHUNKS + at;
    }
    return LEAVES;
}

static struct leaf *leaf_find(const struct blocks *b, uint64_t digits)
{
    return area_leaf(area_find(b, digits), leaf_of(digits));
}

static struct leaf *leaf_make(struct blocks *b, struct area *a, uint64_t digits)
{
    unsigned i = leaf_of(digits);
    struct chunk **c = &a->chunk[i / CHUNKS];
    if (!*c) {
        if (!(*c = calloc(1, sizeof **c)))
            return NULL;
        b->size.octets += sizeof **c;
    }
    struct leaf **f = &(*c)->leaf[i % CHUNKS];
    if (!*f && (*f = calloc(1, sizeof **f))) {
        b->size.thousands++;
        b->size.octets += sizeof **f;
    }
    return *f;
}

static void leaf_drop_empty(struct blocks *b, struct area *a, uint64_t digits)
{
    unsigned i = leaf_of(digits);
    struct leaf *f = area_leaf(a, i);
    if (!f || f->n || f->n_given)
        return;
    free(f);
    a->chunk[i / CHUNKS]->leaf[i % CHUNKS] = NULL;
    b->size.thousands--;
    b->size.octets -= sizeof *f;
}

/* -- kinds and cells ------------------------------------------------------------------------------------------------ */

static struct cell *cell_find(const struct area *a, unsigned kind)
{
    for (size_t i = 0; a && i < a->n_cells; i++)
        if (a->cells[i]->kind == kind)
            return a->cells[i];
    return NULL;
}

/* With all the memory that offering will ever need. */
static enum err cell_make(struct blocks *b, struct area *a, unsigned kind)
{
    struct kind *k = &b->kinds[kind];
    if (cell_find(a, kind))
        return ERR_NONE;
    if (areas_room(&k->areas, k->cells + 1))
        return ERR_NOMEM;
    struct cell **cells = realloc(a->cells, (a->n_cells + 1) * sizeof(struct cell *));
    if (!cells)
        return ERR_NOMEM;
    a->cells = cells;
    struct cell *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    c->kind = (uint16_t)kind;
    a->cells[a->n_cells++] = c;
    k->cells++;
    b->size.octets += sizeof *c;
    return ERR_NONE;
}

static enum err kinds_room(struct blocks *b, unsigned kind)
{
    if (kind < b->n_kinds)
        return ERR_NONE;
    struct kind *kinds = realloc(b->kinds, (kind + 1) * sizeof *kinds);
    if (!kinds)
        return ERR_NOMEM;
    memset(&kinds[b->n_kinds], 0, (kind + 1 - b->n_kinds) * sizeof *kinds);
    b->kinds = kinds;
    b->n_kinds = kind + 1;
    return ERR_NONE;
}

enum err blocks_lot_new(struct blocks *b, unsigned kind, unsigned *lot)
{
    if (b->n_lots > BLOCKS_LOTS_MOST || kind >= BLOCKS_KINDS_MOST)
        return ERR_SIZE;
    if (kinds_room(b, kind))
        return ERR_NOMEM;
    if (b->n_lots == b->cap_lots) {
        size_t cap = b->cap_lots * 2;
        uint16_t *more = realloc(b->kind_of, cap * sizeof *more);
        if (!more)
            return ERR_NOMEM;
        b->kind_of = more;
        b->cap_lots = cap;
    }
    *lot = (unsigned)b->n_lots;
    b->kind_of[b->n_lots++] = (uint16_t)kind;
    return ERR_NONE;
}

void blocks_lot_drop(struct blocks *b)
{
    assert(b->n_lots > 1);
    b->n_lots--;
}

/* -- making --------------------------------------------------------------------------------------------------------- */

struct blocks *blocks_new(void)
{
    enum { LOTS_FIRST = 64 };
    struct blocks *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->by_key = map_new();
    b->kind_of = calloc(LOTS_FIRST, sizeof *b->kind_of);
    b->cap_lots = LOTS_FIRST;
    b->n_lots = 1;
    if (!b->by_key || !b->kind_of) {
        blocks_free(b);
        return NULL;
    }
    return b;
}

static void area_free(struct blocks *b, struct area *a)
{
    for (unsigned i = 0; (i = area_next_leaf(a, i)) < LEAVES; i++) {
        struct leaf *f = area_leaf(a, i);
        leaf_drop_lots(b, f);
        leaf_drop_given(b, f);
        free(f);
    }
    for (unsigned i = 0; i < CHUNKS; i++)
        free(a->chunk[i]);
    for (size_t i = 0; i < a->n_cells; i++)
        free(a->cells[i]);
    free(a->cells);
    free(a);
}

void blocks_free(struct blocks *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->areas.n; i++)
        area_free(b, b->areas.list[i]);
    for (size_t i = 0; i < b->n_kinds; i++)
        free(b->kinds[i].areas.list);
    free(b->areas.list);
    free(b->kinds);
    free(b->kind_of);
    map_free(b->by_key);
    free(b);
}

/* -- lots and who --------------------------------------------------------------------------------------------------- */

enum err blocks_put(struct blocks *b, uint64_t digits, unsigned lot)
{
    struct area *a = area_make(b, digits);
    struct leaf *f = a ? leaf_make(b, a, digits) : NULL;
    if (!f)
        return ERR_NOMEM;
    if (leaf_lot(f, line_of(digits)))
        return ERR_CONFLICT;
    enum err err = cell_make(b, a, b->kind_of[lot]);
    if (!err)
        err = leaf_put(b, f, line_of(digits), lot);
    if (err)
        leaf_drop_empty(b, a, digits);
    else
        b->size.numbers++;
    return err;
}

unsigned blocks_take(struct blocks *b, uint64_t digits)
{
    struct leaf *f = leaf_find(b, digits);
    unsigned lot = f ? leaf_lot(f, line_of(digits)) : 0;
    if (!lot)
        return 0;
    blocks_offer(b, digits, false);
    leaf_take(b, f, line_of(digits));
    leaf_drop_empty(b, area_find(b, digits), digits);
    b->size.numbers--;
    return lot;
}

unsigned blocks_lot(const struct blocks *b, uint64_t digits)
{
    const struct leaf *f = leaf_find(b, digits);
    return f ? leaf_lot(f, line_of(digits)) : 0;
}

enum err blocks_give(struct blocks *b, uint64_t digits, void *who)
{
    struct area *a = area_make(b, digits);
    struct leaf *f = a ? leaf_make(b, a, digits) : NULL;
    if (!f)
        return ERR_NOMEM;
    enum err err = leaf_give(b, f, line_of(digits), who);
    if (err)
        leaf_drop_empty(b, a, digits);
    else
        b->size.given++;
    return err;
}

void blocks_free_one(struct blocks *b, uint64_t digits)
{
    struct leaf *f = leaf_find(b, digits);
    if (!f || !leaf_who(f, line_of(digits)))
        return;
    leaf_free_one(b, f, line_of(digits));
    leaf_drop_empty(b, area_find(b, digits), digits);
    b->size.given--;
}

void *blocks_who(const struct blocks *b, uint64_t digits)
{
    const struct leaf *f = leaf_find(b, digits);
    return f ? leaf_who(f, line_of(digits)) : NULL;
}

/* -- what is offered ------------------------------------------------------------------------------------------------ */

static void cell_more(struct kind *k, struct area *a, struct cell *c, unsigned leaf)
{
    if (!c->offered++)
        areas_put(&k->areas, a);
    k->offered++;
    c->leaves[leaf / 64] |= (uint64_t)1 << leaf % 64;
}

static void cell_less(struct kind *k, struct area *a, struct cell *c, unsigned leaf, bool leaf_has_more)
{
    if (!--c->offered)
        areas_take(&k->areas, a);
    k->offered--;
    if (!leaf_has_more)
        c->leaves[leaf / 64] &= ~((uint64_t)1 << leaf % 64);
}

void blocks_offer(struct blocks *b, uint64_t digits, bool on)
{
    struct area *a = area_find(b, digits);
    unsigned i = leaf_of(digits), line = line_of(digits);
    struct leaf *f = area_leaf(a, i);
    unsigned lot = f ? leaf_lot(f, line) : 0;
    if (!lot || leaf_offers(f, line) == on)
        return;
    unsigned kind = b->kind_of[lot];
    struct cell *c = cell_find(a, kind);
    leaf_set_offered(f, line, on);
    if (on) {
        cell_more(&b->kinds[kind], a, c, i);
        return;
    }
    bool more = leaf_next_offered(b, f, kind, line) < LINES || leaf_next_offered(b, f, kind, 0) < LINES;
    cell_less(&b->kinds[kind], a, c, i, more);
}

bool blocks_offers(const struct blocks *b, uint64_t digits)
{
    const struct leaf *f = leaf_find(b, digits);
    return f && leaf_offers(f, line_of(digits));
}

size_t blocks_offered(const struct blocks *b, unsigned kind)
{
    return kind < b->n_kinds ? b->kinds[kind].offered : 0;
}

/* The first leaf from i on that offers any; LEAVES: none. */
static unsigned cell_next_leaf(const struct cell *c, unsigned i)
{
    for (unsigned w = i / 64; w < LEAF_WORDS; w++) {
        uint64_t bits = c->leaves[w] & (w == i / 64 ? UINT64_MAX << i % 64 : UINT64_MAX);
        if (bits)
            return w * 64 + (unsigned)__builtin_ctzll(bits);
    }
    return LEAVES;
}

/* The first number of the area from `from` on; UINT64_MAX: none. */
static uint64_t area_next(const struct blocks *b, const struct area *a, unsigned kind, uint64_t from)
{
    uint64_t base = a->key * BLOCKS_AREA, at = from > base ? from - base : 0;
    const struct cell *c = cell_find(a, kind);
    unsigned first = (unsigned)(at / LINES), line = (unsigned)(at % LINES);
    for (unsigned i = first; (i = cell_next_leaf(c, i)) < LEAVES; i++) {
        unsigned found = leaf_next_offered(b, area_leaf(a, i), kind, i == first ? line : 0);
        if (found < LINES)
            return base + (uint64_t)i * LINES + found;
    }
    return UINT64_MAX;
}

uint64_t blocks_next(const struct blocks *b, unsigned kind, uint64_t from, uint64_t to)
{
    if (kind >= b->n_kinds)
        return 0;
    const struct areas *a = &b->kinds[kind].areas;
    for (size_t i = areas_at(a, from / BLOCKS_AREA); i < a->n && a->list[i]->key * BLOCKS_AREA <= to; i++) {
        uint64_t found = area_next(b, a->list[i], kind, from);
        if (found <= to)
            return found;
    }
    return 0;
}

/* Of the leaves first..last that offer any, the one at a random place; LEAVES: none. */
static unsigned cell_random_leaf(const struct cell *c, unsigned first, unsigned last, uint64_t random)
{
    unsigned n = 0;
    for (unsigned i = first; (i = cell_next_leaf(c, i)) <= last && i < LEAVES; i++)
        n++;
    unsigned at = n ? (unsigned)(random % n) : 0;
    for (unsigned i = first; n && (i = cell_next_leaf(c, i)) < LEAVES; i++)
        if (!at--)
            return i;
    return LEAVES;
}

uint64_t blocks_start(const struct blocks *b, unsigned kind, uint64_t from, uint64_t to, uint64_t random)
{
    if (kind >= b->n_kinds || from > to)
        return 0;
    const struct areas *a = &b->kinds[kind].areas;
    size_t first = areas_at(a, from / BLOCKS_AREA), end = areas_at(a, to / BLOCKS_AREA + 1);
    if (first == end)
        return 0;
    const struct area *area = a->list[first + (random >> 32) % (end - first)];
    uint64_t base = area->key * BLOCKS_AREA, most = base + BLOCKS_AREA - 1;
    uint64_t least = base < from ? from : base;
    most = most > to ? to : most;
    unsigned leaf = cell_random_leaf(cell_find(area, kind), leaf_of(least), leaf_of(most), random & UINT32_MAX);
    if (leaf == LEAVES)
        return least;                   /* here is nothing, another area may have some */
    uint64_t start = base + (uint64_t)leaf * LINES + hash_u64(random) % LINES;
    return start < least ? least : start > most ? most : start;
}

/* -- all of them ---------------------------------------------------------------------------------------------------- */

static void number_of(const struct leaf *f, uint64_t digits, struct blocks_number *out)
{
    unsigned line = line_of(digits);
    *out = (struct blocks_number){ digits, leaf_lot(f, line), leaf_offers(f, line), leaf_who(f, line) };
}

/* From the start of a leaf, or inside the one that the cursor is in. */
static bool leaf_walk(const struct leaf *f, struct blocks_cursor *at, struct blocks_number *out)
{
    uint64_t base = at->from - line_of(at->from);
    unsigned line = leaf_next(f, line_of(at->from), at->given);
    if (line == LINES || base + line > at->to)
        return false;
    number_of(f, base + line, out);
    at->leaf = line + 1 < LINES ? f : NULL;
    at->from = base + line + 1;
    return true;
}

bool blocks_walk(const struct blocks *b, struct blocks_cursor *at, struct blocks_number *out)
{
    if (at->from > at->to)
        return false;
    if (at->leaf && leaf_walk(at->leaf, at, out))
        return true;
    if (at->leaf)
        at->from += LINES - line_of(at->from);
    at->leaf = NULL;
    for (size_t i = areas_at(&b->areas, at->from / BLOCKS_AREA); i < b->areas.n; i++) {
        const struct area *a = b->areas.list[i];
        uint64_t base = a->key * BLOCKS_AREA;
        if (base > at->to)
            return false;
        unsigned j = at->from > base ? leaf_of(at->from) : 0;
        for (; (j = area_next_leaf(a, j)) < LEAVES && base + (uint64_t)j * LINES <= at->to; j++) {
            uint64_t first = base + (uint64_t)j * LINES;
            at->from = at->from > first ? at->from : first;
            if (leaf_walk(area_leaf(a, j), at, out))
                return true;
        }
    }
    return false;
}

static bool leaf_has_lots(const struct leaf *f, unsigned from, unsigned to)
{
    bool any = false;
    for (unsigned i = 0; f->n && f->dense && i < LINES; i++)        /* no early end: the compiler takes many at once */
        any |= (unsigned)(f->lots.dense->lots[i] - from) <= to - from;
    for (unsigned i = 0; !f->dense && i < f->n; i++)
        any |= ENTRY_LOT(f->lots.sparse[i]) - from <= to - from;
    return any;
}

/* Its leaf may be gone behind any call of fn. */
static size_t leaf_sweep(struct area *a, unsigned i, unsigned from, unsigned to, blocks_fn *fn, void *arg)
{
    size_t shown = 0;
    const struct leaf *f = area_leaf(a, i);
    if (!leaf_has_lots(f, from, to))
        return 0;
    for (unsigned line = 0; (f = area_leaf(a, i)) && (line = leaf_next(f, line, false)) < LINES; line++) {
        struct blocks_number x;
        number_of(f, a->key * BLOCKS_AREA + (uint64_t)i * LINES + line, &x);
        if (x.lot < from || x.lot > to)
            continue;
        fn(arg, &x);
        shown++;
    }
    return shown;
}

bool blocks_sweep(struct blocks *b, uint64_t *at, unsigned lot_from, unsigned lot_to, size_t budget, blocks_fn *fn, void *arg)
{
    size_t spent = 0;
    for (size_t i = areas_at(&b->areas, *at / BLOCKS_AREA); i < b->areas.n; i++) {
        struct area *a = b->areas.list[i];
        uint64_t base = a->key * BLOCKS_AREA;
        for (unsigned j = *at > base ? leaf_of(*at) : 0; (j = area_next_leaf(a, j)) < LEAVES; j++) {
            if (spent >= budget) {
                *at = base + (uint64_t)j * LINES;
                return true;
            }
            spent += 1 + leaf_sweep(a, j, lot_from, lot_to, fn, arg);
        }
    }
    return false;
}

struct blocks_size blocks_size(const struct blocks *b)
{
    return b->size;
}
