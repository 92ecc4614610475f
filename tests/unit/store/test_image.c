/* Copies of the whole database: what they hold, and that a start with one has it whole. */
#include "unit/cm.h"
#include "unit/tmp.h"

#include "base/problem.h"
#include "base/str.h"
#include "store/db.h"
#include "store/meta.h"

#include <unistd.h>

static void on_copied(void *owner, struct inbox_item *item)
{
    (void)item;
    *(bool *)owner = true;
}
static const struct inbox_kind copied_kind = { "copied", on_copied, NULL };

static enum err copy(struct db *db, const char *path, struct db_image **image)
{
    bool done = false;
    scoped(inbox) struct inbox *in = inbox_new("test", 4, &done);
    struct db_unit *also = db_unit_new();
    db_do(also, DB_SNAPSHOT_PART_PUT, 1, DB_Z("product_us"), DB_B(STR("7")));
    struct db_copy c = { .item.kind = &copied_kind, .to = in, .path = path, .also = also };
    db_post_copy(db, &c);
    while (!done) {
        inbox_wait(in, -1);
        inbox_drain(in);
    }
    *image = c.image;
    return c.err;
}

static struct db *opened(const char *path, struct db_image *image)
{
    struct db *db = NULL;
    struct problem why = { 0 };
    struct db_conf conf = { .path = path, .readers = 2, .bound = 100, .image = image };
    if (db_open(&db, &conf, &why))
        fail_msg("%s", why.text);
    return db;
}

static void put(struct db *db, int64_t value)
{
    struct db_unit *u = db_unit_new();
    meta_row_put_int(u, STR("figure"), value);
    assert_int_equal(db_run(db, u), ERR_NONE);
}

static int64_t figure(struct db *db)
{
    int64_t value = -1;
    assert_int_equal(meta_load_int(db, STR("figure"), &value), ERR_NONE);
    return value;
}

static size_t parts(struct db *db)
{
    scoped(db_rows) struct db_rows *rows = NULL;
    assert_int_equal(db_load(db, DB_SNAPSHOT_PART_GET, (const struct db_val[]){ DB_Z("product_us") }, 1, &rows), ERR_NONE);
    return db_rows_count(rows);
}

static void goes_there_and_back(const char *path, const char *copy_path)
{
    struct db_image *image = NULL;
    struct problem why;
    struct db *db = opened(path, NULL);
    put(db, 1);
    assert_int_equal(copy(db, copy_path, &image), ERR_NONE);
    assert_int_equal(parts(db), 0);         /* only the copy has them */
    put(db, 2);
    db_close(db);
    if (copy_path)
        assert_int_equal(db_image_open(&image, copy_path, &why), ERR_NONE);
    db = opened(path, image);
    assert_int_equal(figure(db), 1);
    assert_int_equal(parts(db), 1);
    put(db, 3);
    assert_int_equal(figure(db), 3);
    db_close(db);
    db_image_free(image);
}

static void a_copy_in_a_file_goes_there_and_back(void **state)
{
    char path[300], copy_path[300];
    snprintf(path, sizeof path, "%s/a.db", (const char *)*state);
    snprintf(copy_path, sizeof copy_path, "%s/a.copy", (const char *)*state);
    goes_there_and_back(path, copy_path);
    struct db *db = opened(path, NULL);
    assert_int_equal(figure(db), 3);
    db_close(db);
}

static void a_copy_in_memory_goes_there_and_back(void **state)
{
    (void)state;
    goes_there_and_back(NULL, NULL);
}

static void what_is_no_copy_is_refused(void **state)
{
    struct db_image *image = NULL;
    struct problem why = { 0 };
    char path[300];
    snprintf(path, sizeof path, "%s/none", (const char *)*state);
    assert_int_equal(db_image_open(&image, path, &why), ERR_ABSENT);
    FILE *f = fopen(path, "w");
    fputs("this is no database at all, but it is long enough to be looked at as one ............................", f);
    fclose(f);
    assert_int_equal(db_image_open(&image, path, &why), ERR_STORE);
    assert_true(why.text[0]);
    char other[310];
    snprintf(other, sizeof other, "%s/plain.db", (const char *)*state);
    db_close(opened(other, NULL));          /* a database, and no snapshot */
    assert_int_equal(db_image_open(&image, other, &why), ERR_STORE);
    assert_null(image);
}

static void a_copy_that_cannot_be_written_leaves_nothing(void **state)
{
    char path[300];
    struct db_image *image = NULL;
    snprintf(path, sizeof path, "%s/there/is/no/such/folder", (const char *)*state);
    struct db *db = opened(NULL, NULL);
    assert_int_equal(copy(db, path, &image), ERR_IO);
    assert_null(image);
    assert_int_equal(access(path, F_OK), -1);
    db_close(db);
}

static struct tmp folder;

static int make_folder(void **state)
{
    folder = tmp_new();
    *state = folder.path;
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    tmp_free(&folder);
    return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_copy_in_a_file_goes_there_and_back), T(a_copy_in_memory_goes_there_and_back), T(what_is_no_copy_is_refused),
        T(a_copy_that_cannot_be_written_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
