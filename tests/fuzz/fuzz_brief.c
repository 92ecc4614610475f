/* Any JSON as a patch of a brief: what is accepted merges, and merging it again changes nothing. */
#include "base/str.h"
#include "domain/registrations/brief_fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    enum brief_kind kind = data[0] & 1 ? BRIEF_PROGRAM : BRIEF_CAMPAIGN;
    scoped(json_doc) struct json_doc *doc = NULL;
    scoped(json_doc) struct json_doc *made = NULL;
    struct problem why = { 0 };
    scoped_buf once = { 0 }, twice = { 0 };
    if (json_read(&doc, (struct str){ (const char *)data + 1, size - 1 }, &why)
        || brief_patch_check(kind, json_root(doc), &why))
        return 0;
    brief_merge(kind, NULL, json_root(doc), &once);
    if (json_read(&made, buf_str(&once), NULL) || brief_patch_check(kind, json_root(made), &why))
        abort();
    brief_merge(kind, json_root(made), json_root(doc), &twice);
    if (!str_eq(buf_str(&once), buf_str(&twice)))
        abort();
    (void)!brief_complete(kind, json_root(made), &why);
    return 0;
}
