#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/str.h"
#include "codec/gsm7/gsm7.h"

/* What `utf8` becomes in septets and back. */
static void assert_round_trip(enum sms_alphabet alphabet, struct str utf8)
{
    uint8_t octets[512];
    struct wr w = wr_of(octets, sizeof octets);
    assert_int_equal(sms_text_write(&w, alphabet, utf8), ERR_NONE);
    scoped_buf back = { 0 };
    sms_text_read(&back, alphabet, octets, wr_len(&w));
    assert_true(str_eq(buf_str(&back), utf8));
}

static struct str read_as(struct buf *out, enum sms_alphabet alphabet, struct str octets)
{
    sms_text_read(out, alphabet, octets.p, octets.n);
    return buf_str(out);
}

/* n copies of `unit`, then `tail`. */
static struct str repeat(struct buf *out, const char *unit, size_t n, const char *tail)
{
    buf_clear(out);
    while (n--)
        buf_putz(out, unit);
    buf_putz(out, tail);
    return buf_str(out);
}

static struct sms_split split_of(struct str text)
{
    struct sms_split split;
    assert_int_equal(sms_split(&split, text), ERR_NONE);
    size_t at = 0;
    for (unsigned i = 0; i < split.count; i++) {        /* the parts are the text, whole and in order */
        assert_int_equal(split.part[i].at, at);
        at += split.part[i].n;
    }
    assert_int_equal(at, text.n);
    return split;
}

static void every_septet_survives_a_round_trip(void **state)
{
    (void)state;
    for (unsigned septet = 0; septet < 128; septet++) {
        uint8_t in = (uint8_t)septet, out[2];
        if (septet == 0x1b)
            continue;
        scoped_buf text = { 0 };
        sms_text_read(&text, SMS_GSM7, &in, 1);
        struct wr w = wr_of(out, sizeof out);
        assert_int_equal(sms_text_write(&w, SMS_GSM7, buf_str(&text)), ERR_NONE);
        assert_int_equal(wr_len(&w), 1);
        assert_int_equal(out[0], septet);
    }
}

static void the_extension_table_costs_an_escape(void **state)
{
    (void)state;
    uint8_t octets[64];
    struct wr w = wr_of(octets, sizeof octets);
    assert_int_equal(sms_text_write(&w, SMS_GSM7, STR("\f^{}\\[~]|€")), ERR_NONE);
    assert_int_equal(wr_len(&w), 20);
    assert_memory_equal(octets, "\x1b\x0a\x1b\x14\x1b\x28\x1b\x29\x1b\x2f\x1b\x3c\x1b\x3d\x1b\x3e\x1b\x40\x1b\x65", 20);
    assert_round_trip(SMS_GSM7, STR("\f^{}\\[~]|€"));
}

static void well_known_octets_are_as_published(void **state)
{
    (void)state;
    uint8_t octets[64];
    struct wr w = wr_of(octets, sizeof octets);
    assert_int_equal(sms_text_write(&w, SMS_GSM7, STR("@£$_ΔÅåÆßÉ¡ÄÖÑÜ§¿äöñüà")), ERR_NONE);
    assert_memory_equal(octets, "\x00\x01\x02\x11\x10\x0e\x0f\x1c\x1e\x1f\x40\x5b\x5c\x5d\x5e\x5f\x60\x7b\x7c\x7d\x7e\x7f",
                        wr_len(&w));
    assert_int_equal(wr_len(&w), 22);
}

static void what_the_alphabet_lacks_is_refused(void **state)
{
    (void)state;
    uint8_t octets[64];
    struct wr w = wr_of(octets, sizeof octets);
    assert_false(gsm7_fits(STR("façade")));             /* only the capital cedilla is there */
    assert_true(gsm7_fits(STR("FAÇADE")));
    assert_false(gsm7_fits(STR("`")));
    assert_int_equal(sms_text_write(&w, SMS_GSM7, STR("a`")), ERR_UNPROCESSABLE);
    assert_int_equal(sms_text_write(&w, SMS_GSM7, STR("a\xff")), ERR_SYNTAX);
    struct wr narrow = wr_of(octets, 2);
    assert_int_equal(sms_text_write(&narrow, SMS_GSM7, STR("abc")), ERR_SIZE);
}

