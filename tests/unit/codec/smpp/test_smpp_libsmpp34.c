/* Our PDUs against an independent codec (libsmpp34): what one writes the other must read, field by field.
 * Both ends of our own tests share codec/smpp, so a shared mistake would go unseen without this. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libsmpp34/smpp34.h>
#include <libsmpp34/smpp34_structs.h>
#include <libsmpp34/smpp34_params.h>
/* its macros carry the specification's names, as our enum does */
#undef ESME_ROK
#undef ESME_RINVMSGLEN
#undef ESME_RINVCMDLEN
#undef ESME_RINVCMDID
#undef ESME_RINVBNDSTS
#undef ESME_RALYBND
#undef ESME_RSYSERR
#undef ESME_RINVSRCADR
#undef ESME_RINVDSTADR
#undef ESME_RBINDFAIL
#undef ESME_RINVPASWD
#undef ESME_RINVSYSID
#undef ESME_RMSGQFUL
#undef ESME_RSUBMITFAIL
#undef ESME_RTHROTTLED
#undef ESME_RX_T_APPN
#undef ESME_RX_P_APPN
#undef ESME_RX_R_APPN
#undef ESME_RUNKNOWNERR
#undef ESME_RINVMSGID
#undef ESME_RCANCELFAIL
#undef ESME_RREPLACEFAIL
#undef ESME_RINVNUMDESTS
#undef ESME_RINVDLNAME
#undef ESME_RINVESMCLASS
#undef ESME_RINVSCHED
#undef ESME_RINVEXPIRY
#undef ESME_RQUERYFAIL
#undef ESME_RINVREGDLVFLG
#undef ESME_RINVDFTMSGID

#include "base/str.h"
#include "codec/smpp/smpp.h"

static uint8_t octets[4096];

/* Written by us; its length. */
static int ours(const struct smpp_pdu *pdu)
{
    struct wr w = wr_of(octets, sizeof octets);
    assert_int_equal(smpp_write(&w, pdu), ERR_NONE);
    return (int)wr_len(&w);
}

static void their_read(void *into, const struct smpp_pdu *pdu)
{
    int n = ours(pdu);
    if (smpp34_unpack2(into, octets, n) != 0)
        fail_msg("libsmpp34 refuses our %s: %s", smpp_command_name(pdu->command), smpp34_strerror);
}

static struct smpp_pdu our_read(void *theirs)
{
    struct smpp_pdu pdu;
    int n = 0;
    if (smpp34_pack2(octets, sizeof octets, &n, theirs) != 0)
        fail_msg("libsmpp34 cannot write: %s", smpp34_strerror);
    size_t framed;
    assert_int_equal(smpp_frame(octets, (size_t)n, &framed), ERR_NONE);
    assert_int_equal(framed, n);
    assert_int_equal(smpp_read(&pdu, octets, framed), ERR_NONE);
    return pdu;
}

#define ASSERT_TEXT(theirs, literal) assert_string_equal((const char *)(theirs), literal)
#define PUT_TEXT(theirs, literal)    memcpy(theirs, literal, sizeof literal)
#define ASSERT_STR(ours_, literal)   assert_true(str_eqz(ours_, literal))

static void binds_are_read_by_both(void **state)
{
    (void)state;
    static const uint32_t commands[] = { SMPP_bind_receiver, SMPP_bind_transmitter, SMPP_bind_transceiver };
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        bind_transceiver_t b = { 0 };               /* the three share one layout */
        their_read(&b, &(struct smpp_pdu){ .command = commands[i], .sequence = 3,
                   .bind = { .system_id = STR("acme"), .password = STR("secret"), .system_type = STR("VMA"),
                             .interface_version = 0x34, .addr_ton = 1, .addr_npi = 1, .address_range = STR("^1") } });
        assert_int_equal(b.command_id, commands[i]);
        assert_int_equal(b.sequence_number, 3);
        ASSERT_TEXT(b.system_id, "acme");
        ASSERT_TEXT(b.password, "secret");
        ASSERT_TEXT(b.system_type, "VMA");
        assert_int_equal(b.interface_version, 0x34);
        assert_int_equal(b.addr_ton, 1);
        ASSERT_TEXT(b.address_range, "^1");
        struct smpp_pdu pdu = our_read(&b);
        ASSERT_STR(pdu.bind.system_id, "acme");
        ASSERT_STR(pdu.bind.password, "secret");
        ASSERT_STR(pdu.bind.address_range, "^1");
        assert_int_equal(pdu.bind.addr_npi, 1);
    }
}

