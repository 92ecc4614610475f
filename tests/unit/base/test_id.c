/* id and the functions of crypto it stands on. */
#include "base/id.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"
#include "unit/cm.h"

#include <pthread.h>

static const uint8_t SECRET[ID_KEY_OCTETS] = { 1, 2, 3 };

static void assert_hex(const void *bytes, size_t n, const char *hex)
{
    char text[129];
    hex_write(text, bytes, n);
    assert_string_equal(text, hex);
}

/* FIPS 180-4 examples; RFC 4231, 4.2 and 4.7; the SipHash paper's appendix, 8 octets of input */
static void hashes_match_their_published_vectors(void **state)
{
    (void)state;
    uint8_t out[32];
    sha256(out, STR("abc"));
    assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    scoped(sha256_run) struct sha256_run *run = sha256_run_new();
    sha256_run_add(run, STR("a"));
    sha256_run_now(run, out);
    sha256_run_add(run, STR("bc"));
    sha256_run_now(run, out);
    assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256(out, (struct str){ NULL, 0 });
    assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    uint8_t key[131];
    memset(key, 0x0b, 20);
    hmac_sha256(out, key, 20, STR("Hi There"));
    assert_hex(out, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    memset(key, 0xaa, sizeof key);
    hmac_sha256(out, key, sizeof key, STR("Test Using Larger Than Block-Size Key - Hash Key First"));
    assert_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    const uint64_t sip[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
    assert_true(siphash_u64(sip, 0x0706050403020100) == 0x93f5f5799a932462);
}

static void comparing_finds_a_difference_anywhere(void **state)
{
    (void)state;
    char a[32] = { 0 }, b[32] = { 0 };
    assert_true(equal_constant_time(a, b, sizeof a));
    assert_true(equal_constant_time(a, b, 0));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] = 1;
        assert_false(equal_constant_time(a, b, sizeof a));
        b[i] = 0;
    }
}

static void random_words_differ(void **state)
{
    (void)state;
    assert_true(random_u64() != random_u64());
}

static void keys_rise_and_tell_their_time_and_node(void **state)
{
    (void)state;
    scoped(ids) struct ids *ids = ids_new(SECRET, 1023);
    int64_t before = clock_wall_us() / US_PER_MS;
    uint64_t last = ids_next(ids);
    assert_in_range(id_time_us(last) / US_PER_MS, before, before + 1000);
    assert_int_equal(id_node(last), 1023);
    for (int i = 0; i < 100000; i++) {
        uint64_t key = ids_next(ids);
        assert_true(key > last);
        assert_int_equal(id_node(key), 1023);
        last = key;
    }
    assert_true(id_floor(id_time_us(last)) <= last);
    assert_true(id_floor(id_time_us(last) + US_PER_MS) > last);
    assert_true(id_floor(0) == 0);
}

static void a_key_comes_after_those_the_store_holds(void **state)
{
    (void)state;
    scoped(ids) struct ids *ids = ids_new(SECRET, 3), *other = NULL;
    uint64_t future = id_floor(clock_wall_us() + 3600 * (int64_t)US_PER_S) | 0xfff;
    ids_after(ids, future);
    uint64_t key = ids_next(ids);
    assert_true(key > future);
    ids_after(ids, 5);
    assert_true(ids_next(ids) > key);
    other = ids_new(SECRET, 1024);
    assert_null(other);
}

struct taker { struct ids *ids; uint64_t keys[20000]; };

