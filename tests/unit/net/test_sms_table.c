/* Alphabet × length × way: how many segments (which is what is billed), how many PDUs, how many octets of text and header. The
 * rows are facts written down: nothing here is computed as the code under test computes it. */
#include "unit/cm.h"

#include "base/clock.h"
#include "base/str.h"
#include "net/sms_parts.h"

struct row {
    unsigned copies;                        /* of unit, then tail */
    const char *unit, *tail;
    enum sms_alphabet alphabet;
    enum sms_way way;
    unsigned segments, pdus, octets;
};

static const struct row rows[] = {
    { 0, "", "", SMS_GSM7, SMS_UDH, 1, 1, 0 },
    { 0, "", "", SMS_GSM7, SMS_UDH16, 1, 1, 0 },
    { 0, "", "", SMS_GSM7, SMS_SAR, 1, 1, 0 },
    { 0, "", "", SMS_GSM7, SMS_PAYLOAD, 1, 1, 0 },
    { 1, "a", "", SMS_GSM7, SMS_UDH, 1, 1, 1 },
    { 1, "a", "", SMS_GSM7, SMS_UDH16, 1, 1, 1 },
    { 1, "a", "", SMS_GSM7, SMS_SAR, 1, 1, 1 },
    { 1, "a", "", SMS_GSM7, SMS_PAYLOAD, 1, 1, 1 },
    { 160, "a", "", SMS_GSM7, SMS_UDH, 1, 1, 160 },
    { 160, "a", "", SMS_GSM7, SMS_UDH16, 1, 1, 160 },
    { 160, "a", "", SMS_GSM7, SMS_SAR, 1, 1, 160 },
    { 160, "a", "", SMS_GSM7, SMS_PAYLOAD, 1, 1, 160 },
    { 161, "a", "", SMS_GSM7, SMS_UDH, 2, 2, 173 },
    { 161, "a", "", SMS_GSM7, SMS_UDH16, 2, 2, 175 },
    { 161, "a", "", SMS_GSM7, SMS_SAR, 2, 2, 161 },
    { 161, "a", "", SMS_GSM7, SMS_PAYLOAD, 2, 1, 161 },
    { 152, "a", "€", SMS_GSM7, SMS_UDH, 1, 1, 154 },
    { 152, "a", "€", SMS_GSM7, SMS_UDH16, 1, 1, 154 },
    { 152, "a", "€", SMS_GSM7, SMS_SAR, 1, 1, 154 },
    { 152, "a", "€", SMS_GSM7, SMS_PAYLOAD, 1, 1, 154 },
    { 304, "a", "", SMS_GSM7, SMS_UDH, 2, 2, 316 },
    { 304, "a", "", SMS_GSM7, SMS_UDH16, 2, 2, 318 },
    { 304, "a", "", SMS_GSM7, SMS_SAR, 2, 2, 304 },
    { 304, "a", "", SMS_GSM7, SMS_PAYLOAD, 2, 1, 304 },
    { 305, "a", "", SMS_GSM7, SMS_UDH, 2, 2, 317 },
    { 305, "a", "", SMS_GSM7, SMS_UDH16, 3, 3, 326 },
    { 305, "a", "", SMS_GSM7, SMS_SAR, 2, 2, 305 },
    { 305, "a", "", SMS_GSM7, SMS_PAYLOAD, 2, 1, 305 },
    { 306, "a", "", SMS_GSM7, SMS_UDH, 2, 2, 318 },
    { 306, "a", "", SMS_GSM7, SMS_UDH16, 3, 3, 327 },
    { 306, "a", "", SMS_GSM7, SMS_SAR, 2, 2, 306 },
    { 306, "a", "", SMS_GSM7, SMS_PAYLOAD, 2, 1, 306 },
    { 307, "a", "", SMS_GSM7, SMS_UDH, 3, 3, 325 },
    { 307, "a", "", SMS_GSM7, SMS_UDH16, 3, 3, 328 },
    { 307, "a", "", SMS_GSM7, SMS_SAR, 3, 3, 307 },
    { 307, "a", "", SMS_GSM7, SMS_PAYLOAD, 3, 1, 307 },
    { 80, "€", "", SMS_GSM7, SMS_UDH, 1, 1, 160 },
    { 80, "€", "", SMS_GSM7, SMS_UDH16, 1, 1, 160 },
    { 80, "€", "", SMS_GSM7, SMS_SAR, 1, 1, 160 },
    { 80, "€", "", SMS_GSM7, SMS_PAYLOAD, 1, 1, 160 },
    { 81, "€", "", SMS_GSM7, SMS_UDH, 2, 2, 174 },
    { 81, "€", "", SMS_GSM7, SMS_UDH16, 2, 2, 176 },
    { 81, "€", "", SMS_GSM7, SMS_SAR, 2, 2, 162 },
    { 81, "€", "", SMS_GSM7, SMS_PAYLOAD, 2, 1, 162 },
    { 153, "€", "", SMS_GSM7, SMS_UDH, 3, 3, 324 },
    { 153, "€", "", SMS_GSM7, SMS_UDH16, 3, 3, 327 },
    { 153, "€", "", SMS_GSM7, SMS_SAR, 3, 3, 306 },
    { 153, "€", "", SMS_GSM7, SMS_PAYLOAD, 3, 1, 306 },
    { 459, "ñ", "", SMS_GSM7, SMS_UDH, 3, 3, 477 },
    { 459, "ñ", "", SMS_GSM7, SMS_UDH16, 4, 4, 487 },
    { 459, "ñ", "", SMS_GSM7, SMS_SAR, 3, 3, 459 },
    { 459, "ñ", "", SMS_GSM7, SMS_PAYLOAD, 3, 1, 459 },
    { 2048, "x", "", SMS_GSM7, SMS_UDH, 14, 14, 2132 },
    { 2048, "x", "", SMS_GSM7, SMS_UDH16, 14, 14, 2146 },
    { 2048, "x", "", SMS_GSM7, SMS_SAR, 14, 14, 2048 },
    { 2048, "x", "", SMS_GSM7, SMS_PAYLOAD, 14, 1, 2048 },
    { 70, "ж", "", SMS_UCS2, SMS_UDH, 1, 1, 140 },
    { 70, "ж", "", SMS_UCS2, SMS_UDH16, 1, 1, 140 },
    { 70, "ж", "", SMS_UCS2, SMS_SAR, 1, 1, 140 },
    { 70, "ж", "", SMS_UCS2, SMS_PAYLOAD, 1, 1, 140 },
    { 71, "ж", "", SMS_UCS2, SMS_UDH, 2, 2, 154 },
    { 71, "ж", "", SMS_UCS2, SMS_UDH16, 2, 2, 156 },
    { 71, "ж", "", SMS_UCS2, SMS_SAR, 2, 2, 142 },
    { 71, "ж", "", SMS_UCS2, SMS_PAYLOAD, 2, 1, 142 },
    { 132, "ж", "", SMS_UCS2, SMS_UDH, 2, 2, 276 },
    { 132, "ж", "", SMS_UCS2, SMS_UDH16, 2, 2, 278 },
    { 132, "ж", "", SMS_UCS2, SMS_SAR, 2, 2, 264 },
    { 132, "ж", "", SMS_UCS2, SMS_PAYLOAD, 2, 1, 264 },
    { 134, "ж", "", SMS_UCS2, SMS_UDH, 2, 2, 280 },
    { 134, "ж", "", SMS_UCS2, SMS_UDH16, 3, 3, 289 },
    { 134, "ж", "", SMS_UCS2, SMS_SAR, 2, 2, 268 },
    { 134, "ж", "", SMS_UCS2, SMS_PAYLOAD, 2, 1, 268 },
    { 135, "ж", "", SMS_UCS2, SMS_UDH, 3, 3, 288 },
    { 135, "ж", "", SMS_UCS2, SMS_UDH16, 3, 3, 291 },
    { 135, "ж", "", SMS_UCS2, SMS_SAR, 3, 3, 270 },
    { 135, "ж", "", SMS_UCS2, SMS_PAYLOAD, 3, 1, 270 },
    { 35, "😀", "", SMS_UCS2, SMS_UDH, 1, 1, 140 },
    { 35, "😀", "", SMS_UCS2, SMS_UDH16, 1, 1, 140 },
    { 35, "😀", "", SMS_UCS2, SMS_SAR, 1, 1, 140 },
    { 35, "😀", "", SMS_UCS2, SMS_PAYLOAD, 1, 1, 140 },
    { 36, "😀", "", SMS_UCS2, SMS_UDH, 2, 2, 156 },
    { 36, "😀", "", SMS_UCS2, SMS_UDH16, 2, 2, 158 },
    { 36, "😀", "", SMS_UCS2, SMS_SAR, 2, 2, 144 },
    { 36, "😀", "", SMS_UCS2, SMS_PAYLOAD, 2, 1, 144 },
    { 67, "😀", "", SMS_UCS2, SMS_UDH, 3, 3, 286 },
    { 67, "😀", "", SMS_UCS2, SMS_UDH16, 3, 3, 289 },
    { 67, "😀", "", SMS_UCS2, SMS_SAR, 3, 3, 268 },
    { 67, "😀", "", SMS_UCS2, SMS_PAYLOAD, 3, 1, 268 },
    { 160, "a", "ж", SMS_UCS2, SMS_UDH, 3, 3, 340 },
    { 160, "a", "ж", SMS_UCS2, SMS_UDH16, 3, 3, 343 },
    { 160, "a", "ж", SMS_UCS2, SMS_SAR, 3, 3, 322 },
    { 160, "a", "ж", SMS_UCS2, SMS_PAYLOAD, 3, 1, 322 },
    { 1024, "😀", "", SMS_UCS2, SMS_UDH, 32, 32, 4288 },
    { 1024, "😀", "", SMS_UCS2, SMS_UDH16, 32, 32, 4320 },
    { 1024, "😀", "", SMS_UCS2, SMS_SAR, 32, 32, 4096 },
    { 1024, "😀", "", SMS_UCS2, SMS_PAYLOAD, 32, 1, 4096 },
    { 2047, "a", "ж", SMS_UCS2, SMS_UDH, 31, 31, 4282 },
    { 2047, "a", "ж", SMS_UCS2, SMS_UDH16, 32, 32, 4320 },
    { 2047, "a", "ж", SMS_UCS2, SMS_SAR, 31, 31, 4096 },
    { 2047, "a", "ж", SMS_UCS2, SMS_PAYLOAD, 31, 1, 4096 },
};

