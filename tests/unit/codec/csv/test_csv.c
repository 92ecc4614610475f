/* Comma separated values: RFC 4180 and what people's spreadsheets make of it. */
#include "unit/cm.h"

#include "base/str.h"
#include "codec/csv/csv.h"

/* What was read, as text: fields in <>, a record a line, faults as "! LINE words". */
static void tell(struct buf *out, const struct csv *c, enum csv_step step, const struct csv_record *rec)
{
    if (step == CSV_FAULT) {
        buf_printf(out, "! %d %s\n", (int)rec->line, rec->fault);
        return;
    }
    buf_printf(out, "%d@%d", (int)rec->line, (int)c->offset);
    for (size_t i = 0; i < rec->n; i++)
        buf_printf(out, " <" STR_FMT ">", STR_ARG(rec->fields[i]));
    buf_putc(out, '\n');
}

/* Read `text` in chunks of `size` octets, each in memory of its own that is gone before the next. */
static void read_in_chunks(struct buf *out, struct str text, size_t size)
{
    scoped_csv c;
    struct csv_record rec;
    char *chunk = NULL;
    csv_init(&c, 1);
    for (enum csv_step step = CSV_MORE; step != CSV_END;) {
        if (step == CSV_MORE) {
            size_t n = text.n < size ? text.n : size;
            free(chunk);
            chunk = malloc(n + 1);
            assert_non_null(chunk);
            memcpy(chunk, text.p, n);
            text = str_from(text, n);
            csv_feed(&c, (struct str){ chunk, n }, !text.n);
        }
        step = csv_next(&c, &rec);
        assert_int_not_equal(step, CSV_NOMEM);
        if (step == CSV_RECORD || step == CSV_FAULT)
            tell(out, &c, step, &rec);
    }
    free(chunk);
}

/* The same however it is cut. */
static void reads(struct str text, const char *wanted)
{
    for (size_t size = 1; size <= text.n + 1; size++) {
        scoped_buf out = { 0 };
        read_in_chunks(&out, text, size);
        assert_str(buf_str(&out), wanted);
    }
}

static void lines_end_in_lf_or_crlf_and_the_last_may_end_without(void **state)
{
    (void)state;
    reads(STR("a,b\r\nc,d\ne"), "1@5 <a> <b>\n2@9 <c> <d>\n3@10 <e>\n");
    reads(STR("a\r\n"), "1@3 <a>\n");
    reads(STR("a\r"), "1@2 <a>\n");
    reads(STR(""), "");
}

static void empty_fields_are_fields_and_blanks_belong_to_them(void **state)
{
    (void)state;
    reads(STR(",\n a ,,\n,x"), "1@2 <> <>\n2@8 < a > <> <>\n3@10 <> <x>\n");
}

static void empty_lines_and_a_byte_order_mark_are_passed_over(void **state)
{
    (void)state;
    reads(STR("\xEF\xBB\xBF" "a\n\n\r\nb\n\n"), "1@5 <a>\n4@10 <b>\n");
    reads(STR("\xEF\xBB\xBF"), "");
    reads(STR("\xEF\xBB"), "1@2 <\xEF\xBB>\n");
    reads(STR("\n\xEF\xBB\xBF" "a"), "2@5 <\xEF\xBB\xBF" "a>\n");
}

static void quotes_hold_commas_ends_of_line_and_doubled_quotes(void **state)
{
    (void)state;
    reads(STR("\"a,b\",\"c\r\nd\"\n\"say \"\"hi\"\"\",\"\",\"\"\"\"\nend\n"),
          "1@13 <a,b> <c\r\nd>\n3@34 <say \"hi\"> <> <\">\n4@38 <end>\n");
}

static void a_quote_in_the_wrong_place_costs_one_line(void **state)
{
    (void)state;
    reads(STR("a\nb,c\"d\ne\n"), "1@2 <a>\n! 2 a quote stands inside an unquoted field\n3@10 <e>\n");
    reads(STR("\"a\"b,c\nd\n"), "! 1 text stands behind a closing quote\n2@9 <d>\n");
    reads(STR("a\rb\nc\n"), "! 1 a carriage return stands within the line\n2@6 <c>\n");
}

