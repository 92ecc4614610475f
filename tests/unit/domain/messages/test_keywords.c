/* STOP, START and HELP: which text is one, in which language, and who answers on which number. */
#include "domain/messages/keywords.h"
#include "base/str.h"
#include "codec/gsm7/gsm7.h"
#include "unit/cm.h"

static enum keyword in(const char *text, const char *language)
{
    return keyword_of(str_of(text), str_of(language));
}

static void the_whole_message_is_the_word_but_for_case_and_marks(void **state)
{
    (void)state;
    assert_int_equal(in("STOP", "en"), KEYWORD_STOP);
    assert_int_equal(in(" stop.\n", "en"), KEYWORD_STOP);
    assert_int_equal(in("\"Opt Out\"!", "en"), KEYWORD_STOP);
    assert_int_equal(in("Unstop", "en"), KEYWORD_START);
    assert_int_equal(in("help?", "en"), KEYWORD_HELP);
    assert_int_equal(in("please stop", "en"), KEYWORD_NONE);
    assert_int_equal(in("stop it", "en"), KEYWORD_NONE);
    assert_int_equal(in("", "en"), KEYWORD_NONE);
    assert_int_equal(in("...", "en"), KEYWORD_NONE);
    assert_int_equal(keyword_of((struct str){ "STOP\0", 5 }, STR("en")), KEYWORD_NONE);
    assert_int_equal(in("\xff\xfe", "en"), KEYWORD_NONE);
}

static void each_language_has_its_words_and_those_of_english(void **state)
{
    (void)state;
    assert_int_equal(in("ALTO", "es"), KEYWORD_STOP);
    assert_int_equal(in("ALTO", "en"), KEYWORD_NONE);
    assert_int_equal(in("STOP", "es"), KEYWORD_STOP);
    assert_int_equal(in("ARRÊT", "fr"), KEYWORD_STOP);
    assert_int_equal(in("Hjälp", "sv"), KEYWORD_HELP);
    assert_int_equal(in("HJÄLP", "sv"), KEYWORD_HELP);
    assert_int_equal(in("HJÄLP", "de"), KEYWORD_NONE);
}

static void a_carrier_knows_three_words(void **state)
{
    (void)state;
    assert_int_equal(keyword_of_carrier(STR(" Stop ")), KEYWORD_STOP);
    assert_int_equal(keyword_of_carrier(STR("unstop")), KEYWORD_START);
    assert_int_equal(keyword_of_carrier(STR("START")), KEYWORD_START);
    assert_int_equal(keyword_of_carrier(STR("QUIT")), KEYWORD_NONE);
    assert_int_equal(keyword_of_carrier(STR("HELP")), KEYWORD_NONE);
}

static void the_most_particular_policy_holds(void **state)
{
    (void)state;
    assert_int_equal(optout_policy_of("2020-10", "US", "tollFree")->handling, OPTOUT_BY_CARRIER);
    assert_false(optout_policy_of("2020-10", "US", "tollFree")->help);
    assert_int_equal(optout_policy_of("current", "US", "shortCode")->handling, OPTOUT_BY_PLATFORM);
    assert_int_equal(optout_policy_of("2020-10", "US", "shortCode")->handling, OPTOUT_BY_NONE);
    assert_int_equal(optout_policy_of("current", "GB", "shortCode")->handling, OPTOUT_BY_NONE);
    assert_int_equal(optout_policy_of("current", "US", "geographic")->handling, OPTOUT_BY_NONE);
    assert_string_equal(optout_policy_of("current", "SE", "mobile")->language, "sv");
    assert_string_equal(optout_policy_of("current", "XX", "mobile")->language, "en");
}

/* Two machines of ours would answer each other for ever. */
static void no_answer_is_a_keyword(void **state)
{
    (void)state;
    static const char *const languages[] = { "en", "es", "fr", "de", "sv", "da", "no", "nl", "it", "pt" };
    for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
        assert_true(keyword_language(str_of(languages[i])));
        for (int k = KEYWORD_STOP; k <= KEYWORD_HELP; k++) {
            struct str text = str_of(keyword_text((enum keyword)k, str_of(languages[i])));
            for (size_t j = 0; j < ARRAY_LEN(languages); j++)
                assert_int_equal(keyword_of(text, str_of(languages[j])), KEYWORD_NONE);
            assert_int_equal(keyword_of_carrier(text), KEYWORD_NONE);
        }
    }
    assert_string_equal(keyword_text(KEYWORD_STOP, STR("xx")), keyword_text(KEYWORD_STOP, STR("en")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_message_is_the_word_but_for_case_and_marks),
        cmocka_unit_test(each_language_has_its_words_and_those_of_english),
        cmocka_unit_test(a_carrier_knows_three_words),
        cmocka_unit_test(the_most_particular_policy_holds),
        cmocka_unit_test(no_answer_is_a_keyword),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
