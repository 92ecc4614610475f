/* Where the server is, how to trust it, and the keys to ask with. In this order: --server, --data,
 * CARTERFONE_CONNECTION_STRING, the default data folder, in which a running server keeps ready.json and operator.key. */
#include <errno.h>
#include <stdio.h>

#include "base/str.h"
#include "edge/api/keyring.h"
#include "main/ctl_priv.h"
#include "net/target.h"

static const char DEFAULT_DATA[] = "./carterfone-data";

const char *ctl_data(const struct ctl *c)
{
    const char *env = getenv("CARTERFONE_DATA");
    return c->data ? c->data : env && *env ? env : DEFAULT_DATA;
}

struct str ctl_file(const struct ctl *c, const char *path)
{
    enum { FILE_MAX = 1 << 20 };
    FILE *f = fopen(path, "re");
    if (!f)
        return (struct str){ 0 };
    scoped_buf text = { 0 };
    char       piece[4096];
    size_t     n;
    while (text.n <= FILE_MAX && (n = fread(piece, 1, sizeof piece, f)) > 0)
        buf_put(&text, piece, n);
    bool good = !ferror(f) && !text.bad && text.n <= FILE_MAX;
    fclose(f);
    return good ? arena_str(c->arena, buf_str(&text)) : (struct str){ 0 };
}

static struct str data_file(const struct ctl *c, const char *name)
{
    return ctl_file(c, arena_printf(c->arena, "%s/%s", ctl_data(c), name).p);
}

/* base64 as in a connection string, or 64 hex digits. */
static bool read_key(struct str text, uint8_t *key, size_t size, size_t *n)
{
    text = str_trim(text);
    if (text.n == 64 && hex_read(key, size, text, n) == ERR_NONE)
        return true;
    return base64_read(key, size, text, n) == ERR_NONE && *n > 0;
}

static void find_operator_key(struct ctl *c)
{
    const char *env = getenv("CARTERFONE_OPERATOR_KEY");
    struct str  text = env && *env ? str_of(env) : data_file(c, "operator.key");
    if (!text.p || !read_key(text, c->operator_key, sizeof c->operator_key, &c->operator_key_n))
        c->operator_key_n = 0;
}

/* What follows the scheme, up to the path. */
static struct str authority_of(struct str url)
{
    struct str rest, authority, path;
    ssize_t slash = str_find(url, '/');
    rest = str_from(url, slash < 0 ? 0 : (size_t)slash + 2);
    str_cut(rest, '/', &authority, &path);
    return authority;
}

bool ctl_is_local(const struct ctl *c)
{
    return target_names_loopback(authority_of(c->api));
}

static struct str without_slash(struct str url)
{
    while (url.n && url.p[url.n - 1] == '/')
        url.n--;
    return url;
}

/* endpoint=URL;accesskey=BASE64, in any order and case. */
static bool read_connection_string(struct ctl *c, struct str text, struct str *endpoint)
{
    bool       more, keyed = false;
    struct str part, name, value;
    *endpoint = (struct str){ 0 };
    do {
        more = str_cut(text, ';', &part, &text);
        if (!str_cut(str_trim(part), '=', &name, &value))
            continue;
        if (str_eq_nocase(name, STR("endpoint")))
            *endpoint = without_slash(value);
        else if (str_eq_nocase(name, STR("accesskey")))
            keyed = read_key(value, c->key, sizeof c->key, &c->key_n);
    } while (more);
    return keyed && endpoint->n > 0;
}

/* A server on this machine hands out its own CA, in the clear on the same port. */
static int find_ca(struct ctl *c)
{
    if (!ctl_is_local(c) || !str_starts(c->api, STR("https://")) || c->ca_file)
        return CTL_OK;
    struct str        api = c->api;
    struct ctl_answer answer;
    c->api_asked = api;
    c->api = arena_printf(c->arena, "http" STR_FMT, STR_ARG(str_from(api, 5)));
    int rc = ctl_ask(c, CTL_AS_NOBODY, "GET", STR("/carterfone/ca.pem"), (struct str){ 0 }, &answer);
    c->api = api;
    c->api_asked = (struct str){ 0 };
    if (rc == CTL_OK)
        c->ca_pem = answer.body.p;
    return rc;
}

