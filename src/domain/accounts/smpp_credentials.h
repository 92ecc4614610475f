/* smpp_credentials.h - with what a customer's ESME proves which resource it is.
 *
 * SMPP has 15 octets for a system_id and 8 for a password (3.4, 5.2.1, 5.2.2), in clear. The system_id is the resource's name;
 * one longer than 15 has "r-" and its key instead. The password is 48 bits of an HMAC over the resource's id under one of its
 * two access keys: nothing is kept for it, it ends when its key does, both keys' passwords hold at a time (so one key can be
 * changed under binds that use the other), and who reads it off a wire learns nothing of the key. Thread: control. */
#pragma once
#include "domain/accounts/accounts.h"

enum { SMPP_SYSTEM_ID_SIZE = 16, SMPP_PASSWORD_SIZE = 9 };
void resource_smpp_system_id(const struct resource *r, char out[SMPP_SYSTEM_ID_SIZE]);
/** @param slot  of the access key: 0, 1 */
void resource_smpp_password(const struct resource *r, unsigned slot, char out[SMPP_PASSWORD_SIZE]);

/** Whose are they? Takes equally long for every password.
 *  @return ERR_NONE, ERR_ABSENT (no such resource), ERR_UNPROVEN (another password), ERR_FORBIDDEN (its keys prove nothing) */
MUST_USE enum err accounts_prove_esme(const struct accounts *a, struct str system_id, struct str password,
                                      const struct resource **out);
/** Members "systemId", "password" and "secondaryPassword" of an open object. */
void accounts_write_smpp(const struct resource *r, struct jw *w);
