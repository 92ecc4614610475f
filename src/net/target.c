#include "net/target.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

struct v4_block {
    uint32_t         net;
    unsigned         bits;
    enum target_sort sort;
};
static const struct v4_block v4_blocks[] = {
    { 0x00000000, 8,  TARGET_NEVER },   /* this network; 0.0.0.0 would reach ourselves */
    { 0x0a000000, 8,  TARGET_LOCAL },
    { 0x64400000, 10, TARGET_LOCAL },   /* shared address space (RFC 6598) */
    { 0x7f000000, 8,  TARGET_LOCAL },
    { 0xa9fe0000, 16, TARGET_NEVER },   /* link-local */
    { 0xac100000, 12, TARGET_LOCAL },
    { 0xc0000000, 24, TARGET_NEVER },   /* protocol assignments */
    { 0xc0000200, 24, TARGET_NEVER },   /* documentation, here and below */
    { 0xc0a80000, 16, TARGET_LOCAL },
    { 0xc6120000, 15, TARGET_LOCAL },   /* benchmarking */
    { 0xc6336400, 24, TARGET_NEVER },
    { 0xcb007100, 24, TARGET_NEVER },
    { 0xe0000000, 4,  TARGET_NEVER },   /* multicast */
    { 0xf0000000, 4,  TARGET_NEVER },   /* reserved, broadcast */
};

static enum target_sort sort_v4(uint32_t a)
{
    for (size_t i = 0; i < ARRAY_LEN(v4_blocks); i++)
        if ((a ^ v4_blocks[i].net) >> (32 - v4_blocks[i].bits) == 0)
            return v4_blocks[i].sort;
    return TARGET_PUBLIC;
}

static uint32_t v4_at(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static enum target_sort sort_v6(const struct in6_addr *a)
{
    static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
    const uint8_t *b = a->s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(a) || memcmp(b, nat64, sizeof nat64) == 0)
        return sort_v4(v4_at(b + 12));
    if (b[0] == 0x20 && b[1] == 0x02)                   /* 6to4 */
        return sort_v4(v4_at(b + 2));
    if (IN6_IS_ADDR_LOOPBACK(a) || (b[0] & 0xfe) == 0xfc)
        return TARGET_LOCAL;
    if ((b[0] & 0xe0) != 0x20)                          /* outside 2000::/3 nothing is public */
        return TARGET_NEVER;
    bool teredo = b[0] == 0x20 && b[1] == 0x01 && b[2] == 0 && b[3] == 0;
    bool documentation = b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8;
    return teredo || documentation ? TARGET_NEVER : TARGET_PUBLIC;
}

enum target_sort target_sort_of(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, a, sizeof in);
        return sort_v4(ntohl(in.sin_addr.s_addr));
    }
    if (a->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, a, sizeof in);
        return sort_v6(&in.sin6_addr);
    }
    return TARGET_NEVER;
}

enum target_sort target_sort_of_text(const char *address)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address, &v4) == 1)
        return sort_v4(ntohl(v4.s_addr));
    if (inet_pton(AF_INET6, address, &v6) == 1)
        return sort_v6(&v6);
    return TARGET_NEVER;
}

bool target_is_loopback(struct str address)
{
    char z[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    if (address.n >= sizeof z)
        return false;
    str_copyz(z, sizeof z, address);
    if (inet_pton(AF_INET, z, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, z, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

struct str target_host_of(struct str authority)
{
    if (str_find(authority, '@') >= 0)      /* a user before the host: nobody of ours writes that */
        return STR("");
    struct str host, port;
    if (authority.n && authority.p[0] == '[') {
        ssize_t end = str_find(authority, ']');
        struct str behind = str_from(authority, (size_t)(end + 1));
        bool whole = end > 0 && (!behind.n || behind.p[0] == ':');
        return whole ? (struct str){ authority.p + 1, (size_t)end - 1 } : STR("");
    }
    str_cut(authority, ':', &host, &port);
    return host;
}

bool target_names_loopback(struct str authority)
{
    static const struct str below = { ".localhost", 10 };
    struct str host = target_host_of(authority);
    if (host.n > below.n && str_eq_nocase(str_from(host, host.n - below.n), below))
        return true;
    return str_eq_nocase(host, STR("localhost")) || target_is_loopback(host);
}