static int find_by_server(struct ctl *c)
{
    c->api = without_slash(str_of(c->server));
    if (!str_starts(c->api, STR("https://")) && !str_starts(c->api, STR("http://")))
        return ctl_usage(c, "--server wants a URL such as https://127.0.0.1:4500");

    const char *env = getenv("CARTERFONE_CONNECTION_STRING");
    struct str  endpoint;
    if (env && *env && !read_connection_string(c, str_of(env), &endpoint))
        return ctl_usage(NULL, "CARTERFONE_CONNECTION_STRING is not endpoint=URL;accesskey=KEY");
    if (!c->key_n && ctl_is_local(c))
        (void)read_key(STR(KEYRING_DEVELOPMENT_KEY), c->key, sizeof c->key, &c->key_n);
    if (!c->key_n)
        return ctl_usage(NULL, "--server names another machine: set CARTERFONE_CONNECTION_STRING, which holds a key");
    if (c->data || getenv("CARTERFONE_OPERATOR_KEY"))
        find_operator_key(c);
    return find_ca(c);
}

static int find_by_connection_string(struct ctl *c, const char *text)
{
    if (!read_connection_string(c, str_of(text), &c->api))
        return ctl_usage(NULL, "CARTERFONE_CONNECTION_STRING is not endpoint=URL;accesskey=KEY");
    if (getenv("CARTERFONE_OPERATOR_KEY"))
        find_operator_key(c);
    return find_ca(c);
}

static int find_by_data(struct ctl *c)
{
    struct str text = data_file(c, "ready.json");
    if (!text.p) {
        fprintf(stderr, "carterfone: no server runs on %s (%s/ready.json: %s).\n"
                        "Start one with `carterfone serve`, or say where it is: --data DIR, --server URL or "
                        "CARTERFONE_CONNECTION_STRING.\n", ctl_data(c), ctl_data(c), strerror(errno));
        return CTL_UNREACHABLE;
    }
    struct problem why = { 0 };
    scoped(json_doc) struct json_doc *doc = NULL;
    if (json_read(&doc, text, &why) != ERR_NONE) {
        fprintf(stderr, "carterfone: %s/ready.json cannot be read: %s\n", ctl_data(c), why.text);
        return CTL_UNREACHABLE;
    }
    struct str endpoint;
    c->api = arena_str(c->arena, without_slash(json_text_of(json_root(doc), "api")));
    struct str ca = json_text_of(json_root(doc), "caFile");
    if (ca.n)
        c->ca_file = arena_str(c->arena, ca).p;
    (void)read_connection_string(c, json_text_of(json_root(doc), "connectionString"), &endpoint);
    find_operator_key(c);
    c->key_may_be_old = c->key_n && c->operator_key_n;
    if (c->api.n)
        return CTL_OK;
    fprintf(stderr, "carterfone: %s/ready.json names no server\n", ctl_data(c));
    return CTL_UNREACHABLE;
}

/* --resource: the operator may have its key. */
static int use_resource(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", ctl_target(c, "/carterfone/v1/resources/%e/keys", c->resource),
                     (struct str){ 0 }, &answer);
    if (rc)
        return rc;
    if (read_key(json_text_of(answer.json, "primaryKey"), c->key, sizeof c->key, &c->key_n))
        return CTL_OK;
    fprintf(stderr, "carterfone: the server named no key for resource '%s'\n", c->resource);
    return CTL_REFUSED;
}

bool ctl_find_newer_key(struct ctl *c)
{
    uint8_t was[sizeof c->key];
    size_t was_n = c->key_n;
    if (!c->key_may_be_old || c->resource)
        return false;
    c->key_may_be_old = false;
    memcpy(was, c->key, was_n);
    c->resource = "default";
    bool newer = use_resource(c) == CTL_OK && (was_n != c->key_n || memcmp(was, c->key, was_n) != 0);
    c->resource = NULL;
    return newer;
}

int ctl_find(struct ctl *c)
{
    if (c->api.n)
        return CTL_OK;
    const char *env = getenv("CARTERFONE_CONNECTION_STRING");
    int rc = c->server ? find_by_server(c) : !c->data && env && *env ? find_by_connection_string(c, env) : find_by_data(c);
    if (rc == CTL_OK && c->resource)
        rc = use_resource(c);
    return rc;
}
