/* Any JSON as a PATCH of /sip: what is accepted is a configuration that can be patched in again and is then the same. */
#include "base/str.h"
#include "domain/directrouting/sip_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* @return what the API would show of it; empty: refused */
static bool patched(const struct sip_config *base, struct str text, bool newer, struct arena *a, struct sip_config **made, struct buf *shown)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    struct sip_patch *patch = NULL;
    struct problem why = { 0 };
    if (json_read(&doc, text, &why))
        return false;
    if (sip_patch_read(&patch, json_root(doc), newer, a, &why) || sip_config_merge(made, base, patch, a, &why)) {
        assert(why.text[0]);
        return false;
    }
    struct jw w = jw_of(shown);
    sip_config_write(*made, &w, newer, false);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    bool newer = data[0] & 1;
    struct arena *a = arena_new();
    struct sip_config none = { 0 }, *once = NULL, *twice = NULL;
    scoped_buf first = { 0 }, second = { 0 };
    assert(a);
    if (patched(&none, (struct str){ (const char *)data + 1, size - 1 }, newer, a, &once, &first)) {
        const struct sip_route **routes = arena_array(a, once->n_routes + 1, sizeof *routes);
        size_t n;
        assert(routes && !sip_config_routes_for(once, STR("+12065550100"), routes, &n) && n <= once->n_routes);
        if (!patched(once, buf_str(&first), newer, a, &twice, &second) || !str_eq(buf_str(&first), buf_str(&second)))
            abort();
    }
    arena_free(a);
    return 0;
}
