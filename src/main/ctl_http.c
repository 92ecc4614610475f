/* One signed request at a time over libcurl's easy interface; the only place of the command line that knows it. */
#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"
#include "main/ctl_priv.h"

enum { CONNECT_MS = 5000, ANSWER_MS = 90000, BODY_MAX = 64 << 20, POLLS_MAX = 600 };

struct ctl_doc {
    struct ctl_doc  *next;
    struct json_doc *doc;
};

/* What curl hands over while an answer comes in. */
struct incoming {
    struct ctl        *c;
    struct ctl_answer *answer;
    struct buf         body;
};

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct incoming *in = arg;
    if (in->body.n + size * n > BODY_MAX)
        return 0;
    buf_put(&in->body, p, size * n);
    return in->body.bad ? 0 : size * n;
}

/* <target>; rel="next" (RFC 8288): the pages of what is no JSON. */
static struct str next_of(struct ctl *c, struct str link)
{
    struct str target, rest;
    bool next = str_starts(link, STR("<")) && str_cut(str_from(link, 1), '>', &target, &rest) && str_eqz(rest, "; rel=\"next\"");
    return next ? arena_str(c->arena, target) : (struct str){ NULL, 0 };
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct incoming *in = arg;
    struct str       name, value, line = { p, size * n };
    if (str_cut(line, ':', &name, &value)) {
        value = str_trim(value);
        uint64_t seconds;
        if (str_eq_nocase(name, STR("Operation-Location")))
            in->answer->operation = arena_str(in->c->arena, value);
        else if (str_eq_nocase(name, STR("Location")))
            in->answer->location = arena_str(in->c->arena, value);
        else if (str_eq_nocase(name, STR("Link")))
            in->answer->next = next_of(in->c, value);
        else if (str_eq_nocase(name, STR("x-ms-request-id")))
            in->answer->request = arena_str(in->c->arena, value);
        else if (str_eq_nocase(name, STR("Retry-After")) && str_u64(value, 3600, &seconds) == ERR_NONE)
            in->answer->retry_after_s = (int)seconds;
    }
    return size * n;
}

/* -- signing: HMAC-SHA256 over method, target, date, host and the body's hash --------------------------------------------- */

static struct curl_slist *with_header(struct curl_slist *list, const char *name, const char *value)
{
    scoped_buf line = { 0 };
    buf_printf(&line, "%s: %s", name, value);
    buf_putc(&line, 0);
    struct curl_slist *longer = line.bad ? NULL : curl_slist_append(list, line.p);
    return longer ? longer : list;
}

static struct str host_of(struct str api)
{
    ssize_t slash = str_find(api, '/');
    return str_from(api, slash < 0 ? 0 : (size_t)slash + 2);
}

static struct curl_slist *sign(const struct ctl *c, struct curl_slist *list, const uint8_t *key, size_t key_n,
                               const char *method, struct str target, struct str body)
{
    char       date[RFC1123_SIZE], hash[BASE64_SIZE(32)], signature[BASE64_SIZE(32)];
    uint8_t    digest[32];
    struct str host = host_of(c->api);
    time_rfc1123(date, clock_wall_us());
    sha256(digest, body);
    base64_write(hash, digest, sizeof digest);

    scoped_buf text = { 0 };
    buf_printf(&text, "%s\n" STR_FMT "\n%s;" STR_FMT ";%s", method, STR_ARG(target), date, STR_ARG(host), hash);
    hmac_sha256(digest, key, key_n, buf_str(&text));
    base64_write(signature, digest, sizeof digest);

    scoped_buf proof = { 0 };
    buf_printf(&proof, "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=%s", signature);
    buf_putc(&proof, 0);
    list = with_header(list, "x-ms-date", date);
    list = with_header(list, "x-ms-content-sha256", hash);
    return proof.bad ? list : with_header(list, "Authorization", proof.p);
}

static struct curl_slist *headers_of(const struct ctl *c, const struct ctl_question *q, struct str target)
{
    struct curl_slist *list = NULL;
    scoped_buf         host = { 0 };
    buf_puts(&host, host_of(c->api));
    buf_putc(&host, 0);
    if (!host.bad)
        list = with_header(list, "Host", host.p);
    if (q->body.n)
        list = with_header(list, "Content-Type", q->content_type ? q->content_type : strcmp(q->method, "PATCH") == 0
                                                 ? "application/merge-patch+json" : "application/json");
    list = with_header(list, "Expect", "");
    if (q->header)
        list = with_header(list, q->header, q->header_value);
    if (q->as == CTL_AS_NOBODY)
        return list;
    bool operator = q->as == CTL_AS_OPERATOR && c->operator_key_n;
    return sign(c, list, operator ? c->operator_key : c->key, operator ? c->operator_key_n : c->key_n, q->method, target,
                q->body);
}

