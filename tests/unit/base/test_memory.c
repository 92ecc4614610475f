/* arena, buf and the byte cursors. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/rdwr.h"
#include "base/str.h"
#include "unit/cm.h"

static void an_arena_gives_zeroed_aligned_memory_that_stays(void **state)
{
    (void)state;
    enum { N = 2000 };
    static unsigned char *p[N];
    scoped(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < N; i++) {
        size_t size = i % 97 + 1;
        p[i] = arena_alloc(a, size);
        assert_int_equal((uintptr_t)p[i] % 16, 0);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(p[i][k], 0);
        memset(p[i], (int)(i & 255), size);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < i % 97 + 1; k++)
            assert_int_equal(p[i][k], i & 255);
}

static void an_arena_takes_things_larger_than_its_blocks(void **state)
{
    (void)state;
    scoped(arena) struct arena *a = arena_new();
    unsigned char *big = arena_alloc(a, 5 << 20);
    assert_non_null(big);
    assert_int_equal(big[(5 << 20) - 1], 0);
    assert_non_null(arena_alloc(a, 0));
}

static void an_arena_refuses_sizes_beyond_sense(void **state)
{
    (void)state;
    scoped(arena) struct arena *a = arena_new();
    assert_null(arena_alloc(a, SIZE_MAX));
    assert_null(arena_array(a, SIZE_MAX / 2, 3));
    assert_non_null(arena_array(a, 10, 3));
}

static void a_cleared_arena_is_empty_and_usable(void **state)
{
    (void)state;
    scoped(arena) struct arena *a = arena_new();
    char *first = arena_alloc(a, 10);
    memset(first, 'x', 10);
    arena_alloc(a, 100000);
    arena_clear(a);
    char *again = arena_alloc(a, 10);
    assert_ptr_equal(first, again);
    assert_int_equal(again[9], 0);
    arena_free(NULL);
}

static void an_arena_copies_and_prints_strings(void **state)
{
    (void)state;
    scoped(arena) struct arena *a = arena_new();
    struct str s = arena_str(a, (struct str){ "a\0b", 3 });
    assert_int_equal(s.n, 3);
    assert_memory_equal(s.p, "a\0b\0", 4);
    assert_str(arena_str(a, (struct str){ NULL, 0 }), "");
    s = arena_printf(a, "%s-%d", "call", 42);
    assert_str(s, "call-42");
    assert_int_equal(s.p[s.n], '\0');
}

static void a_buffer_grows_as_it_is_written(void **state)
{
    (void)state;
    scoped_buf b = { 0 };
    assert_str(buf_str(&b), "");
    buf_puts(&b, STR("one "));
    buf_putz(&b, "two ");
    buf_putc(&b, '3');
    buf_printf(&b, " %d%s", 4, "!");
    buf_put(&b, NULL, 0);
    assert_str(buf_str(&b), "one two 3 4!");
    buf_clear(&b);
    for (int i = 0; i < 10000; i++)
        buf_printf(&b, "%09d\n", i);
    assert_int_equal(b.n, 100000);
    assert_memory_equal(b.p + 99990, "000009999\n", 10);
    assert_int_equal(buf_err(&b), ERR_NONE);
}

static void a_buffer_that_cannot_grow_is_bad_from_then_on(void **state)
{
    (void)state;
    static const size_t absurd[] = { SIZE_MAX, SIZE_MAX - 100, SIZE_MAX / 2 + 10, (size_t)1 << 38 };
    for (size_t i = 0; i < ARRAY_LEN(absurd); i++) {
        scoped_buf b = { 0 };
        buf_putz(&b, "kept");
        assert_null(buf_room(&b, absurd[i]));
        buf_putz(&b, "lost");
        assert_str(buf_str(&b), "kept");
        assert_int_equal(buf_err(&b), ERR_NOMEM);
    }
}

static void a_reader_yields_zeros_past_its_end(void **state)
{
    (void)state;
    static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    struct rd r = rd_of(bytes, sizeof bytes);
    assert_int_equal(rd_u8(&r), 1);
    assert_int_equal(rd_u16(&r), 0x0203);
    assert_int_equal(rd_u32(&r), 0x04050607);
    assert_int_equal(rd_left(&r), 2);
    assert_int_equal(rd_err(&r), ERR_NONE);
    assert_int_equal(rd_u32(&r), 0);
    assert_int_equal(rd_err(&r), ERR_SYNTAX);
    assert_int_equal(rd_u8(&r), 0);
    assert_null(rd_take(&r, 0));
    struct rd none = rd_of(NULL, 0);
    assert_int_equal(rd_u8(&none), 0);
    assert_int_equal(rd_err(&none), ERR_SYNTAX);
    struct rd high = rd_of("\xff\xff\xff\xff", 4);
    assert_int_equal(rd_u32(&high), UINT32_MAX);
}

static void a_writer_stops_at_its_end(void **state)
{
    (void)state;
    uint8_t out[8] = { 0 };
    struct wr w = wr_of(out, 7);
    wr_u8(&w, 1);
    wr_u16(&w, 0x0203);
    wr_u32(&w, 0x04050607);
    assert_int_equal(wr_err(&w), ERR_NONE);
    assert_int_equal(wr_len(&w), 7);
    wr_u8(&w, 8);
    assert_int_equal(wr_err(&w), ERR_SIZE);
    assert_int_equal(wr_len(&w), 7);
    assert_memory_equal(out, ((uint8_t[]){ 1, 2, 3, 4, 5, 6, 7, 0 }), 8);
    w = wr_of(out, 3);
    wr_u32(&w, 1);
    wr_u8(&w, 1);
    assert_int_equal(wr_len(&w), 0);
    assert_int_equal(wr_err(&w), ERR_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_gives_zeroed_aligned_memory_that_stays),
        cmocka_unit_test(an_arena_takes_things_larger_than_its_blocks),
        cmocka_unit_test(an_arena_refuses_sizes_beyond_sense),
        cmocka_unit_test(a_cleared_arena_is_empty_and_usable),
        cmocka_unit_test(an_arena_copies_and_prints_strings),
        cmocka_unit_test(a_buffer_grows_as_it_is_written),
        cmocka_unit_test(a_buffer_that_cannot_grow_is_bad_from_then_on),
        cmocka_unit_test(a_reader_yields_zeros_past_its_end),
        cmocka_unit_test(a_writer_stops_at_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
