#include "base/id.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"

#include <stdatomic.h>

enum { NODE_BITS = 10, SEQUENCE_BITS = 12, TIME_SHIFT = NODE_BITS + SEQUENCE_BITS, ROUNDS = 6 };
static const int64_t  EPOCH_MS = 1577836800000;             /* 2020-01-01T00:00:00Z */
static const uint64_t HALF_MASK = ((uint64_t)1 << 61) - 1;  /* 122 free bits are two halves of 61 */
static const unsigned ZERO_BITS = 50;

struct ids {
    uint64_t         round_key[ROUNDS][2];
    uint64_t         node;
    _Atomic uint64_t last;          /* time << 12 | sequence of the newest key, the node left out */
};

struct ids *ids_new(const uint8_t *key, unsigned node)
{
    struct ids *ids = calloc(1, sizeof *ids);
    if (!ids || node >= 1u << NODE_BITS) {
        free(ids);
        return NULL;
    }
    for (unsigned r = 0; r < ROUNDS; r++) {
        uint8_t mac[32];
        char label = (char)('0' + r);
        hmac_sha256(mac, key, ID_KEY_OCTETS, (struct str){ &label, 1 });
        memcpy(ids->round_key[r], mac, sizeof ids->round_key[r]);
    }
    ids->node = node;
    return ids;
}

void ids_free(struct ids *ids)
{
    free(ids);
}

static uint64_t now_ms(void)
{
    return (uint64_t)(clock_wall_us() / US_PER_MS - EPOCH_MS);
}

uint64_t ids_next(struct ids *ids)
{
    uint64_t last = ids->last, next;
    do {
        uint64_t fresh = now_ms() << SEQUENCE_BITS;
        next = fresh > last ? fresh : last + 1;     /* a full or backward millisecond borrows from the next */
    } while (!atomic_compare_exchange_weak(&ids->last, &last, next));
    return next >> SEQUENCE_BITS << TIME_SHIFT | ids->node << SEQUENCE_BITS | (next & ((1u << SEQUENCE_BITS) - 1));
}

void ids_after(struct ids *ids, uint64_t key)
{
    uint64_t floor = key >> TIME_SHIFT << SEQUENCE_BITS | (key & ((1u << SEQUENCE_BITS) - 1));
    uint64_t last = ids->last;
    while (last < floor && !atomic_compare_exchange_weak(&ids->last, &last, floor))
        ;
}

int64_t id_time_us(uint64_t key)
{
    return ((int64_t)(key >> TIME_SHIFT) + EPOCH_MS) * US_PER_MS;
}

uint64_t id_floor(int64_t us)
{
    int64_t ms = us / US_PER_MS - EPOCH_MS;
    return ms <= 0 ? 0 : (uint64_t)ms << TIME_SHIFT;
}

unsigned id_node(uint64_t key)
{
    return (unsigned)(key >> SEQUENCE_BITS) & ((1u << NODE_BITS) - 1);
}

/* A balanced Feistel network over two 61-bit halves. */
static void permute(const struct ids *ids, uint64_t half[2])
{
    for (int r = 0; r < ROUNDS; r++) {
        uint64_t next = half[0] ^ (siphash_u64(ids->round_key[r], half[1]) & HALF_MASK);
        half[0] = half[1];
        half[1] = next;
    }
}

static void permute_back(const struct ids *ids, uint64_t half[2])
{
    for (int r = ROUNDS - 1; r >= 0; r--) {
        uint64_t before = half[1] ^ (siphash_u64(ids->round_key[r], half[0]) & HALF_MASK);
        half[1] = half[0];
        half[0] = before;
    }
}

