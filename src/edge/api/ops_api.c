/* ops_api.c - what watches the server: health, readiness, metrics, and the local certificate authority.
 *
 * All of it is answered on the http thread: it must work while control is busy or stuck. */
#include "base/metric.h"
#include "base/str.h"
#include "edge/api/http_priv.h"
#include "edge/api/prompt.h"

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

#define TEST "tests/unit/edge/api/test_http_server.c"
const struct http_route ops_routes[] = {
    { "GET", "/healthz", HTTP_PUBLIC, healthz, NULL, "Carterfone_Health", TEST },
    { "GET", "/readyz", HTTP_PUBLIC, readyz, NULL, "Carterfone_Ready", TEST },
    { "GET", "/metrics", HTTP_PUBLIC, metrics, NULL, "Carterfone_Metrics", TEST },
    { "GET", "/carterfone/ca.pem", HTTP_PUBLIC, ca_pem, NULL, "Carterfone_Ca", TEST },
    { "GET", "/carterfone/prompts/hello.wav", HTTP_PUBLIC, prompt_hello, NULL, "Carterfone_PromptHello", "tests/cli/test_tour.sh" },
    { 0 },
};
