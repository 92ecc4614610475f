#include "domain/numbers/import.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/import_priv.h"
#include "domain/numbers/numbers_priv.h"
#include "domain/purge.h"

#include <stdio.h>

METRIC_GAUGE(in_inventory, "carterfone_inventory_numbers", "Numbers of the operator's own, also of imports not complete")

/* Numbers shown or taken away in one go: well under a millisecond of the control thread. */
enum { SWEPT_AT_ONCE = 5000, IN_USE_NAMED = 5, IN_USE_LOOKED_AT = 50000 };

const char *import_state_word(enum import_state state)
{
    static const char *const words[] = { [IMPORT_OPEN] = "open", [IMPORT_COMPLETE] = "complete",
                                         [IMPORT_ROLLED_BACK] = "rolledBack", [IMPORT_FAILED] = "failed" };
    return words[state];
}

bool import_has_nothing(enum import_state state)
{
    return state == IMPORT_ROLLED_BACK || state == IMPORT_FAILED;
}

void numbers_set_carriers(struct numbers *n, numbers_carrier_fn *known, void *arg)
{
    n->carrier_known = known;
    n->carriers_arg = arg;
}

bool import_carrier_known(const struct numbers *n, struct str name, bool *simulated)
{
    *simulated = true;
    return str_eqz(name, "sim") || (n->carrier_known && n->carrier_known(n->carriers_arg, name, simulated));
}

/* -- the objects ---------------------------------------------------------------------------------------------------- */

void import_free(struct import *im)
{
    if (!im)
        return;
    strmap_free(im->lots);
    free(im);
}

void imports_free(struct numbers *n)
{
    for (size_t i = 0; i < n->n_imports; i++) {
        agenda_clear(n->control->agenda, &n->imports[i]->idle);
        import_free(n->imports[i]);
    }
    free(n->imports);
    strmap_free(n->import_ids);
    purge_free(n->purge);
}

enum err imports_purge(struct numbers *n)
{
    if (n->purge)
        return ERR_NONE;
    enum err err = purge_new(&n->purge, n->control, 0, inventory_purge_slice);
    return err ? err : purge_start(n->purge);
}

enum err import_enlist(struct numbers *n, struct import *im)
{
    if (n->n_imports == n->cap_imports) {
        size_t cap = n->cap_imports ? n->cap_imports * 2 : 16;
        struct import **more = realloc(n->imports, cap * sizeof(struct import *));
        if (more) {
            n->imports = more;
            n->cap_imports = cap;
        }
    }
    if (n->n_imports == n->cap_imports || strmap_put(n->import_ids, str_of(im->pub.id), im)) {
        import_free(im);
        return ERR_NOMEM;
    }
    n->imports[n->n_imports++] = im;
    return ERR_NONE;
}

static void forget(struct numbers *n, struct import *im)
{
    size_t i = n->n_imports;
    while (i && n->imports[i - 1] != im)
        i--;
    n->n_imports--;
    memmove(&n->imports[i - 1], &n->imports[i], (n->n_imports - (i - 1)) * sizeof(struct import *));
    strmap_take(n->import_ids, str_of(im->pub.id));
    import_free(im);
}

void imports_measure(const struct numbers *n)
{
    metric_set(&in_inventory, (int64_t)blocks_size(n->blocks).numbers);
}

const struct number_import *import_counted(const struct numbers *n, struct import *im)
{
    im->pub.numbers = im->pub.touched = 0;
    for (unsigned i = im->lot_from; i && i <= im->lot_to; i++) {
        const struct lot *l = n->lots[i];
        if (l->import != im)
            continue;
        im->pub.numbers += l->total;
        for (unsigned state = 0; state < STOCK_STATES; state++)
            im->pub.touched += l->used[state];
    }
    return &im->pub;
}

enum err import_find(const struct numbers *n, struct str id, struct import **out, struct problem *why)
{
    char shown[64];
    struct import *im = strmap_find(n->import_ids, id);
    str_copyz(shown, sizeof shown, id);
    if (!im || !im->committed)
        return rule_problem(why, ERR_ABSENT, RULE_IMPORT_NOT_FOUND, shown);
    *out = im;
    return ERR_NONE;
}