static void *take_keys(void *arg)
{
    struct taker *t = arg;
    for (size_t i = 0; i < ARRAY_LEN(t->keys); i++)
        t->keys[i] = ids_next(t->ids);
    return NULL;
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void no_two_threads_get_one_key(void **state)
{
    (void)state;
    static struct taker t[4];
    static uint64_t all[4 * ARRAY_LEN(t[0].keys)];
    pthread_t threads[4];
    scoped(ids) struct ids *ids = ids_new(SECRET, 0);
    for (int i = 0; i < 4; i++) {
        t[i].ids = ids;
        pthread_create(&threads[i], NULL, take_keys, &t[i]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        memcpy(all + (size_t)i * ARRAY_LEN(t[i].keys), t[i].keys, sizeof t[i].keys);
    }
    qsort(all, ARRAY_LEN(all), sizeof *all, by_key);
    for (size_t i = 1; i < ARRAY_LEN(all); i++)
        assert_true(all[i] != all[i - 1]);
}

static void a_guid_goes_there_and_back(void **state)
{
    (void)state;
    scoped(ids) struct ids *ids = ids_new(SECRET, 7);
    static const uint64_t edges[] = { 0, 1, 7, 8, UINT64_MAX, 0x8000000000000000, 0x0123456789abcdef };
    for (size_t i = 0; i < 2000; i++) {
        uint64_t key = i < ARRAY_LEN(edges) ? edges[i] : ids_next(ids), back = 0;
        enum id_kind kind = (enum id_kind)(1 + i % ID_RESERVATION_PURCHASE);
        char guid[GUID_SIZE];
        ids_guid(ids, kind, key, guid);
        assert_int_equal(strlen(guid), 36);
        assert_int_equal(guid[14], '4');
        assert_non_null(strchr("89ab", guid[19]));
        assert_int_equal(ids_guid_read(ids, kind, str_of(guid), &back), ERR_NONE);
        assert_true(back == key);
        for (char *c = guid; *c; c++)
            if (*c >= 'a' && *c <= 'f')
                *c = (char)(*c - 0x20);
        assert_int_equal(ids_guid_read(ids, kind, str_of(guid), &back), ERR_NONE);
        assert_int_equal(ids_guid_read(ids, (enum id_kind)(kind + 1), str_of(guid), &back), ERR_ABSENT);
    }
}

static void a_forged_guid_is_found_without_the_database(void **state)
{
    (void)state;
    scoped(ids) struct ids *ids = ids_new(SECRET, 7), *others = NULL;
    uint8_t other_key[ID_KEY_OCTETS] = { 9 };
    others = ids_new(other_key, 7);
    char guid[GUID_SIZE];
    uint64_t key;
    ids_guid(others, ID_CALL, ids_next(ids), guid);
    assert_int_equal(ids_guid_read(ids, ID_CALL, str_of(guid), &key), ERR_ABSENT);
    ids_guid(ids, ID_CALL, ids_next(ids), guid);
    for (size_t i = 0; i < 36; i++) {
        char was = guid[i];
        if (was == '-')
            continue;
        guid[i] = was == '0' ? '1' : '0';
        assert_int_equal(ids_guid_read(ids, ID_CALL, str_of(guid), &key), ERR_ABSENT);
        guid[i] = was;
    }
    assert_int_equal(ids_guid_read(ids, ID_CALL, STR("00000000-0000-0000-0000-000000000000"), &key), ERR_ABSENT);
}

static void a_key_is_found_within_what_stands_around_its_guid(void **state)
{
    (void)state;
    scoped(ids) struct ids *ids = ids_new(SECRET, 7);
    uint64_t key = ids_next(ids);
    char guid[GUID_SIZE], id[100];
    ids_guid(ids, ID_MESSAGE, key, guid);
    static const char *const around[] = { "%s", "Outgoing_%s", "Outgoing_%s_noam", "callbacks/%s/x-y-z" };
    for (size_t i = 0; i < ARRAY_LEN(around); i++) {
        snprintf(id, sizeof id, around[i], guid);
        assert_true(ids_key_in(ids, str_of(id)) == key);
    }
    static const char *const none[] = { "", "-", "one", "a-b", "0123456-", "12345678-1234", "00000000-0000-0000-0000-000000000000" };
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        assert_true(ids_key_in(ids, str_of(none[i])) == 0);
    guid[0] = guid[0] == '0' ? '1' : '0';
    assert_true(ids_key_in(ids, str_of(guid)) == 0);
    guid[30] = '\0';
    assert_true(ids_key_in(ids, str_of(guid)) == 0);
}

static void what_is_no_guid_is_malformed(void **state)
{
    (void)state;
    scoped(ids) struct ids *ids = ids_new(SECRET, 7);
    static const char *const bad[] = {
        "", "x", "0123456789abcdef0123456789abcdef", "{1234567-1234-4234-8234-123456789ab}",
        "12345678-1234-4234-8234-123456789abg", "12345678-1234-4234-8234-123456789abcd",
        "123456781-234-4234-8234-123456789abc", "1234567--1234-4234-8234-123456789abc",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t key;
        if (ids_guid_read(ids, ID_CALL, str_of(bad[i]), &key) != ERR_SYNTAX)
            fail_msg("%s was read", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_match_their_published_vectors),
        cmocka_unit_test(comparing_finds_a_difference_anywhere),
        cmocka_unit_test(random_words_differ),
        cmocka_unit_test(keys_rise_and_tell_their_time_and_node),
        cmocka_unit_test(a_key_comes_after_those_the_store_holds),
        cmocka_unit_test(no_two_threads_get_one_key),
        cmocka_unit_test(a_guid_goes_there_and_back),
        cmocka_unit_test(a_forged_guid_is_found_without_the_database),
        cmocka_unit_test(a_key_is_found_within_what_stands_around_its_guid),
        cmocka_unit_test(what_is_no_guid_is_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
