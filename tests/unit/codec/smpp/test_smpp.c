#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/str.h"
#include "codec/smpp/smpp.h"

static const uint8_t *octets_of(const char *hex, size_t *n)
{
    static uint8_t octets[1024];
    assert_int_equal(hex_read(octets, sizeof octets, str_of(hex), n), ERR_NONE);
    return octets;
}

static struct smpp_pdu a_submit(void)
{
    return (struct smpp_pdu){
        .command = SMPP_submit_sm, .sequence = 7,
        .sm = { .source_addr_ton = 1, .source_addr_npi = 1, .source_addr = STR("18005550100"), .dest_addr_ton = 1,
                .dest_addr_npi = 1, .destination_addr = STR("12065550101"), .esm_class = 0, .registered_delivery = 1,
                .short_message = STR("hello") },
    };
}

static enum err write_out(uint8_t *octets, size_t size, const struct smpp_pdu *pdu, size_t *n)
{
    struct wr w = wr_of(octets, size);
    enum err err = smpp_write(&w, pdu);
    *n = wr_len(&w);
    return err;
}

static void a_submit_reads_back_as_written(void **state)
{
    (void)state;
    uint8_t octets[512];
    size_t n, framed;
    struct smpp_pdu in = a_submit(), out;
    in.tlvs.has_sar_msg_ref_num = true;
    in.tlvs.sar_msg_ref_num = 0xabcd;
    in.tlvs.has_user_message_reference = true;
    in.tlvs.user_message_reference = 9;
    assert_int_equal(write_out(octets, sizeof octets, &in, &n), ERR_NONE);
    assert_int_equal(smpp_frame(octets, n, &framed), ERR_NONE);
    assert_int_equal(framed, n);
    assert_int_equal(smpp_read(&out, octets, n), ERR_NONE);
    assert_int_equal(out.sequence, 7);
    assert_true(str_eqz(out.sm.source_addr, "18005550100"));
    assert_true(str_eqz(out.sm.destination_addr, "12065550101"));
    assert_true(str_eqz(out.sm.short_message, "hello"));
    assert_int_equal(out.sm.registered_delivery, 1);
    assert_true(out.tlvs.has_sar_msg_ref_num && out.tlvs.sar_msg_ref_num == 0xabcd);
    assert_true(out.tlvs.has_user_message_reference && out.tlvs.user_message_reference == 9);
    assert_false(out.tlvs.has_message_payload);
}

static void a_frame_waits_for_its_octets(void **state)
{
    (void)state;
    uint8_t octets[512];
    size_t n, framed;
    struct smpp_pdu in = a_submit();
    assert_int_equal(write_out(octets, sizeof octets, &in, &n), ERR_NONE);
    for (size_t some = 0; some < n; some++) {
        assert_int_equal(smpp_frame(octets, some, &framed), ERR_NONE);
        assert_int_equal(framed, 0);
    }
}

static void impossible_lengths_end_the_stream(void **state)
{
    (void)state;
    size_t framed;
    assert_int_equal(smpp_frame("\x00\x00\x00\x0f", 4, &framed), ERR_SIZE);
    assert_int_equal(smpp_frame("\x00\x01\x00\x01", 4, &framed), ERR_SIZE);
    assert_int_equal(smpp_frame("\xff\xff\xff\xff", 4, &framed), ERR_SIZE);
    assert_int_equal(smpp_frame("\x00\x01\x00\x00", 4, &framed), ERR_NONE);
}

static void every_cut_of_a_body_is_malformed(void **state)
{
    (void)state;
    uint8_t octets[512];
    size_t n;
    struct smpp_pdu in = a_submit(), out;
    assert_int_equal(write_out(octets, sizeof octets, &in, &n), ERR_NONE);
    for (size_t some = SMPP_HEAD_OCTETS; some < n; some++) {
        assert_int_equal(smpp_read(&out, octets, some), ERR_SYNTAX);
        assert_int_equal(out.sequence, 7);              /* enough is known to answer */
    }
}

static void an_unknown_command_is_told_apart(void **state)
{
    (void)state;
    size_t n;
    struct smpp_pdu out;
    const uint8_t *octets = octets_of("00000010" "00000102" "00000000" "0000002a", &n);
    assert_int_equal(smpp_read(&out, octets, n), ERR_ABSENT);
    assert_int_equal(out.sequence, 42);
    assert_string_equal(smpp_command_name(0x102), "?");
    assert_string_equal(smpp_command_name(SMPP_deliver_sm_resp), "deliver_sm_resp");
    assert_string_equal(smpp_status_name(0x58), "ESME_RTHROTTLED");
}

