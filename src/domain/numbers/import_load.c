/* import_load.c - imports as they are found at start: unpacked slice by slice, then what is complete and free is offered. */
#include "base/log.h"
#include "base/str.h"
#include "domain/numbers/import_priv.h"
#include "domain/numbers/numbers_priv.h"

/* A number may be withdrawn, imported anew, and withdrawn again. */
struct withdrawn {
    struct withdrawn *next;
    uint64_t          lot;
};

struct loading {
    struct numbers *n;
    struct map     *imports;            /* key -> struct import */
    struct map     *lots;               /* key -> its number here */
    struct map     *withdrawn;          /* digits -> struct withdrawn, owned */
    uint64_t        lot_key;            /* of the batch at hand */
    unsigned        lot;
};

static enum err load_import(void *arg, const struct inventory_import_row *row)
{
    struct loading *g = arg;
    struct import *im = calloc(1, sizeof *im);
    if (!im)
        return ERR_NOMEM;
    im->pub = (struct number_import){ .key = row->key, .state = (enum import_state)row->state, .next_line = row->next_line,
                                      .rows = row->taken, .bad = row->bad, .started_us = row->started_us,
                                      .ended_us = row->ended_us, .dry_run = row->dry_run };
    im->n = g->n;
    im->committed = true;
    str_copyz(im->pub.id, sizeof im->pub.id, row->id);
    str_copyz(im->pub.file, sizeof im->pub.file, row->file);
    str_copyz(im->pub.carrier, sizeof im->pub.carrier, row->carrier);
    str_copyz(im->pub.mark, sizeof im->pub.mark, row->mark);
    if (im->pub.state == IMPORT_OPEN && !(im->lots = strmap_new())) {
        import_free(im);
        return ERR_NOMEM;
    }
    ids_after(g->n->control->ids, row->key);
    enum err err = import_enlist(g->n, im);
    if (!err)
        import_wait(g->n, im);
    return err ? err : map_put(g->imports, row->key, im);
}

static enum err load_lot(void *arg, const struct inventory_lot_row *row)
{
    struct loading *g = arg;
    char key[IMPORT_LOT_KEY_SIZE], tags[IMPORT_TAGS_SIZE];
    unsigned lot;
    struct import *im = map_find(g->imports, row->import);
    if (!im)
        return ERR_STORE;
    struct sort sort = { .type = (enum number_type)row->type, .calling = (enum capability)row->calling,
                         .sms = (enum capability)row->sms };
    str_copyz(sort.country, sizeof sort.country, row->country);
    str_copyz(tags, sizeof tags, row->tags);
    struct lot like = { .key = row->key, .import = im, .stored = true, .simulated = row->simulated, .tags = tags,
                        .cost_micro = row->cost_micro, .carrier = number_carrier(g->n, row->carrier) };
    enum err err = like.carrier ? lot_make(g->n, &like, &sort, &lot) : ERR_NOMEM;
    if (!err)
        err = map_put(g->lots, row->key, (void *)(uintptr_t)lot);
    ids_after(g->n->control->ids, row->key);
    if (err || !im->lots)
        return err;
    struct import_lot l = { .carrier = row->carrier, .tags = row->tags, .type = sort.type, .calling = sort.calling,
                            .sms = sort.sms, .cost_micro = row->cost_micro };
    memcpy(l.country, sort.country, sizeof l.country);
    return strmap_put(im->lots, (struct str){ key, import_lot_key(key, &l) }, (void *)(uintptr_t)lot);
}

static bool is_withdrawn(const struct loading *g, uint64_t digits)
{
    const struct withdrawn *w = map_count(g->withdrawn) ? map_find(g->withdrawn, digits) : NULL;
    while (w && w->lot != g->lot_key)
        w = w->next;
    return w;
}

static enum err load_one(void *arg, uint64_t digits)
{
    struct loading *g = arg;
    enum err err = is_withdrawn(g, digits) ? ERR_NONE : own_put(g->n, digits, g->lot);
    return err == ERR_CONFLICT ? ERR_STORE : err;
}

static enum err load_batch(void *arg, uint64_t key, uint64_t lot, struct str packed)
{
    struct loading *g = arg;
    ids_after(g->n->control->ids, key);
    g->lot_key = lot;
    g->lot = (unsigned)(uintptr_t)map_find(g->lots, lot);
    return g->lot ? inventory_unpack(packed, load_one, g) : ERR_STORE;
}

static enum err load_withdrawn(void *arg, uint64_t digits, uint64_t lot)
{
    struct loading *g = arg;
    struct withdrawn *w = malloc(sizeof *w);
    if (!w)
        return ERR_NOMEM;
    *w = (struct withdrawn){ .next = map_find(g->withdrawn, digits), .lot = lot };
    if (!map_put(g->withdrawn, digits, w))
        return ERR_NONE;
    free(w);
    return ERR_NOMEM;
}

static void withdrawn_free(struct map *withdrawn)
{
    uint64_t key;
    void *value;
    for (size_t at = 0; map_next(withdrawn, &at, &key, &value);)
        for (struct withdrawn *w = value, *next; w; w = next) {
            next = w->next;
            free(w);
        }
}

enum err imports_load(struct numbers *n)
{
    struct db *db = n->control->db;
    scoped(map) struct map *imports = map_new(), *lots = map_new(), *withdrawn = map_new();
    struct loading g = { .n = n, .imports = imports, .lots = lots, .withdrawn = withdrawn };
    enum err err = imports && lots && withdrawn ? inventory_import_rows_each(db, load_import, &g) : ERR_NOMEM;
    if (!err)
        err = inventory_lot_rows_each(db, load_lot, &g);
    if (!err)
        err = inventory_withdrawn_rows_each(db, load_withdrawn, &g);
    if (!err)
        err = inventory_batch_rows_each(db, load_batch, &g);
    if (withdrawn)
        withdrawn_free(withdrawn);
    if (!err)
        err = remarks_load(n);
    for (size_t i = 0; i < n->n_imports && !err; i++)
        if (import_has_nothing(n->imports[i]->pub.state))
            err = imports_purge(n);
    return err;
}

static void show_complete(void *arg, const struct blocks_number *x)
{
    struct numbers *n = arg;
    if (n->lots[x->lot]->import->pub.state == IMPORT_COMPLETE && !x->who)
        blocks_offer(n->blocks, x->digits, true);
}

void imports_show(struct numbers *n)
{
    uint64_t at = 0;
    if (n->n_lots)
        blocks_sweep(n->blocks, &at, 1, (unsigned)n->n_lots, SIZE_MAX, show_complete, n);
    struct blocks_size size = blocks_size(n->blocks);
    imports_measure(n);
    if (size.numbers)
        log_info("numbers", "%zu numbers in the inventory, %zu KiB", size.numbers, size.octets >> 10);
}
