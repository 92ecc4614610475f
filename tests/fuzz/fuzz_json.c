/* A body from anywhere: read, filled into a struct, written again; what was written reads as the same. */
#include "base/json.h"
#include "base/str.h"

struct thing {
    struct str         text;
    int64_t            number;
    bool               flag;
    const struct json *any;
};
static const struct json_field fields[] = {
    JSON_TEXT_FIELD(struct thing, text, "text", false, 0, 20),
    JSON_INT_FIELD(struct thing, number, "number", false, -5, 5),
    JSON_BOOL_FIELD(struct thing, flag, "flag", false),
    JSON_ANY_FIELD(struct thing, any, "any", false),
};

static void write_again(struct buf *b, const struct json *j)
{
    struct jw w = jw_of(b);
    jw_json(&w, NULL, j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    scoped(json_doc) struct json_doc *doc = NULL, *again = NULL;
    scoped(arena) struct arena *a = arena_new();
    struct problem why = { 0 };
    struct thing t = { .text = STR("") };
    enum err err = json_read(&doc, (struct str){ (const char *)data, n }, &why);
    if (err) {
        assert(!doc && why.text[0]);
    } else {
        scoped_buf one = { 0 }, two = { 0 };
        if (json_fill(json_root(doc), fields, ARRAY_LEN(fields), &t, a, &why) == ERR_NONE)
            assert(t.number >= -5 && t.number <= 5 && utf8_valid(t.text));
        write_again(&one, json_root(doc));
        err = json_read(&again, buf_str(&one), &why);
        assert(!err);
        write_again(&two, json_root(again));
        assert(str_eq(buf_str(&one), buf_str(&two)));
    }
    /* the same bytes as a text to be written */
    scoped_buf b = { 0 };
    struct jw w = jw_of(&b);
    scoped(json_doc) struct json_doc *text = NULL;
    jw_text(&w, NULL, (struct str){ (const char *)data, n });
    err = json_read(&text, buf_str(&b), &why);
    assert(!err);
    if (utf8_valid((struct str){ (const char *)data, n }))
        assert(str_eq(json_text(json_root(text)), (struct str){ (const char *)data, n }));
    return 0;
}