static void times_are_read_relative_and_absolute(void **state)
{
    (void)state;
    static const int64_t NOW = 1795406400 * INT64_C(1000000);       /* 2026-11-23 04:00:00 UTC */
    static const struct { const char *text; int64_t s; } good[] = {
        { "000000000500000R", 1795406700 }, { "000001000000000R", 1795406400 + 86400 }, { "261123040000000+", 1795406400 },
        { "261123050000004+", 1795406400 }, { "261123030000004-", 1795406400 },
    };
    static const char *const bad[] = { "", "soon", "000000000500000", "000000000500000X", "26112304000000x+", "261323040000000+",
                                       "261100040000000+", "261123240000000+", "261123040000049+", "2611230400000000+",
                                       "260231040000000+", "260931040000000+" };
    int64_t at;
    char back[SMPP_TIME_SIZE];
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(smpp_time_read(str_of(good[i].text), NOW, &at), ERR_NONE);
        assert_int_equal(at, good[i].s * 1000000);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(smpp_time_read(str_of(bad[i]), NOW, &at), ERR_SYNTAX);
    smpp_time_write(back, NOW + 700000);
    assert_string_equal(back, "261123040000700+");
    assert_int_equal(smpp_time_read(str_of(back), 0, &at), ERR_NONE);
    assert_int_equal(at, NOW + 700000);
}

