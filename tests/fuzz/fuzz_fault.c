/* Faults as people write them: whatever is taken is listed, and can be put back from its list. */
#include "base/fault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct problem why;
    struct fault_info info;
    struct fault_hit hit;
    struct str text = { (const char *)data, n };
    if (!fault_add(text, ~0u, NULL, &why)) {
        assert(fault_list(&info, 1) == 1);
        (void)fault_strikes(~UINT64_C(0), &(struct fault_subject){ .path = text, .number = text, .to = text, .url = text }, &hit);
        enum err err = fault_put_back(&info, 1);
        assert(!err);
    }
    fault_clear(0);
    return 0;
}