enum err numbers_import_of(const struct numbers *n, struct str id, const struct number_import **out, struct problem *why)
{
    struct import *im;
    enum err err = import_find(n, id, &im, why);
    if (!err)
        *out = import_counted(n, im);
    return err;
}

size_t numbers_imports(const struct numbers *n, size_t skip, size_t most, const struct number_import **out, bool *more)
{
    size_t count = 0;
    for (size_t i = n->n_imports; i-- > 0 && count <= most;) {
        if (!n->imports[i]->committed)
            continue;
        if (skip) {
            skip--;
            continue;
        }
        if (count < most)
            out[count] = import_counted(n, n->imports[i]);
        count++;
    }
    *more = count > most;
    return count > most ? most : count;
}

/* -- one step of an import, on its way to disk ---------------------------------------------------------------------- */

void import_step_free(struct import_step *s)
{
    if (!s)
        return;
    free(s->put);
    free(s->lots);
    free(s->bad.at);
    free(s);
}

static void step_free_unheard(void *s)
{
    import_step_free(s);
}

struct import_step *import_step_new(struct numbers *n, struct import *im, import_done_fn *then, void *arg)
{
    struct import_step *s = calloc(1, sizeof *s);
    if (s)
        *s = (struct import_step){ .n = n, .im = im, .then = then, .arg = arg, .at_us = numbers_now(n) };
    return s;
}

void import_tell(struct import_step *s, enum err err, const struct problem *why)
{
    s->then(s->arg, err, err ? NULL : import_counted(s->n, s->im), s->bad.at, err ? 0 : s->bad.n, why);
}

void import_stepped(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)op;
    struct import_step *s = arg;
    import_tell(s, err, why);
    import_step_free(s);
}

enum err import_step_post(struct import_step *s, struct db_unit *u, void (*settle)(struct task *, enum err),
                          numbers_done_fn *then, struct problem *why)
{
    struct task mine = { .n = s->n, .settle = settle, .extra = s, .extra_free = step_free_unheard, .then = then, .arg = s };
    struct task *t = calloc(1, sizeof *t);
    if (!t) {
        db_unit_free(u);
        settle(&mine, ERR_NOMEM);
        return ERR_NOMEM;
    }
    *t = mine;
    s->im->pub.busy = true;
    return task_post(t, u, why);
}

/* -- begin ---------------------------------------------------------------------------------------------------------- */

static enum err check_id(struct str id, struct problem *why)
{
    bool good = id.n < sizeof ((struct number_import *)0)->id;
    for (size_t i = 0; good && i < id.n; i++) {
        char c = id.p[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("._-", c));
    }
    if (good)
        return ERR_NONE;
    char shown[80];
    str_copyz(shown, sizeof shown, id);
    return rule_problem(why, ERR_RANGE, RULE_IMPORT_ID_INVALID, shown);
}

static enum err check_carrier(const struct numbers *n, struct str name, struct problem *why)
{
    bool simulated;
    char shown[IMPORT_CARRIER_SIZE];
    if (!name.n || (name.n < IMPORT_CARRIER_SIZE && import_carrier_known(n, name, &simulated)))
        return ERR_NONE;
    str_copyz(shown, sizeof shown, name);
    return rule_problem(why, ERR_RANGE, RULE_CARRIER_UNKNOWN, "The import", shown);
}

static enum err ended(const struct import *im, struct problem *why)
{
    return rule_problem(why, ERR_CONFLICT, RULE_IMPORT_ENDED, im->pub.id, import_state_word(im->pub.state));
}

enum err import_busy(const struct import *im, struct problem *why)
{
    char what[80];
    snprintf(what, sizeof what, "import %s", im->pub.id);
    return number_busy(what, why);
}

enum err import_check_open(const struct import *im, struct problem *why)
{
    if (im->pub.state != IMPORT_OPEN)
        return ended(im, why);
    return im->pub.busy ? import_busy(im, why) : ERR_NONE;
}

static void settle_begin(struct task *t, enum err err)
{
    struct import_step *s = t->extra;
    s->im->pub.busy = false;
    s->im->committed = !err;
    if (err)
        forget(s->n, s->im);
    else
        log_info("numbers", "import %s begins", s->im->pub.id);
    if (!err)
        import_wait(s->n, s->im);
}

