/* reserve.c - reservations: numbers of the client's choice, held together, changed, given back, purchased.
 *
 * A reservation holds as a search does (hold.c, life.c); what differs is that it changes while it holds. A change is built
 * beside the old contents and takes their place when its unit committed. */
#include "base/log.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/numbers_priv.h"

#include <stdio.h>

/* What a reservation will be. Its new holds are marked in memory already. */
struct reservation_change {
    struct reservation     *r;          /* looked at while the task lives */
    struct reserved_number *items;      /* kept ones, then what this change put in */
    uint64_t               *gone;       /* held, to be given back */
    size_t                  count, kept, n_gone;
    bool                    moved;      /* something was held or given back: the time starts again */
    bool                    differs;    /* there is anything to store */
    int64_t                 expires_us;
    enum reserved           how;
    numbers_reserved_fn    *then;
    void                   *arg;
};

/* -- the objects ---------------------------------------------------------------------------------------------------- */

void reservation_free(struct reservation *r)
{
    if (!r)
        return;
    free((void *)(uintptr_t)r->pub.numbers);
    free(r);
}

static void change_free(struct reservation_change *c)
{
    if (!c)
        return;
    free(c->items);
    free(c->gone);
    free(c);
}

static void change_free_scoped(struct reservation_change **c)
{
    change_free(*c);
}

static void change_free_unheard(void *c)
{
    change_free(c);
}

static bool is_held(const struct reserved_number *item)
{
    return !item->error_code[0];
}

static size_t held_count(const struct number_reservation *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->count; i++)
        n += is_held(&r->numbers[i]);
    return n;
}

static void feed_all(struct reservation *r, enum number_event ev)
{
    for (size_t i = 0; i < r->pub.count; i++)
        if (is_held(&r->pub.numbers[i]))
            number_feed_held(r->n, r->pub.numbers[i].number, r->pub.key, ev);
}

/* What its lease would be. */
static struct lease item_lease(const struct reservation *r, const struct reserved_number *item)
{
    struct lease l = { .number = item->number, .resource = r->pub.resource, .type = item->type,
                       .assignment = item->assignment, .calling = item->calling, .sms = item->sms };
    memcpy(l.country, item->country, sizeof l.country);
    lease_origin(r->n, &l);
    return l;
}

/* Clients choose the ids, so each resource has names of its own. */
struct id_key { char z[64]; size_t n; };

static struct id_key id_key(uint64_t resource, const char *id)
{
    struct id_key k;
    k.n = (size_t)snprintf(k.z, sizeof k.z, "%016llx/%s", (unsigned long long)resource, id);
    return k;
}

static enum err id_read(struct str given, char out[40], struct problem *why)
{
    if (!guid_lower(given, out))
        return ERR_NONE;
    char shown[64];
    str_copyz(shown, sizeof shown, given);
    enum err err = rule_problem(why, ERR_RANGE, RULE_RESERVATION_ID_INVALID, shown);
    problem_target(why, "reservationId");
    return err;
}

static struct reservation *find(const struct numbers *n, uint64_t resource, const char *id)
{
    struct id_key k = id_key(resource, id);
    return strmap_find(n->reservation_ids, (struct str){ k.z, k.n });
}

/* -- the lists of the resources ------------------------------------------------------------------------------------- */

static struct reservation_list *list_of(const struct numbers *n, uint64_t resource)
{
    return map_find(n->reservation_lists, resource);
}

void reservation_lists_free(struct numbers *n)
{
    uint64_t key;
    void *value;
    for (size_t at = 0; n->reservation_lists && map_next(n->reservation_lists, &at, &key, &value);) {
        free(((struct reservation_list *)value)->at);
        free(value);
    }
    map_free(n->reservation_lists);
}

/* Room for one more, so that list_put() needs no memory. */
static enum err list_room(struct numbers *n, uint64_t resource)
{
    struct reservation_list *l = list_of(n, resource);
    if (!l) {
        l = calloc(1, sizeof *l);
        if (!l || map_put(n->reservation_lists, resource, l)) {
            free(l);
            return ERR_NOMEM;
        }
    }
    if (l->enlisted == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 8;
        struct reservation **at = realloc(l->at, cap * sizeof(struct reservation *));
        if (!at)
            return ERR_NOMEM;
        l->at = at;
        l->cap = cap;
    }
    l->enlisted++;
    return ERR_NONE;
}

