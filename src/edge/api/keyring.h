/* keyring.h - which key proves whom: resources' keys, the operator's, and the development key.
 *
 * Any thread: control changes it, http threads ask; a question sees one consistent state. Keys are copied and never
 * shown again. Which resource a request means is decided here too (ARCHITECTURE.md, "Accounts"): the first label of Host if
 * it names one; else the listener's; else, on loopback, the one whose key matches among at most 32; else the default. */
#pragma once
#include "base/base.h"

struct keyring;
struct resource;

/* Valid for whoever can reach a loopback listener, while only simulated carriers exist; documented, so not a secret.
 * base64 of 32 octets, as in a connection string. */
#define KEYRING_DEVELOPMENT_KEY "Y2FydGVyZm9uZS1kZXZlbG9wbWVudC1rZXktMDAwMDE="

enum { KEYRING_KEY_OCTETS_MAX = 256, KEYRING_GUESSES_MAX = 32 };

MUST_USE enum err keyring_new(struct keyring **out);
void keyring_free(struct keyring *k);
SCOPED_FREE(keyring)

/** Add a resource or replace what is known of it; the old keys end at once. An empty key proves nothing.
 *  @return ERR_SIZE (a key over KEYRING_KEY_OCTETS_MAX, a name over 63), ERR_NOMEM */
MUST_USE enum err keyring_put(struct keyring *k, uint64_t resource, struct str name, struct str key1, struct str key2);
void keyring_remove(struct keyring *k, uint64_t resource);
/** Every resource goes; the operator's and the development key stay. */
void keyring_remove_all(struct keyring *k);
/** For struct accounts_listener: arg is the keyring. */
void keyring_resource_changed(void *keyring, const struct resource *r);
void keyring_resource_gone(void *keyring, uint64_t resource);
/** Is there a resource of this name, in any letter case? */
bool keyring_knows(const struct keyring *k, struct str name);
/** The name of a resource, "" when it has gone. @return dst */
enum { KEYRING_NAME_SIZE = 64 };
const char *keyring_name(const struct keyring *k, uint64_t resource, char dst[KEYRING_NAME_SIZE]);
/** @return ERR_SIZE */
MUST_USE enum err keyring_set_operator(struct keyring *k, struct str key);
/** May the development key be used at all? False as soon as a real carrier exists. False when new. */
void keyring_set_development(struct keyring *k, bool allowed);

/* What a request says of where it is going, and whether its signature was made with a key. */
struct keyring_question {
    struct str host;                /* the Host header */
    struct str bound;               /* resource the listener is bound to; empty: none */
    bool       loopback;            /* the listener has a loopback address */
    bool       forwarded;           /* a Forwarded or X-Forwarded-* header is present */
    bool       operator_too;        /* may the operator's key answer? */
    bool     (*fits)(void *arg, struct str key);    /* called under the keyring's lock: compute, nothing else */
    void      *arg;
};
struct keyring_proof {
    uint64_t resource;              /* 0: the operator */
    bool     is_operator;
};
/** Find the key that fits. @return ERR_NONE, ERR_ABSENT (no such resource), ERR_UNPROVEN (no key fits) */
MUST_USE enum err keyring_prove(struct keyring *k, const struct keyring_question *q, struct keyring_proof *out);
