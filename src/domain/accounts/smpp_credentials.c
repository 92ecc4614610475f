#include "domain/accounts/smpp_credentials.h"
#include "base/crypto.h"
#include "base/str.h"

#include <stdio.h>

enum { NAME_MAX_OCTETS = SMPP_SYSTEM_ID_SIZE - 1, KEY_DIGITS = 13, PASSWORD_OCTETS = 6 };

/* A key in 13 digits of five bits, none of which looks like another. */
static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

static void key_write(char out[SMPP_SYSTEM_ID_SIZE], uint64_t key)
{
    memcpy(out, "r-", 2);
    for (int i = KEY_DIGITS - 1; i >= 0; i--, key >>= 5)
        out[2 + i] = digits[key & 31];
    out[2 + KEY_DIGITS] = 0;
}

static bool key_read(struct str text, uint64_t *key)
{
    if (text.n != 2 + KEY_DIGITS || !str_starts(text, STR("r-")))
        return false;
    *key = 0;
    for (size_t i = 2; i < text.n; i++) {
        const char *at = memchr(digits, text.p[i], sizeof digits - 1);
        if (!at)
            return false;
        *key = *key << 5 | (uint64_t)(at - digits);
    }
    return true;
}

void resource_smpp_system_id(const struct resource *r, char out[SMPP_SYSTEM_ID_SIZE])
{
    if (strlen(r->name) <= NAME_MAX_OCTETS)
        str_copyz(out, SMPP_SYSTEM_ID_SIZE, str_of(r->name));
    else
        key_write(out, r->key);
}

void resource_smpp_password(const struct resource *r, unsigned slot, char out[SMPP_PASSWORD_SIZE])
{
    uint8_t mac[32];
    char what[64];
    snprintf(what, sizeof what, "carterfone smpp password %s", r->guid);
    hmac_sha256(mac, r->access_key[slot], ACCESS_KEY_OCTETS, str_of(what));
    base64url_write(out, mac, PASSWORD_OCTETS);
}

static const struct resource *named(const struct accounts *a, struct str system_id)
{
    uint64_t key;
    const struct resource *r = system_id.n <= NAME_MAX_OCTETS ? accounts_resource_named(a, system_id) : NULL;
    return r || !key_read(system_id, &key) ? r : accounts_resource(a, key);
}

enum err accounts_prove_esme(const struct accounts *a, struct str system_id, struct str password, const struct resource **out)
{
    static const struct resource nobody;
    const struct resource *r = named(a, system_id);
    char given[SMPP_PASSWORD_SIZE] = { 0 };
    bool right = false;
    if (password.n < sizeof given)
        str_copyz(given, sizeof given, password);
    for (unsigned slot = 0; slot < 2; slot++) {
        char good[SMPP_PASSWORD_SIZE];
        resource_smpp_password(r ? r : &nobody, slot, good);
        right |= equal_constant_time(good, given, sizeof good);
    }
    if (!r)
        return ERR_ABSENT;
    if (!right)
        return ERR_UNPROVEN;
    if (r->keys_off)
        return ERR_FORBIDDEN;
    *out = r;
    return ERR_NONE;
}

void accounts_write_smpp(const struct resource *r, struct jw *w)
{
    char text[SMPP_SYSTEM_ID_SIZE];
    resource_smpp_system_id(r, text);
    jw_textz(w, "systemId", text);
    resource_smpp_password(r, 0, text);
    jw_textz(w, "password", text);
    resource_smpp_password(r, 1, text);
    jw_textz(w, "secondaryPassword", text);
}