static void strange_escapes_show_the_plain_letter(void **state)
{
    (void)state;
    scoped_buf top = { 0 };
    assert_true(str_eqz(read_as(&top, SMS_GSM7, STR("\xc1\x80")), "A@"));     /* a top bit some gateways leave in */
    scoped_buf a = { 0 }, b = { 0 }, c = { 0 };
    assert_true(str_eqz(read_as(&a, SMS_GSM7, STR("\x1b\x41")), "A"));
    assert_true(str_eqz(read_as(&b, SMS_GSM7, STR("\x1b\x1b")), " "));
    assert_true(str_eqz(read_as(&c, SMS_GSM7, STR("x\x1b")), "x "));
}

static void ucs2_keeps_pairs_and_mends_halves(void **state)
{
    (void)state;
    assert_round_trip(SMS_UCS2, STR("Привет 👍"));
    scoped_buf a = { 0 }, b = { 0 }, c = { 0 };
    assert_true(str_eqz(read_as(&a, SMS_UCS2, STR("\xd8\x3d\x00\x41")), "\uFFFDA"));
    assert_true(str_eqz(read_as(&b, SMS_UCS2, STR("\xdc\x4d\x00\x00")), "\uFFFD\uFFFD"));
    assert_true(str_eqz(read_as(&c, SMS_UCS2, STR("\x00\x41\x00")), "A"));      /* a lone last octet is dropped */
}

