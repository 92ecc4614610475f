/* Base64 and hex: what is read writes back to the very same text (hex: but for case). */
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str s = { (const char *)data, n };
    static uint8_t out[4096], again[4096];
    static char text[BASE64_SIZE(sizeof out) + 2 * sizeof out];
    size_t len, back;
    if (base64_read(out, sizeof out, s, &len) == ERR_NONE) {
        assert(len <= sizeof out);
        assert(base64_write(text, out, len) == n && str_eqz(s, text));
    }
    if (hex_read(out, sizeof out, s, &len) == ERR_NONE) {
        hex_write(text, out, len);
        assert(str_eq_nocase(s, str_of(text)));
    }
    if (n <= sizeof out) {
        size_t written = base64_write(text, data, n);
        assert(written < BASE64_SIZE(n));
        enum err err = base64_read(again, sizeof again, (struct str){ text, written }, &back);
        assert(!err && back == n && (n == 0 || memcmp(again, data, n) == 0));
        assert(base64url_write(text, data, n) <= written);
    }
    struct str rest = s;
    uint32_t cp;
    for (size_t at = 0; utf8_valid(s) && (cp = utf8_next(rest, &at)) != UINT32_MAX;) {
        char put[4];
        size_t k = utf8_put(put, cp);
        assert(k <= at && memcmp(put, rest.p + at - k, k) == 0);
    }
    return 0;
}
