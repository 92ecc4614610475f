/* ops_api.c - what watches the server: health, readiness, metrics, and the local certificate authority.
 *
 * All of it is answered on the http thread: it must work while control is busy or stuck. */
#include "base/metric.h"
#include "base/str.h"
#include "edge/api/api.h"
#include "edge/api/http_priv.h"
#include "edge/api/prompt.h"
#include "net/jwt_signer.h"

/* GET /healthz. 200 while the process can answer at all. */
static enum err healthz(struct http_call *hc)
{
    buf_putz(&hc->out, "{\"status\":\"ok\"}");
    http_reply(hc, 200);
    return ERR_NONE;
}

/* GET /readyz. 200 or 503 with what app.c says of the store and the listeners. */
static enum err readyz(struct http_call *hc)
{
    const struct http_server_conf *conf = call_conf(call_of(hc));
    scoped_buf words = { 0 };
    bool ready = !conf->ready || conf->ready(conf->ready_arg, &words);
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_textz(&w, "status", ready ? "ready" : "not ready");
    if (words.n)
        jw_text(&w, "detail", buf_str(&words));
    jw_end(&w);
    http_reply(hc, ready ? 200 : 503);
    return ERR_NONE;
}

/* GET /metrics, Prometheus' text format. */
static enum err metrics(struct http_call *hc)
{
    metric_write_all(&hc->out);
    http_reply_as(hc, 200, "text/plain; version=0.0.4; charset=utf-8");
    return ERR_NONE;
}

/* GET /carterfone/ca.pem. The certificate that clients may choose to trust; public by nature. */
static enum err ca_pem(struct http_call *hc)
{
    struct str pem = call_conf(call_of(hc))->ca_pem;
    if (!pem.n)
        return problem_set(&hc->why, ERR_ABSENT, "NotFound", "This server's certificate was not made by itself.");
    buf_puts(&hc->out, pem);
    http_reply_as(hc, 200, "application/x-pem-file");
    return ERR_NONE;
}

/* GET /carterfone/prompts/hello.wav. Something to play in a first call; callers' own prompts live on their servers. */
static enum err prompt_hello(struct http_call *hc)
{
    prompt_write_hello(&hc->out);
    http_reply_as(hc, 200, "audio/wav");
    return ERR_NONE;
}

/* GET /calling/.well-known/acsopenidconfiguration: where whoever gets callbacks finds the keys (OpenID Connect Discovery 1.0, 3). */
static enum err openid_configuration(struct http_call *hc)
{
    char issuer[256];
    struct jw w = jw_of(&hc->out);
    jwt_signer_issuer(hc->api->signer, issuer);
    jw_object(&w, NULL);
    jw_textz(&w, "issuer", issuer);
    jw_printf(&w, "jwks_uri", "%s/calling/keys", issuer);
    jw_array(&w, "id_token_signing_alg_values_supported");
    jw_textz(&w, NULL, "RS256");
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

/* GET /calling/keys. The public halves (RFC 7517). */
static enum err calling_keys(struct http_call *hc)
{
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    enum err err = jwt_write_keys(hc->api->signer, &w);
    if (err)
        return problem_set(&hc->why, ERR_STORE, "ServiceUnavailable", "The key that signs callbacks is not there: %s.", err_words(err));
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

#define TEST "tests/unit/edge/api/test_http_server.c"
#define SIGNED "tests/api/signed.test.mjs"
const struct http_route ops_routes[] = {
    { "GET", "/healthz", HTTP_PUBLIC, healthz, NULL, "Carterfone_Health", TEST },
    { "GET", "/readyz", HTTP_PUBLIC, readyz, NULL, "Carterfone_Ready", TEST },
    { "GET", "/metrics", HTTP_PUBLIC, metrics, NULL, "Carterfone_Metrics", TEST },
    { "GET", "/calling/.well-known/acsopenidconfiguration", HTTP_PUBLIC, openid_configuration, NULL, "Carterfone_CallbackIssuer", SIGNED },
    { "GET", "/calling/keys", HTTP_PUBLIC, calling_keys, NULL, "Carterfone_CallbackKeys", SIGNED },
    { "GET", "/carterfone/ca.pem", HTTP_PUBLIC, ca_pem, NULL, "Carterfone_Ca", TEST },
    { "GET", "/carterfone/prompts/hello.wav", HTTP_PUBLIC, prompt_hello, NULL, "Carterfone_PromptHello", "tests/cli/test_tour.sh" },
    { 0 },
};
