/* A list of numbers as CSV: its columns, its words, its money. What comes of the rows is seen in test_inventory_api.c. */
#include "unit/cm.h"

#include "base/str.h"
#include "edge/api/import_csv.h"

static void a_cost_is_whole_millionths_of_a_dollar(void **state)
{
    (void)state;
    static const struct { const char *text; int64_t micro; const char *again; } good[] = {
        { "0", 0, "0" }, { "1", 1000000, "1" }, { "1.25", 1250000, "1.25" }, { "0.000001", 1, "0.000001" },
        { ".5", 500000, "0.5" }, { "00.10", 100000, "0.1" }, { "1000000", 1000000000000, "1000000" },
        { "19.999999", 19999999, "19.999999" },
    };
    static const char *const bad[] = { "", ".", "1.", "-1", "+1", "$1", "1,5", "1.0000001", "1e3", "1000000.000001", "9999999999", " 1" };
    int64_t micro;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        scoped_buf b = { 0 };
        assert_int_equal(import_cost_read(str_of(good[i].text), &micro), ERR_NONE);
        assert_int_equal(micro, good[i].micro);
        import_cost_put(&b, micro);
        assert_str(buf_str(&b), good[i].again);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (!import_cost_read(str_of(bad[i]), &micro))
            fail_msg("'%s' was taken for a cost", bad[i]);
}

static void capabilities_are_named_and_what_is_not_named_is_none(void **state)
{
    (void)state;
    static const struct { const char *text; enum capability calling, sms; } good[] = {
        { "calling:inbound+outbound sms:none", CAP_BOTH, CAP_NONE }, { "sms:both", CAP_NONE, CAP_BOTH },
        { "  SMS:Outbound   calling:INBOUND ", CAP_INBOUND, CAP_OUTBOUND }, { "", CAP_NONE, CAP_NONE },
    };
    static const char *const bad[] = { "calling", "calling:", "calling:yes", "voice:both", "calling: both", "calling:both,sms:none" };
    enum capability calling, sms;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(import_capabilities_read(str_of(good[i].text), &calling, &sms), ERR_NONE);
        assert_int_equal(calling, good[i].calling);
        assert_int_equal(sms, good[i].sms);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(import_capabilities_read(str_of(bad[i]), &calling, &sms), ERR_SYNTAX);
}

/* @return how many rows, good and bad */
static size_t reads(const char *text, const char *columns)
{
    struct import_slice *s = NULL;
    struct problem why = { 0 };
    if (import_csv_read(&s, str_of(text), str_of(columns), 1, &why))
        fail_msg("%s: %s", why.rule, why.text);
    size_t n = import_slice_count(s);
    import_slice_free(s);
    return n;
}

static void refuses(const char *text, const char *columns, const char *rule, const char *words)
{
    struct import_slice *s = NULL;
    struct problem why = { 0 };
    assert_int_equal(import_csv_read(&s, str_of(text), str_of(columns), 1, &why), ERR_RANGE);
    assert_null(s);
    assert_string_equal(why.rule, rule);
    if (!strstr(why.text, words))
        fail_msg("'%s' does not say '%s'", why.text, words);
}

static void columns_come_in_any_order_and_case_and_an_export_is_a_list(void **state)
{
    (void)state;
    assert_int_equal(reads("Cost, NUMBER ,sms\n1,+12065550123,none\n2,+12065550124,both\n", ""), 2);
    assert_int_equal(reads("number,carrier,type,country,capabilities,cost,tags,state,resource,note\r\n"
                           "+12065550123,acme,local,US,calling:both sms:none,1.25,gold;west,available,,\r\n", ""), 1);
    assert_int_equal(reads("+12065550123,acme\n+12065550124,acme\n", "number,carrier"), 2);
    assert_int_equal(reads("number\n", ""), 0);
    assert_int_equal(reads("", "number"), 0);
}

static void columns_that_are_strange_are_refused_by_name(void **state)
{
    (void)state;
    refuses("number,carier\n", "", "ColumnUnknown", "There is no column 'carier': did you mean 'carrier'?");
    refuses("number,zebra\n", "", "ColumnUnknown", "There is no column 'zebra'.");
    refuses("number,type,Type\n", "", "ColumnDoubled", "'type' stands twice");
    refuses("carrier,type\n", "", "ColumnNeeded", "no column 'number'");
    refuses("+12065550123\n", "", "ColumnUnknown", "'+12065550123'");
    refuses("", "", "ColumnNeeded", "no column 'number'");
    refuses("\"number\n", "", "RowMalformed", "a quote opens that is not closed");
    refuses("number,type\r+12065550123,local\r", "", "RowMalformed", "a carriage return stands within the line");
    refuses("\xff\xfen", "", "RowMalformed", "it is not UTF-8 text");       /* UTF-16 begins so */
    refuses("\x1f\x8b\x08,number\n", "", "RowMalformed", "it is not UTF-8 text");
    refuses("+12065550123\n", "\"number", "RowMalformed", "a quote opens that is not closed");
    refuses("+12065550123\n", "carrier", "ColumnNeeded", "no column 'number'");
}

static void a_piece_is_bounded(void **state)
{
    (void)state;
    scoped_buf text = { 0 };
    struct import_slice *s = NULL;
    struct problem why = { 0 };
    buf_putz(&text, "number\n");
    for (int i = 0; i < IMPORT_SLICE_MOST; i++)
        buf_printf(&text, "+1206%07d\n", 2000000 + i);
    assert_int_equal(import_csv_read(&s, buf_str(&text), STR(""), 1, &why), ERR_NONE);
    assert_int_equal(import_slice_count(s), IMPORT_SLICE_MOST);
    import_slice_free(s);
    s = NULL;
    buf_putz(&text, "+12069999999\n");
    assert_int_equal(import_csv_read(&s, buf_str(&text), STR(""), 1, &why), ERR_SIZE);
    assert_null(s);
    assert_string_equal(why.rule, "SliceTooLarge");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cost_is_whole_millionths_of_a_dollar),
        cmocka_unit_test(capabilities_are_named_and_what_is_not_named_is_none),
        cmocka_unit_test(columns_come_in_any_order_and_case_and_an_export_is_a_list),
        cmocka_unit_test(columns_that_are_strange_are_refused_by_name),
        cmocka_unit_test(a_piece_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
