#include "main/datadir.h"

#include "base/file.h"
#include "base/str.h"
#include "unit/cm.h"
#include "unit/tmp.h"

#include <fcntl.h>
#include <sys/stat.h>

static struct tmp tmp;

static int set_up(void **state)
{
    (void)state;
    tmp = tmp_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tmp_free(&tmp);
    return 0;
}

static const char *data(void)
{
    static char path[128];
    snprintf(path, sizeof path, "%s", tmp_file(&tmp, "data"));
    return path;
}

static struct datadir open_data(void)
{
    struct datadir d;
    struct problem why = { 0 };
    if (datadir_open(&d, data(), false, &why))
        fail_msg("%s", why.text);
    return d;
}

static unsigned mode_of(const struct datadir *d, const char *name)
{
    char path[DATADIR_PATH_SIZE];
    struct stat st;
    datadir_path(d, name, path);
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void keys_are_drawn_once_and_nobody_else_may_read_them(void **state)
{
    (void)state;
    struct datadir a = open_data();
    datadir_close(&a);
    struct datadir b = open_data();
    assert_memory_equal(a.id_key, b.id_key, sizeof a.id_key);
    assert_memory_equal(a.operator_key, b.operator_key, sizeof a.operator_key);
    assert_memory_not_equal(a.id_key, a.operator_key, sizeof a.id_key);
    assert_int_equal(mode_of(&b, "id.key"), 0600);
    assert_int_equal(mode_of(&b, "operator.key"), 0600);
    assert_int_equal(mode_of(&b, "."), 0700);
    datadir_close(&b);
}

static void what_is_made_in_it_later_is_nobody_elses_either(void **state)
{
    (void)state;
    mode_t before = umask(022);
    struct datadir d = open_data();
    char path[DATADIR_PATH_SIZE];
    datadir_path(&d, "carterfone.db", path);
    close(open(path, O_WRONLY | O_CREAT, 0644));
    assert_int_equal(mode_of(&d, "carterfone.db"), 0600);
    datadir_close(&d);
    umask(before);
}

static void a_folder_serves_one_server_at_a_time(void **state)
{
    (void)state;
    struct datadir a = open_data(), b;
    struct problem why = { 0 };
    assert_int_equal(datadir_open(&b, data(), false, &why), ERR_CONFLICT);
    assert_non_null(strstr(why.text, "another server"));
    datadir_close(&b);
    datadir_close(&a);
    b = open_data();
    datadir_close(&b);
}

static void a_damaged_key_is_said_and_not_replaced(void **state)
{
    (void)state;
    struct datadir a = open_data(), b;
    struct problem why = { 0 };
    char path[DATADIR_PATH_SIZE];
    datadir_close(&a);
    datadir_path(&a, "id.key", path);
    assert_int_equal(file_write_whole(path, STR("c2hvcnQ="), 0600, &why), ERR_NONE);
    assert_int_equal(datadir_open(&b, data(), false, &why), ERR_SYNTAX);
    assert_non_null(strstr(why.text, "id.key is damaged"));
    datadir_close(&b);
}

static void in_memory_touches_no_disk(void **state)
{
    (void)state;
    struct datadir d;
    struct problem why = { 0 };
    assert_int_equal(datadir_open(&d, data(), true, &why), ERR_NONE);
    assert_int_equal(access(data(), F_OK), -1);
    assert_string_equal(d.path, "");
    datadir_close(&d);
}

static void a_file_is_written_whole_with_its_own_mode(void **state)
{
    (void)state;
    struct problem why = { 0 };
    struct stat st;
    char path[128], got[64] = "";
    snprintf(path, sizeof path, "%s", tmp_file(&tmp, "ca.pem"));
    mode_t before = umask(077);
    assert_int_equal(file_write_whole(path, STR("one"), 0644, &why), ERR_NONE);
    umask(before);
    assert_int_equal(file_write_whole(path, STR("second"), 0644, &why), ERR_NONE);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, got, sizeof got), 6);
    close(fd);
    assert_string_equal(got, "second");
    assert_int_equal(file_write_whole(tmp_file(&tmp, "no/such/folder"), STR("x"), 0600, &why), ERR_IO);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    (void)state;
    static char path[3000];
    struct datadir d;
    struct problem why = { 0 };
    memset(path, 'a', sizeof path - 1);
    assert_int_equal(datadir_open(&d, path, false, &why), ERR_RANGE);
    datadir_close(&d);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(keys_are_drawn_once_and_nobody_else_may_read_them),
        T(what_is_made_in_it_later_is_nobody_elses_either),
        T(a_folder_serves_one_server_at_a_time),
        T(a_damaged_key_is_said_and_not_replaced),
        T(in_memory_touches_no_disk),
        T(a_file_is_written_whole_with_its_own_mode),
        T(a_path_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
