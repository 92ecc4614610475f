/* An operator's folder of changes: what it does to the tables, and what it is told when it is at fault. */
#include "domain/numbers/overlay.h"

#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/billing/price.h"
#include "domain/numbers/plan.h"
#include "unit/cm.h"
#include "unit/tmp.h"

#include <sys/stat.h>

#define JAPAN "JP,tollFree,application,inbound,none,,rated,,,30000000,payg ea,JP US\n"

static struct tmp folder;

static int set_up(void **state)
{
    (void)state;
    folder = tmp_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tmp_free(&folder);
    return 0;
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(tmp_file(&folder, name), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static struct overlay *loaded(const char *edition)
{
    struct overlay *o = NULL;
    struct problem why = { 0 };
    if (overlay_load(&o, folder.path, edition, &why))
        fail_msg("%s", why.text);
    overlay_use(o);
    return o;
}

static void what_is_in_use_is_as_built_in_again_when_it_ends(void **state)
{
    (void)state;
    put("rates.csv", "Global,mixed,,900000,883\n");
    put("areas.csv", "235,US,geographic,MO,Missouri,Columbia\n-206\n");
    put("availability.csv", "-US,geographic,person\n");
    struct overlay *o = loaded("2020-10");
    assert_non_null(rate_find(8835100012345));
    assert_string_equal(nanp_area(235)->place, "Columbia");
    assert_null(nanp_area(206));
    assert_null(catalogue_find("2020-10", STR("US"), NUMBER_GEOGRAPHIC, ASSIGNED_PERSON));
    overlay_free(o);
    assert_null(rate_find(8835100012345));
    assert_null(nanp_area(235));
    assert_non_null(nanp_area(206));
    assert_non_null(catalogue_find("2020-10", STR("US"), NUMBER_GEOGRAPHIC, ASSIGNED_PERSON));
}

static void a_country_can_be_added_with_its_prices(void **state)
{
    (void)state;
    put("availability.csv", "# an operator's own: \"Japan\"\n\n" JAPAN);
    put("countries.csv", "country,name,calling_code\nJP,Japan,81\n");
    put("usage.csv", "JP,tollFree,callIn,,200000\n");
    struct overlay *o = loaded("current");
    const struct catalogue_row *r = catalogue_find("current", STR("JP"), NUMBER_TOLL_FREE, ASSIGNED_APPLICATION);
    assert_non_null(r);
    assert_int_equal(r->calling, CAP_INBOUND);
    assert_int_equal(r->lease_micro, 30000000);
    assert_string_equal(r->billing, "JP US");
    assert_false(r->own_use || r->preview);
    assert_int_equal(catalogue_usage(r, USAGE_CALL_IN, "JP"), 200000);
    assert_true(catalogue_sells_in("current", STR("JP")));
    assert_false(catalogue_serves("2020-10", STR("JP")));       /* one edition is changed, the other stays */
    overlay_free(o);
}

static void a_row_replaces_the_one_with_its_key_and_no_other(void **state)
{
    (void)state;
    put("availability.csv", "DE,geographic,person,outbound,none,DE FR,,,,5000000,ea,DE,ownUse,preview,papers\n");
    struct overlay *o = loaded("current");
    const struct catalogue_row *r = catalogue_find("current", STR("DE"), NUMBER_GEOGRAPHIC, ASSIGNED_PERSON);
    assert_string_equal(r->calls_to, "DE FR");
    assert_string_equal(r->offers, "ea");
    assert_string_equal(r->registration, "papers");
    assert_true(r->own_use && r->preview);
    assert_string_equal(catalogue_find("current", STR("DE"), NUMBER_GEOGRAPHIC, ASSIGNED_APPLICATION)->calls_to, "rated");
    size_t n = 0;
    while (catalogue_row("current", n))
        n++;
    assert_int_equal(n, 98);
    overlay_free(o);
}

static void a_price_lets_a_destination_be_called_and_taking_it_out_forbids_it(void **state)
{
    (void)state;
    const struct catalogue_row *local = catalogue_find("2020-10", STR("US"), NUMBER_GEOGRAPHIC, ASSIGNED_PERSON);
    struct call_price p;
    struct problem why = { 0 };
    assert_int_equal(price_call(local, 8835100012345, &p, &why), ERR_FORBIDDEN);
    assert_string_equal(why.rule, "NoRateForDestination");
    put("rates.csv", "Global,mixed,,900000,883\nLondon,landline,GB,1,442071 44208\n-,,,,3763\n");
    struct overlay *o = loaded("2020-10");
    assert_int_equal(price_call(local, 8835100012345, &p, &why), ERR_NONE);
    assert_int_equal(p.micro_a_minute, 900000);
    assert_int_equal(price_call(local, 442071838750, &p, &why), ERR_NONE);
    assert_int_equal(p.micro_a_minute, 1);
    assert_int_equal(p.prefix, 442071);
    assert_int_equal(price_call(local, 442031838750, &p, &why), ERR_NONE);
    assert_int_equal(p.micro_a_minute, 15000);                  /* the sheet's, as before */
    assert_string_equal(rate_find(376345678)->name, "Andorra"); /* mobiles cost what the rest of the country costs */
    uint64_t last = 0;
    for (size_t i = 0; i < rate_count(); i++) {
        const struct rate *rate;
        uint64_t prefix = rate_prefix(i, &rate);
        assert_true(prefix > last);
        assert_ptr_equal(rate_find(prefix), rate);
        last = prefix;
    }
    overlay_free(o);
}

static void what_it_changes_is_listed_with_its_line(void **state)
{
    (void)state;
    put("rates.csv", "\nGlobal,mixed,,900000,883\nUSA,mixed,US,14000,1206\n-,,,,3763\n");
    put("usage.csv", "US,tollFree,callIn,,1\n");
    struct overlay *o = loaded("2020-10");
    size_t n;
    const char *lines = overlay_changes(o, &n);
    assert_int_equal(n, 4);
    assert_non_null(strstr(lines, "usage.csv:1: replaces US tollFree callIn\n"));
    assert_non_null(strstr(lines, "rates.csv:2: prices 883 (Global) at 900000\n"));
    assert_non_null(strstr(lines, "rates.csv:3: prices 1206 (USA) at 14000 instead of 13000\n"));
    assert_non_null(strstr(lines, "rates.csv:4: takes out the price of 3763 (Andorra - Mobile)\n"));
    overlay_free(o);
}

static void a_fault_names_file_line_column_and_the_nearest_word(void **state)
{
    (void)state;
    static const struct { const char *file, *text, *said; } cases[] = {
        { "availability.csv", "# x\nUS,tolFree,application,none,none,,,,,1,payg,US\n",
          "availability.csv:2: column 2 (type): 'tolFree' is no type; did you mean 'tollFree'?" },
        { "availability.csv", "US,tollFree,aplication,none,none,,,,,1,payg,US\n",
          ":1: column 3 (assignment): 'aplication' is no assignment; did you mean 'application'?" },
        { "availability.csv", "US,tollFree,application,in,none,,,,,1,payg,US\n", ":1: column 4 (calling): 'in' is no calling" },
        { "availability.csv", "US,tollFree,application,inbuond,none,,,,,1,payg,US\n", "did you mean 'inbound'?" },
        { "availability.csv", "US,tollFree,application,none,none,ratde,,,,1,payg,US\n",
          ":1: column 6 (calls_to): 'ratde' is no calls_to; did you mean 'rated'?" },
        { "availability.csv", "US,tollFree,application,none,none,us,,,,1,payg,US\n", ":1: column 6 (calls_to): 'us' is no country" },
        { "availability.csv", "US,tollFree,application,none,none,,,rated,,1,payg,US\n", ":1: column 8 (sms_to): 'rated' is no country" },
        { "availability.csv", "US,tollFree,application,none,none,,,,,1.50,payg,US\n", ":1: column 10 (lease_micro): '1.50' is no whole number" },
        { "availability.csv", "US,tollFree,application,none,none,,,,,1,payq,US\n", ":1: column 11 (offers): 'payq' is no offers; did you mean 'payg'?" },
        { "availability.csv", "US,tollFree,application,none,none,,,,,1,payg,US,ownuse\n",
          ":1: column 13 (terms): 'ownuse' is no terms; did you mean 'ownUse'?" },
        { "availability.csv", "US,tollFree,application,none,none,,,,,1,payg,US,,GA2\n", ":1: column 14 (status): 'GA2' is no status" },
        { "availability.csv", "US,tollFree,application\n", ":1: 3 columns, 12 are wanted; missing: calling" },
        { "availability.csv", "-DE,geographic,person\n", ":1: column 1 (country): DE geographic person is not there and cannot be taken out" },
        { "availability.csv", "-US,geographic,person\n-US,geographic,person\n", ":2: column 1 (country): US geographic person is not there" },
        { "availability.csv", JAPAN JAPAN, ":2: column 1 (country): JP tollFree application stands in line 1 already" },
        { "availability.csv", JAPAN, "JP has rows in availability.csv and no name in countries.csv" },
        { "availability.csv", "US,mobile,application,inbound,none,,US,,,1,payg,US\n", "US mobile is allowed callIn and has no price" },
        { "availability.csv", "US,tollFree,application,none,outbound,,,US MX,,1,payg,US\n", "US tollFree is allowed smsOut with MX and has no price" },
        { "countries.csv", "-US\n", "US has rows in availability.csv and no name" },
        { "countries.csv", "FR,\n", ":1: column 2 (name): a name is wanted" },
        { "usage.csv", "US,tollFree,calIn,,5\n", ":1: column 3 (item): 'calIn' is no item; did you mean 'callIn'?" },
        { "usage.csv", "-US,tollFree,callIn\n", "US tollFree is allowed callIn and has no price" },
        { "rates.csv", "X,landlin,GB,5,44\n", ":1: column 2 (type): 'landlin' is no type; did you mean 'landline'?" },
        { "rates.csv", "X,landline,GB,-5,44\n", ":1: column 4 (micro_usd_per_minute): '-5' is no whole number" },
        { "rates.csv", "X,landline,GB,5,+44\n", ":1: column 5 (prefixes): '+44' is no prefix" },
        { "rates.csv", "X,landline,GB,5,\n", ":1: column 5 (prefixes): digits are wanted" },
        { "rates.csv", "X,landline,GB,5,44\nX,landline,GB,5,33 44\n", ":2: column 5 (prefixes): 44 stands in line 1 already" },
        { "rates.csv", "-,,,,883\n", ":1: column 5 (prefixes): 883 has no price that could be taken out" },
        { "areas.csv", "211,US,geographic,,,\n", ":1: column 1 (npa): '211' is no area code" },
        { "areas.csv", "235,US,geografic,,,\n", ":1: column 3 (kind): 'geografic' is no kind; did you mean 'geographic'?" },
        { "rate.csv", "", "rate.csv: no file of the catalogue has this name; did you mean 'rates.csv'?" },
        { "usage.csv", "US,\"toll\"Free,x\n", "usage.csv:1: " },
        { "rates.csv", "Glo\x01" "bal,mixed,,5,883\n", ":1: column 1 (name): this is no text" },
        { "rates.csv", "\"Two\nlines\",mixed,,5,883\n", "column 1 (name): this is no text" },
        { "countries.csv", "JP,Jap\xff" "an\n", ":1: column 2 (name): this is no text" },
        { "notes.txt", "", "it has none of availability.csv" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct overlay *o = NULL;
        struct problem why = { 0 };
        put(cases[i].file, cases[i].text);
        enum err err = overlay_load(&o, folder.path, "2020-10", &why);
        if (!err || !strstr(why.text, cases[i].said))
            fail_msg("case %zu: '%s', not '%s'", i, why.text, cases[i].said);
        assert_null(o);
        remove(tmp_file(&folder, cases[i].file));
    }
    struct overlay *o = NULL;
    struct problem why = { 0 };
    assert_int_equal(overlay_load(&o, "/nowhere/at/all", "2020-10", &why), ERR_ABSENT);
    assert_non_null(strstr(why.text, "/nowhere/at/all"));
}

static void an_estimate_beyond_counting_is_the_most_there_is(void **state)
{
    (void)state;
    put("rates.csv", "USA,mixed,US,1000000000000000,1206\n");
    put("availability.csv", "US,geographic,person,inbound+outbound,none,rated,rated,,,1000000000000000,payg,US\n");
    struct overlay *o = loaded("2020-10");
    struct arena *arena = arena_new();
    const struct plan *p = NULL;
    struct plan_wish wish = { .edition = "2020-10", .country = "US", .assignment = ASSIGNED_PERSON, .calling = CAP_BOTH, .minutes = 1000000000,
                              .to = 12065550100 };
    assert_int_equal(plan_make(&wish, arena, &p), ERR_NONE);
    assert_int_equal(p->fits_n, 1);
    assert_true(p->fits[0].micro == INT64_MAX);
    arena_free(arena);
    overlay_free(o);
}

/* A FIFO has no end to wait for: whoever starts the server would wait with it. */
static void a_file_that_is_no_plain_file_is_named_at_once(void **state)
{
    (void)state;
    struct problem why = { 0 };
    struct overlay *o = NULL;
    assert_int_equal(mkfifo(tmp_file(&folder, "rates.csv"), 0600), 0);
    assert_int_equal(overlay_load(&o, folder.path, "2020-10", &why), ERR_IO);
    assert_non_null(strstr(why.text, "rates.csv: it is no plain file"));
    remove(tmp_file(&folder, "rates.csv"));
    assert_int_equal(mkdir(tmp_file(&folder, "rates.csv"), 0700), 0);
    assert_int_equal(overlay_load(&o, folder.path, "2020-10", &why), ERR_IO);
    assert_non_null(strstr(why.text, "rates.csv: Is a directory"));
    assert_int_equal(rmdir(tmp_file(&folder, "rates.csv")), 0);
    assert_int_equal(symlink(tmp_file(&folder, "rates.csv"), tmp_file(&folder, "rates.csv")), 0);
    assert_int_equal(overlay_load(&o, folder.path, "2020-10", &why), ERR_IO);
    assert_non_null(strstr(why.text, "rates.csv: Too many levels of symbolic links"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_in_use_is_as_built_in_again_when_it_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_country_can_be_added_with_its_prices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_replaces_the_one_with_its_key_and_no_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_price_lets_a_destination_be_called_and_taking_it_out_forbids_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_it_changes_is_listed_with_its_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fault_names_file_line_column_and_the_nearest_word, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_plain_file_is_named_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_estimate_beyond_counting_is_the_most_there_is, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
