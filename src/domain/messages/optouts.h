/* optouts.h - who does not want texts from which sender: the list that sending asks.
 *
 * Thread: control. It mirrors the rows of `optout`: put and take follow the commit of their unit. By sender first, because a
 * number that is given back takes its list with it (design: release); what was recorded stays in the messages' trails. */
#pragma once
#include "base/base.h"

struct optouts;

MUST_USE enum err optouts_new(struct optouts **out);
void optouts_free(struct optouts *o);
/** @param sender, recipient  as the wire writes them: E.164 with '+', or a short code */
bool optouts_has(const struct optouts *o, struct str sender, struct str recipient);
/** Again is fine: the first source stays. @param source  who said so, such as "carrier acme"  @return ERR_NOMEM */
MUST_USE enum err optouts_put(struct optouts *o, struct str sender, struct str recipient, struct str source);
/** Who said so, for as long as the list is; NULL: this recipient did not opt out. */
const char *optouts_source(const struct optouts *o, struct str sender, struct str recipient);
void optouts_take(struct optouts *o, struct str sender, struct str recipient);
void optouts_drop_sender(struct optouts *o, struct str sender);
size_t optouts_count(const struct optouts *o);
