/* Any text as a route's pattern, over any number: pattern NUL number. Reading and matching end, whatever it says. */
#include "domain/directrouting/number_pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *cut = n ? memchr(data, 0, n) : NULL;
    size_t at = cut ? (size_t)(cut - data) : n;
    scoped(arena) struct arena *a = arena_new();
    struct number_pattern *p;
    char words[96] = "";
    bool matched;
    if (!a || at > 1024)
        return 0;
    enum err err = number_pattern_read(&p, (struct str){ (const char *)data, at }, a, words);
    assert(!err == !words[0]);
    struct str number = { cut ? (const char *)cut + 1 : "", cut ? n - at - 1 : 0 };
    if (!err)
        assert(!number_pattern_match(p, number, a, &matched));
    return 0;
}
