#include "base/json.h"
#include "base/str.h"
#include "unit/cm.h"

#include <math.h>

static enum err read_text(struct str text, struct problem *why)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    return json_read(&doc, text, why);
}

/* -- reading ----------------------------------------------------------------------------------------------------- */
static void members_are_found_and_null_is_absent(void **state)
{
    (void)state;
    scoped(json_doc) struct json_doc *doc = NULL;
    assert_int_equal(json_read(&doc, STR("{\"t\":\"a\\u20acb\",\"i\":-5,\"r\":2.5,\"b\":true,\"n\":null,\"a\":[1,null,\"x\"]}"),
                               NULL), ERR_NONE);
    const struct json *o = json_root(doc), *a = json_member(o, "a");
    assert_int_equal(json_kind(o), JSON_IS_OBJECT);
    assert_int_equal(json_count(o), 6);
    assert_str(json_text_of(o, "t"), "a\xe2\x82\xac" "b");
    assert_int_equal(json_int_of(o, "i", 0), -5);
    assert_true(fabs(json_number(json_member(o, "r"), 0) - 2.5) < 1e-9);
    assert_true(json_bool_of(o, "b", false));
    assert_null(json_member(o, "n"));
    assert_null(json_member(o, "missing"));
    assert_int_equal(json_kind(json_member(o, "n")), JSON_IS_ABSENT);
    assert_int_equal(json_count(a), 3);
    assert_int_equal(json_int(json_item(a, 0), 0), 1);
    assert_null(json_item(a, 1));
    assert_str(json_text(json_item(a, 2)), "x");
    assert_null(json_item(a, 3));
}

static void another_type_gives_the_default(void **state)
{
    (void)state;
    scoped(json_doc) struct json_doc *doc = NULL;
    assert_int_equal(json_read(&doc, STR("{\"t\":\"x\",\"i\":1,\"r\":1.5}"), NULL), ERR_NONE);
    const struct json *o = json_root(doc);
    assert_int_equal(json_int_of(o, "t", 42), 42);
    assert_int_equal(json_int_of(o, "r", 42), 42);
    assert_null(json_text_of(o, "i").p);
    assert_true(json_bool_of(o, "i", true));
    assert_null(json_member(json_member(o, "i"), "x"));
    assert_null(json_item(json_member(o, "i"), 0));
    assert_int_equal(json_count(json_member(o, "i")), 0);
    assert_null(json_member(NULL, "x"));
    assert_null(json_text(NULL).p);
    void *at = NULL;
    struct str name;
    const struct json *v;
    assert_false(json_next(json_member(o, "i"), &at, &name, &v));
}

static void an_objects_members_can_be_walked(void **state)
{
    (void)state;
    scoped(json_doc) struct json_doc *doc = NULL;
    assert_int_equal(json_read(&doc, STR("{\"one\":1,\"two\":2,\"three\":3}"), NULL), ERR_NONE);
    void *at = NULL;
    struct str name;
    const struct json *v;
    int64_t sum = 0;
    size_t letters = 0;
    while (json_next(json_root(doc), &at, &name, &v)) {
        sum += json_int(v, 0);
        letters += name.n;
    }
    assert_int_equal(sum, 6);
    assert_int_equal(letters, 11);
}

