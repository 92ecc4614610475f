/* interests.c - who wants an event: subscriptions by resource and type, so that none of another is looked at. */
#include "domain/events/events_priv.h"

#include <stdio.h>

enum { TYPE_MAX = 128 };

struct interest {
    struct event_subscription **all;        /* owned list */
    size_t n;
};

static struct str interest_name(char name[TYPE_MAX + 24], uint64_t resource, struct str type)
{
    int n = snprintf(name, TYPE_MAX + 24, "%llx ", (unsigned long long)resource);
    for (size_t i = 0; i < type.n && i < TYPE_MAX; i++)
        name[n++] = (char)(type.p[i] >= 'A' && type.p[i] <= 'Z' ? type.p[i] | 32 : type.p[i]);
    return (struct str){ name, (size_t)n };
}

static enum err interest_add(struct event_subscription *s, struct str type)
{
    char name[TYPE_MAX + 24];
    struct str key = interest_name(name, s->resource, type);
    struct interest *in = strmap_find(s->ev->interests, key);
    if (!in) {
        in = calloc(1, sizeof *in);
        if (!in || strmap_put(s->ev->interests, key, in)) {
            free(in);
            return ERR_NOMEM;
        }
    }
    for (size_t i = 0; i < in->n; i++)
        if (in->all[i] == s)
            return ERR_NONE;            /* a type that was named twice */
    struct event_subscription **longer = realloc(in->all, (in->n + 1) * sizeof(struct event_subscription *));
    if (!longer)
        return ERR_NOMEM;
    in->all = longer;
    in->all[in->n++] = s;
    return ERR_NONE;
}

static void interest_remove(struct event_subscription *s, struct str type)
{
    char name[TYPE_MAX + 24];
    struct str key = interest_name(name, s->resource, type);
    struct interest *in = strmap_find(s->ev->interests, key);
    for (size_t i = 0; in && i < in->n; i++)
        if (in->all[i] == s) {
            memmove(&in->all[i], &in->all[i + 1], (in->n - i - 1) * sizeof(struct event_subscription *));
            in->n--;
            break;
        }
    if (in && !in->n) {
        strmap_take(s->ev->interests, key);
        free(in->all);
        free(in);
    }
}

static const struct str EVERY_TYPE = { "*", 1 };

enum err interests_add(struct event_subscription *s)
{
    enum err err = s->types[0] ? ERR_NONE : interest_add(s, EVERY_TYPE);
    for (struct str rest = str_of(s->types), one; !err && rest.n;) {
        str_cut(rest, ',', &one, &rest);
        err = interest_add(s, str_trim(one));
    }
    return err;
}

void interests_remove(struct event_subscription *s)
{
    if (!s->types[0])
        interest_remove(s, EVERY_TYPE);
    for (struct str rest = str_of(s->types), one; rest.n;) {
        str_cut(rest, ',', &one, &rest);
        interest_remove(s, str_trim(one));
    }
}

static const struct json *look_into(struct looked *l)
{
    if (!l->data && !l->err)
        l->err = json_read(&l->data, l->event->data, NULL);
    return l->data ? json_root(l->data) : NULL;
}

static bool filter_wants(const struct event_subscription *s, struct looked *l)
{
    const struct json *filter = s->filter ? json_root(s->filter) : NULL;
    return s->state == SUBSCRIPTION_ACTIVE && !s->gone
        && filter_admits(filter, l->event->subject, filter_looks_at_data(filter) ? look_into(l) : NULL);
}

void subscriptions_wanting(const struct events *ev, struct looked *l, bool (*fn)(void *arg, struct event_subscription *s), void *arg)
{
    const struct str types[] = { l->event->type, EVERY_TYPE };
    char name[TYPE_MAX + 24];
    for (size_t t = 0; t < ARRAY_LEN(types); t++) {
        const struct interest *in = strmap_find(ev->interests, interest_name(name, l->event->resource, types[t]));
        for (size_t i = 0; in && i < in->n; i++)
            if (filter_wants(in->all[i], l) && !fn(arg, in->all[i]))
                return;
    }
}

/* "A,B" has type? An empty list has every type. */
static bool types_have(const char *types, struct str type)
{
    struct str rest = str_of(types), one;
    if (!rest.n)
        return true;
    while (rest.n) {
        str_cut(rest, ',', &one, &rest);
        if (str_eq_nocase(str_trim(one), type))
            return true;
    }
    return false;
}

bool subscription_wants(const struct event_subscription *s, struct looked *l)
{
    return s->resource == l->event->resource && types_have(s->types, l->event->type) && filter_wants(s, l);
}

void interests_free(struct strmap *interests)
{
    struct str name;
    void *value;
    for (size_t at = 0; interests && strmap_next(interests, &at, &name, &value);) {
        free(((struct interest *)value)->all);
        free(value);
    }
    strmap_free(interests);
}
