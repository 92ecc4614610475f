/* Any text as comma separated values: the first octet says how it is cut into chunks. However that is, the same is read; and
 * what was read, written and read again, is the same. */
#include "base/str.h"
#include "codec/csv/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What is read, written again; faults and lines go to *sum. */
static void read_in_chunks(struct buf *out, struct str text, size_t size, uint64_t *sum)
{
    scoped_csv c;
    struct csv_record rec;
    enum csv_step step = CSV_MORE;
    csv_init(&c, 1);
    while (step != CSV_END && step != CSV_NOMEM) {
        if (step == CSV_MORE) {
            struct str chunk = { text.p, text.n < size ? text.n : size };
            text = str_from(text, chunk.n);
            csv_feed(&c, chunk, !text.n);
        }
        step = csv_next(&c, &rec);
        if (step == CSV_FAULT)
            *sum = *sum * 31 + rec.line;
        if (step != CSV_RECORD)
            continue;
        *sum = *sum * 31 + c.offset;
        for (size_t i = 0; i < rec.n; i++) {
            if (i)
                buf_putc(out, ',');
            if (rec.n == 1 && !rec.fields[i].n)
                buf_putz(out, "\"\"");  /* not an empty line */
            else
                csv_put(out, rec.fields[i]);
        }
        buf_putz(out, "\r\n");
    }
    assert(step == CSV_END && c.offset >= c.carry.n && c.line >= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 1)
        return 0;
    struct str text = { (const char *)data + 1, n - 1 };
    uint64_t whole = 0, parts = 0, ignored = 0;
    scoped_buf a = { 0 }, b = { 0 }, again = { 0 };
    read_in_chunks(&a, text, SIZE_MAX, &whole);
    read_in_chunks(&b, text, data[0] ? data[0] : 1, &parts);
    assert(whole == parts && str_eq(buf_str(&a), buf_str(&b)));
    if (str_starts(buf_str(&a), STR("\xEF\xBB\xBF")))
        return 0;                       /* a first field that begins as a mark does */
    read_in_chunks(&again, buf_str(&a), SIZE_MAX, &ignored);
    assert(n > CSV_RECORD_MAX / 2 || str_eq(buf_str(&a), buf_str(&again)));
    return 0;
}