static void bind_answers_are_read_by_both(void **state)
{
    (void)state;
    bind_transceiver_resp_t b = { 0 };
    their_read(&b, &(struct smpp_pdu){ .command = SMPP_bind_transceiver_resp, .sequence = 1,
               .bind_resp = { .system_id = STR("smsc") },
               .tlvs = { .has_sc_interface_version = true, .sc_interface_version = 0x34 } });
    ASSERT_TEXT(b.system_id, "smsc");
    assert_non_null(b.tlv);
    assert_int_equal(b.tlv->tag, TLVID_sc_interface_version);
    assert_int_equal(b.tlv->value.val08, 0x34);
    struct smpp_pdu pdu = our_read(&b);
    ASSERT_STR(pdu.bind_resp.system_id, "smsc");
    assert_int_equal(pdu.tlvs.sc_interface_version, 0x34);
    destroy_tlv(b.tlv);
}

static void a_submit_is_read_by_both(void **state)
{
    (void)state;
    static const char part[] = "\x05\x00\x03\x5a\x02\x01hello @";
    submit_sm_t s = { 0 };
    their_read(&s, &(struct smpp_pdu){ .command = SMPP_submit_sm, .sequence = 9,
               .sm = { .source_addr_ton = 1, .source_addr_npi = 1, .source_addr = STR("18005550100"), .dest_addr_ton = 1,
                       .dest_addr_npi = 1, .destination_addr = STR("12065550101"), .esm_class = ESM_UDHI,
                       .validity_period = STR("000000010000000R"), .registered_delivery = 1, .data_coding = 0,
                       .short_message = { part, sizeof part - 1 } },
               .tlvs = { .has_user_message_reference = true, .user_message_reference = 0x1234 } });
    ASSERT_TEXT(s.source_addr, "18005550100");
    ASSERT_TEXT(s.destination_addr, "12065550101");
    ASSERT_TEXT(s.validity_period, "000000010000000R");
    assert_int_equal(s.esm_class, ESM_UDHI);
    assert_int_equal(s.registered_delivery, 1);
    assert_int_equal(s.sm_length, sizeof part - 1);
    assert_memory_equal(s.short_message, part, sizeof part - 1);
    assert_int_equal(s.tlv->tag, TLVID_user_message_reference);
    assert_int_equal(s.tlv->value.val16, 0x1234);
    struct smpp_pdu pdu = our_read(&s);
    ASSERT_STR(pdu.sm.destination_addr, "12065550101");
    assert_int_equal(pdu.sm.short_message.n, sizeof part - 1);
    assert_int_equal(pdu.tlvs.user_message_reference, 0x1234);
    destroy_tlv(s.tlv);
}

static void sar_and_payload_are_read_by_both(void **state)
{
    (void)state;
    submit_sm_t s = { 0 };
    their_read(&s, &(struct smpp_pdu){ .command = SMPP_submit_sm, .sequence = 10,
               .sm = { .source_addr = STR("1"), .destination_addr = STR("2") },
               .tlvs = { .has_sar_msg_ref_num = true, .sar_msg_ref_num = 300, .has_sar_total_segments = true,
                         .sar_total_segments = 2, .has_sar_segment_seqnum = true, .sar_segment_seqnum = 1,
                         .has_message_payload = true, .message_payload = STR("payload") } });
    struct smpp_pdu pdu = our_read(&s);
    assert_int_equal(pdu.tlvs.sar_msg_ref_num, 300);
    assert_int_equal(pdu.tlvs.sar_total_segments, 2);
    assert_int_equal(pdu.tlvs.sar_segment_seqnum, 1);
    ASSERT_STR(pdu.tlvs.message_payload, "payload");
    destroy_tlv(s.tlv);
}

static void a_receipt_is_read_by_both(void **state)
{
    (void)state;
    deliver_sm_t d = { 0 };
    their_read(&d, &(struct smpp_pdu){ .command = SMPP_deliver_sm, .sequence = 11,
               .sm = { .source_addr_ton = 1, .source_addr_npi = 1, .source_addr = STR("12065550101"), .dest_addr_ton = 1,
                       .dest_addr_npi = 1, .destination_addr = STR("18005550100"), .esm_class = ESM_RECEIPT,
                       .short_message = STR("id:77 stat:UNDELIV err:005") },
               .tlvs = { .has_receipted_message_id = true, .receipted_message_id = STR("77"), .has_message_state = true,
                         .message_state = SMPP_UNDELIVERABLE, .has_network_error_code = true,
                         .network_error_code = STR("\x03\x00\x05") } });
    assert_int_equal(d.esm_class, ESM_RECEIPT);
    struct smpp_pdu pdu = our_read(&d);
    struct smpp_receipt receipt;
    assert_true(smpp_is_receipt(&pdu));
    assert_int_equal(smpp_receipt_read(&receipt, &pdu), ERR_NONE);
    ASSERT_STR(receipt.id, "77");
    assert_int_equal(receipt.state, SMPP_UNDELIVERABLE);
    assert_int_equal(receipt.err, 5);
    destroy_tlv(d.tlv);
}

