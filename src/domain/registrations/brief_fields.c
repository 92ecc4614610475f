#include "domain/registrations/brief_fields.h"
#include "base/clock.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/rules.h"

#include <stdio.h>

enum field_kind { TEXT, WORD, WHOLE, FLAG, OBJECT, LIST };
enum form { ANY, URL, EMAIL, PHONE, COUNTRY, VANITY, TIME };
enum need { MAY, MUST };                /* for a submission; inside a list's objects: in every patch */

struct field {
    const char         *name;
    enum field_kind     kind;
    enum need           need;
    enum form           form;           /* TEXT */
    int64_t             most;           /* TEXT: UTF-16 units; WHOLE: the value; LIST: how many */
    const char         *words;          /* WORD: "a|b|c" */
    const struct field *members;        /* OBJECT: ended by no name; LIST: the one that each element is */
};

/* -- the tables ---------------------------------------------------------------------------------------------------------- */

#define TEXTS(name, need, most)       { name, TEXT, need, ANY, most, NULL, NULL }
#define FORMED(name, need, form)      { name, TEXT, need, form, BRIEF_TEXT_MAX, NULL, NULL }
#define WORDS(name, need, words)      { name, WORD, need, ANY, 0, words, NULL }
#define NUMBERS(name, need)           { name, WHOLE, need, ANY, INT32_MAX, NULL, NULL }
#define FLAGS(name, need)             { name, FLAG, need, ANY, 0, NULL, NULL }
#define OBJECTS(name, members)        { name, OBJECT, MAY, ANY, 0, NULL, members }
#define LISTS(name, need, most, each) { name, LIST, need, ANY, most, NULL, each }
#define END                           { 0 }

static const struct field a_text = TEXTS("", MAY, BRIEF_TEXT_MAX), a_url = FORMED("", MAY, URL), a_phone = FORMED("", MAY, PHONE),
                          a_vanity = FORMED("", MAY, VANITY);

static const struct field address[] = {
    TEXTS("addressLine1", MUST, 500), TEXTS("addressLine2", MAY, 500), TEXTS("locality", MUST, 500),
    TEXTS("administrativeDivision", MUST, 500), TEXTS("postalCode", MUST, 50), FORMED("country", MUST, COUNTRY), END,
};
static const struct field address_optional[] = {
    TEXTS("addressLine1", MAY, 500), TEXTS("addressLine2", MAY, 500), TEXTS("locality", MAY, 500),
    TEXTS("administrativeDivision", MAY, 500), TEXTS("postalCode", MAY, 50), FORMED("country", MAY, COUNTRY), END,
};
static const struct field contact[] = {
    TEXTS("firstName", MUST, 500), TEXTS("lastName", MUST, 500), FORMED("phone", MUST, PHONE), FORMED("email", MUST, EMAIL),
    OBJECTS("address", address_optional), END,
};
static const struct field business[] = {
    TEXTS("companyName", MUST, 500), FORMED("companyUrl", MUST, URL), OBJECTS("address", address), END,
};
static const struct field use_case[] = {
    LISTS("sampleMessages", MUST, BRIEF_LIST_MAX, &a_text),
    WORDS("useCase", MUST,
          "TwoFactorAuthentication|AppNotifications|Appointments|Auctions|AutoRepairServices|BankTransfers|Billing|"
          "BookingConfirmations|BusinessUpdates|CareerTraining|Chatbot|ConversationalOrAlerts|CourierServicesAndDeliveries|"
          "COVID19Alerts|EmergencyAlerts|EventsAndPlanning|FinancialServices|FraudAlerts|Fundraising|GeneralMarketing|"
          "GeneralSchoolUpdates|HealthcareAlerts|HousingCommunityUpdates|HROrStaffing|InsuranceServices|JobDispatch|"
          "LegalServices|Mixed|MotivationalReminders|NotaryNotifications|OrderNotifications|Political|Works|"
          "RealEstateServices|ReligiousServices|RepairAndDiagnosticsAlerts|RewardsProgram|Surveys|SystemAlerts|"
          "VotingReminders|WaitlistAlerts|WebinarReminders|WorkshopAlerts|Other"),
    TEXTS("useCaseSummary", MUST, BRIEF_TEXT_MAX), END,
};
static const struct field opt_in_option[] = {
    WORDS("type", MUST, "keywordSMS|website|interactiveVoiceResponse|pointOfSale|paperForm|other"),
    LISTS("imageUrls", MAY, BRIEF_LIST_MAX, &a_url), END,
};
static const struct field an_option = OBJECTS("", opt_in_option);
static const struct field opt_in[] = {
    TEXTS("description", MAY, BRIEF_TEXT_MAX), LISTS("options", MUST, BRIEF_LIST_MAX, &an_option), END,
};
static const struct field registration[] = {
    TEXTS("businessRegistrationNumber", MAY, 500),
    WORDS("businessEntityType", MAY, "SOLE_PROPRIETOR|PRIVATE_PROFIT|PUBLIC_PROFIT|NON_PROFIT|GOVERNMENT"),
    WORDS("businessRegistrationType", MAY, "EIN|CBN|NEQ|PROVINCIAL_NUMBER|CRN|VAT|ACN|ABN|BRN|SIREN|SIRET|NZBN|UST_IDNR|CIF|"
                                           "NIF|CNPJ|UID|OTHER"),
    FORMED("businessRegistrationCountry", MAY, COUNTRY), END,
};
static const struct field campaign[] = {
    OBJECTS("businessPointOfContact", contact),
    OBJECTS("businessInformation", business),
    OBJECTS("useCaseInfo", use_case),
    LISTS("phoneNumbers", MUST, BRIEF_NUMBERS_MAX, &a_phone),
    WORDS("estimatedMonthlyVolume", MUST,
          "V10|V100|V1000|V10000|V100000|V250000|V500000|V750000|V1000000|V5000000|V10000000OrMore"),
    TEXTS("additionalInformation", MAY, BRIEF_TEXT_MAX),
    OBJECTS("optInDetails", opt_in),
    TEXTS("multipleNumbersJustification", MAY, BRIEF_TEXT_MAX),
    FORMED("privacyPolicyUrl", MAY, URL),
    FORMED("termsAndConditionsUrl", MAY, URL),
    OBJECTS("businessRegistrationDetails", registration), END,
};