/* Keys rise: mostly at its end. */
static size_t list_at(const struct reservation_list *l, uint64_t key)
{
    size_t from = 0, to = l->n;
    while (from < to) {
        size_t mid = (from + to) / 2;
        if (l->at[mid]->pub.key < key)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static void list_put(struct reservation *r)
{
    struct reservation_list *l = list_of(r->n, r->pub.resource);
    size_t i = list_at(l, r->pub.key);
    memmove(&l->at[i + 1], &l->at[i], (l->n - i) * sizeof(struct reservation *));
    l->at[i] = r;
    l->n++;
}

static void list_take(struct reservation *r)
{
    struct reservation_list *l = list_of(r->n, r->pub.resource);
    size_t i = list_at(l, r->pub.key);
    l->enlisted--;
    if (i == l->n || l->at[i] != r)
        return;                         /* no client knew it */
    l->n--;
    memmove(&l->at[i], &l->at[i + 1], (l->n - i) * sizeof(struct reservation *));
}

static void forget(struct reservation *r)
{
    struct id_key k = id_key(r->pub.resource, r->pub.id);
    agenda_clear(r->n->control->agenda, &r->due);
    list_take(r);
    strmap_take(r->n->reservation_ids, (struct str){ k.z, k.n });
    map_take(r->n->reservations, r->pub.key);
    reservation_free(r);
}

/* Takes r, also when it fails. */
static enum err enlist(struct reservation *r)
{
    struct id_key k = id_key(r->pub.resource, r->pub.id);
    if (list_room(r->n, r->pub.resource)) {
        reservation_free(r);
        return ERR_NOMEM;
    }
    if (map_put(r->n->reservations, r->pub.key, r)) {
        list_take(r);
        reservation_free(r);
        return ERR_NOMEM;
    }
    if (strmap_put(r->n->reservation_ids, (struct str){ k.z, k.n }, r)) {
        list_take(r);
        map_take(r->n->reservations, r->pub.key);
        reservation_free(r);
        return ERR_NOMEM;
    }
    return ERR_NONE;
}

/* -- time ----------------------------------------------------------------------------------------------------------- */

static void on_due(void *arg, int64_t due_us);

/* While active: the end of the hold. Then a month from its making. Once set, setting it again takes no memory. */
static enum err keep(struct reservation *r)
{
    bool open = r->pub.state == RESERVATION_ACTIVE || r->pub.state == RESERVATION_SUBMITTED;
    int64_t due = open ? r->pub.expires_us : billing_cycle_end(r->pub.created_us, r->pub.created_us);
    return agenda_set(r->n->control->agenda, &r->due, due, on_due, r);
}

static void keep_on(struct reservation *r)
{
    if (keep(r))
        log_warn("numbers", "no memory for a timer: a reservation is kept until the next start");
}

static void on_due(void *arg, int64_t due_us)
{
    (void)due_us;
    struct reservation *r = arg;
    if (r->busy)
        return;                         /* what is being stored decides, and sets the timer again */
    struct db_unit *u = db_unit_new();
    if (r->pub.state != RESERVATION_ACTIVE) {
        reservation_row_delete(u, r->pub.key);
        numbers_post_quietly(r->n, u);
        forget(r);
        return;
    }
    reservation_row_end(u, r->pub.key, RESERVATION_EXPIRED, 0, false);
    numbers_post_quietly(r->n, u);
    r->pub.state = RESERVATION_EXPIRED;
    feed_all(r, NUMBER_EV_DUE);
    keep_on(r);
}

/* -- reading at start ----------------------------------------------------------------------------------------------- */

static enum err load_reservation(void *arg, const struct reservation_row *row)
{
    struct numbers *n = arg;
    struct reservation *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    *r = (struct reservation){
        .pub = { .key = row->key, .resource = row->resource, .state = (enum reservation_state)row->state,
                 .created_us = row->created_us, .expires_us = row->expires_us },
        .n = n, .committed = true, .purchase = row->purchase,
    };
    str_copyz(r->pub.id, sizeof r->pub.id, row->guid);
    enum err err = enlist(r);
    if (err)
        return err;
    list_put(r);
    ids_after(n->control->ids, r->pub.key);
    return keep(r);
}

static enum err load_item(void *arg, const struct reservation_item_row *row)
{
    struct numbers *n = arg;
    struct reservation *r = map_find(n->reservations, row->reservation);
    if (!r)
        return ERR_NONE;                /* its reservation was forgotten */
    struct reserved_number *items = realloc((void *)(uintptr_t)r->pub.numbers, (r->pub.count + 1) * sizeof *items);
    if (!items)
        return ERR_NOMEM;
    struct reserved_number *item = &items[r->pub.count++];
    r->pub.numbers = items;
    *item = (struct reserved_number){
        .number = row->digits, .type = (enum number_type)row->type, .assignment = (enum assignment)row->assignment,
        .calling = (enum capability)row->calling, .sms = (enum capability)row->sms, .lease_micro = row->lease_micro };
    str_copyz(item->country, sizeof item->country, row->country);
    str_copyz(item->error_code, sizeof item->error_code, row->error_code);
    str_copyz(item->error_text, sizeof item->error_text, row->error_text);
    return ERR_NONE;
}

enum err reservations_load(struct numbers *n)
{
    enum err err = reservation_rows_each(n->control->db, load_reservation, n);
    return err ? err : reservation_item_rows_each(n->control->db, load_item, n);
}

/* Only a database that somebody wrote in lets two have a number. */
static enum err load_held(struct reservation *r)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; i < r->pub.count && !err; i++) {
        struct lease l = item_lease(r, &r->pub.numbers[i]);
        err = is_held(&r->pub.numbers[i]) ? number_load_held(r->n, r->pub.key, &l) : ERR_NONE;
    }
    if (err != ERR_CONFLICT)
        return err;
    log_error("numbers", "a reservation holds a number that is not free: it is ended");
    r->pub.state = RESERVATION_EXPIRED;
    feed_all(r, NUMBER_EV_DUE);
    keep_on(r);
    return ERR_NONE;
}