static void put_text(struct buf *text, const struct row *r)
{
    for (unsigned i = 0; i < r->copies; i++)
        buf_putz(text, r->unit);
    buf_putz(text, r->tail);
}

static enum err join(struct sms_joiner *j, const struct smpp_pdu *pdu, struct sms_whole *whole)
{
    struct sms_part part;
    enum err err = sms_part_read(&part, pdu);
    return err ? err : sms_joiner_put(j, (struct mono){ 0 }, &part, whole);
}

/* Every PDU may be sent (SMPP 3.4: 254 octets of short_message), and together they are the text again. */
static void check(const struct row *r, struct str text, const struct sms_split *split)
{
    struct sms_joiner *j;
    struct sms_whole whole = { 0 };
    unsigned octets_sum = 0;
    assert_int_equal(sms_joiner_new(&j, US_PER_S, 4), ERR_NONE);
    for (unsigned i = 0; i < r->pdus; i++) {
        uint8_t octets[SMS_WHOLE_OCTETS];
        struct smpp_pdu pdu = { .sm = { .source_addr = STR("1"), .destination_addr = STR("2") } };
        assert_int_equal(sms_part_fill(&pdu, octets, split, text, i, 0x1234), ERR_NONE);
        assert_true(pdu.sm.short_message.n <= SMS_SEGMENT_OCTETS);
        octets_sum += (unsigned)smpp_sm_octets(&pdu).n;
        assert_int_equal(join(j, &pdu, &whole), ERR_NONE);
    }
    assert_int_equal(octets_sum, r->octets);
    assert_int_equal(whole.parts, r->pdus);
    assert_true(str_eq(whole.text, text));
    sms_joiner_free(j);
}

static void each_row_of_the_table(void **state)
{
    (void)state;
    static_assert(ARRAY_LEN(rows) == 100, "the table has a hundred rows");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        struct sms_split split;
        scoped_buf text = { 0 };
        put_text(&text, r);
        assert_int_equal(sms_split_as(&split, buf_str(&text), r->way), ERR_NONE);
        if (split.alphabet != r->alphabet || split.count != r->segments || sms_pdus(&split) != r->pdus)
            fail_msg("row %zu: %u segments in %u PDUs", i, split.count, sms_pdus(&split));
        check(r, buf_str(&text), &split);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_row_of_the_table) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
