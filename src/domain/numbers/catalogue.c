#include "domain/numbers/catalogue.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/accounts/accounts.h"
#include "domain/billing/rates.h"
#include "domain/numbers/catalogue_priv.h"

static const struct catalogue_row built_in_rows[] = {
#include "domain/catalogue_rows.inc"
};
static const struct catalogue_place built_in_places[] = {
#include "domain/catalogue_countries.inc"
};
static const struct catalogue_price built_in_prices[] = {
#include "domain/catalogue_usage.inc"
};
static const struct catalogue_table built_in = {
    built_in_rows, built_in_places, built_in_prices,
    ARRAY_LEN(built_in_rows), ARRAY_LEN(built_in_places), ARRAY_LEN(built_in_prices),
};

static const struct catalogue_table *table = &built_in;     /* set before the threads start, then only read */

const struct catalogue_table *catalogue_built_in(void)
{
    return &built_in;
}

void catalogue_use(const struct catalogue_table *with)
{
    table = with ? with : &built_in;
}

bool catalogue_has_edition(const char *edition)
{
    return catalogue_row(edition, 0) != NULL;
}

const struct catalogue_row *catalogue_row(const char *edition, size_t i)
{
    for (size_t r = 0; r < table->n_rows; r++)
        if (!strcmp(table->rows[r].edition, edition) && !i--)
            return &table->rows[r];
    return NULL;
}

const struct catalogue_row *catalogue_find(const char *edition, struct str country, enum number_type type,
                                           enum assignment assignment)
{
    for (size_t r = 0; r < table->n_rows; r++) {
        const struct catalogue_row *row = &table->rows[r];
        if (row->type == type && row->assignment == assignment && str_eqz(country, row->country)
            && !strcmp(row->edition, edition))
            return row;
    }
    return NULL;
}

int64_t catalogue_usage(const struct catalogue_row *row, enum usage_item item, const char *other)
{
    for (size_t u = 0; u < table->n_prices; u++) {
        const struct catalogue_price *p = &table->prices[u];
        if (p->item == item && p->type == row->type && !strcmp(p->country, row->country)
            && !strcmp(p->edition, row->edition) && (!*p->other || !strcmp(p->other, other)))
            return p->micro;
    }
    return -1;
}

const char *catalogue_country(const char *edition, size_t i, const char **name)
{
    for (size_t c = 0; c < table->n_places; c++)
        if (!strcmp(table->places[c].edition, edition) && !i--) {
            *name = table->places[c].name;
            return table->places[c].country;
        }
    return NULL;
}

static bool has_row(const char *edition, struct str country, bool leased_only)
{
    for (size_t r = 0; r < table->n_rows; r++) {
        const struct catalogue_row *row = &table->rows[r];
        if ((number_type_is_leased(row->type) || !leased_only) && str_eqz(country, row->country) && !strcmp(row->edition, edition))
            return true;
    }
    return false;
}

bool catalogue_sells_in(const char *edition, struct str country)
{
    return has_row(edition, country, true);
}

bool catalogue_serves(const char *edition, struct str country)
{
    return has_row(edition, country, false);
}

bool catalogue_has_type(const char *edition, enum number_type type)
{
    for (size_t r = 0; r < table->n_rows; r++)
        if (table->rows[r].type == type && !strcmp(table->rows[r].edition, edition))
            return true;
    return false;
}

bool catalogue_is_paid_only(const struct catalogue_row *row)
{
    for (int o = 0; o < OFFER_COUNT; o++)
        if (!offer_is_paid((enum offer)o) && catalogue_lists(row->offers, offer_word((enum offer)o)))
            return false;
    return true;
}

bool catalogue_lists(const char *list, const char *word)
{
    struct str head, rest = str_of(list);
    while (rest.n) {
        str_cut(rest, ' ', &head, &rest);
        if (*word && str_eqz(head, word))
            return true;
    }
    return false;
}

bool catalogue_reaches(const char *list, uint64_t digits)
{
    return catalogue_lists(list, "rated") ? rate_find(digits) != NULL : catalogue_lists(list, e164_country(digits));
}

