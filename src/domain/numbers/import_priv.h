/* import_priv.h - what import_slice.c fills and import_take.c reads, and what the other files of imports share. */
#pragma once
#include "domain/numbers/import.h"
#include "domain/numbers/numbers_priv.h"

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
    char                     mark[IMPORT_MARK_SIZE];
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

/* -- one step of an import, on its way to disk: control ------------------------------------------------------------- */
struct import_step {
    struct numbers        *n;
    struct import         *im;
    uint64_t              *put;         /* what a slice put into memory, by lot, rising within each */
    size_t                 n_put;
    unsigned              *lots;        /* the lots of the slice, by its own index; 0: bad */
    size_t                 n_lots;
    struct import_bad_list bad;
    uint64_t               next_line;
    char                   mark[IMPORT_MARK_SIZE];
    enum import_state      to;          /* what it will be */
    int64_t                at_us;
    import_done_fn        *then;
    void                  *arg;
};
void import_step_free(struct import_step *s);
SCOPED_FREE(import_step)
/** NULL: out of memory. */
struct import_step *import_step_new(struct numbers *n, struct import *im, import_done_fn *then, void *arg);
/** Takes the unit, and gives the step away on success; else settle() was called. settle() is called before then().
 *  @return ERR_BUSY, ERR_NOMEM with `why` */
MUST_USE enum err import_step_post(struct import_step *s, struct db_unit *u, void (*settle)(struct task *, enum err),
                                   numbers_done_fn *then, struct problem *why);
/** A numbers_done_fn: tells whoever asked, and frees the step. */
void import_stepped(void *step, enum err err, const struct number_operation *op, const struct problem *why);

const struct number_import *import_counted(const struct numbers *n, struct import *im);      /* numbers and touched are filled */
void import_tell(struct import_step *s, enum err err, const struct problem *why);
enum err import_busy(const struct import *im, struct problem *why);

/** On disk. @return ERR_ABSENT with `why` */
MUST_USE enum err import_find(const struct numbers *n, struct str id, struct import **out, struct problem *why);
/** @return ERR_CONFLICT (it has ended), ERR_BUSY with `why` */
MUST_USE enum err import_check_open(const struct import *im, struct problem *why);
/** A dry run that nobody goes on with is rolled back: count from now. */
void import_wait(struct numbers *n, struct import *im);
bool import_carrier_known(const struct numbers *n, struct str name, bool *simulated);
