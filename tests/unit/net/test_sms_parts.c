#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "net/sms_parts.h"

static struct sms_joiner *joiner(size_t most)
{
    struct sms_joiner *j = NULL;
    assert_int_equal(sms_joiner_new(&j, 60000000, most), ERR_NONE);
    return j;
}

static struct sms_whole put(struct sms_joiner *j, int64_t us, uint16_t ref, uint8_t total, uint8_t part,
                            enum sms_alphabet alphabet, struct str octets, uint64_t handle)
{
    struct sms_whole whole;
    struct sms_part p = { .from = "+12065550101", .to = "+18005550100", .concat = { ref, total, part },
                          .alphabet = alphabet, .octets = octets, .handle = handle };
    assert_int_equal(sms_joiner_put(j, (struct mono){ us }, &p, &whole), ERR_NONE);
    return whole;
}

static void what_is_cut_is_joined_again_whatever_the_order(void **state)
{
    (void)state;
    scoped(sms_joiner) struct sms_joiner *j = joiner(10);
    scoped_buf text = { 0 };
    for (int i = 0; i < 100; i++)
        buf_putz(&text, "Grüße €5 ");
    struct sms_split split;
    assert_int_equal(sms_split(&split, buf_str(&text)), ERR_NONE);
    assert_true(split.count > 3);
    struct sms_whole whole = { 0 };
    for (unsigned i = split.count; i-- > 0;) {
        uint8_t octets[SMS_SEGMENT_OCTETS];
        struct smpp_pdu pdu = { .sm = { .source_addr_ton = 1, .source_addr = STR("12065550101"), .dest_addr_ton = 1,
                                        .destination_addr = STR("18005550100") } };
        struct sms_part part;
        assert_int_equal(whole.parts, 0);
        assert_int_equal(sms_part_fill(&pdu, octets, &split, buf_str(&text), i, 7), ERR_NONE);
        assert_true(pdu.sm.short_message.n <= SMS_SEGMENT_OCTETS && pdu.sm.esm_class == ESM_UDHI);
        assert_int_equal(sms_part_read(&part, &pdu), ERR_NONE);
        part.handle = i;
        assert_int_equal(sms_joiner_put(j, (struct mono){ 0 }, &part, &whole), ERR_NONE);
    }
    assert_int_equal(whole.parts, split.count);
    assert_int_equal(whole.n_handles, split.count);
    assert_true(str_eq(whole.text, buf_str(&text)));
    assert_true(str_eqz(whole.from, "+12065550101") && str_eqz(whole.to, "+18005550100"));
}

static void a_message_in_one_part_is_whole_at_once(void **state)
{
    (void)state;
    scoped(sms_joiner) struct sms_joiner *j = joiner(1);
    struct sms_whole whole = put(j, 0, 0, 0, 0, SMS_GSM7, STR("hi"), 5);
    assert_int_equal(whole.parts, 1);
    assert_int_equal(whole.handles[0], 5);
    assert_true(str_eqz(whole.text, "hi"));
    assert_int_equal(sms_joiner_wait_us(j, (struct mono){ 0 }), -1);
}

static void a_pair_split_by_the_sender_is_mended(void **state)
{
    (void)state;
    scoped(sms_joiner) struct sms_joiner *j = joiner(1);
    assert_int_equal(put(j, 0, 1, 2, 1, SMS_UCS2, STR("\0A\xd8\x3d"), 1).parts, 0);
    assert_true(str_eqz(put(j, 0, 1, 2, 2, SMS_UCS2, STR("\xdc\x4d"), 2).text, "A👍"));
    assert_int_equal(put(j, 0, 2, 2, 2, SMS_UCS2, STR("\0B"), 1).parts, 0);
    assert_true(str_eqz(put(j, 0, 2, 2, 1, SMS_GSM7, STR("\0"), 2).text, "@B"));    /* alphabets may differ */
}

static void a_part_sent_again_counts_once_and_is_answered_twice(void **state)
{
    (void)state;
    scoped(sms_joiner) struct sms_joiner *j = joiner(1);
    assert_int_equal(put(j, 0, 9, 2, 1, SMS_GSM7, STR("a"), 1).parts, 0);
    assert_int_equal(put(j, 0, 9, 2, 1, SMS_GSM7, STR("a"), 2).parts, 0);
    struct sms_whole whole = put(j, 0, 9, 2, 2, SMS_GSM7, STR("b"), 3);
    assert_true(str_eqz(whole.text, "ab"));
    assert_int_equal(whole.parts, 2);
    assert_int_equal(whole.n_handles, 3);
}

static void what_never_gets_whole_is_given_up_after_its_time(void **state)
{
    (void)state;
    scoped(sms_joiner) struct sms_joiner *j = joiner(2);
    struct sms_whole whole;
    assert_int_equal(put(j, 1000, 1, 3, 1, SMS_GSM7, STR("one "), 1).parts, 0);
    assert_int_equal(put(j, 2000, 1, 3, 3, SMS_GSM7, STR("three"), 2).parts, 0);
    assert_int_equal(sms_joiner_wait_us(j, (struct mono){ 2000 }), 59999000);
    assert_false(sms_joiner_overdue(j, (struct mono){ 60000999 }, &whole));
    assert_true(sms_joiner_overdue(j, (struct mono){ 60001000 }, &whole));
    assert_int_equal(whole.parts, 2);
    assert_int_equal(whole.total, 3);
    assert_true(str_eqz(whole.text, "one three"));
    assert_false(sms_joiner_overdue(j, (struct mono){ 60001000 }, &whole));
}

