#include "domain/messages/repeats.h"
#include "base/crypto.h"
#include "base/id.h"
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

/* Open addressing; a place is free when it has no message. A removal moves the run behind it back. */
struct table {
    struct repeat *places;
    size_t         mask, count;
};
struct repeats {
    struct table days[2];           /* this one, and the one before */
};

static enum err table_init(struct table *t, size_t places)
{
    t->places = calloc(places, sizeof *t->places);
    t->mask = places - 1;
    t->count = 0;
    return t->places ? ERR_NONE : ERR_NOMEM;
}

struct repeats *repeats_new(void)
{
    struct repeats *r = calloc(1, sizeof *r);
    if (!r || table_init(&r->days[0], 16) || table_init(&r->days[1], 16)) {
        repeats_free(r);
        return NULL;
    }
    return r;
}

void repeats_free(struct repeats *r)
{
    if (!r)
        return;
    free(r->days[0].places);
    free(r->days[1].places);
    free(r);
}

/* With room for as many as the day before had: growing moves all of them at once. */
void repeats_turn(struct repeats *r)
{
    struct table fresh;
    size_t places = 16;
    while (places * 3 < r->days[0].count * 4)
        places *= 2;
    if (table_init(&fresh, places))
        return;                     /* remembered for longer */
    free(r->days[1].places);
    r->days[1] = r->days[0];
    r->days[0] = fresh;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' ? c - 'a' + 10 : -1;
}

/* A GUID is its 128 bits. Anything else (the API once took any text) is known by a hash of it. */
static void read_id(struct str id, uint64_t out[2])
{
    char guid[GUID_SIZE], lower[128];
    out[0] = out[1] = 0;
    if (!guid_lower(id, guid)) {
        for (size_t i = 0, n = 0; guid[i]; i++)
            if (guid[i] != '-')
                out[n / 16] = out[n / 16] << 4 | (unsigned)digit(guid[i]), n++;
    } else {
        uint8_t hash[32];
        size_t n = id.n < sizeof lower ? id.n : sizeof lower;
        for (size_t i = 0; i < n; i++)
            lower[i] = (char)(id.p[i] >= 'A' && id.p[i] <= 'Z' ? id.p[i] | 0x20 : id.p[i]);
        sha256(hash, (struct str){ lower, n });
        memcpy(out, hash, 2 * sizeof out[0]);
    }
}

static bool is_same(const struct repeat *a, const struct repeat *b)
{
    return a->id[0] == b->id[0] && a->id[1] == b->id[1] && a->resource == b->resource;
}

/* Where this one is, or would be. */
static struct repeat *place_of(const struct table *t, const struct repeat *key)
{
    size_t at = hash_u64(key->id[0] ^ hash_u64(key->id[1] ^ key->resource)) & t->mask;
    while (t->places[at].message && !is_same(&t->places[at], key))
        at = (at + 1) & t->mask;
    return &t->places[at];
}

static enum err grow(struct table *t)
{
    struct table wider;
    if (table_init(&wider, (t->mask + 1) * 2))
        return ERR_NOMEM;
    for (size_t i = 0; i <= t->mask; i++)
        if (t->places[i].message)
            *place_of(&wider, &t->places[i]) = t->places[i];
    wider.count = t->count;
    free(t->places);
    *t = wider;
    return ERR_NONE;
}

const struct repeat *repeats_find(const struct repeats *r, uint64_t resource, struct str id)
{
    struct repeat key = { .resource = resource };
    read_id(id, key.id);
    for (int day = 0; day < 2; day++) {
        const struct repeat *place = place_of(&r->days[day], &key);
        if (place->message)
            return place;
    }
    return NULL;
}

enum err repeats_put(struct repeats *r, uint64_t resource, struct str id, struct repeat what, bool old)
{
    struct table *t = &r->days[old];
    if ((t->count + 1) * 4 > (t->mask + 1) * 3 && grow(t))
        return ERR_NOMEM;
    what.resource = resource;
    read_id(id, what.id);
    struct repeat *place = place_of(t, &what);
    t->count += !place->message;
    *place = what;
    return ERR_NONE;
}

static void take(struct table *t, const struct repeat *key)
{
    struct repeat *place = place_of(t, key);
    if (!place->message)
        return;
    size_t hole = (size_t)(place - t->places);
    t->places[hole] = (struct repeat){ 0 };
    t->count--;
    for (size_t at = (hole + 1) & t->mask; t->places[at].message; at = (at + 1) & t->mask) {
        struct repeat moved = t->places[at];
        t->places[at] = (struct repeat){ 0 };
        *place_of(t, &moved) = moved;
    }
}

void repeats_take(struct repeats *r, uint64_t resource, struct str id)
{
    struct repeat key = { .resource = resource };
    read_id(id, key.id);
    take(&r->days[0], &key);
    take(&r->days[1], &key);
}

uint32_t repeats_print(struct str from, struct str to, uint64_t text, struct str tag, bool report)
{
    uint64_t h = hash_u64(hash_str(to) ^ hash_u64(text + report));
    h = hash_u64(h + hash_str(from)) ^ (tag.n ? hash_str(tag) : 0);
    return (uint32_t)h ? (uint32_t)h : 1;
}
