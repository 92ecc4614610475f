#include "domain/numbers/inventory.h"
#include "base/crypto.h"
#include "codec/e164/e164.h"

static bool line_offered(unsigned line)
{
    return !(line >= 100 && line <= 199) && line != 1212 && line != 4334;
}

bool inventory_has(uint64_t digits)
{
    struct nanp_number na;
    if (!nanp_read(digits, &na) || na.nxx != INVENTORY_NXX || !line_offered(na.line))
        return false;
    const struct nanp_area *a = nanp_area(na.npa);
    return a && !strcmp(a->country, "US") && a->kind != NANP_OTHER;
}

/* A keyed permutation of 14 bits: four Feistel rounds over two halves of seven. */
static unsigned shuffle14(const uint64_t key[2], unsigned npa, unsigned v)
{
    unsigned left = v >> 7, right = v & 127;
    for (unsigned round = 0; round < 4; round++) {
        unsigned mixed = left ^ (siphash_u64(key, (uint64_t)npa << 16 | round << 8 | right) & 127);
        left = right;
        right = mixed;
    }
    return left << 7 | right;
}

uint64_t inventory_at(uint64_t seed, unsigned npa, unsigned i)
{
    const uint64_t key[2] = { seed, 0x6e756d62657273 };     /* "numbers": other uses of the seed differ */
    unsigned line = shuffle14(key, npa, i);
    while (line >= INVENTORY_LINES)                         /* walk the cycle back into the range */
        line = shuffle14(key, npa, line);
    return line_offered(line) ? nanp_digits(npa, INVENTORY_NXX, line) : 0;
}
