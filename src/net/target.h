/* target.h - what sort of address is this, for rules about whom the server may call.
 *
 * Pure: any thread. Sources: the IANA special-purpose address registries (RFC 6890) and what tunnels to IPv4 inside IPv6. */
#pragma once
#include "base/base.h"

struct sockaddr;

enum target_sort {
    TARGET_PUBLIC,
    TARGET_LOCAL,               /* this machine or a private network: 127/8, 10/8, 172.16/12, 192.168/16, 100.64/10,
                                   ::1, fc00::/7 */
    TARGET_NEVER,               /* link-local (metadata services live there), multicast, unspecified, reserved */
};
enum target_sort target_sort_of(const struct sockaddr *a);
/** Of an address in text form; anything else is TARGET_NEVER. */
enum target_sort target_sort_of_text(const char *address);

/** 127/8 or ::1 in text form, without brackets; a name is neither. */
bool target_is_loopback(struct str address);
/** The host of "host", "host:port", "[v6]" or "[v6]:port", without brackets; empty when it is none of these. */
struct str target_host_of(struct str authority);
/** Does this authority (a Host header, the middle of a URL) name this machine: localhost, *.localhost, 127/8 or ::1? */
bool target_names_loopback(struct str authority);
