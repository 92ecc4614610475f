/* Any text as a piece of a list of numbers; what stands before a NUL are its columns. Reading ends, and the words of every value
 * mean what they say when they are written again. */
#include "base/str.h"
#include "edge/api/import_csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *cut = n ? memchr(data, 0, n) : NULL;
    struct str columns = { (const char *)data, cut ? (size_t)(cut - data) : 0 };
    struct str text = str_from((struct str){ (const char *)data, n }, cut ? columns.n + 1 : 0);
    struct import_slice *s = NULL;
    struct problem why = { 0 };
    int64_t micro = 0, again = 0;
    enum err err = import_csv_read(&s, text, columns, 7, &why);
    assert(!err == (s != NULL) && (err == ERR_NONE || err == ERR_NOMEM || why.rule[0]));
    if (s)
        assert(import_slice_count(s) <= IMPORT_SLICE_MOST);
    import_slice_free(s);
    if (!import_cost_read(columns, &micro)) {
        scoped_buf b = { 0 };
        import_cost_put(&b, micro);
        assert(!import_cost_read(buf_str(&b), &again) && again == micro);
    }
    return 0;
}
