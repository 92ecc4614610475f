/* What a brief may say: shape, merging, what a submission needs. */
#include "base/arena.h"
#include "base/str.h"
#include "domain/registrations/brief_fields.h"
#include "unit/cm.h"

static enum err check(enum brief_kind kind, const char *text, struct problem *why)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    *why = (struct problem){ 0 };
    if (json_read(&doc, str_of(text), why))
        fail_msg("%s: %s", text, why->text);
    return brief_patch_check(kind, json_root(doc), why);
}

static void a_value_of_a_wrong_kind_is_said_with_its_place(void **state)
{
    static const struct { enum brief_kind kind; const char *body, *target; } bad[] = {
        { BRIEF_CAMPAIGN, "{\"businessInformation\":7}", "businessInformation" },
        { BRIEF_CAMPAIGN, "{\"businessInformation\":{\"companyUrl\":\"contoso.com\"}}", "businessInformation.companyUrl" },
        { BRIEF_CAMPAIGN, "{\"businessInformation\":{\"address\":{\"country\":\"USA\"}}}", "businessInformation.address.country" },
        { BRIEF_CAMPAIGN, "{\"businessPointOfContact\":{\"email\":\"nobody\"}}", "businessPointOfContact.email" },
        { BRIEF_CAMPAIGN, "{\"businessPointOfContact\":{\"phone\":\"12\"}}", "businessPointOfContact.phone" },
        { BRIEF_CAMPAIGN, "{\"businessPointOfContact\":{\"firstName\":\"\"}}", "businessPointOfContact.firstName" },
        { BRIEF_CAMPAIGN, "{\"useCaseInfo\":{\"useCase\":\"Spam\"}}", "useCaseInfo.useCase" },
        { BRIEF_CAMPAIGN, "{\"useCaseInfo\":{\"sampleMessages\":[\"a\",2]}}", "useCaseInfo.sampleMessages[1]" },
        { BRIEF_CAMPAIGN, "{\"phoneNumbers\":[\"+18335550123\",\"833\"]}", "phoneNumbers[1]" },
        { BRIEF_CAMPAIGN, "{\"phoneNumbers\":\"+18335550123\"}", "phoneNumbers" },
        { BRIEF_CAMPAIGN, "{\"estimatedMonthlyVolume\":1000}", "estimatedMonthlyVolume" },
        { BRIEF_CAMPAIGN, "{\"optInDetails\":{\"options\":[{\"imageUrls\":[]}]}}", "optInDetails.options[0].type" },
        { BRIEF_CAMPAIGN, "{\"optInDetails\":{\"options\":[{\"type\":\"website\",\"imageUrls\":[\"x\"]}]}}",
          "optInDetails.options[0].imageUrls[0]" },
        { BRIEF_CAMPAIGN, "{\"businessRegistrationDetails\":{\"businessRegistrationType\":\"XYZ\"}}",
          "businessRegistrationDetails.businessRegistrationType" },
        { BRIEF_PROGRAM, "{\"programDetails\":{\"isVanity\":\"yes\"}}", "programDetails.isVanity" },
        { BRIEF_PROGRAM, "{\"programDetails\":{\"preferredVanityNumbers\":[\"1234\"]}}", "programDetails.preferredVanityNumbers[0]" },
        { BRIEF_PROGRAM, "{\"programDetails\":{\"expectedDateOfService\":\"soon\"}}", "programDetails.expectedDateOfService" },
        { BRIEF_PROGRAM, "{\"trafficDetails\":{\"estimatedVolume\":-1}}", "trafficDetails.estimatedVolume" },
        { BRIEF_PROGRAM, "{\"messageDetails\":{\"types\":[\"fax\"]}}", "messageDetails.types[0]" },
        { BRIEF_PROGRAM, "{\"messageDetails\":{\"useCases\":[{\"examples\":[{\"messages\":[{\"type\":\"x\"}]}]}]}}",
          "messageDetails.useCases[0].examples[0].messages[0].type" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct problem why;
        assert_int_equal(check(bad[i].kind, bad[i].body, &why), ERR_RANGE);
        assert_string_equal(why.target, bad[i].target);
        assert_string_equal(why.rule, "BriefFieldInvalid");
        assert_true(why.text[0] && why.suggestion[0]);
    }
}

static void null_unknown_members_and_what_the_service_writes_are_no_mistake(void **state)
{
    struct problem why;
    (void)state;
    assert_int_equal(check(BRIEF_CAMPAIGN, "{\"useCaseInfo\":null,\"status\":\"approved\",\"reviewNotes\":[7],\"attachments\":1,"
                                           "\"newer\":{},\"businessInformation\":{\"address\":null,\"x\":1}}", &why), ERR_NONE);
    assert_int_equal(check(BRIEF_PROGRAM, "{\"number\":7,\"costs\":{}}", &why), ERR_NONE);
    assert_int_equal(check(BRIEF_PROGRAM, "[]", &why), ERR_SYNTAX);
}

static void assert_merged(enum brief_kind kind, const char *base, const char *patch, const char *result)
{
    scoped(json_doc) struct json_doc *a = NULL;
    scoped(json_doc) struct json_doc *b = NULL;
    scoped_buf out = { 0 };
    assert_int_equal(json_read(&a, str_of(base), NULL), ERR_NONE);
    assert_int_equal(json_read(&b, str_of(patch), NULL), ERR_NONE);
    brief_merge(kind, json_root(a), json_root(b), &out);
    assert_str(buf_str(&out), result);
}

static void a_patch_merges_deeply_and_null_takes_out(void **state)
{
    (void)state;
    assert_merged(BRIEF_CAMPAIGN, "{}", "{\"phoneNumbers\":[\"18335550123\"],\"status\":\"approved\",\"x\":1}",
                  "{\"phoneNumbers\":[\"18335550123\"]}");
    assert_merged(BRIEF_CAMPAIGN, "{\"businessInformation\":{\"companyName\":\"A\",\"address\":{\"locality\":\"B\"}}}",
                  "{\"businessInformation\":{\"address\":{\"postalCode\":\"1\"}},\"additionalInformation\":\"C\"}",
                  "{\"businessInformation\":{\"companyName\":\"A\",\"address\":{\"locality\":\"B\",\"postalCode\":\"1\"}},"
                  "\"additionalInformation\":\"C\"}");
    assert_merged(BRIEF_CAMPAIGN, "{\"businessInformation\":{\"companyName\":\"A\",\"address\":{\"locality\":\"B\"}}}",
                  "{\"businessInformation\":{\"address\":null}}", "{\"businessInformation\":{\"companyName\":\"A\"}}");
    assert_merged(BRIEF_CAMPAIGN, "{\"phoneNumbers\":[\"18335550123\",\"18335550124\"]}", "{\"phoneNumbers\":[]}",
                  "{\"phoneNumbers\":[]}");
    assert_merged(BRIEF_PROGRAM, "{}", "{\"messageDetails\":{\"directionality\":\"TWOWAY\",\"types\":[\"SMS\"]}}",
                  "{\"messageDetails\":{\"types\":[\"sms\"],\"directionality\":\"twoWay\"}}");
}

static enum err complete(enum brief_kind kind, const char *text, struct problem *why)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    *why = (struct problem){ 0 };
    assert_int_equal(json_read(&doc, str_of(text), why), ERR_NONE);
    return brief_complete(kind, json_root(doc), why);
}

