#include "domain/numbers/inventory.h"
#include "base/crypto.h"
#include "base/str.h"
#include "codec/e164/e164.h"

#include <stdio.h>

/* Outside North America; the id is the position from 1. */
static const struct range {
    const char      *country;
    enum number_type type;
    uint64_t         prefix;
    const char      *code, *place;
} ranges[] = {
#include "domain/sim_ranges.inc"
};

enum { NPA_LEAST = 200, LEFT_OUT = 102 };
static_assert(ARRAY_LEN(ranges) < NPA_LEAST, "ids of ranges stay below the area codes");

static bool is_range(unsigned id)
{
    return id < NPA_LEAST;
}

static void range_area(size_t i, struct inventory_area *out)
{
    const struct range *r = &ranges[i];
    *out = (struct inventory_area){ .id = (unsigned)i + 1, .prefix = r->prefix, .type = r->type, .place = r->place, .admin = "",
                                    .admin_name = "" };
    str_copyz(out->country, sizeof out->country, str_of(r->country));
    str_copyz(out->code, sizeof out->code, str_of(r->code));
}

/* The simulated carrier is at home in three countries of the North American plan; 5YY, 710, 900 are nobody's here. */
static bool nanp_area_offered(const struct nanp_area *a)
{
    return a->kind != NANP_OTHER && (!strcmp(a->country, "US") || !strcmp(a->country, "CA") || !strcmp(a->country, "PR"));
}

static void nanp_area_read(const struct nanp_area *a, struct inventory_area *out)
{
    *out = (struct inventory_area){ .id = a->npa, .prefix = nanp_digits(a->npa, INVENTORY_NXX, 0) / INVENTORY_LINES,
                                    .type = a->kind == NANP_TOLL_FREE ? NUMBER_TOLL_FREE : NUMBER_GEOGRAPHIC, .place = a->place,
                                    .admin = a->admin, .admin_name = a->admin_name };
    memcpy(out->country, a->country, sizeof out->country);
    snprintf(out->code, sizeof out->code, "%u", a->npa);
}

size_t inventory_areas(void)
{
    size_t n;
    nanp_areas(&n);
    return n + ARRAY_LEN(ranges);
}

bool inventory_area(size_t i, struct inventory_area *out)
{
    size_t n;
    const struct nanp_area *areas = nanp_areas(&n);
    if (i >= n) {
        range_area(i - n, out);
        return true;
    }
    if (!nanp_area_offered(&areas[i]))
        return false;
    nanp_area_read(&areas[i], out);
    return true;
}

bool inventory_area_of(uint64_t digits, struct inventory_area *out)
{
    struct nanp_number na;
    if (nanp_read(digits, &na)) {
        const struct nanp_area *a = na.nxx == INVENTORY_NXX ? nanp_area(na.npa) : NULL;
        if (!a || !nanp_area_offered(a))
            return false;
        nanp_area_read(a, out);
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if (ranges[i].prefix == digits / INVENTORY_LINES) {
            range_area(i, out);
            return true;
        }
    return false;
}

bool inventory_area_is(const struct inventory_area *a, struct str country, enum number_type type)
{
    if (a->type != type)
        return false;
    bool shared = !is_range(a->id) && type == NUMBER_TOLL_FREE;
    return str_eqz(country, a->country) || (shared && (str_eqz(country, "CA") || str_eqz(country, "PR")));
}

bool inventory_area_coded(struct str country, enum number_type type, struct str code, struct inventory_area *out)
{
    for (size_t i = 0; i < inventory_areas(); i++)
        if (inventory_area(i, out) && inventory_area_is(out, country, type) && str_eqz(code, out->code))
            return true;
    return false;
}

static bool line_offered(unsigned id, unsigned line)
{
    return is_range(id) || (!(line >= 100 && line <= 199) && line != 1212 && line != 4334);
}

bool inventory_has(uint64_t digits)
{
    struct inventory_area a;
    return inventory_area_of(digits, &a) && line_offered(a.id, digits % INVENTORY_LINES);
}

unsigned inventory_pool(unsigned id)
{
    return is_range(id) ? INVENTORY_LINES : INVENTORY_LINES - LEFT_OUT;
}

uint64_t inventory_digits(unsigned id, unsigned line)
{
    return is_range(id) ? ranges[id - 1].prefix * INVENTORY_LINES + line : nanp_digits(id, INVENTORY_NXX, line);
}

/* A keyed permutation of 14 bits: four Feistel rounds over two halves of seven. */
static unsigned shuffle14(const uint64_t key[2], unsigned id, unsigned v)
{
    unsigned left = v >> 7, right = v & 127;
    for (unsigned round = 0; round < 4; round++) {
        unsigned mixed = left ^ (siphash_u64(key, (uint64_t)id << 16 | round << 8 | right) & 127);
        left = right;
        right = mixed;
    }
    return left << 7 | right;
}

uint64_t inventory_at(uint64_t seed, unsigned id, unsigned i)
{
    const uint64_t key[2] = { seed, 0x6e756d62657273 };     /* "numbers": other uses of the seed differ */
    unsigned line = shuffle14(key, id, i);
    while (line >= INVENTORY_LINES)                         /* walk the cycle back into the range */
        line = shuffle14(key, id, line);
    return line_offered(id, line) ? inventory_digits(id, line) : 0;
}
