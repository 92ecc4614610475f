/* The base with every one of its allocations failing in turn. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/inbox.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/str.h"
#include "unit/alloc.h"
#include "unit/cm.h"

static enum err use_arena(void)
{
    scoped(arena) struct arena *a = arena_new();
    if (!a)
        return ERR_NOMEM;
    for (int i = 0; i < 20; i++)
        if (!arena_alloc(a, 3000) || !arena_str(a, STR("text")).p || !arena_printf(a, "%d", i).p)
            return ERR_NOMEM;
    return arena_array(a, 3, 70000) ? ERR_NONE : ERR_NOMEM;
}

static enum err use_buf(void)
{
    scoped_buf b = { 0 };
    for (int i = 0; i < 300; i++)
        buf_printf(&b, "line %d\n", i);
    return buf_err(&b);
}

static enum err use_map(void)
{
    static char thing;
    scoped(map) struct map *m = map_new();
    for (uint64_t i = 0; m && i < 200; i++) {
        enum err err = map_put(m, i, &thing);
        if (err) {
            assert_null(map_find(m, i));        /* nothing changed */
            assert_int_equal(map_count(m), i);
            return err;
        }
    }
    return m ? ERR_NONE : ERR_NOMEM;
}

static enum err use_strmap(void)
{
    static char thing;
    scoped(strmap) struct strmap *m = strmap_new();
    for (uint64_t i = 0; m && i < 100; i++) {
        enum err err = strmap_put(m, (struct str){ (char *)&i, sizeof i }, &thing);
        if (err) {
            assert_null(strmap_find(m, (struct str){ (char *)&i, sizeof i }));
            assert_int_equal(strmap_count(m), i);
            return err;
        }
    }
    return m ? ERR_NONE : ERR_NOMEM;
}

struct filled { struct str text; };

static enum err use_json(void)
{
    static const struct json_field fields[] = { JSON_TEXT_FIELD(struct filled, text, "text", true, 0, 10000) };
    static char body[8000];
    struct filled f;
    memset(body, 'x', sizeof body);
    memcpy(body, "{\"text\":\"", 9);
    memcpy(body + sizeof body - 2, "\"}", 2);
    scoped(json_doc) struct json_doc *doc = NULL;
    scoped(arena) struct arena *a = arena_new();
    scoped_buf b = { 0 };
    if (!a)
        return ERR_NOMEM;
    enum err err = json_read(&doc, (struct str){ body, sizeof body }, NULL);
    if (!err)
        err = json_fill(json_root(doc), fields, 1, &f, a, NULL);
    struct jw w = jw_of(&b);
    jw_object(&w, NULL);
    jw_json(&w, "again", json_root(doc));
    jw_textz(&w, "text", "x");
    jw_end(&w);
    return err ? err : buf_err(&b);
}

static enum err use_objects(void)
{
    static const uint8_t secret[ID_KEY_OCTETS];
    scoped(ids) struct ids *ids = ids_new(secret, 1);
    scoped(clock) struct clock *clock = clock_new(0);
    scoped(inbox) struct inbox *in = inbox_new("x", 1, NULL);
    return ids && clock && in ? ERR_NONE : ERR_NOMEM;
}

static void nothing(void *arg)
{
    (void)arg;
}

static void nothing_io(void *arg, bool can_read, bool can_write)
{
    (void)arg, (void)can_read, (void)can_write;
}

static enum err use_loop(void)
{
    scoped(loop) struct loop *loop = NULL;
    enum err err = loop_new(&loop, "x", 10, NULL);
    if (err)
        return err;
    struct loop_timer t = { 0 };
    struct loop_io io = { 0 };
    err = loop_timer_init(loop, &t, nothing, NULL);
    if (!err)
        err = loop_io_init(loop, &io, 0, nothing_io, NULL);
    if (err == ERR_IO && !alloc_failed)         /* standard input may be a file, which nothing can watch */
        err = ERR_NONE;
    loop_timer_done(&t);
    loop_io_done(&io);
    return err;
}

static void every_part_survives_each_allocation_failing(void **state)
{
    (void)state;
    assert_in_range(alloc_each_failing(use_arena), 3, 30);
    assert_in_range(alloc_each_failing(use_buf), 2, 30);
    assert_in_range(alloc_each_failing(use_map), 3, 30);
    assert_in_range(alloc_each_failing(use_strmap), 100, 200);
    assert_in_range(alloc_each_failing(use_json), 3, 30);
    assert_int_equal(alloc_each_failing(use_objects), 3);
    assert_in_range(alloc_each_failing(use_loop), 4, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_part_survives_each_allocation_failing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
