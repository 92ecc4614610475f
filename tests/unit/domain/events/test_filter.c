#include "domain/events/filter.h"

#include "base/str.h"
#include "unit/cm.h"

#define CALL "{\"to\":{\"kind\":\"phoneNumber\",\"phoneNumber\":{\"value\":\"+18445550100\"}},\"from\":\"+12065550110\",\"n\":7,\"list\":[\"a\"]}"
#define WHERE(key, values) "{\"advancedFilters\":[{\"operatorType\":\"StringIn\",\"key\":\"" key "\",\"values\":" values "}]}"

static struct json_doc *doc_of(const char *text)
{
    struct json_doc *doc = NULL;
    assert_int_equal(json_read(&doc, str_of(text), NULL), ERR_NONE);
    return doc;
}

static bool admits(const char *filter, const char *subject, const char *data)
{
    scoped(json_doc) struct json_doc *f = doc_of(filter), *d = data ? doc_of(data) : NULL;
    assert_int_equal(filter_check(json_root(f), NULL), ERR_NONE);
    return filter_admits(json_root(f), str_of(subject), d ? json_root(d) : NULL);
}

static void no_filter_admits_all(void **state)
{
    (void)state;
    assert_int_equal(filter_check(NULL, NULL), ERR_NONE);
    assert_true(filter_admits(NULL, str_of(""), NULL));
    assert_true(admits("{}", "/a", NULL));
    assert_false(filter_looks_at_data(NULL));
}

static void a_subject_is_judged_by_its_ends(void **state)
{
    (void)state;
    const char *filter = "{\"subjectBeginsWith\":\"/phonenumber/1844\",\"subjectEndsWith\":\"0100\"}";
    assert_true(admits(filter, "/PhoneNumber/18445550100", NULL));
    assert_false(admits(filter, "/phonenumber/18335550100", NULL));
    assert_false(admits(filter, "/phonenumber/18445550101", NULL));
    assert_false(admits(filter, "/phone", NULL));
    assert_false(admits(filter, "", NULL));
    assert_true(admits("{\"subjectBeginsWith\":\"/ab\",\"subjectEndsWith\":\"bc\"}", "/abc", NULL));
}

static void a_subject_is_judged_with_case_when_that_is_said(void **state)
{
    (void)state;
    assert_false(admits("{\"subjectBeginsWith\":\"/A\",\"isSubjectCaseSensitive\":true}", "/a", NULL));
    assert_true(admits("{\"subjectBeginsWith\":\"/A\",\"isSubjectCaseSensitive\":false}", "/a", NULL));
}

static void a_field_of_the_data_must_have_one_of_the_values(void **state)
{
    (void)state;
    assert_true(admits(WHERE("data.to.phoneNumber.value", "[\"+1\",\"+18445550100\"]"), "", CALL));
    assert_true(admits(WHERE("data.to.kind", "[\"PHONENUMBER\"]"), "", CALL));
    assert_false(admits(WHERE("data.to.phoneNumber.value", "[\"+1844555010\"]"), "", CALL));
    assert_false(admits(WHERE("data.to.phoneNumber", "[\"+18445550100\"]"), "", CALL));
    assert_false(admits(WHERE("data.absent.value", "[\"x\"]"), "", CALL));
    assert_false(admits(WHERE("data.from.value", "[\"+12065550110\"]"), "", CALL));
    assert_false(admits(WHERE("data.from", "[\"+12065550110\"]"), "", NULL));
}

static void what_is_no_text_equals_no_value(void **state)
{
    (void)state;
    assert_false(admits(WHERE("data.n", "[\"7\"]"), "", CALL));
    assert_false(admits(WHERE("data.list", "[\"a\"]"), "", CALL));
}

static void every_condition_must_hold(void **state)
{
    (void)state;
    const char *both = "{\"advancedFilters\":[{\"operatorType\":\"StringIn\",\"key\":\"data.from\",\"values\":[\"+12065550110\"]},"
                       "{\"operatorType\":\"stringin\",\"key\":\"data.to.kind\",\"values\":[\"%s\"]}]}";
    char text[512];
    snprintf(text, sizeof text, both, "phoneNumber");
    assert_true(admits(text, "", CALL));
    snprintf(text, sizeof text, both, "unknown");
    assert_false(admits(text, "", CALL));
}