static void message_ids_are_read_by_both(void **state)
{
    (void)state;
    submit_sm_resp_t s = { 0 };
    their_read(&s, &(struct smpp_pdu){ .command = SMPP_submit_sm_resp, .sequence = 9, .sm_resp = { STR("1042") } });
    ASSERT_TEXT(s.message_id, "1042");
    struct smpp_pdu pdu = our_read(&s);
    ASSERT_STR(pdu.sm_resp.message_id, "1042");
    submit_sm_resp_t no = { 0 };         /* it takes 4.4.2 at its word: no body in a refusal */
    their_read(&no, &(struct smpp_pdu){ .command = SMPP_submit_sm_resp, .status = ESME_RTHROTTLED, .sequence = 9, .sm_resp = { STR("") } });
    assert_int_equal(no.command_length, 16);
    assert_int_equal(our_read(&no).status, ESME_RTHROTTLED);
    deliver_sm_resp_t d = { 0 };
    their_read(&d, &(struct smpp_pdu){ .command = SMPP_deliver_sm_resp, .status = ESME_RX_T_APPN, .sequence = 9,
               .sm_resp = { STR("") } });
    assert_int_equal(d.command_status, ESME_RX_T_APPN);
    assert_int_equal(our_read(&d).status, ESME_RX_T_APPN);
}

static void bare_heads_are_read_by_both(void **state)
{
    (void)state;
    static const uint32_t commands[] = { SMPP_unbind, SMPP_unbind_resp, SMPP_enquire_link, SMPP_generic_nack };
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        unbind_t u = { 0 };                         /* nothing but a head: one layout */
        their_read(&u, &(struct smpp_pdu){ .command = commands[i], .sequence = 5 });
        assert_int_equal(u.command_id, commands[i]);
        assert_int_equal(u.command_length, 16);
        assert_int_equal(our_read(&u).sequence, 5);
    }
}

/* libsmpp34 keeps the lists of submit_multi in linked lists of its own: dad_t, udad_t. */
static void a_submit_multi_is_read_by_both(void **state)
{
    (void)state;
    uint8_t dests[128];
    struct wr w = wr_of(dests, sizeof dests);
    smpp_dest_put(&w, &(struct smpp_dest){ .addr = { 1, 1, STR("12065550101") } });
    smpp_dest_put(&w, &(struct smpp_dest){ .list = STR("friends") });
    submit_multi_t m = { 0 };
    their_read(&m, &(struct smpp_pdu){ .command = SMPP_submit_multi, .sequence = 12,
               .sm = { .source_addr_ton = 1, .source_addr_npi = 1, .source_addr = STR("18005550100"), .registered_delivery = 1,
                       .short_message = STR("to all") },
               .n_dests = 2, .dests = { (const char *)dests, wr_len(&w) } });
    assert_int_equal(m.number_of_dests, 2);
    assert_int_equal(m.sm_length, 6);
    assert_non_null(m.dest_addr_def);
    struct smpp_pdu pdu = our_read(&m);
    struct rd r = rd_of(pdu.dests.p, pdu.dests.n);
    struct smpp_dest dest;
    unsigned sme = 0, list = 0;
    while (smpp_dest_next(&r, &dest)) {         /* in whatever order its list kept them */
        sme += str_eqz(dest.addr.addr, "12065550101");
        list += str_eqz(dest.list, "friends");
    }
    assert_int_equal(sme, 1);
    assert_int_equal(list, 1);
    ASSERT_STR(pdu.sm.short_message, "to all");
    assert_int_equal(pdu.sm.registered_delivery, 1);
    destroy_dad(m.dest_addr_def);
}

static void a_submit_multi_resp_is_read_by_both(void **state)
{
    (void)state;
    uint8_t failed[128];
    struct wr w = wr_of(failed, sizeof failed);
    smpp_unsuccess_put(&w, &(struct smpp_dest){ .addr = { 1, 1, STR("12065550101") }, .status = ESME_RINVDSTADR });
    submit_multi_resp_t m = { 0 };
    their_read(&m, &(struct smpp_pdu){ .command = SMPP_submit_multi_resp, .sequence = 12, .sm_resp = { STR("77") }, .n_dests = 1,
               .dests = { (const char *)failed, wr_len(&w) } });
    ASSERT_TEXT(m.message_id, "77");
    assert_int_equal(m.no_unsuccess, 1);
    ASSERT_TEXT(m.unsuccess_smes->destination_addr, "12065550101");
    assert_int_equal(m.unsuccess_smes->error_status_code, ESME_RINVDSTADR);
    struct smpp_pdu pdu = our_read(&m);
    struct rd r = rd_of(pdu.dests.p, pdu.dests.n);
    struct smpp_dest dest;
    assert_true(smpp_unsuccess_next(&r, &dest));
    ASSERT_STR(dest.addr.addr, "12065550101");
    assert_int_equal(dest.status, ESME_RINVDSTADR);
    destroy_udad(m.unsuccess_smes);
}

