/* hooks.c - what a POST through the courier costs (edge/hooks, libcurl), and whether dead endpoints delay the others.
 *
 *   make bench T=hooks      POSTS=20000 RUNS=5 in the environment change the size */
#include "base/log.h"
#include "edge/hooks/hooks.h"
#include "machine.h"
#include "net/tls_ca.h"
#include "sink.h"

#include <semaphore.h>
#include <sys/resource.h>

enum { RUNS_MOST = 15, BODY = 700, LONG_BODY = 70000, HOLES_MOST = 100, SPREAD = 1000 };

struct run {
    struct hooks *hooks;
    struct sink   sink;
    const char   *body;
    size_t        body_n, endpoints, todo, begun, done, failed;
    const char   *scheme;
    sem_t         over;
};

static double cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static size_t from_environment(const char *name, size_t otherwise)
{
    const char *text = getenv(name);
    return text && atoll(text) > 0 ? (size_t)atoll(text) : otherwise;
}

static void on_done(void *arg, const struct courier_outcome *o);

static void post(struct run *r, size_t endpoint, int64_t timeout_us)
{
    char url[64];
    snprintf(url, sizeof url, "%s://localhost:%u/events", r->scheme, r->sink.shared->port[endpoint]);
    const struct courier_request rq = { .id = endpoint, .method = "POST", .url = str_of(url), .body = { r->body, r->body_n },
        .headers = { STR("Content-Type: application/json; charset=utf-8"), STR("aeg-event-type: Notification"),
                     STR("aeg-subscription-name: bench"), STR("aeg-delivery-count: 0") },
        .timeout_us = timeout_us, .max_body = 65536, .done = on_done, .arg = r };
    if (hooks_courier_ops()->send(r->hooks, &rq)) {
        fprintf(stderr, "the courier takes no more\n");
        exit(1);
    }
}

/* On the hooks thread, whose cost is what is measured: each endpoint gets its next POST when it has answered. */
static void on_done(void *arg, const struct courier_outcome *o)
{
    struct run *r = arg;
    if (o->err == ERR_CLOSED)
        return;
    if (o->err || o->status != 200) {
        if (!r->failed++)
            fprintf(stderr, "a POST failed: %s %d\n", o->words, o->status);
    }
    if (r->begun < r->todo) {
        r->begun++;
        post(r, o->id, 30 * US_PER_S);
    }
    if (++r->done == r->todo)
        sem_post(&r->over);
}

static void drive(struct run *r, size_t endpoints, size_t posts)
{
    r->endpoints = endpoints;
    r->todo = posts;
    r->begun = endpoints;
    r->done = 0;
    for (size_t i = 0; i < endpoints; i++)
        post(r, i, 30 * US_PER_S);
    sem_wait(&r->over);
    if (r->failed)
        exit(1);
}

struct figure { double cpu, rate; };

static struct figure measure(struct run *r, size_t endpoints, size_t posts, size_t runs)
{
    double cpu[RUNS_MOST], rate[RUNS_MOST];
    drive(r, endpoints, endpoints * 2);         /* connections, memory */
    for (size_t i = 0; i < runs; i++) {
        double before = cpu_us();
        int64_t from = clock_mono().us;
        drive(r, endpoints, posts);
        cpu[i] = (cpu_us() - before) / (double)posts;
        rate[i] = (double)posts * US_PER_S / (double)(clock_mono().us - from);
    }
    return (struct figure){ median(cpu, runs), median(rate, runs) };
}

static void line(struct run *r, const char *what, size_t endpoints, size_t posts, size_t runs)
{
    uint64_t conns = r->sink.shared->connections, resumed = r->sink.shared->resumed;
    struct figure f = measure(r, endpoints, posts, runs);
    conns = r->sink.shared->connections - conns;
    resumed = r->sink.shared->resumed - resumed;
    printf("%-46s %4zu endpoints: %7.1f us CPU a POST, %7.0f POSTs/s, %llu connections, %llu resumed\n", what, endpoints, f.cpu, f.rate,
           (unsigned long long)conns, (unsigned long long)resumed);
    fflush(stdout);
}

static void set_modes(struct run *r, enum sink_mode mode)
{
    for (size_t i = 0; i < r->sink.endpoints; i++)
        r->sink.shared->mode[i] = (uint8_t)mode;
}

static void cost(const struct tls_pems *pems, size_t posts, size_t runs)
{
    static char body[LONG_BODY];
    memset(body, 'x', sizeof body);
    for (int tls = 0; tls < 2; tls++) {
        struct run r = { .body = body, .body_n = BODY, .scheme = tls ? "https" : "http" };
        const char *name = tls ? "TLS" : "plain";
        char what[80];
        sink_start(&r.sink, 100, tls ? pems->cert : NULL, pems->key);
        sem_init(&r.over, 0, 0);
        if (hooks_new(&r.hooks, &(struct hooks_conf){ .allow_local = true, .local_ca_pem = str_of(pems->ca) }, NULL) || hooks_start(r.hooks))
            exit(1);
        for (size_t n = 1; n <= 100; n *= 100) {
            snprintf(what, sizeof what, "%s, kept alive, %d octets", name, BODY);
            line(&r, what, n, posts, runs);
        }
        r.body_n = LONG_BODY;
        snprintf(what, sizeof what, "%s, kept alive, %d octets (a batch of 100)", name, LONG_BODY);
        line(&r, what, 100, posts / 10, runs);
        r.body_n = BODY;
        set_modes(&r, SINK_CLOSES);
        snprintf(what, sizeof what, "%s, a connection a POST", name);
        line(&r, what, 100, posts / 10, runs);
        hooks_free(r.hooks);
        sink_stop(&r.sink);
    }
}