static const struct field sign_up = WORDS("", MAY, "website|pointOfSale|sms|interactiveVoiceResponse");
static const struct field program_details[] = {
    FLAGS("isVanity", MAY), LISTS("preferredVanityNumbers", MAY, BRIEF_LIST_MAX, &a_vanity),
    WORDS("numberType", MUST, "shortCode|alphaId"), FLAGS("isPoliticalCampaign", MAY), TEXTS("name", MUST, 500),
    TEXTS("description", MUST, BRIEF_TEXT_MAX), FORMED("url", MUST, URL), LISTS("signUpTypes", MUST, BRIEF_LIST_MAX, &sign_up),
    FORMED("signUpUrl", MAY, URL), FORMED("termsOfServiceUrl", MUST, URL), FORMED("privacyPolicyUrl", MUST, URL),
    FORMED("expectedDateOfService", MAY, TIME), END,
};
static const struct field company_contact[] = {
    TEXTS("name", MUST, 500), FORMED("phone", MUST, PHONE), FORMED("email", MUST, EMAIL), END,
};
static const struct field customer_care[] = { FORMED("tollFreeNumber", MAY, PHONE), FORMED("email", MAY, EMAIL), END };
static const struct field company[] = {
    TEXTS("name", MUST, 500), FORMED("url", MUST, URL), TEXTS("address", MUST, 500),
    OBJECTS("contactInformation", company_contact), OBJECTS("customerCareInformation", customer_care), END,
};
static const struct field example[] = {
    WORDS("type", MAY, "toUser|fromUser"), TEXTS("text", MAY, BRIEF_TEXT_MAX), END,
};
static const struct field an_example = OBJECTS("", example);
static const struct field sequence[] = { LISTS("messages", MAY, BRIEF_LIST_MAX, &an_example), END };
static const struct field a_sequence = OBJECTS("", sequence);
static const struct field content_case[] = {
    WORDS("contentType", MAY,
          "ringTones|smsChat|video|loyaltyProgramPointsPrizes|gifting|inApplicationBilling|textToScreen|games|audioChat|"
          "mmsPictures|sweepstakesContestAuction|financialBanking|premiumWap|queryService|wallpaperScreensaver|voting|"
          "application|mobileGivingDonations|coupons|loyaltyProgram|noPointsPrizes|informationalAlerts|microBilling|trivia|"
          "entertainmentAlerts|other"),
    LISTS("examples", MAY, BRIEF_LIST_MAX, &a_sequence), END,
};
static const struct field a_case = OBJECTS("", content_case), message_type = WORDS("", MAY, "sms|mms");
static const struct field messages[] = {
    LISTS("types", MUST, BRIEF_LIST_MAX, &message_type), WORDS("recurrence", MUST, "subscription|transaction"),
    TEXTS("optInMessage", MAY, BRIEF_TEXT_MAX), TEXTS("optInReply", MAY, BRIEF_TEXT_MAX),
    TEXTS("confirmationMessage", MAY, BRIEF_TEXT_MAX), NUMBERS("estimatedRampUpTimeInDays", MAY),
    WORDS("directionality", MUST, "oneWay|twoWay"), LISTS("useCases", MUST, BRIEF_LIST_MAX, &a_case), END,
};
static const struct field traffic[] = {
    NUMBERS("estimatedVolume", MUST), NUMBERS("monthlyAverageMessagesFromUser", MAY),
    NUMBERS("monthlyAverageMessagesToUser", MAY), FLAGS("isSpiky", MAY), TEXTS("spikeDetails", MAY, BRIEF_TEXT_MAX), END,
};
static const struct field program[] = {
    OBJECTS("programDetails", program_details), OBJECTS("companyInformation", company), OBJECTS("messageDetails", messages),
    OBJECTS("trafficDetails", traffic), END,
};