/* -- one exchange ------------------------------------------------------------------------------------------------------------ */

static void set_trust(const struct ctl *c, CURL *curl)
{
    if (c->ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, c->ca_file);
    if (c->ca_pem) {
        struct curl_blob blob = { (void *)c->ca_pem, strlen(c->ca_pem), CURL_BLOB_NOCOPY };
        curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
    }
    if (c->ca_file || c->ca_pem)        /* a server of ours on this machine: no proxy between */
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
}

static CURLcode exchange(struct ctl *c, const char *method, struct str target, struct str body, struct curl_slist *headers,
                         struct incoming *in, char *error)
{
    if (!c->curl)
        c->curl = curl_easy_init();
    if (!c->curl)
        return CURLE_OUT_OF_MEMORY;
    curl_easy_reset(c->curl);
    struct str url = arena_printf(c->arena, STR_FMT STR_FMT, STR_ARG(c->api), STR_ARG(target));
    curl_easy_setopt(c->curl, CURLOPT_URL, url.p);
    curl_easy_setopt(c->curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS);
    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, in);
    curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, in);
    set_trust(c, c->curl);
    if (body.n || strcmp(method, "POST") == 0) {
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body.n ? body.p : "");
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    }
    return curl_easy_perform(c->curl);
}

static void keep_json(struct ctl *c, struct ctl_answer *answer)
{
    struct ctl_doc *kept = arena_one(c->arena, struct ctl_doc);
    if (!kept || !answer->body.n || json_read(&kept->doc, answer->body, NULL) != ERR_NONE)
        return;
    kept->next = c->docs;
    c->docs = kept;
    answer->json = json_root(kept->doc);
}

static void free_docs(struct ctl *c, struct ctl_doc *down_to)
{
    for (; c->docs != down_to; c->docs = c->docs->next)
        json_doc_free(c->docs->doc);
}

bool ctl_part_begin(struct ctl *c, struct ctl_part *part)
{
    struct arena *arena = arena_new();
    if (!arena)
        return false;
    *part = (struct ctl_part){ c->arena, c->docs };
    c->arena = arena;
    return true;
}

void ctl_part_end(struct ctl *c, const struct ctl_part *part)
{
    free_docs(c, part->docs);
    arena_free(c->arena);
    c->arena = part->arena;
}

void ctl_http_done(struct ctl *c)
{
    free_docs(c, NULL);
    if (c->curl)
        curl_easy_cleanup(c->curl);
    c->curl = NULL;
}

/* A refusal: the words for a person on standard error; with --json the envelope itself on standard output. What the service
 * words as an internal error (it does so for plans it does not have), our rule says in earnest. */
static int tell_error(const char *what, const struct json *error, struct str request)
{
    const struct json *inner = json_member(error, "innererror");
    struct str code = json_text_of(error, "code"), text = json_text_of(error, "message");
    struct str rule = json_text_of(inner, "code"), instead = json_text_of(inner, "message");
    bool worded_as_ours = rule.n && instead.n && str_eqz(code, "InternalError");
    if (worded_as_ours) {
        code = instead;
        text = instead = (struct str){ 0 };
    }
    fprintf(stderr, "refused (%s): " STR_FMT "%s" STR_FMT "\n", what, STR_ARG(code), text.n ? ": " : "", STR_ARG(text));
    if (rule.n)
        fprintf(stderr, "  rule: " STR_FMT "\n", STR_ARG(rule));
    if (instead.n)
        fprintf(stderr, "  next: " STR_FMT "\n", STR_ARG(instead));
    if (rule.n && request.n)            /* what a rule refuses is kept */
        fprintf(stderr, "  why:  carterfone explain " STR_FMT "\n", STR_ARG(request));
    return CTL_REFUSED;
}

int ctl_tell_refusal(const struct ctl *c, const struct ctl_answer *answer)
{
    char status[16];
    snprintf(status, sizeof status, "%d", answer->status);
    ctl_say_json(c, answer->body);
    const struct json *error = json_member(answer->json, "error");
    if (error)
        return tell_error(status, error, answer->request);
    fprintf(stderr, "refused (%s): the answer says no more\n", status);
    return CTL_REFUSED;
}