/* -- black holes: an open loop over a thousand endpoints ------------------------------------------------------------- */

struct open_run {
    struct run       r;
    _Atomic uint64_t answered;
    size_t           holes;
    double          *waits_ms;
};
struct shot { struct open_run *o; int64_t at_us; };

static void on_shot(void *arg, const struct courier_outcome *out)
{
    struct shot *s = arg;
    struct open_run *o = s->o;
    if (!out->err && out->id >= o->holes) {
        uint64_t n = o->answered++;
        o->waits_ms[n] = (double)(clock_mono().us - s->at_us) / US_PER_MS;
    }
    free(s);
}

static bool shoot(struct open_run *o, size_t endpoint, int64_t due_us)
{
    char url[64];
    struct shot *s = malloc(sizeof *s);
    *s = (struct shot){ o, due_us };
    snprintf(url, sizeof url, "http://localhost:%u/events", o->r.sink.shared->port[endpoint]);
    const struct courier_request rq = { .id = endpoint, .method = "POST", .url = str_of(url), .body = { o->r.body, BODY },
        .headers = { STR("Content-Type: application/json; charset=utf-8") }, .timeout_us = 30 * US_PER_S, .max_body = 65536,
        .done = on_shot, .arg = s };
    if (hooks_courier_ops()->send(o->r.hooks, &rq) == ERR_NONE)
        return true;
    free(s);
    return false;
}

static void with_holes(size_t holes, double rate, double seconds, size_t runs)
{
    static char body[BODY];
    double p50[RUNS_MOST], p99[RUNS_MOST], worst[RUNS_MOST];
    uint64_t refused = 0, sent = 0, wanted = 0, answered = 0;
    memset(body, 'x', sizeof body);
    for (size_t i = 0; i < runs; i++) {
        struct open_run o = { .r = { .body = body, .body_n = BODY }, .holes = holes, .waits_ms = calloc((size_t)(rate * seconds) + 1, sizeof(double)) };
        sink_start(&o.r.sink, SPREAD, NULL, NULL);
        for (size_t n = 0; n < holes; n++)
            o.r.sink.shared->mode[n] = SINK_SILENT;
        if (hooks_new(&o.r.hooks, &(struct hooks_conf){ .allow_local = true }, NULL) || hooks_start(o.r.hooks))
            exit(1);
        int64_t from = clock_mono().us;
        for (uint64_t n = 0; n < (uint64_t)(rate * seconds); n++) {
            int64_t due = from + (int64_t)((double)n * US_PER_S / rate), gap = due - clock_mono().us;
            if (gap > 0)
                usleep((useconds_t)gap);
            bool good = shoot(&o, n % SPREAD, due);
            sent += good;
            refused += !good;
            wanted += n % SPREAD >= holes;
        }
        usleep(500000);
        answered += o.answered;
        p50[i] = median(o.waits_ms, o.answered);
        p99[i] = o.answered ? o.waits_ms[o.answered * 99 / 100] : 0;
        worst[i] = o.answered ? o.waits_ms[o.answered - 1] : 0;
        hooks_free(o.r.hooks);
        sink_stop(&o.r.sink);
        free(o.waits_ms);
    }
    printf("%4d endpoints, %3zu of them black holes, %5.0f POSTs/s in turn: the others' p50 %.2f ms, p99 %.2f ms, longest %.1f ms; "
           "%llu of %llu of theirs answered, %llu refused as full\n", SPREAD, holes, rate, median(p50, runs), median(p99, runs),
           median(worst, runs), (unsigned long long)answered, (unsigned long long)wanted, (unsigned long long)refused);
    fflush(stdout);
}

int main(void)
{
    size_t posts = from_environment("POSTS", 20000), runs = from_environment("RUNS", 5);
    struct tls_pems pems;
    log_setup(LOG_WARN, LOG_TEXT);
    runs = runs < RUNS_MOST ? runs : RUNS_MOST;
    signal(SIGPIPE, SIG_IGN);
    if (tls_ca_ensure(NULL, NULL, 0, &pems, NULL))
        return 1;
    machine_print("the courier: POSTs by libcurl's multi interface on the hooks thread, over loopback",
                  "the endpoints are another process (one thread, a port each); the courier's process does nothing else, so its CPU is the\n"
                  "         courier's and libcurl's with the kernel's part of sending; medians of runs. Closed loop: one request outstanding\n"
                  "         on each endpoint. Black holes: open loop, times from when the POST was due");
    cost(&pems, posts, runs);
    printf("\n");
    double rate = (double)from_environment("RATE", 2000), seconds = (double)from_environment("SECONDS_EACH", 8);
    size_t some = runs < 3 ? runs : 3;
    for (size_t holes = 0; holes <= HOLES_MOST; holes = holes ? holes * 10 : 10)
        with_holes(holes, rate, seconds, some);
    tls_pems_done(&pems);
    return 0;
}