static void a_status_is_read_by_name_and_number(void **state)
{
    (void)state;
    uint32_t status = 7;
    assert_int_equal(smpp_status_read(STR("esme_rthrottled"), &status), ERR_NONE);
    assert_int_equal(status, 0x58);
    assert_int_equal(smpp_status_read(STR("0x45"), &status), ERR_NONE);
    assert_int_equal(status, 0x45);
    assert_int_equal(smpp_status_read(STR("1024"), &status), ERR_NONE);
    assert_int_equal(status, 1024);
    static const char *const bad[] = { "", "0x", "0x123456789", "0xzz", "ESME_", "4294967296", "-1" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(smpp_status_read(str_of(bad[i]), &status), ERR_SYNTAX);
    assert_int_equal(status, 1024);
}

static void a_list_of_destinations_that_is_cut_short_is_malformed(void **state)
{
    (void)state;
    uint8_t octets[512], dests[128];
    size_t n;
    struct smpp_pdu in = a_submit(), out;
    struct wr w = wr_of(dests, sizeof dests);
    smpp_dest_put(&w, &(struct smpp_dest){ .addr = { 1, 1, STR("12065550101") } });
    smpp_dest_put(&w, &(struct smpp_dest){ .list = STR("friends") });
    in.command = SMPP_submit_multi;
    in.n_dests = 2;
    in.dests = (struct str){ (const char *)dests, wr_len(&w) };
    assert_int_equal(write_out(octets, sizeof octets, &in, &n), ERR_NONE);
    assert_int_equal(smpp_read(&out, octets, n), ERR_NONE);
    assert_int_equal(out.n_dests, 2);
    assert_true(str_eq(out.dests, in.dests));
    assert_true(str_eqz(out.sm.short_message, "hello"));
    for (size_t some = SMPP_HEAD_OCTETS; some < n; some++)
        assert_int_equal(smpp_read(&out, octets, some), ERR_SYNTAX);
    octets[SMPP_HEAD_OCTETS + 1 + 2 + 12 + 1] = 3;                  /* dest_flag (5.2.25): neither an SME nor a list */
    assert_int_equal(smpp_read(&out, octets, n), ERR_SYNTAX);
}

static void a_writer_keeps_to_the_sizes(void **state)
{
    (void)state;
    uint8_t octets[1024];
    size_t n;
    static const char long_text[255];
    struct smpp_pdu pdu = a_submit();
    pdu.sm.source_addr = STR("123456789012345678901");              /* 21 and its NUL */
    assert_int_equal(write_out(octets, sizeof octets, &pdu, &n), ERR_RANGE);
    assert_int_equal(n, 0);
    pdu = a_submit();
    pdu.sm.short_message = (struct str){ long_text, sizeof long_text };
    assert_int_equal(write_out(octets, sizeof octets, &pdu, &n), ERR_RANGE);
    pdu = a_submit();
    pdu.sm.destination_addr = STR("12\0" "3");
    assert_int_equal(write_out(octets, sizeof octets, &pdu, &n), ERR_RANGE);
    pdu = a_submit();
    assert_int_equal(write_out(octets, 30, &pdu, &n), ERR_SIZE);
    pdu.command = 0x102;
    assert_int_equal(write_out(octets, sizeof octets, &pdu, &n), ERR_ABSENT);
}

static void a_long_password_is_still_read(void **state)
{
    (void)state;
    size_t n;
    struct smpp_pdu out;
    const uint8_t *octets = octets_of("0000003c" "00000009" "00000000" "00000001" "61636d6500"
                                      "612d70617373776f72642d6f662d32332d6f637465747300" "00" "34" "01" "01" "00", &n);
    assert_int_equal(smpp_read(&out, octets, n), ERR_NONE);
    assert_true(str_eqz(out.bind.system_id, "acme"));
    assert_true(str_eqz(out.bind.password, "a-password-of-23-octets"));
    assert_int_equal(out.bind.interface_version, 0x34);
}

static void a_refusal_may_come_without_a_body(void **state)
{
    (void)state;
    size_t n;
    struct smpp_pdu out;
    assert_int_equal(smpp_read(&out, octets_of("00000010" "80000004" "00000058" "00000001", &n), 16), ERR_NONE);
    assert_int_equal(out.status, ESME_RTHROTTLED);
    assert_int_equal(smpp_read(&out, octets_of("00000010" "80000009" "0000000e" "00000001", &n), 16), ERR_NONE);
    assert_int_equal(smpp_read(&out, octets_of("00000010" "80000005" "00000000" "00000001", &n), 16), ERR_NONE);
}

static void an_ill_written_message_id_is_an_answer_still(void **state)
{
    (void)state;
    static const struct { const char *octets, *id; } cases[] = {
        { "00000010" "80000004" "00000000" "00000001", "" },
        { "00000011" "80000004" "00000000" "00000001" "00", "" },
        { "00000012" "80000004" "00000000" "00000001" "3432", "42" },
        { "00000015" "80000004" "00000000" "00000001" "34320004ff", "42" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t n;
        struct smpp_pdu out;
        const uint8_t *octets = octets_of(cases[i].octets, &n);
        assert_int_equal(smpp_read(&out, octets, n), ERR_NONE);
        assert_true(str_eqz(out.sm_resp.message_id, cases[i].id));
    }
}

static void loose_tlvs_are_understood(void **state)
{
    (void)state;
    size_t n;
    struct smpp_pdu out;
    /* message_state in two octets, receipted_message_id without its NUL, an unknown tag, a stray NUL at the end */
    const uint8_t *octets = octets_of("00000048" "00000005" "00000000" "00000001"
                                      "00" "0101" "313200" "0101" "333400" "04" "00" "00" "00" "00" "00" "00" "00" "00"
                                      "00" "0427" "0002" "0002" "001e" "0003" "616263" "1400" "0001" "ff" "00", &n);
    assert_int_equal(smpp_read(&out, octets, n), ERR_NONE);
    assert_int_equal(out.tlvs.message_state, SMPP_DELIVERED);
    assert_true(str_eqz(out.tlvs.receipted_message_id, "abc"));
    assert_true(smpp_is_receipt(&out));
}

static void payload_replaces_the_short_message(void **state)
{
    (void)state;
    struct smpp_pdu pdu = a_submit();
    assert_true(str_eqz(smpp_sm_octets(&pdu), "hello"));
    pdu.tlvs.has_message_payload = true;
    pdu.tlvs.message_payload = STR("longer");
    assert_true(str_eqz(smpp_sm_octets(&pdu), "longer"));
}

/* -- receipts ----------------------------------------------------------------------------------------------------- */
static void assert_receipt(struct str text, const char *id, enum smpp_state state, uint32_t err)
{
    struct smpp_receipt r;
    assert_int_equal(smpp_receipt_text_read(&r, text), ERR_NONE);
    assert_true(str_eqz(r.id, id));
    assert_int_equal(r.state, state);
    assert_int_equal(r.err, err);
}

static void receipts_of_many_hands_are_read(void **state)
{
    (void)state;
    assert_receipt(STR("id:1234567890 sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:DELIVRD err:000 "
                       "text:hello"), "1234567890", SMPP_DELIVERED, 0);
    assert_receipt(STR("id:c449ab97-44 sub:001 dlvrd:000 submit date:261122120000 done date:261122120130 stat:UNDELIV "
                       "err:069"), "c449ab97-44", SMPP_UNDELIVERABLE, 69);
    assert_receipt(STR("ID: 0A1F SUB:1 Stat: EXPIRED Err: 12 Text: id:9 stat:DELIVRD"), "0A1F", SMPP_EXPIRED, 12);
    assert_receipt(STR("stat:DELIVERED id:5"), "5", SMPP_DELIVERED, 0);
    assert_receipt(STR("id:5 stat:REJECTD err:XYZ"), "5", SMPP_REJECTED, 0);
    assert_receipt(STR("id:5 stat:wat"), "5", SMPP_UNKNOWN, 0);
}

static void a_text_without_an_id_is_no_receipt(void **state)
{
    (void)state;
    struct smpp_receipt r;
    assert_int_equal(smpp_receipt_text_read(&r, STR("")), ERR_SYNTAX);
    assert_int_equal(smpp_receipt_text_read(&r, STR("hello, paid:5 at noon")), ERR_SYNTAX);
    assert_int_equal(smpp_receipt_text_read(&r, STR("id: stat:DELIVRD")), ERR_NONE);   /* "stat:DELIVRD" is its id */
    assert_int_equal(smpp_receipt_text_read(&r, STR("id:")), ERR_SYNTAX);
    assert_int_equal(smpp_receipt_text_read(&r, STR("stat:DELIVRD text:id:7")), ERR_SYNTAX);
}

static void tlvs_win_over_the_text(void **state)
{
    (void)state;
    struct smpp_receipt r;
    struct smpp_pdu pdu = { .command = SMPP_deliver_sm };
    pdu.sm.esm_class = ESM_RECEIPT;
    pdu.sm.short_message = STR("id:7 stat:DELIVRD err:033 text:x");
    pdu.tlvs.has_receipted_message_id = pdu.tlvs.has_message_state = true;
    pdu.tlvs.receipted_message_id = STR("00000007");
    pdu.tlvs.message_state = SMPP_UNDELIVERABLE;
    assert_int_equal(smpp_receipt_read(&r, &pdu), ERR_NONE);
    assert_true(str_eqz(r.id, "00000007"));
    assert_int_equal(r.state, SMPP_UNDELIVERABLE);
    assert_int_equal(r.err, 33);
    pdu.sm.short_message = STR("");
    pdu.tlvs.has_network_error_code = true;
    pdu.tlvs.network_error_code = STR("\x03\x01\x02");
    assert_int_equal(smpp_receipt_read(&r, &pdu), ERR_NONE);
    assert_int_equal(r.err, 0x102);
}

static void our_own_text_reads_back(void **state)
{
    (void)state;
    scoped_buf b = { 0 };
    struct smpp_receipt in = { STR("42"), SMPP_UNDELIVERABLE, 5 };
    smpp_receipt_text_write(&b, &in, INT64_C(1763813640) * 1000000, INT64_C(1763813700) * 1000000,
                            STR("a text of more than twenty octets"));
    assert_true(str_eqz(buf_str(&b), "id:42 sub:001 dlvrd:000 submit date:2511221214 done date:2511221215 stat:UNDELIV "
                                     "err:005 text:a text of more than "));
    assert_receipt(buf_str(&b), "42", SMPP_UNDELIVERABLE, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_submit_reads_back_as_written),
        cmocka_unit_test(a_frame_waits_for_its_octets),
        cmocka_unit_test(impossible_lengths_end_the_stream),
        cmocka_unit_test(every_cut_of_a_body_is_malformed),
        cmocka_unit_test(an_unknown_command_is_told_apart),
        cmocka_unit_test(times_are_read_relative_and_absolute),
        cmocka_unit_test(a_status_is_read_by_name_and_number),
        cmocka_unit_test(a_list_of_destinations_that_is_cut_short_is_malformed),
        cmocka_unit_test(a_writer_keeps_to_the_sizes),
        cmocka_unit_test(a_long_password_is_still_read),
        cmocka_unit_test(a_refusal_may_come_without_a_body),
        cmocka_unit_test(an_ill_written_message_id_is_an_answer_still),
        cmocka_unit_test(loose_tlvs_are_understood),
        cmocka_unit_test(payload_replaces_the_short_message),
        cmocka_unit_test(receipts_of_many_hands_are_read),
        cmocka_unit_test(a_text_without_an_id_is_no_receipt),
        cmocka_unit_test(tlvs_win_over_the_text),
        cmocka_unit_test(our_own_text_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
