/* How SMSCs write ids: for numbers of any size, in any case, with any zeros, the receipt's leads back to the answer's. */
#include "domain/messages/receipt_ids.h"
#include "base/str.h"
#include "unit/cm.h"

enum { ROUNDS = 20000 };
static uint64_t chance = 94696269;

static uint64_t any(void)
{
    chance ^= chance << 13, chance ^= chance >> 7, chance ^= chance << 17;
    return chance;
}

/* A number of 1 to 128 bits, as an SMSC would write it: base 10 or 16, either case, zeros in front. */
static void write(char dst[64], unsigned __int128 v, bool hex)
{
    char digits[48];
    size_t n = 0, zeros = any() % 4 == 0 ? any() % 8 : 0, at = 0;
    bool upper = any() & 1;
    do {
        digits[n++] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[(unsigned)(v % (hex ? 16 : 10))];
        v /= hex ? 16 : 10;
    } while (v);
    while (zeros--)
        dst[at++] = '0';
    while (n)
        dst[at++] = digits[--n];
    dst[at] = '\0';
}

static unsigned __int128 any_number(void)
{
    unsigned __int128 v = (unsigned __int128)any() << 64 | any();
    return v >> (any() % 128);
}

static void every_form_leads_back_to_the_answer(void **state)
{
    (void)state;
    static const struct { enum carrier_id_form form; bool answer_hex, receipt_hex; } forms[] = {
        { CARRIER_ID_SAME, true, true }, { CARRIER_ID_SAME, false, false },
        { CARRIER_ID_HEX_DEC, true, false }, { CARRIER_ID_DEC_HEX, false, true },
    };
    for (int i = 0; i < ROUNDS; i++) {
        unsigned __int128 v = any_number();
        for (size_t f = 0; f < ARRAY_LEN(forms); f++) {
            char answer[64], receipt[64], want[RECEIPT_ID_SIZE], got[RECEIPT_ID_SIZE], said[RECEIPT_ID_SIZE], came[RECEIPT_ID_SIZE];
            write(answer, v, forms[f].answer_hex);
            write(receipt, v, forms[f].receipt_hex);
            receipt_id_canonical(want, str_of(answer));
            assert_int_equal(receipt_id_read(got, str_of(receipt), forms[f].form), ERR_NONE);
            assert_string_equal(got, want);
            receipt_id_canonical(came, str_of(receipt));            /* and the other way, for receipts that come first */
            assert_int_equal(receipt_id_write(said, str_of(answer), forms[f].form), ERR_NONE);
            assert_string_equal(said, came);
        }
    }
}

static void letters_are_the_same_in_any_case_and_no_number(void **state)
{
    (void)state;
    char id[RECEIPT_ID_SIZE];
    receipt_id_canonical(id, STR("00A7-Fx"));
    assert_string_equal(id, "a7-fx");
    receipt_id_canonical(id, STR("000"));
    assert_string_equal(id, "0");
    assert_int_equal(receipt_id_read(id, STR("a7-fx"), CARRIER_ID_DEC_HEX), ERR_SYNTAX);
    assert_int_equal(receipt_id_read(id, STR("12ab"), CARRIER_ID_HEX_DEC), ERR_SYNTAX);
    assert_int_equal(receipt_id_read(id, STR(""), CARRIER_ID_HEX_DEC), ERR_SYNTAX);
    assert_int_equal(receipt_id_read(id, STR("100000000000000000000000000000000"), CARRIER_ID_DEC_HEX), ERR_SYNTAX);
    assert_int_equal(receipt_id_read(id, STR("ffffffffffffffffffffffffffffffff"), CARRIER_ID_DEC_HEX), ERR_NONE);
    assert_string_equal(id, "340282366920938463463374607431768211455");
    assert_int_equal(receipt_id_read(id, STR("340282366920938463463374607431768211456"), CARRIER_ID_HEX_DEC), ERR_SYNTAX);
}

static void any_octets_are_an_id_that_is_only_itself(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        char octets[80], id[RECEIPT_ID_SIZE], again[RECEIPT_ID_SIZE];
        size_t n = any() % 80;
        for (size_t k = 0; k < n; k++)
            octets[k] = (char)(1 + any() % 255);
        receipt_id_canonical(id, (struct str){ octets, n });
        receipt_id_canonical(again, str_of(id));
        assert_string_equal(again, id);
        (void)!receipt_id_read(id, (struct str){ octets, n }, CARRIER_ID_HEX_DEC);
        (void)!receipt_id_read(id, (struct str){ octets, n }, CARRIER_ID_DEC_HEX);
    }
}

static void twenty_that_agree_decide_and_twenty_others_begin_anew(void **state)
{
    (void)state;
    struct id_learner l;
    id_learner_init(&l, CARRIER_ID_AUTO);
    for (int i = 0; i < 19; i++)
        id_learner_saw(&l, CARRIER_ID_HEX_DEC);
    assert_int_equal(l.form, CARRIER_ID_AUTO);
    id_learner_saw(&l, CARRIER_ID_SAME);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(l.form, CARRIER_ID_AUTO);
        id_learner_saw(&l, CARRIER_ID_HEX_DEC);
    }
    assert_int_equal(l.form, CARRIER_ID_HEX_DEC);
    for (int i = 0; i < 20; i++)
        id_learner_saw(&l, CARRIER_ID_DEC_HEX);
    assert_int_equal(l.form, CARRIER_ID_DEC_HEX);
    id_learner_init(&l, CARRIER_ID_SAME);
    for (int i = 0; i < 40; i++)
        id_learner_saw(&l, CARRIER_ID_HEX_DEC);
    assert_int_equal(l.form, CARRIER_ID_SAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_leads_back_to_the_answer),
        cmocka_unit_test(letters_are_the_same_in_any_case_and_no_number),
        cmocka_unit_test(any_octets_are_an_id_that_is_only_itself),
        cmocka_unit_test(twenty_that_agree_decide_and_twenty_others_begin_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
