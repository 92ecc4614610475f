#include "base/map.h"
#include "base/str.h"
#include "unit/cm.h"

enum { N = 20000 };
static char things[N];          /* values: only their addresses matter */

static void a_map_finds_what_was_put(void **state)
{
    (void)state;
    scoped(map) struct map *m = map_new();
    assert_null(map_find(m, 0));
    assert_int_equal(map_put(m, 0, &things[0]), ERR_NONE);
    assert_int_equal(map_put(m, UINT64_MAX, &things[1]), ERR_NONE);
    assert_ptr_equal(map_find(m, 0), &things[0]);
    assert_ptr_equal(map_find(m, UINT64_MAX), &things[1]);
    assert_int_equal(map_put(m, 0, &things[2]), ERR_NONE);
    assert_ptr_equal(map_find(m, 0), &things[2]);
    assert_int_equal(map_count(m), 2);
    assert_ptr_equal(map_take(m, 0), &things[2]);
    assert_null(map_take(m, 0));
    assert_int_equal(map_count(m), 1);
}

/* Against a plain array: puts and takes in a jumbled order. */
static void a_map_agrees_with_an_array_through_many_changes(void **state)
{
    (void)state;
    static void *plain[N];
    scoped(map) struct map *m = map_new();
    size_t count = 0;
    for (uint64_t step = 0; step < 200000; step++) {
        size_t i = (size_t)(hash_u64(step) % N);
        if (hash_u64(step ^ 0x55555) % 3) {
            count += !plain[i];
            plain[i] = &things[step % N];
            assert_int_equal(map_put(m, i * 64, plain[i]), ERR_NONE);
        } else {
            count -= plain[i] != NULL;
            assert_ptr_equal(map_take(m, i * 64), plain[i]);
            plain[i] = NULL;
        }
    }
    assert_int_equal(map_count(m), count);
    for (size_t i = 0; i < N; i++)
        assert_ptr_equal(map_find(m, i * 64), plain[i]);
    uint64_t key;
    void *value;
    size_t walked = 0;
    for (size_t at = 0; map_next(m, &at, &key, &value); walked++)
        assert_ptr_equal(plain[key / 64], value);
    assert_int_equal(walked, count);
}

static struct str name_of(char *dst, int i)
{
    return (struct str){ dst, (size_t)snprintf(dst, 32, "+1206555%d", i) };
}

static void a_strmap_keeps_its_own_copy_of_the_key(void **state)
{
    (void)state;
    scoped(strmap) struct strmap *m = strmap_new();
    char name[32];
    for (int i = 0; i < N; i++)
        assert_int_equal(strmap_put(m, name_of(name, i), &things[i]), ERR_NONE);
    memset(name, 0, sizeof name);
    assert_int_equal(strmap_count(m), N);
    for (int i = 0; i < N; i++)
        assert_ptr_equal(strmap_find(m, name_of(name, i)), &things[i]);
    for (int i = 0; i < N; i += 2)
        assert_ptr_equal(strmap_take(m, name_of(name, i)), &things[i]);
    for (int i = 0; i < N; i++)
        assert_ptr_equal(strmap_find(m, name_of(name, i)), i % 2 ? &things[i] : NULL);
    assert_int_equal(strmap_count(m), N / 2);
    assert_null(strmap_take(m, STR("+12065550")));
}

static void a_strmap_takes_any_bytes_and_none(void **state)
{
    (void)state;
    scoped(strmap) struct strmap *m = strmap_new();
    assert_int_equal(strmap_put(m, (struct str){ NULL, 0 }, &things[0]), ERR_NONE);
    assert_int_equal(strmap_put(m, (struct str){ "\0", 1 }, &things[1]), ERR_NONE);
    assert_int_equal(strmap_put(m, (struct str){ "\0\0", 2 }, &things[2]), ERR_NONE);
    assert_int_equal(strmap_put(m, STR(""), &things[3]), ERR_NONE);
    assert_int_equal(strmap_count(m), 3);
    assert_ptr_equal(strmap_find(m, STR("")), &things[3]);
    assert_ptr_equal(strmap_find(m, (struct str){ "\0", 1 }), &things[1]);
}

static void walking_a_strmap_meets_everything_once(void **state)
{
    (void)state;
    static bool met[1000];
    scoped(strmap) struct strmap *m = strmap_new();
    char name[32];
    for (int i = 0; i < 1000; i++)
        assert_int_equal(strmap_put(m, name_of(name, i), &things[i]), ERR_NONE);
    struct str key;
    void *value;
    size_t n = 0;
    for (size_t at = 0; strmap_next(m, &at, &key, &value); n++) {
        size_t i = (size_t)((char *)value - things);
        assert_false(met[i]);
        met[i] = true;
        assert_true(str_eq(key, name_of(name, (int)i)));
    }
    assert_int_equal(n, 1000);
}

static void hashing_spreads_and_repeats(void **state)
{
    (void)state;
    assert_true(hash_str(STR("a")) == hash_str(STR("a")));
    assert_true(hash_str(STR("a")) != hash_str(STR("b")));
    size_t bucket[16] = { 0 };
    for (uint64_t i = 0; i < 16000; i++)
        bucket[hash_u64(i << 32) % 16]++;
    for (int i = 0; i < 16; i++)
        assert_in_range(bucket[i], 800, 1200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_finds_what_was_put),
        cmocka_unit_test(a_map_agrees_with_an_array_through_many_changes),
        cmocka_unit_test(a_strmap_keeps_its_own_copy_of_the_key),
        cmocka_unit_test(a_strmap_takes_any_bytes_and_none),
        cmocka_unit_test(walking_a_strmap_meets_everything_once),
        cmocka_unit_test(hashing_spreads_and_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