static void refused(const char *filter, const char *target)
{
    struct problem why = { 0 };
    scoped(json_doc) struct json_doc *f = doc_of(filter);
    assert_int_equal(filter_check(json_root(f), &why), ERR_RANGE);
    assert_string_equal(why.rule, "EventFilterInvalid");
    assert_string_equal(why.target, target);
}

static void what_is_no_filter_is_refused_by_name(void **state)
{
    (void)state;
    refused("[]", "filter");
    refused("{\"subjectBegins\":\"/a\"}", "filter.subjectBegins");
    refused("{\"subjectBeginsWith\":\"\"}", "filter.subjectBeginsWith");
    refused("{\"subjectEndsWith\":5}", "filter.subjectEndsWith");
    refused("{\"isSubjectCaseSensitive\":\"yes\"}", "filter.isSubjectCaseSensitive");
    refused("{\"advancedFilters\":{}}", "filter.advancedFilters");
    refused("{\"advancedFilters\":[5]}", "filter.advancedFilters[0].operatorType");
    refused("{\"advancedFilters\":[{\"operatorType\":\"NumberIn\",\"key\":\"data.n\",\"values\":[1]}]}",
            "filter.advancedFilters[0].operatorType");
    refused("{\"advancedFilters\":[{\"operatorType\":\"StringIn\",\"key\":\"data.n\",\"value\":\"1\"}]}",
            "filter.advancedFilters[0].value");
    const char *keys[] = { "n", "data", "data.", "data..n", "data.n.", "subject" };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        char text[256];
        snprintf(text, sizeof text, "{\"advancedFilters\":[{\"operatorType\":\"StringIn\",\"key\":\"%s\",\"values\":[\"1\"]}]}", keys[i]);
        refused(text, "filter.advancedFilters[0].key");
    }
    const char *values[] = { "[]", "\"x\"", "[1]", "[\"\"]", "null" };
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        char text[256];
        snprintf(text, sizeof text, "{\"advancedFilters\":[{\"operatorType\":\"StringIn\",\"key\":\"data.n\",\"values\":%s}]}", values[i]);
        refused(text, "filter.advancedFilters[0].values");
    }
}

/* n texts of one letter, or n conditions. */
static char *many(size_t n, const char *one, const char *head, const char *tail)
{
    char *text = calloc(1, 64 + n * (strlen(one) + 1) + strlen(head) + strlen(tail));
    strcat(text, head);
    for (size_t i = 0; i < n; i++) {
        strcat(text, i ? "," : "");
        strcat(text, one);
    }
    strcat(text, tail);
    return text;
}

static void limits_are_exact(void **state)
{
    (void)state;
    static const char *const heads[] = { "{\"advancedFilters\":[",
                                         "{\"advancedFilters\":[{\"operatorType\":\"StringIn\",\"key\":\"data.n\",\"values\":[" };
    static const char *const ones[] = { "{\"operatorType\":\"StringIn\",\"key\":\"data.n\",\"values\":[\"x\"]}", "\"x\"" };
    static const char *const tails[] = { "]}", "]}]}" };
    static const char *const targets[] = { "filter.advancedFilters", "filter.advancedFilters[0].values" };
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        char *most = many(25, ones[i], heads[i], tails[i]), *over = many(26, ones[i], heads[i], tails[i]);
        assert_false(admits(most, "", "{}"));
        refused(over, targets[i]);
        free(most);
        free(over);
    }
    char subject[FILTER_TEXT_MAX + 64];
    snprintf(subject, sizeof subject, "{\"subjectEndsWith\":\"%0512d\"}", 0);
    assert_false(admits(subject, "/a", NULL));
    snprintf(subject, sizeof subject, "{\"subjectEndsWith\":\"%0513d\"}", 0);
    refused(subject, "filter.subjectEndsWith");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_filter_admits_all),
        cmocka_unit_test(a_subject_is_judged_by_its_ends),
        cmocka_unit_test(a_subject_is_judged_with_case_when_that_is_said),
        cmocka_unit_test(a_field_of_the_data_must_have_one_of_the_values),
        cmocka_unit_test(what_is_no_text_equals_no_value),
        cmocka_unit_test(every_condition_must_hold),
        cmocka_unit_test(what_is_no_filter_is_refused_by_name),
        cmocka_unit_test(limits_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
