/* A list being read while memory runs out. */
#include "unit/cm.h"

#include "base/str.h"
#include "codec/csv/csv.h"
#include "edge/api/import_csv.h"
#include "unit/alloc.h"

static enum err read_a_piece(void)
{
    struct import_slice *s = NULL;
    struct problem why = { 0 };
    enum err err = import_csv_read(&s, STR("+12062000001,\"gold;\"\"west\"\"\"\n+12062000002,\nx,\n+12062000003,west\n"),
                                   STR("\"num\"\"ber\"\"\"\n"), 5, &why);
    if (err == ERR_RANGE)               /* no such column: the strange header made it copy */
        err = import_csv_read(&s, STR("+12062000001,\"gold;\"\"west\"\"\"\n+12062000002,\nx,\n+12062000003,west\n"),
                              STR("number,tags"), 5, &why);
    if (!err)
        assert_int_equal(import_slice_count(s), 4);
    import_slice_free(s);
    return err;
}

/* In chunks of three octets: all of it is carried. */
static enum err read_in_chunks(void)
{
    scoped_csv c;
    struct csv_record rec;
    struct str text = STR("number,\"a \"\"b\"\"\"\r\n1,2\n");
    enum csv_step step = CSV_MORE;
    size_t n = 0;
    csv_init(&c, 1);
    while (step != CSV_END && step != CSV_NOMEM) {
        if (step == CSV_MORE) {
            csv_feed(&c, (struct str){ text.p, text.n < 3 ? text.n : 3 }, text.n <= 3);
            text = str_from(text, 3);
        }
        step = csv_next(&c, &rec);
        n += step == CSV_RECORD;
    }
    if (step == CSV_END)
        assert_int_equal(n, 2);
    return step == CSV_END ? ERR_NONE : ERR_NOMEM;
}

static void a_piece_is_read_whole_or_refused_for_memory(void **state)
{
    (void)state;
    assert_true(alloc_each_failing(read_a_piece) > 3);
}

static void a_chunk_that_cannot_be_carried_is_said(void **state)
{
    (void)state;
    assert_true(alloc_each_failing(read_in_chunks) >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_piece_is_read_whole_or_refused_for_memory),
        cmocka_unit_test(a_chunk_that_cannot_be_carried_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