static enum err import_make(struct numbers *n, const struct import_new *rq, struct import **out)
{
    struct import *im = calloc(1, sizeof *im);
    if (!im)
        return ERR_NOMEM;
    im->n = n;
    im->pub = (struct number_import){ .key = ids_next(n->control->ids), .next_line = 1, .started_us = numbers_now(n),
                                      .dry_run = rq->dry_run };
    if (rq->id.n)
        str_copyz(im->pub.id, sizeof im->pub.id, rq->id);
    else
        snprintf(im->pub.id, sizeof im->pub.id, "%016llx", (unsigned long long)im->pub.key);
    str_copyz(im->pub.file, sizeof im->pub.file, rq->file);
    str_copyz(im->pub.carrier, sizeof im->pub.carrier, rq->carrier);
    if (!(im->lots = strmap_new())) {
        import_free(im);
        return ERR_NOMEM;
    }
    enum err err = import_enlist(n, im);
    if (!err)
        *out = im;
    return err;
}

static enum err begin_again(struct numbers *n, struct import *im, import_done_fn *done, void *arg, struct problem *why)
{
    if (!im->committed)
        return import_busy(im, why);
    if (im->pub.state != IMPORT_OPEN)
        return ended(im, why);
    done(arg, ERR_NONE, import_counted(n, im), NULL, 0, NULL);
    return ERR_NONE;
}

enum err numbers_import_begin(struct numbers *n, const struct import_new *rq, import_done_fn *done, void *arg,
                              struct problem *why)
{
    enum err err = check_id(rq->id, why);
    struct import *im = err ? NULL : strmap_find(n->import_ids, rq->id);
    if (im)
        return begin_again(n, im, done, arg, why);
    if (!err)
        err = check_carrier(n, rq->carrier, why);
    if (!err)
        err = import_make(n, rq, &im);
    if (err)
        return err;
    struct import_step *s = import_step_new(n, im, done, arg);
    if (!s) {
        forget(n, im);
        return ERR_NOMEM;
    }
    struct db_unit *u = db_unit_new();
    inventory_import_row_insert(u, &(struct inventory_import_row){
        .key = im->pub.key, .id = str_of(im->pub.id), .file = str_of(im->pub.file), .carrier = str_of(im->pub.carrier),
        .started_us = im->pub.started_us, .dry_run = im->pub.dry_run });
    err = import_step_post(s, u, settle_begin, import_stepped, why);
    if (err)
        import_step_free(s);
    return err;
}

static bool is_offered(const struct numbers *n, const struct sort *s)
{
    for (size_t i = 0;; i++) {
        const struct catalogue_row *row = catalogue_row(numbers_edition(n), i);
        if (!row)
            return false;
        if (row->type == s->type && str_eqz(str_of(row->country), s->country))
            return true;
    }
}

static bool is_kind(const struct sort *a, const struct sort *b)
{
    return a->type == b->type && !strcmp(a->country, b->country);
}

void numbers_import_write_unoffered(const struct numbers *n, const struct number_import *pub, struct jw *w)
{
    enum { KINDS_MOST = 64 };
    const struct import *im = container_of(pub, struct import, pub);
    struct { const struct sort *sort; uint64_t numbers; bool offered; } kinds[KINDS_MOST];
    size_t found = 0;
    for (unsigned i = im->lot_from; i && i <= im->lot_to; i++) {
        const struct sort *sort = sort_of(n, n->lots[i]);
        size_t k = 0;
        if (n->lots[i]->import != im || !n->lots[i]->total)
            continue;
        while (k < found && !is_kind(kinds[k].sort, sort))
            k++;
        if (k == KINDS_MOST)
            continue;
        if (k == found) {
            kinds[k].sort = sort;
            kinds[k].numbers = 0;
            kinds[k].offered = is_offered(n, sort);
            found++;
        }
        kinds[k].numbers += n->lots[i]->total;
    }
    for (size_t k = 0; k < found; k++) {
        if (kinds[k].offered)
            continue;
        jw_object(w, NULL);
        jw_textz(w, "countryCode", kinds[k].sort->country);
        jw_textz(w, "phoneNumberType", number_type_word(kinds[k].sort->type));
        jw_int(w, "numbers", (int64_t)kinds[k].numbers);
        jw_end(w);
    }
}