/* RFC 4122, 4.1: 48 bits | version 4 | 12 bits | variant 10 | 62 bits. The free bits in order: 48 + 12 + 1 | 61. */
static void guid_pack(uint8_t b[16], const uint64_t half[2])
{
    uint64_t hi = (half[0] >> 13) << 16 | 0x4000 | (half[0] >> 1 & 0xfff);
    uint64_t lo = (uint64_t)2 << 62 | (half[0] & 1) << 61 | half[1];
    for (int i = 0; i < 8; i++) {
        b[i] = (uint8_t)(hi >> (56 - 8 * i));
        b[8 + i] = (uint8_t)(lo >> (56 - 8 * i));
    }
}

static bool guid_unpack(const uint8_t b[16], uint64_t half[2])
{
    uint64_t hi = 0, lo = 0;
    for (int i = 0; i < 8; i++) {
        hi = hi << 8 | b[i];
        lo = lo << 8 | b[8 + i];
    }
    if ((hi >> 12 & 15) != 4 || lo >> 62 != 2)
        return false;
    half[0] = (hi >> 16) << 13 | (hi & 0xfff) << 1 | (lo >> 61 & 1);
    half[1] = lo & HALF_MASK;
    return true;
}

void ids_guid(const struct ids *ids, enum id_kind kind, uint64_t key, char *dst)
{
    uint64_t half[2] = { key >> 3, (key & 7) << 58 | (uint64_t)kind << ZERO_BITS };
    uint8_t b[16];
    char hex[33];
    permute(ids, half);
    guid_pack(b, half);
    hex_write(hex, b, sizeof b);
    static const uint8_t group[] = { 8, 4, 4, 4, 12 };
    const char *from = hex;
    for (size_t g = 0; g < ARRAY_LEN(group); g++) {
        memcpy(dst, from, group[g]);
        dst += group[g];
        from += group[g];
        *dst++ = g + 1 < ARRAY_LEN(group) ? '-' : '\0';
    }
}

/* Of any kind. */
static enum err guid_open(const struct ids *ids, struct str guid, uint64_t *key, unsigned *kind)
{
    char hex[32];
    size_t n = 0;
    uint8_t b[16];
    if (guid.n != GUID_SIZE - 1)
        return ERR_SYNTAX;
    for (size_t i = 0; i < guid.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash != (guid.p[i] == '-'))
            return ERR_SYNTAX;
        if (!dash)
            hex[n++] = guid.p[i];
    }
    if (hex_read(b, sizeof b, (struct str){ hex, sizeof hex }, &n))
        return ERR_SYNTAX;
    uint64_t half[2];
    if (!guid_unpack(b, half))
        return ERR_ABSENT;
    permute_back(ids, half);
    if (half[1] & (((uint64_t)1 << ZERO_BITS) - 1))
        return ERR_ABSENT;
    *kind = half[1] >> ZERO_BITS & 255;
    *key = half[0] << 3 | half[1] >> 58;
    return ERR_NONE;
}

enum err ids_guid_read(const struct ids *ids, enum id_kind kind, struct str guid, uint64_t *key)
{
    unsigned found;
    uint64_t opened;
    enum err err = guid_open(ids, guid, &opened, &found);
    if (!err && found != kind)
        err = ERR_ABSENT;
    if (!err)
        *key = opened;
    return err;
}

uint64_t ids_key_in(const struct ids *ids, struct str id)
{
    const char *dash = memchr(id.p, '-', id.n);
    size_t at = dash ? (size_t)(dash - id.p) : 0;
    unsigned kind;
    uint64_t key;
    if (at < 8 || id.n - (at - 8) < GUID_SIZE - 1 || guid_open(ids, (struct str){ dash - 8, GUID_SIZE - 1 }, &key, &kind))
        return 0;
    return key;
}

enum err guid_lower(struct str given, char out[GUID_SIZE])
{
    bool fine = given.n == GUID_SIZE - 1;
    for (size_t i = 0; fine && i < GUID_SIZE - 1; i++) {
        char c = given.p[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        c = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
        fine = dash ? c == '-' : hex_digit(c) >= 0;
        out[i] = c;
    }
    out[GUID_SIZE - 1] = '\0';
    return fine ? ERR_NONE : ERR_SYNTAX;
}
