/* Times as peers write them: what is read is written as the service's form, and that reads as the same moment. */
#include "base/clock.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str s = { (const char *)data, n };
    int64_t us, back;
    char iso[ISO8601_SIZE], rfc[RFC1123_SIZE];
    if (time_iso8601_read(s, &us) == ERR_NONE && us >= 0 && us < (int64_t)253402300800 * US_PER_S) {
        time_iso8601(iso, us);
        enum err err = time_iso8601_read(str_of(iso), &back);
        assert(!err && back == us);
    }
    if (time_rfc1123_read(s, &us) == ERR_NONE && us < (int64_t)253402300800 * US_PER_S) {
        time_rfc1123(rfc, us);
        enum err err = time_rfc1123_read(str_of(rfc), &back);
        assert(!err && back == us);
    }
    if (n >= sizeof us) {
        memcpy(&us, data, sizeof us);
        time_iso8601(iso, us);
        time_rfc1123(rfc, us);
        assert(strlen(iso) < sizeof iso && strlen(rfc) < sizeof rfc);
    }
    return 0;
}
