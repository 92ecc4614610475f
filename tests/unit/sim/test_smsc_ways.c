#include "unit/cm.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/str.h"
#include "codec/smpp/smpp.h"
#include "sim/smsc_ways.h"

static void untold_it_is_kind(void **state)
{
    (void)state;
    struct smsc_ways w;
    smsc_ways_init(&w);
    assert_int_equal(w.receipt_delay, 100 * US_PER_MS);
    assert_int_equal(w.refuse_status, ESME_RMSGQFUL);
    assert_int_equal(w.refuse_percent, 0);
    assert_int_equal(w.deliver_window, 100);
    assert_int_equal(w.receipts, WAY_ASKED);
    assert_string_equal(w.password, "");
}

static void a_list_of_settings_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    struct smsc_ways w;
    struct problem why = { 0 };
    smsc_ways_init(&w);
    assert_int_equal(smsc_ways_read(&w, STR("window=10, answerDelay=200ms,receiptAs=tlv,bindStatus=ESME_RBINDFAIL,moText=a=b"), &why),
                     ERR_NONE);
    assert_int_equal(w.window, 10);
    assert_int_equal(w.answer_delay, 200 * US_PER_MS);
    assert_int_equal(w.receipt_as, RECEIPT_TLV);
    assert_int_equal(w.bind_status, ESME_RBINDFAIL);
    assert_string_equal(w.mo_text, "a=b");
    assert_int_equal(smsc_ways_read(&w, STR("window=20,rate=x"), &why), ERR_RANGE);
    assert_int_equal(w.window, 10);
    assert_string_equal(why.target, "rate");
    assert_int_equal(smsc_ways_read(&w, STR("window=20,window"), &why), ERR_SYNTAX);
    assert_int_equal(w.window, 10);
    assert_int_equal(smsc_ways_read(&w, STR("window="), &why), ERR_NONE);
    assert_int_equal(w.window, 0);
    assert_int_equal(smsc_ways_read(&w, STR(""), &why), ERR_NONE);
}

static void what_is_out_of_bounds_is_refused_with_what_would_do(void **state)
{
    (void)state;
    static const struct { const char *name, *value, *words; } wrong[] = {
        { "window", "10001", "0 to 10000" },        { "window", "-1", "0 to 10000" },   { "deliverWindow", "0", "1 to 1000" },
        { "answerDelay", "11m", "a time up to 10m" }, { "answerDelay", "fast", "a time" }, { "receiptAs", "smoke", "both|text|tlv" },
        { "bindStatus", "ESME_RNONSENSE", "command_status" }, { "systemId", "sixteen-octets-x", "15 octets" },
        { "refusePercent", "101", "0 to 100" },
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct smsc_ways w;
        struct problem why = { 0 };
        smsc_ways_init(&w);
        assert_int_equal(smsc_ways_put(&w, str_of(wrong[i].name), str_of(wrong[i].value), &why), ERR_RANGE);
        if (!strstr(why.text, wrong[i].words))
            fail_msg("'%s' does not say '%s'", why.text, wrong[i].words);
    }
}

static void a_misspelt_name_is_told_the_nearest(void **state)
{
    (void)state;
    struct smsc_ways w;
    struct problem why = { 0 };
    smsc_ways_init(&w);
    assert_int_equal(smsc_ways_put(&w, STR("anserDelay"), STR("1s"), &why), ERR_ABSENT);
    assert_non_null(strstr(why.text, "'answerDelay'"));
}

static void json_comes_back_as_it_was_written_but_for_the_password(void **state)
{
    (void)state;
    struct smsc_ways w, again;
    struct problem why = { 0 };
    scoped_buf text = { 0 };
    struct jw out = jw_of(&text);
    smsc_ways_init(&w);
    assert_int_equal(smsc_ways_read(&w, STR("rate=5,burst=20,longAs=sar,refuseStatus=0x1234,receiptJitter=1m30s,password=pw,moTo=+1"),
                                    &why), ERR_NONE);
    jw_object(&out, NULL);
    smsc_ways_write(&w, &out);
    jw_end(&out);
    buf_putc(&text, '\0');
    text.n--;
    assert_null(strstr(text.p, "pw\""));
    scoped(json_doc) struct json_doc *doc = NULL;
    assert_int_equal(json_read(&doc, buf_str(&text), &why), ERR_NONE);
    smsc_ways_init(&again);
    assert_int_equal(smsc_ways_patch(&again, json_root(doc), &why), ERR_NONE);
    str_copyz(again.password, sizeof again.password, STR("pw"));
    assert_memory_equal(&w, &again, sizeof w);
}

/* The unit tests run at the root of the tree. */
static void the_page_for_people_lists_exactly_these(void **state)
{
    (void)state;
    FILE *f = fopen("docs/simulator.md", "r");
    assert_non_null(f);
    char line[1024], want[1024];
    struct smsc_way way;
    size_t i = 0;
    bool in_table = false;
    while (fgets(line, sizeof line, f)) {
        in_table = strncmp(line, "| `", 3) == 0 && (in_table || strncmp(line, "| `systemId`", 12) == 0);
        if (!in_table)
            continue;
        assert_true(smsc_way_row(i++, &way));
        size_t n = (size_t)snprintf(want, sizeof want, "| `%s` | %s | ", way.name, *way.otherwise ? way.otherwise : "-");
        for (const char *p = way.takes; *p; p++)
            n += (size_t)snprintf(want + n, sizeof want - n, *p == '|' ? "\\|" : "%c", *p);
        snprintf(want + n, sizeof want - n, " | %s |\n", way.words);
        assert_string_equal(line, want);
    }
    fclose(f);
    assert_false(smsc_way_row(i, &way));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(untold_it_is_kind),
        cmocka_unit_test(a_list_of_settings_is_read_whole_or_not_at_all),
        cmocka_unit_test(what_is_out_of_bounds_is_refused_with_what_would_do),
        cmocka_unit_test(a_misspelt_name_is_told_the_nearest),
        cmocka_unit_test(json_comes_back_as_it_was_written_but_for_the_password),
        cmocka_unit_test(the_page_for_people_lists_exactly_these),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