static int tell_unreachable(const struct ctl *c, CURLcode code, const char *error)
{
    fprintf(stderr, "carterfone: no answer from " STR_FMT ": %s\n", STR_ARG(c->api_asked.n ? c->api_asked : c->api),
            *error ? error : curl_easy_strerror(code));
    if (code == CURLE_COULDNT_CONNECT)
        fprintf(stderr, "Is it running? `carterfone serve` starts it.\n");
    return CTL_UNREACHABLE;
}

/* Each area of the service has versions of its own; these are the newest ones its SDKs send. */
static const char *version_of(struct str target)
{
    return str_starts(target, STR("/sms")) ? "2026-01-23" : str_starts(target, STR("/calling")) ? "2026-03-12" : "2025-06-01";
}

int ctl_ask_this(struct ctl *c, const struct ctl_question *q, struct ctl_answer *answer)
{
    struct str target = q->target;
    int rc = ctl_find(c);
    if (rc)
        return rc;
    if (q->as == CTL_AS_RESOURCE) {
        bool versioned = false;
        for (size_t i = 0; i < target.n && !versioned; i++)
            versioned = str_starts(str_from(target, i), STR("api-version="));
        if (!versioned)
            target = arena_printf(c->arena, STR_FMT "%capi-version=%s", STR_ARG(target),
                                  str_find(target, '?') < 0 ? '?' : '&', version_of(target));
    }
    if (q->as != CTL_AS_NOBODY && !c->key_n && !c->operator_key_n)
        return ctl_usage(NULL, "there is no key to ask with: set CARTERFONE_CONNECTION_STRING, or see `account add`");

    *answer = (struct ctl_answer){ 0 };
    struct incoming    in = { .c = c, .answer = answer };
    char               error[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = headers_of(c, q, target);
    CURLcode           code = exchange(c, q->method, target, q->body, headers, &in, error);
    curl_slist_free_all(headers);
    answer->body = arena_str(c->arena, buf_str(&in.body));
    buf_done(&in.body);
    if (code != CURLE_OK)
        return tell_unreachable(c, code, error);

    long status = 0;
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    answer->status = (int)status;
    keep_json(c, answer);
    if (status >= 200 && status < 300)
        return CTL_OK;
    if (status == 401 && q->as == CTL_AS_RESOURCE && ctl_find_newer_key(c))
        return ctl_ask_this(c, q, answer);
    return q->quiet ? CTL_REFUSED : ctl_tell_refusal(c, answer);
}

int ctl_ask(struct ctl *c, enum ctl_as as, const char *method, struct str target, struct str body,
            struct ctl_answer *answer)
{
    return ctl_ask_this(c, &(struct ctl_question){ .as = as, .method = method, .target = target, .body = body }, answer);
}

/* -- long-running operations and pages ------------------------------------------------------------------------------------ */

static void wait_ms(long ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
    while (nanosleep(&t, &t) != 0)
        ;
}

/* A link may be absolute or relative; the target is what stands behind the host. */
static struct str target_of(struct str link)
{
    for (size_t i = 0; i + 2 < link.n; i++)
        if (str_starts(str_from(link, i), STR("://"))) {
            struct str rest = str_from(link, i + 3);
            ssize_t    slash = str_find(rest, '/');
            return slash < 0 ? STR("/") : str_from(rest, (size_t)slash);
        }
    return link;
}

int ctl_ask_long(struct ctl *c, const char *method, struct str target, struct str body, struct ctl_answer *answer)
{
    int rc = ctl_ask(c, CTL_AS_RESOURCE, method, target, body, answer);
    if (rc || !answer->operation.n)
        return rc;
    struct str operation = target_of(answer->operation), location = answer->location;
    for (int polls = 0; polls < POLLS_MAX; polls++) {
        rc = ctl_ask(c, CTL_AS_RESOURCE, "GET", operation, (struct str){ 0 }, answer);
        if (rc)
            return rc;
        struct str status = json_text_of(answer->json, "status");
        if (str_eq_nocase(status, STR("failed")) || str_eq_nocase(status, STR("canceled"))) {
            ctl_say_json(c, answer->body);
            return tell_error(status.p, json_member(answer->json, "error"), (struct str){ 0 });
        }
        if (str_eq_nocase(status, STR("succeeded"))) {
            struct str result = json_text_of(answer->json, "resourceLocation");
            if (!result.n)
                result = location;
            return result.n ? ctl_ask(c, CTL_AS_RESOURCE, "GET", target_of(result), (struct str){ 0 }, answer) : CTL_OK;
        }
        wait_ms(polls < 5 ? 100 : answer->retry_after_s ? 1000L * answer->retry_after_s : 1000);
    }
    fprintf(stderr, "carterfone: the operation did not end in time: " STR_FMT "\n", STR_ARG(operation));
    return CTL_UNREACHABLE;
}

int ctl_ask_pages_as(struct ctl *c, enum ctl_as as, struct str target, const char *member, const struct json **items,
                     struct str *text)
{
    scoped_buf all = { 0 };
    struct jw  w = jw_of(&all);
    jw_array(&w, NULL);
    while (target.n) {
        struct ctl_answer answer;
        int rc = ctl_ask(c, as, "GET", target, (struct str){ 0 }, &answer);
        if (rc)
            return rc;
        const struct json *page = json_member(answer.json, member);
        for (size_t i = 0; i < json_count(page); i++)
            jw_json(&w, NULL, json_item(page, i));
        target = target_of(json_text_of(answer.json, "nextLink"));
    }
    jw_end(&w);
    struct ctl_answer whole = { .body = arena_str(c->arena, buf_str(&all)) };
    keep_json(c, &whole);
    *items = whole.json;
    *text = whole.body;
    return CTL_OK;
}

/* The object with another array in place of a member; what led to the next page is gone. */
static void merge(struct ctl *c, struct ctl_answer *whole, const char *member, struct str items)
{
    scoped_buf out = { 0 };
    struct jw  w = jw_of(&out);
    void      *at = NULL;
    struct str name;
    const struct json *value;
    jw_object(&w, NULL);
    while (json_next(whole->json, &at, &name, &value)) {
        if (str_eqz(name, member))
            jw_raw(&w, member, items);
        else if (!str_eqz(name, "nextLink"))
            jw_json(&w, arena_str(c->arena, name).p, value);
    }
    jw_end(&w);
    whole->body = arena_str(c->arena, buf_str(&out));
    keep_json(c, whole);
}

int ctl_ask_own_pages(struct ctl *c, struct str target, const char *member, struct ctl_answer *whole)
{
    scoped_buf items = { 0 };
    struct jw  w = jw_of(&items);
    struct ctl_answer page = { 0 };
    struct str next = target;
    whole->json = NULL;
    jw_array(&w, NULL);
    while (next.n) {
        int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", next, (struct str){ 0 }, &page);
        if (rc)
            return rc;
        if (!whole->json)
            *whole = page;
        const struct json *list = json_member(page.json, member);
        for (size_t i = 0; i < json_count(list); i++)
            jw_json(&w, NULL, json_item(list, i));
        next = target_of(json_text_of(page.json, "nextLink"));
    }
    jw_end(&w);
    merge(c, whole, member, buf_str(&items));
    return CTL_OK;
}

int ctl_ask_pages(struct ctl *c, struct str target, const char *member, const struct json **items, struct str *text)
{
    return ctl_ask_pages_as(c, CTL_AS_RESOURCE, target, member, items, text);
}

struct str ctl_target(const struct ctl *c, const char *format, ...)
{
    scoped_buf out = { 0 };
    va_list    ap;
    va_start(ap, format);
    for (; *format; format++) {
        if (*format != '%') {
            buf_putc(&out, *format);
            continue;
        }
        bool       escape = *++format == 'e';
        struct str text = str_of(va_arg(ap, const char *));
        if (escape)
            buf_put_escaped(&out, text);
        else
            buf_puts(&out, text);
    }
    va_end(ap);
    return arena_str(c->arena, buf_str(&out));
}

int ctl_write_headers(const struct ctl *c, struct jw *w, const char *member)
{
    const char *header;
    if (!ctl_option(c, "header"))
        return CTL_OK;
    jw_object(w, member);
    for (int i = 0; (header = ctl_option_at(c, "header", i)); i++) {
        char name[80];
        struct str head, value;
        if (!str_cut(str_of(header), ':', &head, &value) || head.n >= sizeof name)
            return ctl_usage(c, "--header takes 'NAME: VALUE', not '%s'", header);
        str_copyz(name, sizeof name, str_trim(head));
        jw_text(w, name, str_trim(value));
    }
    jw_end(w);
    return CTL_OK;
}