enum err reservations_load_held(struct numbers *n)
{
    uint64_t key;
    void *value;
    enum err err = ERR_NONE;
    for (size_t at = 0; !err && map_next(n->reservations, &at, &key, &value);) {
        struct reservation *r = value;
        if (r->pub.state == RESERVATION_ACTIVE && r->pub.expires_us > numbers_now(n))
            err = load_held(r);
    }
    return err;
}

/* -- look-up -------------------------------------------------------------------------------------------------------- */

static enum err committed(const struct numbers *n, uint64_t resource, struct str given, struct reservation **out,
                          struct problem *why)
{
    char id[40];
    enum err err = id_read(given, id, why);
    if (err)
        return err;
    struct reservation *r = find(n, resource, id);
    if (!r || !r->committed) {
        err = rule_problem(why, ERR_ABSENT, RULE_RESERVATION_NOT_FOUND, id);
        problem_target(why, "reservationId");
        return err;
    }
    *out = r;
    return ERR_NONE;
}

enum err numbers_reservation_of(const struct numbers *n, uint64_t resource, struct str id,
                                const struct number_reservation **out, struct problem *why)
{
    struct reservation *r;
    enum err err = committed(n, resource, id, &r, why);
    if (!err)
        *out = &r->pub;
    return err;
}

void numbers_reservations(const struct numbers *n, uint64_t resource, size_t skip, size_t most,
                          const struct number_reservation **out, size_t *count, bool *more)
{
    const struct reservation_list *l = list_of(n, resource);
    size_t all = l ? l->n : 0;
    *count = 0;
    for (size_t i = skip; i < all && *count < most; i++)
        out[(*count)++] = &l->at[i]->pub;
    *more = skip < all && all - skip > most;
}

/* -- may it be changed? --------------------------------------------------------------------------------------------- */

static const char *state_word(enum reservation_state state)
{
    switch (state) {
    case RESERVATION_ACTIVE:    return "active";
    case RESERVATION_SUBMITTED: return "submitted";
    case RESERVATION_COMPLETED: return "completed";
    case RESERVATION_EXPIRED:   return "expired";
    }
    return "expired";
}