static void only_so_many_may_wait(void **state)
{
    (void)state;
    scoped(sms_joiner) struct sms_joiner *j = joiner(1);
    struct sms_whole whole;
    struct sms_part other = { .from = "+1", .to = "+2", .concat = { 1, 2, 1 }, .octets = STR("x") };
    assert_int_equal(put(j, 0, 1, 2, 1, SMS_GSM7, STR("a"), 1).parts, 0);
    assert_int_equal(sms_joiner_put(j, (struct mono){ 0 }, &other, &whole), ERR_BUSY);
    sms_joiner_clear(j);
    assert_int_equal(sms_joiner_put(j, (struct mono){ 0 }, &other, &whole), ERR_NONE);
}

static void sar_tlvs_say_the_same_as_a_header(void **state)
{
    (void)state;
    struct sms_part part;
    struct smpp_pdu pdu = { .sm = { .source_addr = STR("48484"), .destination_addr = STR("2"), .short_message = STR("x") },
                            .tlvs = { .has_sar_msg_ref_num = true, .sar_msg_ref_num = 700, .has_sar_total_segments = true,
                                      .sar_total_segments = 2, .has_sar_segment_seqnum = true, .sar_segment_seqnum = 2 } };
    assert_int_equal(sms_part_read(&part, &pdu), ERR_NONE);
    assert_int_equal(part.concat.ref, 700);
    assert_int_equal(part.concat.part, 2);
    assert_string_equal(part.from, "48484");
    pdu.sm.esm_class = ESM_UDHI;
    pdu.sm.short_message = STR("\x09");
    assert_int_equal(sms_part_read(&part, &pdu), ERR_SYNTAX);
}

static unsigned let_go;
static uint64_t let_go_sum;
static void on_let_go(void *arg, const struct sms_part *part)
{
    static const char *const octets[] = { [5] = "a", [6] = "b", [7] = "z" };
    assert_ptr_equal(arg, &let_go);
    assert_true(str_eqz(part->octets, octets[part->handle]));
    assert_string_equal(part->from, "+12065550101");
    assert_int_equal(part->concat.part, part->handle == 5 ? 1 : 2);
    assert_int_equal(part->concat.total, part->handle == 7 ? 2 : 3);
    let_go++;
    let_go_sum += part->handle;
}

static void handles_that_wait_can_be_let_go_once(void **state)
{
    (void)state;
    scoped(sms_joiner) struct sms_joiner *j = joiner(10);
    put(j, 0, 1, 3, 1, SMS_GSM7, STR("a"), 5);
    put(j, 0, 1, 3, 2, SMS_GSM7, STR("b"), 6);
    put(j, 0, 2, 2, 2, SMS_GSM7, STR("z"), 7);
    let_go = 0, let_go_sum = 0;
    sms_joiner_release(j, on_let_go, &let_go);
    sms_joiner_release(j, on_let_go, &let_go);
    assert_int_equal(let_go, 3);
    assert_int_equal(let_go_sum, 5 + 6 + 7);
    struct sms_whole whole = put(j, 0, 1, 3, 3, SMS_GSM7, STR("c"), 8);
    assert_true(str_eqz(whole.text, "abc"));
    assert_int_equal(whole.n_handles, 3);
    assert_int_equal(whole.handles[0] + whole.handles[1], 0);
    assert_int_equal(whole.handles[2], 8);
    assert_int_equal(whole.ref, 1);
}

static void addresses_keep_their_kind(void **state)
{
    (void)state;
    static const struct { const char *number; uint8_t ton; const char *addr; } rows[] = {
        { "+12065550101", TON_INTERNATIONAL, "12065550101" }, { "48484", TON_NETWORK, "48484" },
        { "CONTOSO", TON_ALPHANUMERIC, "CONTOSO" },
    };
    char number[SMPP_NUMBER_SIZE];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct smpp_addr a = smpp_addr_of(str_of(rows[i].number));
        assert_int_equal(a.ton, rows[i].ton);
        assert_true(str_eqz(a.addr, rows[i].addr));
        assert_int_equal(smpp_addr_number(number, a.ton, a.addr), strlen(rows[i].number));
        assert_string_equal(number, rows[i].number);
    }
    smpp_addr_number(number, TON_UNKNOWN, STR("12065550101"));      /* Kannel's habit: no type of number */
    assert_string_equal(number, "+12065550101");
    smpp_addr_number(number, TON_UNKNOWN, STR("48484"));
    assert_string_equal(number, "48484");
    smpp_addr_number(number, TON_INTERNATIONAL, STR("+12065550101"));
    assert_string_equal(number, "+12065550101");
    smpp_addr_number(number, TON_ALPHANUMERIC, STR("a name of far more than thirty-two octets"));
    assert_int_equal(strlen(number), SMPP_NUMBER_SIZE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_cut_is_joined_again_whatever_the_order),
        cmocka_unit_test(a_message_in_one_part_is_whole_at_once),
        cmocka_unit_test(a_pair_split_by_the_sender_is_mended),
        cmocka_unit_test(a_part_sent_again_counts_once_and_is_answered_twice),
        cmocka_unit_test(what_never_gets_whole_is_given_up_after_its_time),
        cmocka_unit_test(only_so_many_may_wait),
        cmocka_unit_test(sar_tlvs_say_the_same_as_a_header),
        cmocka_unit_test(handles_that_wait_can_be_let_go_once),
        cmocka_unit_test(addresses_keep_their_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
