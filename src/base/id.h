/* id.h - every identity the product makes.
 *
 * Inside: 64 bits, time-ordered: 42 bits of milliseconds since 2020 | 10 of node | 12 of sequence. Outside, where the
 * API shows a GUID: an RFC 4122 version-4 form whose 122 free bits are {key 64, kind 8, zero 50} through a keyed
 * permutation, so a public id needs no index of its own and a forged one is found without the database.
 * Thread: struct ids may be used from any thread. */
#pragma once
#include "base/base.h"

enum id_kind {
    ID_SUBSCRIPTION = 1, ID_RESOURCE, ID_SEARCH, ID_OPERATION_SEARCH, ID_OPERATION_PURCHASE, ID_OPERATION_RELEASE,
    ID_OPERATION_CAPABILITIES, ID_MESSAGE, ID_EVENT, ID_EVENT_SUBSCRIPTION, ID_CALL, ID_CORRELATION, ID_SERVER_CALL,
    ID_REQUEST, ID_USER, ID_OPERATION_CONTEXT, ID_RESERVATION_PURCHASE, ID_AVAILABLE_NUMBER,
};

enum { GUID_SIZE = 37, ID_KEY_OCTETS = 32 };
struct ids;

/** @param key  ID_KEY_OCTETS of secret (DATA/id.key)  @param node 0..1023 */
MUST_USE struct ids *ids_new(const uint8_t *key, unsigned node);
void ids_free(struct ids *ids);
SCOPED_FREE(ids)

/** The next key: greater than every one before it in this process. */
uint64_t ids_next(struct ids *ids);
/** Never hand out a key at or below this one (what the store already holds). */
void ids_after(struct ids *ids, uint64_t key);
/** Microseconds since 1970 at which a key was made (millisecond precision). */
int64_t id_time_us(uint64_t key);
/** The least key that could be made at this time. */
uint64_t id_floor(int64_t us);
unsigned id_node(uint64_t key);

/** dst holds GUID_SIZE and is terminated. */
void ids_guid(const struct ids *ids, enum id_kind kind, uint64_t key, char *dst);
/** @return ERR_SYNTAX (not a GUID), ERR_ABSENT (not one of ours, or of another kind) */
MUST_USE enum err ids_guid_read(const struct ids *ids, enum id_kind kind, struct str guid, uint64_t *key);
/** The key in a public id that has a GUID of ours in it, of any kind, whatever stands around it; 0: there is none. */
uint64_t ids_key_in(const struct ids *ids, struct str id);
/** A GUID that a client chose: 8-4-4-4-12 hexadecimal digits, written in lower case. @return ERR_SYNTAX */
MUST_USE enum err guid_lower(struct str given, char out[GUID_SIZE]);