static void queries_are_read_by_both(void **state)
{
    (void)state;
    query_sm_t q = { 0 };
    their_read(&q, &(struct smpp_pdu){ .command = SMPP_query_sm, .sequence = 3,
               .query = { STR("1042"), 1, 1, STR("18005550100") } });
    ASSERT_TEXT(q.message_id, "1042");
    ASSERT_TEXT(q.source_addr, "18005550100");
    struct smpp_pdu pdu = our_read(&q);
    ASSERT_STR(pdu.query.message_id, "1042");
    ASSERT_STR(pdu.query.source_addr, "18005550100");
    query_sm_resp_t a = { 0 };
    their_read(&a, &(struct smpp_pdu){ .command = SMPP_query_sm_resp, .sequence = 3,
               .query_resp = { STR("1042"), STR("261123040000000+"), SMPP_EXPIRED, 9 } });
    ASSERT_TEXT(a.final_date, "261123040000000+");
    pdu = our_read(&a);
    ASSERT_STR(pdu.query_resp.final_date, "261123040000000+");
    assert_int_equal(pdu.query_resp.message_state, SMPP_EXPIRED);
    assert_int_equal(pdu.query_resp.error_code, 9);
}

static void cancel_replace_and_data_are_read_by_both(void **state)
{
    (void)state;
    cancel_sm_t c = { 0 };
    their_read(&c, &(struct smpp_pdu){ .command = SMPP_cancel_sm, .sequence = 4,
               .cancel = { STR("CMT"), STR("1042"), 1, 1, STR("18005550100"), 1, 1, STR("12065550101") } });
    ASSERT_TEXT(c.service_type, "CMT");
    ASSERT_TEXT(c.destination_addr, "12065550101");
    struct smpp_pdu pdu = our_read(&c);
    ASSERT_STR(pdu.cancel.message_id, "1042");
    ASSERT_STR(pdu.cancel.destination_addr, "12065550101");
    replace_sm_t r = { 0 };
    their_read(&r, &(struct smpp_pdu){ .command = SMPP_replace_sm, .sequence = 5,
               .replace = { .message_id = STR("1042"), .source_addr = STR("18005550100"),
                            .validity_period = STR("000000010000000R"), .registered_delivery = 1,
                            .short_message = STR("better") } });
    ASSERT_TEXT(r.validity_period, "000000010000000R");
    assert_memory_equal(r.short_message, "better", 6);
    pdu = our_read(&r);
    ASSERT_STR(pdu.replace.short_message, "better");
    assert_int_equal(pdu.replace.registered_delivery, 1);
    data_sm_t d = { 0 };
    their_read(&d, &(struct smpp_pdu){ .command = SMPP_data_sm, .sequence = 6,
               .sm = { .source_addr = STR("18005550100"), .destination_addr = STR("12065550101"), .esm_class = 3,
                       .registered_delivery = 1, .data_coding = 8 },
               .tlvs = { .has_message_payload = true, .message_payload = STR("payload") } });
    ASSERT_TEXT(d.destination_addr, "12065550101");
    assert_int_equal(d.data_coding, 8);
    pdu = our_read(&d);
    ASSERT_STR(pdu.sm.destination_addr, "12065550101");
    assert_int_equal(pdu.sm.data_coding, 8);
    assert_int_equal(pdu.sm.esm_class, 3);
    ASSERT_STR(pdu.tlvs.message_payload, "payload");
    destroy_tlv(d.tlv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binds_are_read_by_both),
        cmocka_unit_test(bind_answers_are_read_by_both),
        cmocka_unit_test(a_submit_is_read_by_both),
        cmocka_unit_test(sar_and_payload_are_read_by_both),
        cmocka_unit_test(a_receipt_is_read_by_both),
        cmocka_unit_test(message_ids_are_read_by_both),
        cmocka_unit_test(bare_heads_are_read_by_both),
        cmocka_unit_test(a_submit_multi_is_read_by_both),
        cmocka_unit_test(a_submit_multi_resp_is_read_by_both),
        cmocka_unit_test(queries_are_read_by_both),
        cmocka_unit_test(cancel_replace_and_data_are_read_by_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
