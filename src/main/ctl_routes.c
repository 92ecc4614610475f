/* routes: every operation there is, from the table the server dispatches by; docs/conformance.md is its output. */
#include <stdio.h>

#include "base/str.h"
#include "edge/api/http.h"
#include "main/ctl_priv.h"

/* The tables in their order, one row after another. Start with {0}; NULL at the end. */
struct walk { size_t table, row; };
static const struct http_route *next_route(struct walk *at)
{
    while (http_route_tables[at->table]) {
        const struct http_route *r = &http_route_tables[at->table][at->row++];
        if (r->method)
            return r;
        at->table++;
        at->row = 0;
    }
    return NULL;
}

static void write_json(struct buf *out)
{
    struct jw   w = jw_of(out);
    struct walk at = { 0 };
    jw_array(&w, NULL);
    for (const struct http_route *r; (r = next_route(&at));) {
        jw_object(&w, NULL);
        jw_textz(&w, "method", r->method);
        jw_textz(&w, "path", r->path);
        jw_textz(&w, "operation", r->operation);
        jw_textz(&w, "state", http_route_state(r));
        jw_textz(&w, "test", http_route_test(r));
        jw_end(&w);
    }
    jw_end(&w);
}

static void write_count(void)
{
    size_t      built = 0, partly = 0, not_yet = 0;
    struct walk at = { 0 };
    for (const struct http_route *r; (r = next_route(&at));) {
        if (strncmp(r->operation, "Carterfone_", 11) == 0)
            continue;
        built += strcmp(http_route_state(r), "built") == 0;
        partly += strcmp(http_route_state(r), "partly") == 0;
        not_yet += strcmp(http_route_state(r), "not yet") == 0;
    }
    printf("Of %zu published operations %zu are built, %zu partly, %zu not yet; those answer 501.\n", built + partly + not_yet,
           built, partly, not_yet);
}

static int routes(struct ctl *c)
{
    if (c->json) {
        scoped_buf out = { 0 };
        write_json(&out);
        ctl_say_json(c, buf_str(&out));
        return CTL_OK;
    }
    printf("# Conformance\n\nPrinted by `carterfone routes`; `make test` fails when this file or docs/operations.csv differs. ");
    write_count();
    const struct http_route *const *table = http_route_tables;
    struct walk at = { 0 };
    for (const struct http_route *r; (r = next_route(&at));) {
        if (table != http_route_tables + at.table || at.row == 1)
            printf("\n| operation | method | path | state | shown by |\n| --- | --- | --- | --- | --- |\n");
        table = http_route_tables + at.table;
        printf("| %s | %s | `%s` | %s | %s |\n", r->operation, r->method, r->path, http_route_state(r), http_route_test(r));
    }
    return CTL_OK;
}

const struct ctl_command ctl_routes_commands[] = {
    { "routes", "", "", 0, 0, NULL, routes, "every operation of the API, and what is built" },
    { 0 },
};
