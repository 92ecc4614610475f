/* keywords.h - STOP, START and HELP: which word means it, who answers it, and what.
 *
 * Pure functions over generated tables (data/optout): any thread. */
#pragma once
#include "base/base.h"

enum keyword { KEYWORD_NONE, KEYWORD_STOP, KEYWORD_START, KEYWORD_HELP };
enum optout_handling { OPTOUT_BY_DEFAULT, OPTOUT_BY_CARRIER, OPTOUT_BY_PLATFORM, OPTOUT_BY_NONE };
struct optout_policy {
    const char          *edition, *country, *type;      /* "*": any */
    enum optout_handling handling;
    const char          *language;
    bool                 help;                          /* HELP is answered */
};

/** Of a number of this country and type (number_type_word); there is always one. */
const struct optout_policy *optout_policy_of(const char *edition, const char *country, const char *type);
/** The whole message must be the word, but for blanks and marks around it. Words of English count in every language. */
enum keyword keyword_of(struct str text, struct str language);
/** The three that a US toll-free carrier knows: STOP, START and UNSTOP. */
enum keyword keyword_of_carrier(struct str text);
/** What is answered; in English where the language has no text. */
const char *keyword_text(enum keyword keyword, struct str language);
bool keyword_language(struct str language);             /* is there a text in it? */
const char *optout_handling_word(enum optout_handling handling);
MUST_USE enum err optout_handling_read(struct str word, enum optout_handling *out);
