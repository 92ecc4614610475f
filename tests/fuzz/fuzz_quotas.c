/* Any text as --quotas: a limit is within what can be counted, a refusal has words. */
#include "base/str.h"
#include "domain/numbers/quotas.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct quotas_conf conf;
    struct problem why = { 0 };
    if (quotas_read(&conf, (struct str){ (const char *)data, size }, &why)) {
        assert(why.text[0]);
        return 0;
    }
    for (int q = 0; q < QUOTA_COUNT; q++)
        assert(conf.limits[q].count >= 0 && conf.limits[q].count <= QUOTA_MOST && conf.limits[q].window_us >= 0);
    return 0;
}