static const struct field *fields_of(enum brief_kind kind)
{
    return kind == BRIEF_CAMPAIGN ? campaign : program;
}

/* -- where in the body we are -------------------------------------------------------------------------------------------- */

struct place { char z[96]; };           /* cut when it is longer: it is only said */

static struct place member(const struct place *in, const char *name)
{
    struct place p = *in;
    size_t n = strlen(p.z);
    snprintf(p.z + n, sizeof p.z - n, "%s%s", n ? "." : "", name);
    return p;
}

static struct place element(const struct place *in, size_t i)
{
    struct place p = *in;
    size_t n = strlen(p.z);
    snprintf(p.z + n, sizeof p.z - n, "[%zu]", i);
    return p;
}

static enum err wrong(const struct place *at, const char *must, struct problem *why)
{
    enum err err = rule_problem(why, ERR_RANGE, RULE_BRIEF_FIELD_INVALID, at->z, must);
    problem_target(why, "%s", at->z);
    return err;
}

/* -- forms of a text ------------------------------------------------------------------------------------------------------ */

static bool is_url(struct str s)
{
    struct str rest = str_starts(s, STR("https://")) ? str_from(s, 8) : str_starts(s, STR("http://")) ? str_from(s, 7) : STR("");
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ')
            return false;
    return rest.n && rest.p[0] != '/';
}

static bool is_email(struct str s)
{
    struct str name, host;
    return str_cut(s, '@', &name, &host) && name.n && str_find(host, '@') < 0 && str_find(s, ' ') < 0
           && str_find(host, '.') > 0 && host.p[host.n - 1] != '.';
}

static bool is_digits(struct str s, size_t least, size_t most)
{
    uint64_t v;
    return s.n >= least && s.n <= most && !str_u64(s, UINT64_MAX, &v);
}

