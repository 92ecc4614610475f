#include "main/snapshot_shelf.h"

#include "base/file.h"
#include "base/str.h"
#include "unit/cm.h"
#include "unit/tmp.h"

#include <stdio.h>
#include <sys/stat.h>

static const char *listed(const struct shelf *s)
{
    static char json[65536];
    scoped_buf out = { 0 };
    struct jw w = jw_of(&out);
    jw_array(&w, NULL);
    shelf_list(s, &w);
    jw_end(&w);
    str_copyz(json, sizeof json, buf_str(&out));
    return json;
}

static void put_file(const struct shelf *s, const char *name)
{
    char path[DATADIR_PATH_SIZE];
    struct problem why;
    shelf_path(s, name, path);
    assert_int_equal(file_write_whole(path, STR("rows"), 0600, &why), ERR_NONE);
}

static void on_disk_what_is_named_so_is_a_snapshot_and_the_first_state_is_nobodys(void **state)
{
    (void)state;
    struct tmp tmp = tmp_new();
    struct datadir dir = { 0 };
    scoped(shelf) struct shelf *s = NULL;
    char path[DATADIR_PATH_SIZE];
    struct problem why;
    str_copyz(dir.path, sizeof dir.path, str_of(tmp.path));
    assert_int_equal(shelf_new(&s, &dir), ERR_NONE);
    assert_string_equal(listed(s), "[]");
    assert_int_equal(shelf_prepare(s), ERR_NONE);
    assert_int_equal(shelf_prepare(s), ERR_NONE);
    put_file(s, "one");
    put_file(s, ".first");
    datadir_path(&dir, "snapshots/notes.txt", path);
    assert_int_equal(file_write_whole(path, STR("no"), 0600, &why), ERR_NONE);
    assert_non_null(strstr(listed(s), "\"name\":\"one\""));
    assert_non_null(strstr(listed(s), "\"octets\":4"));
    assert_null(strstr(listed(s), "first"));
    assert_null(strstr(listed(s), "notes"));
    assert_true(shelf_has(s, ".first") && shelf_has(s, "one") && !shelf_has(s, "two"));
    assert_null(shelf_image(s, "one"));
    assert_int_equal(shelf_drop(s, "two"), ERR_ABSENT);
    assert_int_equal(shelf_drop(s, "one"), ERR_NONE);
    assert_int_equal(shelf_drop(s, "one"), ERR_ABSENT);
    assert_string_equal(listed(s), "[]");
    tmp_free(&tmp);
}

static void in_memory_there_is_room_for_a_hundred_names_beside_the_first_state(void **state)
{
    (void)state;
    struct datadir dir = { 0 };
    scoped(shelf) struct shelf *s = NULL;
    char name[16];
    int max = 0;
    assert_int_equal(shelf_new(&s, &dir), ERR_NONE);
    assert_int_equal(shelf_put(s, ".first", NULL), ERR_NONE);
    for (int i = 0; i < SNAPSHOTS_IN_MEMORY; i++) {
        snprintf(name, sizeof name, "s%d", i);
        assert_true(shelf_has_room(s, name, &max));
        assert_int_equal(shelf_put(s, name, NULL), ERR_NONE);
    }
    assert_false(shelf_has_room(s, "more", &max));
    assert_true(shelf_has_room(s, "s7", &max));           /* takes its own place */
    assert_int_equal(shelf_put(s, "s7", NULL), ERR_NONE);
    assert_int_equal(shelf_drop(s, "s7"), ERR_NONE);
    assert_int_equal(shelf_drop(s, "s7"), ERR_ABSENT);
    assert_true(shelf_has_room(s, "more", &max));
    assert_null(strstr(listed(s), "first"));
    assert_non_null(strstr(listed(s), "\"name\":\"s99\""));
}

static void on_disk_there_is_room_for_a_thousand(void **state)
{
    (void)state;
    struct tmp tmp = tmp_new();
    struct datadir dir = { 0 };
    scoped(shelf) struct shelf *s = NULL;
    char name[16];
    int max = 0;
    str_copyz(dir.path, sizeof dir.path, str_of(tmp.path));
    assert_int_equal(shelf_new(&s, &dir), ERR_NONE);
    assert_true(shelf_has_room(s, "more", &max));   /* no folder yet */
    assert_int_equal(max, SNAPSHOTS_ON_DISK);
    assert_int_equal(shelf_prepare(s), ERR_NONE);
    put_file(s, ".first");
    for (int i = 0; i < SNAPSHOTS_ON_DISK; i++) {
        snprintf(name, sizeof name, "s%d", i);
        put_file(s, name);
        assert_true(i % 333 || i == SNAPSHOTS_ON_DISK - 1 || shelf_has_room(s, "more", &max));
    }
    assert_false(shelf_has_room(s, "more", &max));
    assert_true(shelf_has_room(s, "s7", &max));
    for (int i = 0; i < SNAPSHOTS_ON_DISK; i++) {
        snprintf(name, sizeof name, "s%d", i);
        assert_int_equal(shelf_drop(s, name), ERR_NONE);
    }
    tmp_free(&tmp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_disk_what_is_named_so_is_a_snapshot_and_the_first_state_is_nobodys),
        cmocka_unit_test(in_memory_there_is_room_for_a_hundred_names_beside_the_first_state),
        cmocka_unit_test(on_disk_there_is_room_for_a_thousand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