static enum err check_active(const struct reservation *r, struct problem *why)
{
    char when[ISO8601_SIZE];
    if (r->busy)
        return number_busy("this reservation", why);
    if (r->pub.state == RESERVATION_COMPLETED)
        return rule_problem(why, ERR_CONFLICT, RULE_RESERVATION_NOT_ACTIVE, r->pub.id, state_word(r->pub.state));
    time_iso8601(when, r->pub.expires_us);
    if (r->pub.state != RESERVATION_ACTIVE || numbers_now(r->n) >= r->pub.expires_us)
        return rule_problem(why, ERR_CONFLICT, RULE_RESERVATION_OVER, r->pub.id, when);
    return ERR_NONE;
}

/* -- what a change makes of it -------------------------------------------------------------------------------------- */

struct wishes { const struct reservation_wish *list; size_t count; };

static bool wished_out(struct wishes w, uint64_t number)
{
    for (size_t i = 0; i < w.count; i++)
        if (w.list[i].number == number && w.list[i].out)
            return true;
    return false;
}

static bool wished_in(struct wishes w, uint64_t number)
{
    for (size_t i = 0; i < w.count; i++)
        if (w.list[i].number == number && !w.list[i].out)
            return true;
    return false;
}

static struct reserved_number *item_of(const struct reservation_change *c, uint64_t number)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].number == number)
            return &c->items[i];
    return NULL;
}

/* Who asks is told at once, for the whole request; what is wrong with one number stands beside that number. */
static enum err check_who(const struct numbers *n, uint64_t resource, struct wishes w, struct problem *why)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; i < w.count && !err; i++) {
        const struct catalogue_row *row;
        const struct reservation_wish *x = &w.list[i];
        struct problem ignored = { 0 };
        if (!x->out && !numbers_plan(n, x->country, x->type, x->assignment, x->calling, x->sms, &row, &ignored))
            err = numbers_eligible(n, resource, row, why);
    }
    return err;
}

/* One of the operator's own, on the terms of its lot. */
static bool is_own_available(const struct numbers *n, const struct lot *l, const struct reservation_wish *w)
{
    char country[3];
    str_copyz(country, sizeof country, w->country);
    return own_is_available(n, w->number) && sort_offers(sort_of(n, l), country, w->type, w->calling, w->sms);
}

/* Untouched, or in quarantine when its area code has nothing else left: as a search picks. */
static bool is_available(const struct numbers *n, const struct reservation_wish *w)
{
    struct inventory_area a;
    const struct lot *l = lot_of(n, w->number);
    if (l)
        return is_own_available(n, l, w);
    if (!n->conf.simulator || !inventory_has(w->number) || !inventory_area_of(w->number, &a)
        || !inventory_area_is(&a, w->country, w->type))
        return false;
    const struct number *x = number_find(n, w->number);
    return !x || number_is_last(n, x);
}

static enum err wish_check(const struct numbers *n, const struct reservation_wish *w, struct reserved_number *item,
                           struct problem *why)
{
    char text[E164_SIZE], country[8];
    const struct catalogue_row *row;
    enum err err = numbers_plan(n, w->country, w->type, w->assignment, w->calling, w->sms, &row, why);
    if (err)
        return err;
    item->lease_micro = row->lease_micro;
    str_copyz(country, sizeof country, w->country);
    return is_available(n, w) ? ERR_NONE
                              : rule_problem(why, ERR_CONFLICT, RULE_NUMBER_NOT_AVAILABLE, e164_write(text, w->number),
                                             number_type_word(w->type), country);
}

/* Hold it, or say in it why not. */
static enum err put_in(struct reservation_change *c, const struct reservation_wish *w)
{
    struct reservation *r = c->r;
    struct problem why = { 0 };
    struct reserved_number *item = &c->items[c->count];
    *item = (struct reserved_number){ .number = w->number, .type = w->type, .assignment = w->assignment,
                                      .calling = w->calling, .sms = w->sms };
    str_copyz(item->country, sizeof item->country, w->country);
    if (wish_check(r->n, w, item, &why)) {      /* an impossible plan's text says nothing, its suggestion does */
        bool silent = !strcmp(why.code, "InternalError");
        snprintf(item->error_code, sizeof item->error_code, "%s", why.rule);
        snprintf(item->error_text, sizeof item->error_text, "%s", silent ? why.suggestion : why.text);
        c->how = RESERVED_PARTLY;
        c->count++;
        return ERR_NONE;
    }
    struct lease l = item_lease(r, item);
    if (!number_hold(r->n, r->pub.key, &l))
        return ERR_NOMEM;
    c->moved = true;
    c->count++;
    return ERR_NONE;
}

