/* How a handset was told to behave, in words: refused with a reason, or read; and what is listed of it reads as the same again. */
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "sim/manner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct manner *m = NULL, *again = NULL;
    struct problem why = { 0 };
    struct str words[MANNER_N_KEYS];
    size_t n = 0;
    if (memchr(data, '/', size))                /* a path would read a file of this machine */
        return 0;
    if (manner_of_text(&m, (struct str){ (const char *)data, size }, &why)) {
        assert(why.text[0]);
        return 0;
    }
    scoped_buf text = { 0 };
    scoped(json_doc) struct json_doc *doc = NULL;
    struct jw w = jw_of(&text);
    jw_object(&w, NULL);
    manner_write(m, &w);
    jw_end(&w);
    assert(!json_read(&doc, buf_str(&text), &why));
    const struct json *list = json_member(json_root(doc), "behaviour");
    for (; n < json_count(list); n++)
        words[n] = json_text(json_item(list, n));
    assert(!manner_with(&again, NULL, words, n, &why));
    assert(again->answer_ms == m->answer_ms && again->refuse_status == m->refuse_status && again->loss_permille == m->loss_permille);
    manner_unref(m);
    manner_unref(again);
    return 0;
}
