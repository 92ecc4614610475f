/* operator_info_api.c - number formats and operator of one number (spec phone-numbers 2025-06-01, OperatorInformation).
 *
 * Everything comes from our own tables: what they do not know is left out (docs/numbers.md). */
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/rules.h"
#include "edge/api/numbers_priv.h"

struct info_body {
    const struct json *numbers, *options;
    struct str         number;
    bool               additional;
};
static const struct json_field info_fields[] = {
    JSON_ANY_FIELD(struct info_body, numbers, "phoneNumbers", true),
    JSON_ANY_FIELD(struct info_body, options, "options", false),
};
static const struct json_field option_fields[] = {
    JSON_BOOL_FIELD(struct info_body, additional, "includeAdditionalOperatorDetails", false),
};

static enum err one_number(struct http_call *hc, struct info_body *b)
{
    enum err err = ERR_NONE;
    const struct json *one = json_item(b->numbers, 0);
    if (json_kind(b->numbers) == JSON_IS_ARRAY && json_count(b->numbers) > 1)
        err = rule_problem(&hc->why, ERR_RANGE, RULE_ONE_NUMBER_ONLY);
    else if (json_kind(b->numbers) != JSON_IS_ARRAY || json_kind(one) != JSON_IS_TEXT)
        err = rule_problem(&hc->why, ERR_RANGE, RULE_FIELD_NEEDED, "phoneNumbers", "one number, such as [\"+12065550100\"]");
    if (err)
        problem_target(&hc->why, "phoneNumbers");
    else
        b->number = json_text(one);
    return err;
}

enum err operator_info_read(struct http_call *hc)
{
    struct info_body *b = arena_one(hc->arena, struct info_body);
    if (!b)
        return ERR_NOMEM;
    hc->rq = b;
    enum err err = numbers_body_fill(hc, info_fields, ARRAY_LEN(info_fields), b);
    if (!err)
        err = one_number(hc, b);
    if (!err && json_kind(b->options) != JSON_IS_ABSENT)
        err = json_fill(b->options, option_fields, ARRAY_LEN(option_fields), b, hc->arena, &hc->why);
    return err;
}

static const char *type_word(enum operator_type type)
{
    switch (type) {
    case OPERATOR_UNKNOWN:    return "unknown";
    case OPERATOR_OTHER:      return "other";
    case OPERATOR_GEOGRAPHIC: return "geographic";
    }
    return "unknown";
}

/* Only for includeAdditionalOperatorDetails. */
static void write_additional(struct jw *w, const struct operator_info *info)
{
    if (info->country[0])
        jw_textz(w, "isoCountryCode", info->country);
    jw_textz(w, "numberType", type_word(info->type));
    if (!info->carrier[0])
        return;
    jw_object(w, "operatorDetails");
    jw_textz(w, "name", info->carrier);
    jw_null(w, "mobileNetworkCode");
    jw_null(w, "mobileCountryCode");
    jw_end(w);
}

enum err operator_info_run(struct http_call *hc)
{
    char text[E164_SIZE];
    struct operator_info info;
    const struct info_body *b = hc->rq;
    enum err err = numbers_operator(hc->api->numbers, b->number, &info, &hc->why);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "values");
    jw_object(&w, NULL);
    jw_textz(&w, "phoneNumber", e164_write(text, info.number));
    if (e164_write_national(text, info.number))
        jw_textz(&w, "nationalFormat", text);
    jw_textz(&w, "internationalFormat", e164_write_international(text, info.number));
    if (b->additional)
        write_additional(&w, &info);
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}