/* What stays, and what goes; something that stood in error and is wished for again is tried again. */
static void keep_old(struct reservation_change *c, struct wishes w)
{
    for (size_t i = 0; i < c->r->pub.count; i++) {
        const struct reserved_number *item = &c->r->pub.numbers[i];
        bool out = wished_out(w, item->number), again = !is_held(item) && wished_in(w, item->number);
        if (out && is_held(item))
            c->gone[c->n_gone++] = item->number;
        if (!out && !again)
            c->items[c->count++] = *item;
        c->differs |= out;
    }
    c->kept = c->count;
    c->moved = c->n_gone > 0;
}

static void feed_fresh(struct reservation_change *c, enum number_event ev)
{
    for (size_t i = c->kept; i < c->count; i++)
        if (is_held(&c->items[i]))
            number_feed_held(c->r->n, c->items[i].number, c->r->pub.key, ev);
}

static enum err too_large(struct problem *why)
{
    char most[24];
    snprintf(most, sizeof most, "%d", NUMBERS_RESERVED_MOST);
    enum err err = rule_problem(why, ERR_RANGE, RULE_RESERVATION_TOO_LARGE, most);
    problem_target(why, "phoneNumbers");
    return err;
}

static size_t how_many(const struct reservation_change *c, struct wishes w)
{
    size_t n = c->kept;
    for (size_t i = 0; i < w.count; i++)
        n += !w.list[i].out && !item_of(c, w.list[i].number) && !wished_out(w, w.list[i].number);
    return n;
}

/* On failure nothing is marked. */
static enum err change_fill(struct reservation_change *c, struct wishes w, struct problem *why)
{
    const struct number_reservation *r = &c->r->pub;
    c->items = calloc(r->count + w.count + 1, sizeof c->items[0]);
    c->gone = calloc(r->count + 1, sizeof c->gone[0]);
    if (!c->items || !c->gone)
        return ERR_NOMEM;
    keep_old(c, w);
    if (how_many(c, w) > NUMBERS_RESERVED_MOST)
        return too_large(why);
    enum err err = ERR_NONE;
    for (size_t i = 0; i < w.count && !err; i++)
        if (!w.list[i].out && !wished_out(w, w.list[i].number) && !item_of(c, w.list[i].number))
            err = put_in(c, &w.list[i]);
    if (err)
        feed_fresh(c, NUMBER_EV_UNDONE);
    c->differs |= c->moved || c->count > c->kept || !c->r->committed;
    return err;
}

/* -- its unit ------------------------------------------------------------------------------------------------------- */

static void put_item(struct db_unit *u, uint64_t key, const struct reserved_number *item)
{
    reservation_item_row_put(u, &(struct reservation_item_row){
        .reservation = key, .digits = item->number, .type = (int)item->type, .assignment = (int)item->assignment,
        .calling = (int)item->calling, .sms = (int)item->sms, .country = str_of(item->country),
        .error_code = str_of(item->error_code), .error_text = str_of(item->error_text), .lease_micro = item->lease_micro });
}

static struct db_unit *change_unit(const struct reservation_change *c)
{
    const struct number_reservation *r = &c->r->pub;
    struct db_unit *u = db_unit_new();
    if (c->r->committed)
        reservation_row_extend(u, r->key, c->expires_us);
    else
        reservation_row_insert(u, &(struct reservation_row){ .key = r->key, .resource = r->resource, .guid = str_of(r->id),
                                                             .created_us = r->created_us, .expires_us = c->expires_us });
    for (size_t i = 0; i < r->count; i++)
        if (!item_of(c, r->numbers[i].number))
            reservation_item_row_delete(u, r->key, r->numbers[i].number);
    for (size_t i = c->kept; i < c->count; i++) {
        put_item(u, r->key, &c->items[i]);
        if (is_held(&c->items[i]))
            number_held_row(u, number_find(c->r->n, c->items[i].number));
    }
    return u;
}