static void data_codings_name_their_alphabets(void **state)
{
    (void)state;
    static const struct { uint8_t dc; enum sms_alphabet alphabet; } rows[] = {
        { 0, SMS_GSM7 }, { 1, SMS_IA5 }, { 2, SMS_OCTETS }, { 3, SMS_LATIN1 }, { 4, SMS_OCTETS }, { 8, SMS_UCS2 },
        { 0xf0, SMS_GSM7 }, { 0xf1, SMS_GSM7 }, { 0xf5, SMS_OCTETS }, { 0x18, SMS_UCS2 }, { 0x11, SMS_GSM7 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(sms_alphabet_of(rows[i].dc), rows[i].alphabet);
}

static void data_coding_1_is_ascii_unless_it_cannot_be(void **state)
{
    (void)state;
    scoped_buf a = { 0 }, b = { 0 };
    assert_true(str_eqz(read_as(&a, SMS_IA5, STR("a@b [x]\n")), "a@b [x]\n"));
    assert_true(str_eqz(read_as(&b, SMS_IA5, STR("a\0b \x1b\x28")), "a@b {"));
}

static void segments_break_where_the_standard_says(void **state)
{
    (void)state;
    scoped_buf b = { 0 };
    static const struct { const char *unit; size_t n; const char *tail; unsigned segments; } rows[] = {
        { "a", 0, "", 1 },          { "a", 160, "", 1 },    { "a", 161, "", 2 },    { "a", 306, "", 2 },
        { "a", 307, "", 3 },        { "€", 80, "", 1 },     { "€", 81, "", 2 },     { "a", 159, "€", 2 },
        { "я", 70, "", 1 },         { "я", 71, "", 2 },     { "я", 134, "", 2 },    { "я", 135, "", 3 },
        { "👍", 35, "", 1 },        { "👍", 36, "", 2 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sms_split split = split_of(repeat(&b, rows[i].unit, rows[i].n, rows[i].tail));
        assert_int_equal(split.count, rows[i].segments);
        assert_int_equal(sms_segments(buf_str(&b)), rows[i].segments);
    }
}

static void an_escape_is_never_split(void **state)
{
    (void)state;
    scoped_buf b = { 0 };
    buf_clear(&b);
    repeat(&b, "a", 152, "€");
    for (int i = 0; i < 20; i++)
        buf_putc(&b, 'b');
    struct sms_split split = split_of(buf_str(&b));     /* the 153rd septet would be the escape */
    assert_int_equal(split.count, 2);
    assert_int_equal(split.part[0].n, 152);
}

static void a_surrogate_pair_is_never_split(void **state)
{
    (void)state;
    scoped_buf b = { 0 };
    struct sms_split split = split_of(repeat(&b, "👍", 67, ""));   /* 134 units, but 66 fit beside each other */
    assert_int_equal(split.alphabet, SMS_UCS2);
    assert_int_equal(split.part[0].n, 33 * 4);
    assert_int_equal(split.count, 3);
}

static void too_much_or_not_text_is_refused(void **state)
{
    (void)state;
    struct sms_split split;
    scoped_buf b = { 0 };
    assert_int_equal(sms_split(&split, repeat(&b, "a", 153 * 255, "")), ERR_NONE);
    assert_int_equal(split.count, 255);
    assert_int_equal(sms_split(&split, repeat(&b, "a", 153 * 255 + 1, "")), ERR_SIZE);
    assert_int_equal(sms_split(&split, STR("\xc3")), ERR_SYNTAX);
    assert_int_equal(sms_segments(STR("\xc3")), 0);
}

static void a_header_reads_back(void **state)
{
    (void)state;
    uint8_t octets[SMS_UDH_OCTETS];
    struct wr w = wr_of(octets, sizeof octets);
    udh_write(&w, &(struct sms_concat){ 0x5a, 3, 2 });
    assert_memory_equal(octets, "\x05\x00\x03\x5a\x03\x02", 6);
    struct rd r = rd_of(octets, sizeof octets);
    struct sms_concat c;
    assert_int_equal(udh_read(&r, &c), ERR_NONE);
    assert_int_equal(c.ref, 0x5a);
    assert_int_equal(c.total, 3);
    assert_int_equal(c.part, 2);
    assert_int_equal(rd_left(&r), 0);
}

static void other_elements_are_stepped_over(void **state)
{
    (void)state;
    static const char ports_then_16_bit[] = "\x0c\x05\x04\x0b\x84\x23\xf0\x08\x04\x12\x34\x02\x01text";
    struct rd r = rd_of(ports_then_16_bit, sizeof ports_then_16_bit - 1);
    struct sms_concat c;
    assert_int_equal(udh_read(&r, &c), ERR_NONE);
    assert_int_equal(c.ref, 0x1234);
    assert_int_equal(c.total, 2);
    assert_int_equal(c.part, 1);
    assert_memory_equal(r.p, "text", 4);
}

static void nonsense_parts_are_no_parts(void **state)
{
    (void)state;
    static const char *const headers[] = { "\x05\x00\x03\x01\x02\x03", "\x05\x00\x03\x01\x02\x00", "\x05\x00\x03\x01\x00\x00" };
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        struct rd r = rd_of(headers[i], 6);
        struct sms_concat c;
        assert_int_equal(udh_read(&r, &c), ERR_NONE);
        assert_int_equal(c.total, 0);
    }
    struct rd r = rd_of("\x06\x00\x03", 3);
    struct sms_concat c;
    assert_int_equal(udh_read(&r, &c), ERR_SYNTAX);
    assert_int_equal(sms_concat_sar(7, 2, 3).total, 0);
    assert_int_equal(sms_concat_sar(7, 2, 2).part, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_septet_survives_a_round_trip),
        cmocka_unit_test(the_extension_table_costs_an_escape),
        cmocka_unit_test(well_known_octets_are_as_published),
        cmocka_unit_test(what_the_alphabet_lacks_is_refused),
        cmocka_unit_test(strange_escapes_show_the_plain_letter),
        cmocka_unit_test(ucs2_keeps_pairs_and_mends_halves),
        cmocka_unit_test(data_codings_name_their_alphabets),
        cmocka_unit_test(data_coding_1_is_ascii_unless_it_cannot_be),
        cmocka_unit_test(segments_break_where_the_standard_says),
        cmocka_unit_test(an_escape_is_never_split),
        cmocka_unit_test(a_surrogate_pair_is_never_split),
        cmocka_unit_test(too_much_or_not_text_is_refused),
        cmocka_unit_test(a_header_reads_back),
        cmocka_unit_test(other_elements_are_stepped_over),
        cmocka_unit_test(nonsense_parts_are_no_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
