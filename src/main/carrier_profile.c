#include "main/carrier_profile.h"
#include "base/clock.h"
#include "base/rdwr.h"
#include "base/str.h"
#include "codec/smpp/smpp.h"
#include "net/tls.h"

#include <stdio.h>

static const char *const forms[] = {
#define FORM_WORD(name, word) word,
    CARRIER_ID_FORMS(FORM_WORD)
#undef FORM_WORD
};

static enum err bad(struct problem *why, const char *field, const char *text)
{
    enum err err = problem_set(why, ERR_RANGE, "BadRequest", "%s", text);
    problem_target(why, "%s", field);
    return err;
}

static enum err form_read(struct smpp_bind_conf *conf, const struct json *j, struct problem *why)
{
    struct str word = json_text_of(j, "receiptId");
    for (size_t i = 0; word.n && i < ARRAY_LEN(forms); i++)
        if (str_eqz(word, forms[i])) {
            conf->ids = (enum carrier_id_form)i;
            return ERR_NONE;
        }
    return word.n ? bad(why, "receiptId", "receiptId is auto, same, hex-dec (answers hexadecimal, receipts decimal) or dec-hex.") : ERR_NONE;
}

/* Of receipts: a number of at most three digits as text has it, or of two octets (network_error_code). */
static enum err errors_read(struct smpp_statuses *out, const struct json *j, const char *name, struct problem *why)
{
    const struct json *list = json_member(j, name);
    uint64_t number = 0;
    char text[160];
    if (json_kind(list) == JSON_IS_ABSENT)
        return ERR_NONE;
    snprintf(text, sizeof text, "%s is a list of at most %d numbers from 1 to 65535 that err: of a receipt may have.", name, SMPP_STATUSES_MOST);
    if (json_kind(list) != JSON_IS_ARRAY || json_count(list) > SMPP_STATUSES_MOST)
        return bad(why, name, text);
    for (size_t i = 0; i < json_count(list); i++) {
        if (str_u64(json_text(json_item(list, i)), 65535, &number) || !number)
            return bad(why, name, text);
        out->v[out->n++] = (uint32_t)number;
    }
    return ERR_NONE;
}

static enum err submit_read(struct smpp_bind_conf *conf, const struct json *j, struct problem *why)
{
    enum { QUERY_AFTER_MOST_S = 72 * 3600, ANSWER_MOST_S = 300 };
    struct str word = json_text_of(j, "submit");
    int64_t after_s = json_int_of(j, "queryAfter", 0);
    int64_t within_s = json_int_of(j, "answerWithin", 0);
    if (word.n && !str_eqz(word, "submit_sm") && !str_eqz(word, "data_sm"))
        return bad(why, "submit", "submit is submit_sm or data_sm.");
    if (after_s < 0 || after_s > QUERY_AFTER_MOST_S)
        return bad(why, "queryAfter", "queryAfter is 1 to 259200 seconds without a receipt, or absent.");
    if (within_s < 0 || within_s > ANSWER_MOST_S)
        return bad(why, "answerWithin", "answerWithin is 1 to 300 seconds in which a submit is answered, or absent.");
    conf->answer_us = within_s * US_PER_S;
    conf->by_data_sm = str_eqz(word, "data_sm");
    conf->query_after_s = (unsigned)after_s;
    return ERR_NONE;
}

static enum err statuses_read(struct smpp_statuses *out, const struct json *j, const char *name, struct problem *why)
{
    const struct json *list = json_member(j, name);
    char text[160];
    if (json_kind(list) == JSON_IS_ABSENT)
        return ERR_NONE;
    snprintf(text, sizeof text, "%s is a list of at most %d command statuses, such as ESME_RTHROTTLED or 0x58.", name, SMPP_STATUSES_MOST);
    if (json_kind(list) != JSON_IS_ARRAY || json_count(list) > SMPP_STATUSES_MOST)
        return bad(why, name, text);
    for (size_t i = 0; i < json_count(list); i++)
        if (smpp_status_read(json_text(json_item(list, i)), &out->v[out->n++]) || !out->v[i])
            return bad(why, name, text);
    return ERR_NONE;
}

