#include "domain/events/lanes.h"

enum err lanes_init(struct lanes *l)
{
    *l = (struct lanes){ .by_name = map_new() };
    l->ready_tail = &l->ready;
    return l->by_name ? ERR_NONE : ERR_NOMEM;
}

void lanes_done(struct lanes *l, struct agenda *agenda, void (*forget)(void *arg, uint64_t key), void *arg)
{
    uint64_t name;
    void *value;
    for (size_t at = 0; l->by_name && map_next(l->by_name, &at, &name, &value);) {
        struct lane *lane = value;
        for (struct place *p = lane->head, *next; p; p = next) {
            next = p->next;
            if (forget)
                forget(arg, p->key);
            free(p);
        }
        if (lane->rest)
            agenda_clear(agenda, &lane->rest->until);
        free(lane->rest);
        free(lane);
    }
    map_free(l->by_name);
    *l = (struct lanes){ 0 };
}

static struct lane *lane_named(struct lanes *l, uint64_t name)
{
    struct lane *lane = map_find(l->by_name, name);
    if (lane)
        return lane;
    lane = calloc(1, sizeof *lane);
    if (!lane || map_put(l->by_name, name, lane)) {
        free(lane);
        return NULL;
    }
    lane->name = name;
    lane->tail = &lane->head;
    return lane;
}

static void lane_end(struct lanes *l, struct lane *lane)
{
    map_take(l->by_name, lane->name);
    free(lane);
}

void lanes_wake(struct lanes *l, struct lane *lane)
{
    if (lane->ready || lane->in_hand || lane->rest || !lane->head)
        return;
    lane->ready = true;
    lane->next = NULL;
    *l->ready_tail = lane;
    l->ready_tail = &lane->next;
}

enum err lanes_add(struct lanes *l, uint64_t name, const struct place *place, struct lane **out)
{
    struct place *p = malloc(sizeof *p);
    struct lane *lane = p ? lane_named(l, name) : NULL;
    if (!lane) {
        free(p);
        return ERR_NOMEM;
    }
    *p = *place;
    p->next = NULL;
    *lane->tail = p;
    lane->tail = &p->next;
    l->count++;
    lanes_wake(l, lane);
    *out = lane;
    return ERR_NONE;
}

static struct lane *pop_ready(struct lanes *l)
{
    struct lane *lane = l->ready;
    l->ready = lane->next;
    if (!l->ready)
        l->ready_tail = &l->ready;
    lane->next = NULL;
    lane->ready = false;
    return lane;
}

struct lane *lanes_take(struct lanes *l, uint32_t most, uint32_t *n)
{
    if (!l->ready)
        return NULL;
    struct lane *lane = pop_ready(l);
    lane->in_hand = 1;
    for (const struct place *p = lane->head; !lane->head->alone && lane->in_hand < most && p->next && !p->next->alone; p = p->next)
        lane->in_hand++;
    *n = lane->in_hand;
    return lane;
}

struct lane *lanes_take_more(struct lanes *l, uint32_t most, uint32_t *n)
{
    return l->ready && !l->ready->head->alone ? lanes_take(l, most, n) : NULL;
}

void lanes_keep(struct lanes *l, struct lane *lane, uint32_t keep)
{
    lane->in_hand = keep;
    if (keep || lane->ready || lane->rest || !lane->head)
        return;
    lane->ready = true;
    lane->next = l->ready;
    if (!l->ready)
        l->ready_tail = &lane->next;
    l->ready = lane;
}

struct place *lanes_find(struct lane *lane, uint64_t key)
{
    struct place *p = lane->head;
    for (uint32_t i = 0; p && i < lane->in_hand; i++, p = p->next)
        if (p->key == key)
            return p;
    return NULL;
}

void lanes_remove(struct lanes *l, struct lane *lane, uint64_t key)
{
    struct place **at = &lane->head;
    for (uint32_t i = 0; *at && i < lane->in_hand; i++, at = &(*at)->next)
        if ((*at)->key == key) {
            struct place *p = *at;
            *at = p->next;
            if (!*at)
                lane->tail = at;
            free(p);
            lane->in_hand--;
            l->count--;
            return;
        }
}

struct lane *lanes_back(struct lanes *l, struct lane *lane)
{
    lane->in_hand = 0;
    if (lane->head)
        return lane;
    if (lane->rest)
        return NULL;                /* ends when it has rested: the agenda knows it still */
    lane_end(l, lane);
    return NULL;
}

void lanes_rest(struct lanes *l, struct lane *lane, struct agenda *agenda, int64_t until_us, agenda_fn *fn, void *owner)
{
    (void)l;
    struct lane_rest *rest = lane->rest ? lane->rest : calloc(1, sizeof *rest);
    if (!rest)
        return;
    rest->lane = lane;
    rest->owner = owner;
    lane->rest = rest;
    if (agenda_set(agenda, &rest->until, until_us, fn, rest)) {
        free(rest);
        lane->rest = NULL;
    }
}

void lanes_rested(struct lanes *l, struct lane *lane)
{
    free(lane->rest);
    lane->rest = NULL;
    if (!lane->head && !lane->in_hand)
        lane_end(l, lane);
    else
        lanes_wake(l, lane);
}
