#include "sim/handset.h"
#include "base/map.h"
#include "sim/manner.h"

struct handsets {
    struct strmap  *by_number;
    struct handset *newest, *oldest;
    size_t          n;
};

static void handset_free(struct handset *h)
{
    for (size_t i = 0; i < HANDSET_MESSAGES_MAX; i++)
        free(h->messages[i].from);          /* the text is in the same block */
    free(h->record_path);
    free(h->recording);
    manner_unref(h->manner);
    free(h);
}

struct handsets *handsets_new(void)
{
    struct handsets *hs = calloc(1, sizeof *hs);
    if (!hs)
        return NULL;
    hs->by_number = strmap_new();
    if (hs->by_number)
        return hs;
    free(hs);
    return NULL;
}

static void unlink_touched(struct handsets *hs, struct handset *h)
{
    *(h->newer ? &h->newer->older : &hs->newest) = h->older;
    *(h->older ? &h->older->newer : &hs->oldest) = h->newer;
}

static void link_newest(struct handsets *hs, struct handset *h)
{
    h->newer = NULL;
    h->older = hs->newest;
    *(hs->newest ? &hs->newest->newer : &hs->oldest) = h;
    hs->newest = h;
}

static void forget(struct handsets *hs, struct handset *h)
{
    strmap_take(hs->by_number, (struct str){ h->number, strlen(h->number) });
    unlink_touched(hs, h);
    hs->n--;
    handset_free(h);
}

void handsets_free(struct handsets *hs)
{
    if (!hs)
        return;
    while (hs->newest)
        forget(hs, hs->newest);
    strmap_free(hs->by_number);
    free(hs);
}

static void make_empty(struct handset *h)
{
    for (size_t i = 0; i < HANDSET_MESSAGES_MAX; i++) {
        free(h->messages[i].from);
        h->messages[i] = (struct handset_message){ 0 };
    }
    h->n_messages = h->first_message = 0;
    h->attached = h->will_answer = h->throttled = false;
    free(h->record_path);
    h->record_path = NULL;
    manner_unref(h->manner);            /* its call has its own hold of it */
    h->manner = NULL;
}

void handsets_clear(struct handsets *hs)
{
    for (struct handset *h = hs->newest, *older; h; h = older) {
        older = h->older;
        if (h->n_calls)
            make_empty(h);
        else
            forget(hs, h);
    }
}

static bool make_room(struct handsets *hs)
{
    if (hs->n < HANDSETS_MAX)
        return true;
    for (struct handset *h = hs->oldest; h; h = h->newer)
        if (!h->attached && !h->n_calls && !h->manner) {
            forget(hs, h);
            return true;
        }
    return false;
}

bool handset_number_ok(struct str number)
{
    size_t digits = number.n;
    if (!number.n || number.n > HANDSET_NUMBER_MAX)
        return false;
    for (size_t i = 0; i < number.n; i++)
        if (i == 0 && number.p[0] == '+')
            digits--;
        else if (number.p[i] < '0' || number.p[i] > '9')
            return false;
    return digits > 0;
}

static struct handset *make(struct handsets *hs, struct str number)
{
    if (!handset_number_ok(number) || !make_room(hs))
        return NULL;
    struct handset *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    memcpy(h->number, number.p, number.n);
    if (strmap_put(hs->by_number, number, h)) {
        free(h);
        return NULL;
    }
    hs->n++;
    link_newest(hs, h);
    return h;
}

struct handset *handsets_touch(struct handsets *hs, struct str number)
{
    struct handset *h = handsets_find(hs, number);
    if (!h)
        return make(hs, number);
    unlink_touched(hs, h);
    link_newest(hs, h);
    return h;
}

struct handset *handsets_find(const struct handsets *hs, struct str number)
{
    return strmap_find(hs->by_number, number);
}

struct handset *handsets_newest(const struct handsets *hs)
{
    return hs->newest;
}

size_t handsets_count(const struct handsets *hs)
{
    return hs->n;
}

bool handset_keep(struct handset *h, struct str from, struct str text, int64_t received_us)
{
    char *both = calloc(1, from.n + text.n + 2);
    if (!both)
        return false;
    memcpy(both, from.p, from.n);
    if (text.n)
        memcpy(both + from.n + 1, text.p, text.n);
    struct handset_message *m = &h->messages[(h->first_message + h->n_messages) % HANDSET_MESSAGES_MAX];
    if (h->n_messages == HANDSET_MESSAGES_MAX)
        h->first_message = (h->first_message + 1) % HANDSET_MESSAGES_MAX;
    else
        h->n_messages++;
    free(m->from);
    *m = (struct handset_message){ both, both + from.n + 1, received_us };
    return true;
}

const struct handset_message *handset_message(const struct handset *h, size_t i)
{
    return i < h->n_messages ? &h->messages[(h->first_message + i) % HANDSET_MESSAGES_MAX] : NULL;
}

const char *handset_state_name(enum handset_state state)
{
    static const char *const names[] = {
        [HANDSET_IDLE] = "idle", [HANDSET_DIALLING] = "dialling", [HANDSET_RINGING] = "ringing",
        [HANDSET_CONNECTED] = "connected",
    };
    return names[state];
}