/* Memory follows the commit. */
static void settle_change(struct task *t, enum err err)
{
    struct reservation_change *c = t->extra;
    struct reservation *r = c->r;
    r->busy = false;
    feed_fresh(c, err ? NUMBER_EV_UNDONE : NUMBER_EV_DONE);
    if (err && !r->committed) {
        forget(r);
        return;
    }
    if (!err) {
        for (size_t i = 0; i < c->n_gone; i++)
            number_feed_held(r->n, c->gone[i], r->pub.key, NUMBER_EV_CANCEL);
        free((void *)(uintptr_t)r->pub.numbers);
        r->pub.numbers = c->items;
        r->pub.count = c->count;
        r->pub.expires_us = c->expires_us;
        c->items = NULL;
        if (!r->committed)
            list_put(r);
        r->committed = true;
    }
    keep_on(r);                         /* its time may have come meanwhile */
}

/* Told behind settle_change(). */
static void on_changed(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)op;
    struct reservation_change *c = arg;
    c->then(c->arg, err, err ? NULL : &c->r->pub, c->how, why);
    change_free(c);
}

static int64_t expiry(const struct reservation_change *c, int64_t now)
{
    const struct number_reservation *r = &c->r->pub;
    int64_t next = now + NUMBERS_HOLD_S * (int64_t)US_PER_S;
    int64_t last = r->created_us + NUMBERS_RESERVED_LONGEST_S * (int64_t)US_PER_S;
    if (c->r->committed && !c->moved)
        return r->expires_us;
    return next < last ? next : last;
}

/* Gives the change away on success. */
static enum err change_post(struct reservation_change *c, struct problem *why)
{
    struct reservation *r = c->r;
    int64_t now = numbers_now(r->n);
    struct task *t = calloc(1, sizeof *t);
    c->expires_us = expiry(c, now);
    if (!t) {
        feed_fresh(c, NUMBER_EV_UNDONE);
        if (!r->committed)
            forget(r);
        return ERR_NOMEM;
    }
    *t = (struct task){ .n = r->n, .settle = settle_change, .reservation = r, .extra = c, .extra_free = change_free_unheard,
                        .then = on_changed, .arg = c };
    r->busy = true;
    return task_post(t, change_unit(c), why);
}

static enum err reservation_make(struct numbers *n, uint64_t resource, const char *id, struct reservation **out)
{
    int64_t now = numbers_now(n);
    struct reservation *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    *r = (struct reservation){
        .pub = { .key = control_key(n->control), .resource = resource, .state = RESERVATION_ACTIVE, .created_us = now,
                 .expires_us = now + NUMBERS_HOLD_S * (int64_t)US_PER_S },
        .n = n,
    };
    snprintf(r->pub.id, sizeof r->pub.id, "%s", id);
    enum err err = enlist(r);
    if (!err && (err = keep(r)))
        forget(r);
    if (!err)
        *out = r;
    return err;
}

enum err numbers_reserve(struct numbers *n, uint64_t resource, struct str given, const struct reservation_wish *list,
                         size_t count, numbers_reserved_fn *done, void *arg, struct problem *why)
{
    char id[40];
    struct wishes w = { list, count };
    enum err err = id_read(given, id, why);
    if (err)
        return err;
    struct reservation *r = find(n, resource, id);
    bool fresh = !r;
    if (r && (err = check_active(r, why)))
        return err;
    if ((err = check_who(n, resource, w, why)) || (fresh && (err = reservation_make(n, resource, id, &r))))
        return err;
    __attribute__((cleanup(change_free_scoped))) struct reservation_change *c = calloc(1, sizeof *c);
    if (c) {
        *c = (struct reservation_change){ .r = r, .how = fresh ? RESERVED_NEW : RESERVED_CHANGED, .then = done, .arg = arg };
        err = change_fill(c, w, why);
    }
    if (!c || err) {
        if (fresh)
            forget(r);
        return c ? err : ERR_NOMEM;
    }
    if (!c->differs) {                  /* asked again, after an answer that did not arrive */
        done(arg, ERR_NONE, &r->pub, c->how, NULL);
        return ERR_NONE;
    }
    err = change_post(c, why);
    if (!err)
        c = NULL;                       /* on its way */
    return err;
}

/* -- giving back, purchase ------------------------------------------------------------------------------------------ */

static void settle_end(struct task *t, enum err err)
{
    struct reservation *r = t->reservation;
    r->busy = false;
    if (err) {
        keep_on(r);
        return;
    }
    feed_all(r, NUMBER_EV_CANCEL);
    forget(r);
}