static void a_quote_that_never_closes_does_not_swallow_the_rest(void **state)
{
    (void)state;
    reads(STR("a\n\"b,c\nd,e\nf"), "1@2 <a>\n! 2 a quote opens that is not closed\n3@11 <d> <e>\n4@12 <f>\n");

    scoped_buf long_text = { 0 }, out = { 0 };
    buf_putz(&long_text, "\"open\n");
    for (int i = 0; i < 10000; i++)
        buf_putz(&long_text, "row\n");
    for (size_t size = 1; size < 100000; size = size * 7 + 3) {
        buf_clear(&out);
        read_in_chunks(&out, buf_str(&long_text), size);
        assert_true(str_starts(buf_str(&out), STR("! 1 a quote opens that is not closed\n2@10 <row>\n3@14 <row>\n")));
        assert_true(str_ends(buf_str(&out), STR("\n10001@40006 <row>\n")));
    }
}

static void a_line_over_the_bound_is_one_fault_however_long(void **state)
{
    (void)state;
    scoped_buf text = { 0 };
    buf_putz(&text, "first\n");
    for (int i = 0; i < 5 * CSV_RECORD_MAX; i++)
        buf_putc(&text, 'x');
    buf_putz(&text, "\nlast\n");
    for (size_t size = 1; size < 200000; size = size * 11 + 5) {
        scoped_buf out = { 0 };
        read_in_chunks(&out, buf_str(&text), size);
        assert_str(buf_str(&out), "1@6 <first>\n! 2 the line is longer than 16384 octets\n3@81932 <last>\n");
    }
}

static void more_than_32_fields_are_a_fault(void **state)
{
    (void)state;
    scoped_buf text = { 0 };
    for (int i = 0; i < CSV_FIELDS_MAX; i++)
        buf_putz(&text, "a,");
    buf_putz(&text, "\nb\n");
    reads(buf_str(&text), "! 1 the line has more than 32 fields\n2@67 <b>\n");
}

static void fields_of_a_record_within_one_chunk_are_not_copied(void **state)
{
    (void)state;
    static const char text[] = "a,\"b\"\n";
    scoped_csv c;
    struct csv_record rec;
    csv_init(&c, 7);
    csv_feed(&c, (struct str){ text, sizeof text - 1 }, true);
    assert_int_equal(csv_next(&c, &rec), CSV_RECORD);
    assert_int_equal(rec.line, 7);
    assert_ptr_equal(rec.fields[0].p, text);
    assert_ptr_equal(rec.fields[1].p, text + 3);
    assert_int_equal(csv_next(&c, &rec), CSV_END);
    assert_int_equal(csv_next(&c, &rec), CSV_END);
}

static void a_written_field_reads_as_it_was(void **state)
{
    (void)state;
    scoped_buf out = { 0 };
    csv_put(&out, STR("plain"));
    buf_putc(&out, ',');
    csv_put(&out, STR("a,b"));
    buf_putc(&out, ',');
    csv_put(&out, STR("say \"hi\"\r\n"));
    buf_putc(&out, ',');
    csv_put(&out, STR(" blank"));
    buf_putz(&out, "\r\n");
    assert_str(buf_str(&out), "plain,\"a,b\",\"say \"\"hi\"\"\r\n\",\" blank\"\r\n");
    scoped_buf read = { 0 };
    read_in_chunks(&read, buf_str(&out), 5);
    assert_str(buf_str(&read), "1@37 <plain> <a,b> <say \"hi\"\r\n> < blank>\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_in_lf_or_crlf_and_the_last_may_end_without),
        cmocka_unit_test(empty_fields_are_fields_and_blanks_belong_to_them),
        cmocka_unit_test(empty_lines_and_a_byte_order_mark_are_passed_over),
        cmocka_unit_test(quotes_hold_commas_ends_of_line_and_doubled_quotes),
        cmocka_unit_test(a_quote_in_the_wrong_place_costs_one_line),
        cmocka_unit_test(a_quote_that_never_closes_does_not_swallow_the_rest),
        cmocka_unit_test(a_line_over_the_bound_is_one_fault_however_long),
        cmocka_unit_test(more_than_32_fields_are_a_fault),
        cmocka_unit_test(fields_of_a_record_within_one_chunk_are_not_copied),
        cmocka_unit_test(a_written_field_reads_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