/* -- words ---------------------------------------------------------------------------------------------------------- */

/* the wire's (or our own API's), people's, people's as a noun */
static const struct { const char *word, *in_words, *noun; } types[NUMBER_TYPE_COUNT] = {
    [NUMBER_GEOGRAPHIC]   = { "geographic",     "local",                  "local (geographic) number" },
    [NUMBER_TOLL_FREE]    = { "tollFree",       "toll-free",              "toll-free number" },
    [NUMBER_MOBILE]       = { "mobile",         "mobile",                 "mobile number" },
    [SENDER_TEN_DLC]      = { "tenDlc",         "10DLC",                  "10DLC number" },
    [SENDER_SHORT_CODE]   = { "shortCode",      "short-code",             "short code" },
    [SENDER_ALPHANUMERIC] = { "alphanumericId", "alphanumeric-sender-id", "alphanumeric sender ID" },
    [NUMBER_TRIAL]        = { "trial",          "trial",                  "trial number" },
};
static const char *const assignment_words[] = { [ASSIGNED_PERSON] = "person", [ASSIGNED_APPLICATION] = "application" };
static const char *const capability_words[] = {
    [CAP_NONE] = "none", [CAP_INBOUND] = "inbound", [CAP_OUTBOUND] = "outbound", [CAP_BOTH] = "inbound+outbound",
};
static const char *const item_words[USAGE_ITEMS] = {
    [USAGE_CALL_OUT_FROM] = "callOutFrom", [USAGE_CALL_IN] = "callIn", [USAGE_SMS_OUT] = "smsOut",
    [USAGE_SMS_OUT_SURCHARGE] = "smsOutSurcharge", [USAGE_SMS_IN] = "smsIn", [USAGE_SMS_IN_SURCHARGE] = "smsInSurcharge",
    [USAGE_SETUP] = "setup", [USAGE_MONTHLY] = "monthly", [USAGE_VOIP_LEG] = "voipLeg",
};

const char *number_type_word(enum number_type type)
{
    return types[type].word;
}

const char *number_type_in_words(enum number_type type)
{
    return types[type].in_words;
}

const char *number_type_as_noun(enum number_type type)
{
    return types[type].noun;
}

const char *assignment_word(enum assignment assignment)
{
    return assignment_words[assignment];
}

const char *capability_word(enum capability cap)
{
    return capability_words[cap];
}

const char *usage_item_word(enum usage_item item)
{
    return item_words[item];
}

static int word_at(struct str word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(word, str_of(words[i])))
            return (int)i;
    return -1;
}

enum err number_type_read(struct str word, enum number_type *out)
{
    for (int t = NUMBER_GEOGRAPHIC; t <= NUMBER_MOBILE; t++)
        if (str_eq_nocase(word, str_of(types[t].word))) {
            *out = (enum number_type)t;
            return ERR_NONE;
        }
    return ERR_RANGE;
}

enum err catalogue_type_read(struct str word, enum number_type *out)
{
    for (int t = 0; t < NUMBER_TYPE_COUNT; t++)
        if (str_eq_nocase(word, str_of(types[t].word)) || str_eq_nocase(word, str_of(types[t].in_words))) {
            *out = (enum number_type)t;
            return ERR_NONE;
        }
    return ERR_RANGE;
}

enum err assignment_read(struct str word, enum assignment *out)
{
    int i = word_at(word, assignment_words, ARRAY_LEN(assignment_words));
    if (i < 0)
        return ERR_RANGE;
    *out = (enum assignment)i;
    return ERR_NONE;
}

enum err capability_read(struct str word, enum capability *out)
{
    int i = word_at(word, capability_words, ARRAY_LEN(capability_words));
    if (i < 0)
        return ERR_RANGE;
    *out = (enum capability)i;
    return ERR_NONE;
}

enum err usage_item_read(struct str word, enum usage_item *out)
{
    int i = word_at(word, item_words, ARRAY_LEN(item_words));
    if (i < 0)
        return ERR_RANGE;
    *out = (enum usage_item)i;
    return ERR_NONE;
}