enum err numbers_unreserve(struct numbers *n, uint64_t resource, struct str id, numbers_done_fn *done, void *arg,
                           struct problem *why)
{
    struct reservation *r;
    enum err err = committed(n, resource, id, &r, why);
    if (!err)
        err = check_active(r, why);
    if (err)
        return err;
    struct task *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    *t = (struct task){ .n = n, .settle = settle_end, .reservation = r, .then = done, .arg = arg };
    r->busy = true;
    struct db_unit *u = db_unit_new();
    reservation_row_delete(u, r->pub.key);
    return task_post(t, u, why);
}

static void settle_purchase(struct task *t, enum err err)
{
    struct reservation *r = t->reservation;
    r->busy = false;
    if (err)
        usage_purchase_undo(t->n->control->usage, r->pub.resource, t->charged_micro, t->op->pub.created_us);
    r->pub.state = err ? RESERVATION_ACTIVE : RESERVATION_COMPLETED;
    feed_all(r, err ? NUMBER_EV_UNDONE : NUMBER_EV_DONE);
    for (size_t i = 0; i < r->pub.count && !err; i++)
        if (is_held(&r->pub.numbers[i]))
            number_find(r->n, r->pub.numbers[i].number)->lease.purchased_us = t->op->pub.created_us;
    if (!err)
        r->purchase = t->op->pub.key;
    keep_on(r);                         /* its hold may have ended meanwhile: then it is due at once */
    if (!err)
        log_info("numbers", "leased %zu reserved numbers", held_count(&r->pub));
}

static enum err check_purchase(const struct reservation *r, bool agrees, struct problem *why)
{
    enum err err = check_active(r, why);
    if (!err && !held_count(&r->pub))
        err = rule_problem(why, ERR_RANGE, RULE_RESERVATION_EMPTY, r->pub.id);
    int64_t micro = 0;
    for (size_t i = 0; i < r->pub.count && !err; i++) {
        const struct reserved_number *x = &r->pub.numbers[i];
        const struct catalogue_row *row;
        if (!is_held(x))
            continue;
        micro += x->lease_micro;
        err = numbers_plan(r->n, str_of(x->country), x->type, x->assignment, x->calling, x->sms, &row, why);
        if (!err)
            err = numbers_eligible(r->n, r->pub.resource, row, why);
        if (!err)
            err = catalogue_agreed(row, agrees, why);
    }
    return err ? err : usage_may_spend(r->n->control->usage, r->pub.resource, micro, why);
}

enum err numbers_buy_reserved(struct numbers *n, uint64_t resource, struct str id, bool agrees, numbers_done_fn *done,
                              void *arg, struct problem *why)
{
    struct reservation *r;
    enum err err = committed(n, resource, id, &r, why);
    if (err)
        return err;
    const struct number_operation *first = r->pub.state == RESERVATION_COMPLETED
        ? numbers_operation_find(n, resource, OPERATION_RESERVATION, r->purchase) : NULL;
    if (first) {                        /* asked again, after an answer that did not arrive */
        done(arg, ERR_NONE, first, NULL);
        return ERR_NONE;
    }
    struct task *t = NULL;
    err = check_purchase(r, agrees, why);
    if (!err)
        err = task_allowed(n, resource, OPERATION_RESERVATION, why);
    if (!err)
        err = task_new(n, OPERATION_RESERVATION, resource, control_key(n->control), r->pub.key, settle_purchase, done, arg,
                       &t);
    if (err)
        return err;
    t->reservation = r;
    r->busy = true;
    r->pub.state = RESERVATION_SUBMITTED;
    feed_all(r, NUMBER_EV_BUY);
    struct db_unit *u = db_unit_new();
    for (size_t i = 0; i < r->pub.count; i++)
        if (is_held(&r->pub.numbers[i]))
            number_leased_row(u, number_find(n, r->pub.numbers[i].number), t->op->pub.created_us);
    reservation_row_end(u, r->pub.key, RESERVATION_COMPLETED, t->op->pub.key, true);
    for (size_t i = 0; i < r->pub.count; i++)
        if (is_held(&r->pub.numbers[i]))
            t->charged_micro += usage_purchase(n->control->usage, u, &number_find(n, r->pub.numbers[i].number)->lease,
                                               &t->op->pub);
    return task_post(t, u, why);
}
