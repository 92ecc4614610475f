/* Accept-Language, and the names of countries it chooses between. */
#include "base/str.h"
#include "domain/numbers/catalogue.h"
#include "domain/numbers/country_names.h"
#include "edge/api/languages.h"
#include "unit/cm.h"

static void the_heaviest_wish_that_is_offered_wins(void **state)
{
    static const struct { const char *accept, *language; } cases[] = {
        { "", "en" }, { "de", "de" }, { "DE", "de" }, { "de-AT", "de" }, { "de-CH-1996", "de" }, { "en-US", "en" },
        { "en-US,de;q=0.9", "en" }, { "da,sv;q=0.8,de;q=0.9", "de" }, { "sv;q=0.5,fr;q=0.5", "sv" }, { "fr;q=0.5, it", "it" },
        { "xx", "en" }, { "xx, *;q=0.1", "en" }, { "*, ja;q=0.5", "en" }, { "ja;q=0", "en" }, { "ja;q=0.001", "ja" },
        { "zh", "zh" }, { "zh-CN", "zh" }, { "zh-Hans-SG", "zh" }, { "zh-TW", "zh-Hant" }, { "zh-Hant-HK", "zh-Hant" },
        { "zh-hk", "zh-Hant" }, { "pt-BR", "pt" }, { "ko-KR;q=1.000", "ko" },
        /* what cannot be read is passed over */
        { "nl;q=2", "en" }, { "nl;q=0.1234", "en" }, { "nl;q=x,es", "es" }, { "nl;p=1,es", "es" }, { ",,;q=1, ;,it", "it" },
        { "nl;q=1.5", "en" }, { "-", "en" }, { "de-", "de" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *got = language_choose(str_of(cases[i].accept), country_languages);
        if (strcmp(got, cases[i].language))
            fail_msg("'%s' chose %s, not %s", cases[i].accept, got, cases[i].language);
    }
}

static void every_country_of_every_edition_has_a_name_in_every_language(void **state)
{
    static const char *const editions[] = { "2020-10", "current" };
    const char *code, *english;
    (void)state;
    for (size_t e = 0; e < ARRAY_LEN(editions); e++)
        for (size_t i = 0; (code = catalogue_country(editions[e], i, &english)); i++)
            for (const char *const *language = country_languages + 1; *language; language++)
                if (!country_name(code, *language) || !utf8_valid(str_of(country_name(code, *language))))
                    fail_msg("%s has no name in %s", code, *language);
    assert_null(country_name("US", "en"));
    assert_null(country_name("XX", "de"));
    assert_string_equal(country_name("DE", "sv"), "Tyskland");
    assert_string_equal(country_name("US", "zh"), "美国");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_heaviest_wish_that_is_offered_wins),
        cmocka_unit_test(every_country_of_every_edition_has_a_name_in_every_language),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