#define CONTACT  "\"businessPointOfContact\":{\"firstName\":\"A\",\"lastName\":\"B\",\"phone\":\"+12065550100\",\"email\":\"a@b.co\"}"
#define BUSINESS "\"businessInformation\":{\"companyName\":\"C\",\"companyUrl\":\"https://c.example\",\"address\":{" \
                 "\"addressLine1\":\"1\",\"locality\":\"S\",\"administrativeDivision\":\"WA\",\"postalCode\":\"9\",\"country\":\"US\"}}"
#define USE      "\"useCaseInfo\":{\"sampleMessages\":[\"m\"],\"useCase\":\"Billing\",\"useCaseSummary\":\"s\"}"
#define REST     "\"estimatedMonthlyVolume\":\"V1000\",\"optInDetails\":{\"options\":[{\"type\":\"website\"}]}"

static void a_submission_says_all_that_is_missing(void **state)
{
    struct problem why;
    (void)state;
    assert_int_equal(complete(BRIEF_CAMPAIGN, "{" CONTACT "," BUSINESS "," USE "," REST ",\"phoneNumbers\":[\"18335550123\"]}", &why),
                     ERR_NONE);
    assert_int_equal(complete(BRIEF_CAMPAIGN, "{" CONTACT "," BUSINESS "," USE "," REST ",\"phoneNumbers\":[]}", &why), ERR_RANGE);
    assert_string_equal(why.target, "phoneNumbers");
    assert_string_equal(why.rule, "BriefIncomplete");
    assert_int_equal(complete(BRIEF_CAMPAIGN, "{" CONTACT "," USE "," REST ",\"phoneNumbers\":[\"18335550123\",\"18335550124\"]}",
                              &why), ERR_RANGE);
    assert_string_equal(why.target, "businessInformation.companyName");
    assert_non_null(strstr(why.text, "businessInformation.address.postalCode"));
    assert_int_equal(complete(BRIEF_CAMPAIGN, "{" CONTACT "," BUSINESS "," USE "," REST
                                              ",\"phoneNumbers\":[\"18335550123\",\"18335550124\"]}", &why), ERR_RANGE);
    assert_string_equal(why.target, "multipleNumbersJustification");
    assert_int_equal(complete(BRIEF_CAMPAIGN, "{}", &why), ERR_RANGE);
    assert_string_equal(why.target, "businessPointOfContact.firstName");
    assert_int_equal(complete(BRIEF_PROGRAM, "{\"programDetails\":{\"isVanity\":true}}", &why), ERR_RANGE);
    assert_string_equal(why.target, "programDetails.numberType");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_of_a_wrong_kind_is_said_with_its_place),
        cmocka_unit_test(null_unknown_members_and_what_the_service_writes_are_no_mistake),
        cmocka_unit_test(a_patch_merges_deeply_and_null_takes_out),
        cmocka_unit_test(a_submission_says_all_that_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