static bool is_letters(struct str s, size_t n)
{
    bool good = s.n == n;
    for (size_t i = 0; good && i < n; i++)
        good = (s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z';
    return good;
}

static const char *form_must(enum form form, struct str s)
{
    uint64_t digits;
    int64_t us;
    switch (form) {
    case ANY:     return NULL;
    case URL:     return is_url(s) ? NULL : "an address that begins with https:// or http://";
    case EMAIL:   return is_email(s) ? NULL : "an e-mail address";
    case PHONE:   return e164_read(s, &digits) ? "a phone number in E.164 form, such as +18335550123" : NULL;
    case COUNTRY: return is_letters(s, 2) ? NULL : "a country's two letters (ISO 3166-1), such as US";
    case VANITY:  return is_digits(s, 5, 6) ? NULL : "a short code of 5 or 6 digits";
    case TIME:    return time_iso8601_read(s, &us) ? "a time in ISO 8601, such as 2026-11-30T12:00:00Z" : NULL;
    }
    return NULL;
}

/* -- shape ------------------------------------------------------------------------------------------------------------------ */

/* Letters of any case are taken. */
static bool word_find(const char *words, struct str s, struct str *out)
{
    struct str rest = str_of(words);
    for (bool more = true; more;) {
        more = str_cut(rest, '|', out, &rest);
        if (str_eq_nocase(*out, s))
            return true;
    }
    return false;
}

static enum err check_word(const struct field *f, const struct json *v, const struct place *at, struct problem *why)
{
    char must[240] = "one of ";
    struct str word, rest = str_of(f->words);
    if (json_kind(v) == JSON_IS_TEXT && word_find(f->words, json_text(v), &word))
        return ERR_NONE;
    for (bool more = true; more;) {
        more = str_cut(rest, '|', &word, &rest);
        size_t n = strlen(must);
        if (n + word.n + 8 > sizeof must) {
            snprintf(must + n, sizeof must - n, "...");
            break;
        }
        snprintf(must + n, sizeof must - n, STR_FMT "%s", STR_ARG(word), more ? ", " : "");
    }
    return wrong(at, must, why);
}

static enum err check_text(const struct field *f, const struct json *v, const struct place *at, struct problem *why)
{
    char must[64];
    struct str s = json_text(v);
    snprintf(must, sizeof must, "text of 1 to %d characters", (int)f->most);
    if (json_kind(v) != JSON_IS_TEXT || !s.n || utf8_utf16_units(s) > (size_t)f->most || memchr(s.p, 0, s.n))
        return wrong(at, must, why);
    const char *form = form_must(f->form, s);
    return form ? wrong(at, form, why) : ERR_NONE;
}

static enum err check_members(const struct field *fields, const struct json *v, bool whole, const struct place *at,
                              struct problem *why);

static enum err check(const struct field *f, const struct json *v, bool whole, const struct place *at, struct problem *why)
{
    char must[64];
    enum err err = ERR_NONE;
    switch (f->kind) {
    case TEXT:
        return check_text(f, v, at, why);
    case WORD:
        return check_word(f, v, at, why);
    case WHOLE:
        return json_kind(v) == JSON_IS_INTEGER && json_int(v, -1) >= 0 && json_int(v, -1) <= f->most
            ? ERR_NONE : wrong(at, "a whole number from 0 to 2147483647", why);
    case FLAG:
        return json_kind(v) == JSON_IS_BOOL ? ERR_NONE : wrong(at, "true or false", why);
    case OBJECT:
        return json_kind(v) == JSON_IS_OBJECT ? check_members(f->members, v, whole, at, why) : wrong(at, "an object", why);
    case LIST:
        snprintf(must, sizeof must, "a list of %d at most", (int)f->most);
        if (json_kind(v) != JSON_IS_ARRAY || json_count(v) > (size_t)f->most)
            return wrong(at, must, why);
        for (size_t i = 0; !err && i < json_count(v); i++) {
            struct place in = element(at, i);
            err = check(f->members, json_item(v, i), true, &in, why);
        }
        return err;
    }
    return ERR_NONE;
}

/* whole: an element of a list, which is never merged: what it must have must be there. */
static enum err check_members(const struct field *fields, const struct json *v, bool whole, const struct place *at,
                              struct problem *why)
{
    enum err err = ERR_NONE;
    for (const struct field *f = fields; !err && f->name; f++) {
        const struct json *m = json_member(v, f->name);
        struct place in = member(at, f->name);
        if (m)
            err = check(f, m, whole, &in, why);
        else if (whole && f->need == MUST)
            err = wrong(&in, "there", why);
    }
    return err;
}

enum err brief_patch_check(enum brief_kind kind, const struct json *body, struct problem *why)
{
    if (json_kind(body) != JSON_IS_OBJECT)
        return problem_set(why, ERR_SYNTAX, "BadRequest", "A JSON object with the fields of a brief is needed as the body.");
    return check_members(fields_of(kind), body, false, &(struct place){ "" }, why);
}

/* -- merging ---------------------------------------------------------------------------------------------------------------- */

/* Is the member there, be it null? */
static bool said(const struct json *object, const char *name, const struct json **out)
{
    struct str key;
    *out = json_member(object, name);
    if (*out)
        return true;
    for (void *at = NULL; json_next(object, &at, &key, out);)
        if (str_eqz(key, name))
            return true;
    return false;
}

static void merge_members(const struct field *fields, const struct json *base, const struct json *patch, struct jw *w);

static void put(const struct field *f, const struct json *v, struct jw *w, const char *name)
{
    struct str word;
    switch (f->kind) {
    case TEXT:
    case WHOLE:
    case FLAG:
        jw_json(w, name, v);
        return;
    case WORD:
        if (word_find(f->words, json_text(v), &word))
            jw_text(w, name, word);
        return;
    case OBJECT:
        jw_object(w, name);
        merge_members(f->members, NULL, v, w);
        jw_end(w);
        return;
    case LIST:
        jw_array(w, name);
        for (size_t i = 0; i < json_count(v); i++)
            put(f->members, json_item(v, i), w, NULL);
        jw_end(w);
        return;
    }
}

static void merge_members(const struct field *fields, const struct json *base, const struct json *patch, struct jw *w)
{
    for (const struct field *f = fields; f->name; f++) {
        const struct json *now, *was = json_member(base, f->name);
        bool is_said = said(patch, f->name, &now);
        if (is_said && json_kind(now) == JSON_IS_ABSENT)
            continue;
        if (f->kind == OBJECT && (is_said || was)) {
            jw_object(w, f->name);
            merge_members(f->members, was, is_said ? now : NULL, w);
            jw_end(w);
        } else if (is_said || was) {
            put(f, is_said ? now : was, w, f->name);
        }
    }
}

void brief_merge(enum brief_kind kind, const struct json *base, const struct json *patch, struct buf *out)
{
    struct jw w = jw_of(out);
    jw_object(&w, NULL);
    merge_members(fields_of(kind), base, patch, &w);
    jw_end(&w);
}

/* -- completeness ------------------------------------------------------------------------------------------------------------ */

struct missing { char list[256], first[96]; };

static void miss(struct missing *m, const struct place *at)
{
    size_t n = strlen(m->list);
    if (!n)
        str_copyz(m->first, sizeof m->first, str_of(at->z));
    if (n + strlen(at->z) + 8 < sizeof m->list)
        snprintf(m->list + n, sizeof m->list - n, "%s%s", n ? ", " : "", at->z);
    else if (n < 4 || strcmp(m->list + n - 3, "..."))
        snprintf(m->list + n, sizeof m->list - n, ", ...");
}

static void find_missing(const struct field *fields, const struct json *v, const struct place *at, struct missing *m)
{
    for (const struct field *f = fields; f->name; f++) {
        const struct json *one = json_member(v, f->name);
        struct place in = member(at, f->name);
        if (f->kind == OBJECT)
            find_missing(f->members, one, &in, m);
        else if (f->need == MUST && (!one || (f->kind == LIST && !json_count(one))))
            miss(m, &in);
    }
}

/* What one field makes of another. */
static void find_conditional(enum brief_kind kind, const struct json *c, struct missing *m)
{
    const struct json *details = json_member(c, "programDetails"), *traffic_details = json_member(c, "trafficDetails");
    const struct json *care = json_member(json_member(c, "companyInformation"), "customerCareInformation");
    if (kind == BRIEF_CAMPAIGN) {
        if (json_count(json_member(c, "phoneNumbers")) > 1 && !json_member(c, "multipleNumbersJustification"))
            miss(m, &(struct place){ "multipleNumbersJustification" });
        return;
    }
    if (json_bool_of(details, "isVanity", false) && !json_count(json_member(details, "preferredVanityNumbers")))
        miss(m, &(struct place){ "programDetails.preferredVanityNumbers" });
    if (json_bool_of(traffic_details, "isSpiky", false) && !json_member(traffic_details, "spikeDetails"))
        miss(m, &(struct place){ "trafficDetails.spikeDetails" });
    if (!json_member(care, "tollFreeNumber") && !json_member(care, "email"))
        miss(m, &(struct place){ "companyInformation.customerCareInformation.email" });
}

enum err brief_complete(enum brief_kind kind, const struct json *content, struct problem *why)
{
    struct missing m = { "", "" };
    find_missing(fields_of(kind), content, &(struct place){ "" }, &m);
    find_conditional(kind, content, &m);
    if (!m.first[0])
        return ERR_NONE;
    enum err err = rule_problem(why, ERR_RANGE, RULE_BRIEF_INCOMPLETE, m.list);
    problem_target(why, "%s", m.first);
    return err;
}