static void what_is_not_json_is_refused_with_its_place(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", " ", "{", "{\"a\":1,}", "{a:1}", "{'a':1}", "[1 2]", "{\"a\":1}x", "{\"a\":1,\"a\":2}", "nul", "01", "1.", "+1",
        "\"\x01\"", "\"\\x\"", "\"\xff\"", "\"\xed\xa0\x80\"", "\"\\ud800\"", "{\"a\\u0000b\":1}", "99999999999999999999",
        "1e999", "NaN", "// x\n1",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct problem why = { 0 };
        if (read_text(str_of(bad[i]), &why) != ERR_SYNTAX)
            fail_msg("%s was read", bad[i]);
        assert_string_equal(why.code, "BadRequest");
        assert_non_null(strstr(why.text, "line"));
    }
}

/* A body of 64 KiB of one bracket must cost neither the stack nor the time of deep recursion. */
static void nesting_beyond_sense_is_refused(void **state)
{
    (void)state;
    enum { SIZE = 65536 };
    static char deep[SIZE];
    struct problem why;
    memset(deep, '[', SIZE);
    assert_int_equal(read_text((struct str){ deep, SIZE }, &why), ERR_SYNTAX);
    for (size_t i = 0; i < SIZE - 5; i += 5)
        memcpy(deep + i, "{\"a\":", 5);
    assert_int_equal(read_text((struct str){ deep, SIZE }, &why), ERR_SYNTAX);
    memset(deep, '[', 20);
    memset(deep + 20, ']', 20);
    assert_int_equal(read_text((struct str){ deep, 40 }, &why), ERR_NONE);
}

/* -- filling ----------------------------------------------------------------------------------------------------- */
struct order {
    struct str         from, text;
    int64_t            count;
    bool               report;
    const struct json *extra;
};
static const struct json_field order_fields[] = {
    JSON_TEXT_FIELD(struct order, from, "from", true, 1, 10),
    JSON_TEXT_FIELD(struct order, text, "message", true, 0, 5),
    JSON_INT_FIELD(struct order, count, "count", false, 1, 100),
    JSON_BOOL_FIELD(struct order, report, "report", false),
    JSON_ANY_FIELD(struct order, extra, "extra", false),
};

static enum err fill(const char *text, struct order *o, struct arena *a, struct problem *why)
{
    static struct json_doc *doc;
    json_doc_free(doc);
    doc = NULL;
    if (!text)
        return ERR_NONE;
    assert_int_equal(json_read(&doc, str_of(text), why), ERR_NONE);
    return json_fill(json_root(doc), order_fields, ARRAY_LEN(order_fields), o, a, why);
}

static void a_table_fills_a_struct(void **state)
{
    (void)state;
    scoped(arena) struct arena *a = arena_new();
    struct order o = { .count = 7 };
    struct problem why;
    assert_int_equal(fill("{\"from\":\"+1206\",\"message\":\"hi\",\"report\":true,\"extra\":[1],\"new\":{}}", &o, a, &why),
                     ERR_NONE);
    assert_int_equal(json_count(o.extra), 1);
    fill(NULL, NULL, NULL, NULL);           /* the texts are copies */
    assert_str(o.from, "+1206");
    assert_int_equal(o.from.p[o.from.n], '\0');
    assert_str(o.text, "hi");
    assert_int_equal(o.count, 7);
    assert_true(o.report);
}

static void a_field_at_fault_is_named(void **state)
{
    (void)state;
    static const struct { const char *body, *field, *said; } cases[] = {
        { "{\"message\":\"hi\"}", "from", "The field 'from' is required." },
        { "{\"from\":null,\"message\":\"hi\"}", "from", "The field 'from' is required." },
        { "{\"from\":5,\"message\":\"hi\"}", "from", "The field 'from' must be text." },
        { "{\"from\":\"\",\"message\":\"hi\"}", "from", "The field 'from' must have 1 to 10 characters, not 0." },
        { "{\"from\":\"x\",\"message\":\"\\ud83d\\ude00\\ud83d\\ude00\\ud83d\\ude00\"}", "message",
          "The field 'message' must have 0 to 5 characters, not 6." },
        { "{\"from\":\"x\",\"message\":\"\",\"count\":0}", "count", "The field 'count' must be 1 to 100, not 0." },
        { "{\"from\":\"x\",\"message\":\"\",\"count\":101}", "count", "The field 'count' must be 1 to 100, not 101." },
        { "{\"from\":\"x\",\"message\":\"\",\"count\":1.5}", "count", "The field 'count' must be a whole number." },
        { "{\"from\":\"x\",\"message\":\"\",\"count\":\"1\"}", "count", "The field 'count' must be a whole number." },
        { "{\"from\":\"x\",\"message\":\"\",\"report\":1}", "report", "The field 'report' must be true or false." },
    };
    scoped(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct order o = { 0 };
        struct problem why = { 0 };
        assert_int_equal(fill(cases[i].body, &o, a, &why), ERR_RANGE);
        assert_string_equal(why.code, "BadRequest");
        assert_string_equal(why.target, cases[i].field);
        assert_string_equal(why.text, cases[i].said);
    }
    struct order o;
    struct problem why;
    assert_int_equal(fill("[1]", &o, a, &why), ERR_SYNTAX);
    fill(NULL, NULL, NULL, NULL);
}

/* -- writing ----------------------------------------------------------------------------------------------------- */
static void a_member_of_another_type_is_told_by_its_path(void **state)
{
    (void)state;
    static const struct json_shape shapes[] = {
        { "a", JSON_IS_OBJECT }, { "a.list", JSON_IS_ARRAY }, { "a.some", JSON_IS_REAL }, { "name", JSON_IS_TEXT },
    };
    static const struct { const char *json, *target; } cases[] = {
        { "{}", NULL },                       { "{\"a\":null,\"name\":null}", NULL },
        { "{\"a\":{\"some\":1}}", NULL },     { "{\"a\":{\"some\":1.5,\"list\":[]},\"name\":\"x\",\"b\":3}", NULL },
        { "{\"a\":[]}", "a" },                { "{\"a\":{\"list\":{}}}", "a.list" },
        { "{\"a\":{\"some\":\"1\"}}", "a.some" }, { "{\"name\":7}", "name" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        scoped(json_doc) struct json_doc *doc = NULL;
        struct problem why = { 0 };
        assert_int_equal(json_read(&doc, str_of(cases[i].json), NULL), ERR_NONE);
        assert_int_equal(json_expect(json_root(doc), shapes, ARRAY_LEN(shapes), &why),
                         cases[i].target ? ERR_RANGE : ERR_NONE);
        assert_string_equal(why.target, cases[i].target ? cases[i].target : "");
    }
}

static void the_writer_sets_commas_and_nests(void **state)
{
    (void)state;
    scoped_buf b = { 0 };
    struct jw w = jw_of(&b);
    jw_object(&w, NULL);
    jw_array(&w, "empty");
    jw_end(&w);
    jw_array(&w, "list");
    jw_int(&w, NULL, INT64_MIN);
    jw_object(&w, NULL);
    jw_bool(&w, "yes", true);
    jw_null(&w, "nothing");
    jw_end(&w);
    jw_textz(&w, NULL, NULL);
    jw_end(&w);
    jw_raw(&w, "raw", STR("{\"x\":1}"));
    jw_printf(&w, "call", "%s-%d", "leg", 7);
    jw_time(&w, "at", 1500000);
    jw_end(&w);
    assert_str(buf_str(&b), "{\"empty\":[],\"list\":[-9223372036854775808,{\"yes\":true,\"nothing\":null},null],"
                            "\"raw\":{\"x\":1},\"call\":\"leg-7\",\"at\":\"1970-01-01T00:00:01.5000000+00:00\"}");
}

static void micro_units_are_written_exactly(void **state)
{
    (void)state;
    static const struct { int64_t micro; const char *text; } cases[] = {
        { 0, "0.0" }, { 1500000, "1.5" }, { 1000000, "1.0" }, { 7900, "0.0079" }, { 1, "0.000001" }, { -500000, "-0.5" },
        { -1000001, "-1.000001" }, { INT64_MAX, "9223372036854.775807" }, { INT64_MIN, "-9223372036854.775808" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        scoped_buf b = { 0 };
        struct jw w = jw_of(&b);
        jw_micro(&w, NULL, cases[i].micro);
        assert_str(buf_str(&b), cases[i].text);
    }
}

static void decimals_pass_through_as_they_came(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":0.35,\"b\":[1.0,0.1,-2.475,123456789.012345],\"micro\":9223372036854.77}";
    scoped(json_doc) struct json_doc *doc = NULL;
    assert_int_equal(json_read(&doc, str_of(text), NULL), ERR_NONE);
    scoped_buf b = { 0 };
    struct jw w = jw_of(&b);
    jw_json(&w, NULL, json_root(doc));
    assert_str(buf_str(&b), text);
}

static void text_is_escaped_and_never_broken(void **state)
{
    (void)state;
    static const struct { const char *text, *json; } cases[] = {
        { "a\"b\\c/d", "\"a\\\"b\\\\c/d\"" },
        { "\b\f\n\r\t\x01\x7f", "\"\\u0008\\u000c\\n\\r\\t\\u0001\x7f\"" },
        { "\xe2\x82\xac \xf0\x9f\x98\x80", "\"\xe2\x82\xac \xf0\x9f\x98\x80\"" },
        { "cut \xe2\x82", "\"cut \xef\xbf\xbd\xef\xbf\xbd\"" },            /* what is no UTF-8 must not reach a reader */
        { "\xff" "a\xc0\x80", "\"\xef\xbf\xbd" "a\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        scoped_buf b = { 0 };
        struct jw w = jw_of(&b);
        jw_textz(&w, NULL, cases[i].text);
        assert_str(buf_str(&b), cases[i].json);
        assert_int_equal(read_text(buf_str(&b), NULL), ERR_NONE);
    }
    scoped_buf b = { 0 };
    struct jw w = jw_of(&b);
    jw_text(&w, NULL, (struct str){ "a\0b", 3 });
    assert_str(buf_str(&b), "\"a\\u0000b\"");
}

static void what_was_read_can_be_written_again(void **state)
{
    (void)state;
    scoped(json_doc) struct json_doc *doc = NULL;
    static const char text[] = "{\"a\":[1,2.5,\"x\\n\\u20ac\",null,true],\"b\":{}}";
    assert_int_equal(json_read(&doc, str_of(text), NULL), ERR_NONE);
    scoped_buf b = { 0 };
    struct jw w = jw_of(&b);
    jw_array(&w, NULL);
    jw_json(&w, NULL, json_root(doc));
    jw_json(&w, NULL, NULL);
    jw_end(&w);
    assert_str(buf_str(&b), "[{\"a\":[1,2.5,\"x\\n\xe2\x82\xac\",null,true],\"b\":{}},null]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found_and_null_is_absent),
        cmocka_unit_test(another_type_gives_the_default),
        cmocka_unit_test(an_objects_members_can_be_walked),
        cmocka_unit_test(what_is_not_json_is_refused_with_its_place),
        cmocka_unit_test(nesting_beyond_sense_is_refused),
        cmocka_unit_test(a_table_fills_a_struct),
        cmocka_unit_test(a_field_at_fault_is_named),
        cmocka_unit_test(a_member_of_another_type_is_told_by_its_path),
        cmocka_unit_test(the_writer_sets_commas_and_nests),
        cmocka_unit_test(micro_units_are_written_exactly),
        cmocka_unit_test(decimals_pass_through_as_they_came),
        cmocka_unit_test(text_is_escaped_and_never_broken),
        cmocka_unit_test(what_was_read_can_be_written_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