/* "0x1401=hex:0a0b" or "0x1401=text". */
static enum err tlv_read(struct smpp_bind_conf *conf, struct str text)
{
    struct str tag, value;
    uint8_t octets[sizeof conf->tlvs];
    size_t n = 0;
    uint32_t id;
    if (!str_cut(text, '=', &tag, &value) || smpp_status_read(tag, &id) || id < 1 || id > 0xffff)
        return ERR_SYNTAX;
    if (str_starts(value, STR("hex:"))) {
        value = str_from(value, 4);
        for (; value.n >= 2 && hex_digit(value.p[0]) >= 0 && hex_digit(value.p[1]) >= 0 && n < sizeof octets; value = str_from(value, 2))
            octets[n++] = (uint8_t)(hex_digit(value.p[0]) << 4 | hex_digit(value.p[1]));
        if (value.n)
            return ERR_SYNTAX;
    } else {
        n = value.n < sizeof octets ? value.n : sizeof octets;
        memcpy(octets, value.p, n);
    }
    struct wr w = wr_of(conf->tlvs + conf->tlvs_n, sizeof conf->tlvs - conf->tlvs_n);
    wr_u16(&w, (uint16_t)id);
    wr_u16(&w, (uint16_t)n);
    wr_put(&w, octets, n);
    if (wr_err(&w) || n < value.n)
        return ERR_SIZE;
    conf->tlvs_n += wr_len(&w);
    return ERR_NONE;
}

static enum err tlvs_read(struct smpp_bind_conf *conf, const struct json *j, struct problem *why)
{
    const struct json *list = json_member(j, "tlvs");
    if (json_kind(list) == JSON_IS_ABSENT)
        return ERR_NONE;
    for (size_t i = 0; i < json_count(list); i++)
        if (tlv_read(conf, json_text(json_item(list, i))))
            return bad(why, "tlvs", "tlvs is a list of 0xTAG=TEXT or 0xTAG=hex:OCTETS, 256 octets together at most.");
    return json_kind(list) == JSON_IS_ARRAY ? ERR_NONE : bad(why, "tlvs", "tlvs is a list of 0xTAG=TEXT or 0xTAG=hex:OCTETS.");
}

/* What the bind would refuse must be refused before it is stored. */
static enum err ca_check(struct str pem, struct problem *why)
{
    scoped(tls_context) struct tls_context *unused = NULL;
    enum err err = tls_context_client(&unused, pem.p, why);
    problem_target(why, "tlsCa");
    return err == ERR_SYNTAX ? ERR_RANGE : err;
}

enum err carrier_profile_read(struct smpp_bind_conf *conf, const struct json *j, struct problem *why)
{
    int64_t coding = json_int_of(j, "dataCoding", 0);
    enum err err = form_read(conf, j, why);
    if (!err)
        err = statuses_read(&conf->throttles, j, "throttleStatus", why);
    if (!err)
        err = statuses_read(&conf->transients, j, "transientStatus", why);
    if (!err)
        err = statuses_read(&conf->permanents, j, "permanentStatus", why);
    if (!err)
        err = statuses_read(&conf->optouts, j, "optoutStatus", why);
    if (!err)
        err = errors_read(&conf->optout_errors, j, "optoutError", why);
    if (!err)
        err = submit_read(conf, j, why);
    if (!err)
        err = tlvs_read(conf, j, why);
    if (!err && (coding < 0 || coding > 255))
        err = bad(why, "dataCoding", "dataCoding is the data_coding of GSM-7 texts, 0 to 255.");
    conf->data_coding = (uint8_t)coding;
    conf->tls = json_bool_of(j, "tls", false);
    conf->tls_ca = json_text_of(j, "tlsCa");
    conf->tls_name = json_text_of(j, "tlsName");
    if (!err && !conf->tls && (conf->tls_ca.n || conf->tls_name.n))
        err = bad(why, "tls", "tlsCa and tlsName are for tls true.");
    if (!err && conf->tls_ca.n)
        err = ca_check(conf->tls_ca, why);
    if (!err && conf->tls_name.n > 255)
        err = bad(why, "tlsName", "tlsName has at most 255 octets.");
    return err;
}
