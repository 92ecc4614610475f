/* The config file: whatever stands in it, the reader answers with settings or with a complaint that names the line. */
#include "main/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct settings s;
    struct problem  why = { 0 };
    enum err err = settings_read_yaml(&s, SETTINGS_SERVE, (struct str){ (const char *)data, n }, "f", &why);
    assert(err == ERR_NONE || err == ERR_NOMEM || why.text[0]);
    assert(err || (s.listen_n >= 1 && s.listen_n <= SETTINGS_LISTEN_MAX));
    return 0;
}
