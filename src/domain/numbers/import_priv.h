/* import_priv.h - what import_slice.c fills and import.c reads. */
#pragma once
#include "domain/numbers/import.h"

enum { IMPORT_CARRIER_SIZE = 64, IMPORT_LOT_KEY_SIZE = 2 + 1 + 1 + 8 + IMPORT_CARRIER_SIZE + IMPORT_TAGS_SIZE };

/* What rows have in common. */
struct import_lot {
    struct str       carrier, tags;     /* carrier: empty for the import's */
    char             country[3];
    enum number_type type;
    enum capability  calling, sms;
    int64_t          cost_micro;
};
/** The same octets for the same lot. @return how many */
size_t import_lot_key(char key[IMPORT_LOT_KEY_SIZE], const struct import_lot *l);

struct import_slice_row {
    uint64_t digits, line;
    uint32_t lot;                       /* index into lots */
};

struct import_bad_list { struct import_bad *at; size_t n, cap; };
MUST_USE enum err import_bad_put(struct import_bad_list *list, const struct import_bad *bad);

struct arena;
struct import_slice {
    uint64_t                 first_line, next_line;
    struct import_slice_row *rows;
    size_t                   n_rows;
    struct import_lot       *lots;      /* their text is in the arena */
    size_t                   n_lots, cap_lots;
    struct import_bad       *bad;       /* by rising line, as they came */
    size_t                   n_bad, cap_bad;
    struct arena            *arena;
    struct strmap           *index;     /* a lot's key -> 1 + its index */
    char                     last_key[IMPORT_LOT_KEY_SIZE];
    size_t                   last_n;
    uint32_t                 last_lot;
};
