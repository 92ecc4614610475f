/* Any JSON as the filter of a subscription (the first line), any other as an event's data (the rest): what is accepted can be asked. */
#include "base/str.h"
#include "domain/events/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str filter, event;
    scoped(json_doc) struct json_doc *wanted = NULL;
    scoped(json_doc) struct json_doc *said = NULL;
    struct problem why = { 0 };
    str_cut((struct str){ (const char *)data, size }, '\n', &filter, &event);
    if (json_read(&wanted, filter, &why))
        return 0;
    if (filter_check(json_root(wanted), &why)) {
        assert(why.text[0]);
        return 0;
    }
    if (json_read(&said, event, NULL))
        said = NULL;
    (void)filter_looks_at_data(json_root(wanted));
    (void)filter_admits(json_root(wanted), event, json_root(said));
    return 0;
}
