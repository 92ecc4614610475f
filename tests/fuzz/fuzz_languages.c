/* Accept-Language from anywhere: always one of what is offered. */
#include "domain/numbers/country_names.h"
#include "edge/api/languages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *got = language_choose((struct str){ (const char *)data, n }, country_languages);
    const char *const *offered = country_languages;
    while (*offered && *offered != got)
        offered++;
    assert(*offered);
    return 0;
}
