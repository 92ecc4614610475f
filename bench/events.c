/* events.c - events through a whole server: how many, what they cost, how long from the cause to the endpoint.
 *
 *   make bench T=events     EVENTS=20000 UNDELIVERED=1000000 SUBSCRIPTIONS=1000 HOLES=10 RUNS=3 in the environment change the size
 *
 * The cause is an inbound SMS: a deliver_sm from an SMSC in this process (mo.h) becomes a message, an event, and a delivery to
 * every subscription that wants it, by one commit; then it is acknowledged and leaves. */
#include "base/log.h"
#include "machine.h"
#include "mo.h"
#include "process.h"
#include "sink.h"

enum { RUNS_MOST = 15, NUMBERS = 40, RESOURCES = 2, LONG_WAIT_S = 600 };

static struct server server;
static struct sink   sink;
static struct mo     mo;
static struct load_site sites[RESOURCES], operator_site;    /* whose keys sign */
static uint64_t seen_before;                    /* events heard when a run began */
static size_t   runs = 3, batch_most = 100;

static size_t from_environment(const char *name, size_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? (size_t)atoll(text) : otherwise;
}

static void clean_up(void)
{
    if (server.pid) {
        kill(server.pid, SIGKILL);
        waitpid(server.pid, NULL, 0);
    }
    sink_stop(&sink);
    server_remove(&server, "");
}

static void on_signal(int number)
{
    (void)number;
    exit(1);
}

/* -- set-up: by the command line, as an operator would --------------------------------------------------------------- */

/* Run a command; what it says as JSON. */
static struct json_doc *command(const char *const *words)
{
    char data[1024], path[1024], *text = NULL;
    const char *argv[32] = { server.program };
    size_t n = 1, octets = 0;
    struct json_doc *doc = NULL;
    struct problem why = { 0 };
    while (*words)
        argv[n++] = *words++;
    argv[n++] = "--json";
    argv[n++] = "--data";
    argv[n] = process_path(&server, "data", data);
    if (!process_ended_well(process_start(&server, "command.log", argv))
        || file_read_whole(process_path(&server, "command.log", path), 1 << 24, &text, &octets)
        || json_read(&doc, (struct str){ text, octets }, &why))
        process_fail(&server, "command.log", "a command failed");
    free(text);
    return doc;
}

static void lease_numbers(void)
{
    char quantity[16];
    snprintf(quantity, sizeof quantity, "%d", NUMBERS);
    json_doc_free(command((const char *const[]){ "numbers", "buy", "--type", "toll-free", "--for", "application", "--sms", "both",
                                            "--quantity", quantity, NULL }));
    json_doc_free(command((const char *const[]){ "resource", "add", "second", NULL }));
    json_doc_free(command((const char *const[]){ "numbers", "buy", "--type", "toll-free", "--for", "application", "--sms", "both",
                                            "--quantity", "1", "--resource", "second", NULL }));
    scoped(json_doc) struct json_doc *list = command((const char *const[]){ "numbers", "list", NULL });
    scoped(json_doc) struct json_doc *other = command((const char *const[]){ "numbers", "list", "--resource", "second", NULL });
    scoped(json_doc) struct json_doc *keys = command((const char *const[]){ "resource", "keys", "second", NULL });
    const struct json *number;
    for (size_t i = 0; (number = json_item(json_root(list), i)) && mo.n_to < NUMBERS; i++)
        str_copyz(mo.to[mo.n_to++], sizeof mo.to[0], json_text_of(number, "phoneNumber"));
    number = json_item(json_root(other), 0);
    if (mo.n_to != NUMBERS || !number)
        process_fail(&server, "command.log", "the numbers are not there");
    str_copyz(mo.to[NUMBERS], sizeof mo.to[0], json_text_of(number, "phoneNumber"));
    sites[0] = sites[1] = operator_site = server.site;
    char path[1024], *text = NULL;
    size_t octets = 0;
    if (file_read_whole(process_path(&server, "data/operator.key", path), 1024, &text, &octets)
        || base64_read(operator_site.key, sizeof operator_site.key, str_trim((struct str){ text, octets }), &operator_site.key_n))
        process_fail(&server, "log", "the operator's key cannot be read");
    free(text);
    if (base64_read(sites[1].key, sizeof sites[1].key, json_text_of(json_root(keys), "primaryKey"), &sites[1].key_n))
        process_fail(&server, "command.log", "the second resource's key cannot be read");
}

static void bind_to_us(void)
{
    char host[32];
    snprintf(host, sizeof host, "127.0.0.1:%u", mo.port);
    json_doc_free(command((const char *const[]){ "smsc", "add", "bench", "--host", host, "--system-id", "bench", "--password", "bench",
                                            "--simulated", NULL }));
    for (int waited = 0; !mo.up; waited++) {
        if (waited > 3000)
            process_fail(&server, "log", "the server did not bind to the bench's SMSC");
        usleep(10000);
    }
}

/* -- subscriptions ---------------------------------------------------------------------------------------------------- */

enum { PILE = 7000000 };                        /* the sender whose messages pile up */
struct want { size_t first, n, batch; bool by_sender, dead; };

/* Endpoint `turn`; by_sender: only what that one sender writes. */
static void ask_subscribe(void *arg, const struct load_conn *c, struct load_ask *out)
{
    const struct want *w = arg;
    size_t endpoint = w->first + c->turn - 1;
    char filter[160] = "";
    if (w->by_sender || w->dead)
        snprintf(filter, sizeof filter, ",\"filter\":{\"advancedFilters\":[{\"operatorType\":\"StringIn\",\"key\":\"data.from\","
                                        "\"values\":[\"+1425%07zu\"]}]}", 2000000 + (w->dead ? (size_t)PILE : endpoint));
    out->method = "POST";
    snprintf(out->target, sizeof out->target, "/carterfone/v1/eventSubscriptions");
    snprintf(out->body, sizeof out->body, "{\"name\":\"s%zu-%d\",\"endpointUrl\":\"http://localhost:%u/e\",\"batch\":%zu,"
             "\"eventTypes\":[\"Microsoft.Communication.SMSReceived\"]%s}", endpoint, rand(), sink.shared->port[w->dead ? sink.endpoints - 1 : endpoint],
             w->batch, filter);
}

static void subscribe(size_t resource, struct want want)
{
    static const struct load_step steps[] = { { .status = 201, .ask = ask_subscribe } };
    const struct load_plan p = { .steps = steps, .n_steps = 1, .conns = 1, .turns = want.n, .arg = &want };
    load_run(sites[resource], &p);
}

struct ids { char (*id)[64]; size_t n; };
static void ask_unsubscribe(void *arg, const struct load_conn *c, struct load_ask *out)
{
    const struct ids *ids = arg;
    out->method = "DELETE";
    snprintf(out->target, sizeof out->target, "/carterfone/v1/eventSubscriptions/%s", ids->id[c->turn - 1]);
}

/* All but those whose endpoint is the last, which is the dead one. */
static void unsubscribe_all(void)
{
    static const struct load_step steps[] = { { .status = 204, .ask = ask_unsubscribe } };
    static char id[SINK_ENDPOINTS_MOST][64];
    char dead[64];
    struct ids ids = { .id = id };
    scoped(json_doc) struct json_doc *doc = command((const char *const[]){ "events", "list", NULL });
    const struct json *list = json_member(json_root(doc), "value"), *s;
    snprintf(dead, sizeof dead, "http://localhost:%u/e", sink.shared->port[sink.endpoints - 1]);
    for (size_t i = 0; (s = json_item(list ? list : json_root(doc), i)) && ids.n < SINK_ENDPOINTS_MOST; i++)
        if (!str_eqz(json_text_of(s, "endpointUrl"), dead))
            str_copyz(id[ids.n++], 64, json_text_of(s, "id"));
    const struct load_plan p = { .steps = steps, .n_steps = 1, .conns = 1, .turns = ids.n, .arg = &ids };
    if (ids.n)
        load_run(operator_site, &p);
}

/* -- runs ------------------------------------------------------------------------------------------------------------- */

/* Until the sink has heard `events` more than before. @return false: it has not, in time */
static bool heard(uint64_t events, double within_s)
{
    int64_t until = clock_mono().us + (int64_t)(within_s * US_PER_S);
    while (sink.shared->events - seen_before < events) {
        if (clock_mono().us > until || waitpid(server.pid, NULL, WNOHANG) == server.pid)
            return false;
        usleep(1000);
    }
    return true;
}

static void answered(uint64_t most_s)
{
    int64_t until = clock_mono().us + (int64_t)most_s * US_PER_S;
    while (mo.answered < mo.goal) {
        if (clock_mono().us > until)
            process_fail(&server, "log", "the server does not take the bench's messages");
        usleep(1000);
    }
}

struct figure { double rate, cpu_us, p50_ms, p99_ms; };

/* n messages, and as many events at the sink as `deliveries`. */
static struct figure run_once(uint64_t n, uint64_t deliveries, uint64_t rate)
{
    struct figure f = { 0 };
    double cpu = server_cpu(&server);
    int64_t from = clock_mono().us;
    seen_before = sink.shared->events;
    sink_forget_times(&sink);
    mo_more(&mo, n, rate);
    if (!heard(deliveries, LONG_WAIT_S)) {
        fprintf(stderr, "%llu of %llu events came\n", (unsigned long long)(sink.shared->events - seen_before), (unsigned long long)deliveries);
        process_fail(&server, "log", "events are missing");
    }
    answered(LONG_WAIT_S);
    f.rate = (double)n * US_PER_S / (double)((deliveries ? (int64_t)sink.shared->last_us : clock_mono().us) - from);
    usleep(200000);                             /* what is written after the answers is paid for too */
    f.cpu_us = (server_cpu(&server) - cpu) * 1e6 / (double)n;
    size_t samples = sink.shared->samples;
    static double waits_ms[SINK_SAMPLES];
    for (size_t i = 0; i < samples; i++)
        waits_ms[i] = (double)sink.shared->took_ms[i];
    f.p50_ms = median(waits_ms, samples);
    f.p99_ms = samples ? waits_ms[samples * 99 / 100] : 0;
    return f;
}

static struct figure run(uint64_t n, uint64_t deliveries, uint64_t rate)
{
    double v[4][RUNS_MOST];
    run_once(n / 10 + 1, deliveries ? deliveries / n * (n / 10 + 1) : 0, rate);
    for (size_t i = 0; i < runs; i++) {
        struct figure f = run_once(n, deliveries, rate);
        v[0][i] = f.rate, v[1][i] = f.cpu_us, v[2][i] = f.p50_ms, v[3][i] = f.p99_ms;
    }
    return (struct figure){ median(v[0], runs), median(v[1], runs), median(v[2], runs), median(v[3], runs) };
}

/* One subscription, with one and with a hundred events a POST, and none. */
static void flow(const char *state, uint64_t n)
{
    const size_t batch[] = { 0, 1, batch_most };
    double alone = 0;
    mo.senders = 1000;
    printf("\n%s:\n", state);
    for (size_t i = 0; i < ARRAY_LEN(batch); i++) {
        char what[64] = "no subscription: the SMS alone";
        if (batch[i]) {
            subscribe(0, (struct want){ .first = 0, .n = 1, .batch = batch[i] });
            snprintf(what, sizeof what, "one subscription, at most %zu a POST", batch[i]);
        }
        uint64_t posts = sink.shared->requests, events = sink.shared->events;
        struct figure f = run(n, batch[i] ? n : 0, 0);
        posts = sink.shared->requests - posts;
        events = sink.shared->events - events;
        if (!batch[i])
            alone = f.cpu_us;
        printf("%-36s %6.0f SMS/s, %5.0f us CPU of the server each", what, f.rate, f.cpu_us);
        if (batch[i]) {
            struct figure slow = run(n / 4, n / 4, 500);
            printf(" (%4.0f the event's), %.1f events a POST; at 500/s from cause to arrival p50 %.2f ms, p99 %.2f ms", f.cpu_us - alone,
                   posts ? (double)events / (double)posts : 0, slow.p50_ms, slow.p99_ms);
            unsubscribe_all();
        }
        printf("\n");
        fflush(stdout);
    }
}

/* To the forty numbers of the first resource, or to the one of the second. */
static void write_to(size_t resource)
{
    static char first[sizeof mo.to[0]];
    if (!first[0])
        memcpy(first, mo.to[0], sizeof first);
    memcpy(mo.to[0], resource ? mo.to[NUMBERS] : first, sizeof first);
    mo.n_to = resource ? 1 : NUMBERS;
}

/* Many subscriptions, each for one sender; the first `holes` of each resource never answer. */
static void spread(size_t subscriptions, size_t holes, uint64_t n, uint64_t rate)
{
    size_t each = subscriptions / RESOURCES;
    for (size_t i = 0; i < holes; i++)
        sink.shared->mode[(i % RESOURCES) * each + i / RESOURCES] = SINK_SILENT;
    for (size_t r = 0; r < RESOURCES; r++)
        subscribe(r, (struct want){ .first = r * each, .n = each, .batch = 1, .by_sender = true });
    double v[2][RUNS_MOST * RESOURCES];
    for (size_t i = 0; i < runs; i++)
        for (size_t r = 0; r < RESOURCES; r++) {
            write_to(r);
            mo.senders = (unsigned)each;
            mo.first = (unsigned)(r * each);
            size_t dead = holes / RESOURCES + (r < holes % RESOURCES);
            uint64_t here = n / RESOURCES / each * each;
            struct figure f = run_once(here, here / each * (each - dead), rate);
            v[0][i * RESOURCES + r] = f.p50_ms, v[1][i * RESOURCES + r] = f.p99_ms;
        }
    write_to(0);
    mo.first = 0;
    printf("%4zu subscriptions, %3zu of them black holes, %llu SMS/s: from cause to the others' arrival p50 %.2f ms, p99 %.2f ms\n", subscriptions,
           holes, (unsigned long long)rate, median(v[0], runs * RESOURCES), median(v[1], runs * RESOURCES));
    fflush(stdout);
    unsubscribe_all();
    for (size_t i = 0; i < sink.endpoints - 1; i++)
        sink.shared->mode[i] = SINK_ANSWERS;
}

/* Ten subscriptions of an endpoint that never answers, which want what one sender writes. */
static void pile_up(uint64_t deliveries)
{
    enum { DEAD = 10 };
    sink.shared->mode[sink.endpoints - 1] = SINK_ANSWERS;       /* for the handshake */
    subscribe(1, (struct want){ .first = 0, .n = DEAD, .batch = 1, .dead = true });
    sink.shared->mode[sink.endpoints - 1] = SINK_SILENT;
    int64_t from = clock_mono().us;
    write_to(1);
    mo.senders = 1;
    mo.first = PILE;
    mo_more(&mo, deliveries / DEAD, 0);
    answered(36000);
    write_to(0);
    mo.first = 0;
    printf("%llu undelivered events written in %.1f s; ", (unsigned long long)deliveries, (double)(clock_mono().us - from) / US_PER_S);
}

static void print_sizes(void)
{
    printf("memory %.0f MiB (at most %.0f), database %.0f MiB, its log %.0f MiB\n", server_memory(&server, "VmRSS:"),
           server_memory(&server, "VmHWM:"), server_file(&server, "data/carterfone.db"), server_file(&server, "data/carterfone.db-wal"));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *program = getenv("CARTERFONE");
    uint64_t n = from_environment("EVENTS", 20000), undelivered = from_environment("UNDELIVERED", 1000000);
    size_t subscriptions = from_environment("SUBSCRIPTIONS", 1000), holes = from_environment("HOLES", 10);
    uint64_t n_flow = from_environment("FLOW", 1) ? n : 0;      /* FLOW=0: the black holes alone */
    batch_most = from_environment("BATCH", batch_most);
    runs = from_environment("RUNS", 3);
    runs = runs < 1 ? 1 : runs < RUNS_MOST ? runs : RUNS_MOST;
    log_setup(LOG_WARN, LOG_TEXT);
    snprintf(server.program, sizeof server.program, "%s", program ? program : "build/release/carterfone");
    snprintf(server.folder, sizeof server.folder, "%s/events.made", argc > 1 ? argv[1] : ".");
    server_remove(&server, "");
    mkdir(server.folder, 0700);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN);
    atexit(clean_up);
    machine_print("events: from an inbound SMS to the endpoints of its subscribers, through a server on SQLite (WAL, synchronous=FULL)",
                  "the server, the endpoints (a process, one thread), and this program, which is the SMSC, on the same machine over\n"
                  "         loopback. Each SMS is stored with its event and deliveries by one commit. Closed: 500 deliver_sm unanswered at\n"
                  "         once. At a rate: times from when the deliver_sm was due to when the endpoint had read the event. To 40 numbers\n"
                  "         in turn: a number is a subject, within which first tries are in order. Medians of runs after a shorter one");
    sink_start(&sink, subscriptions + 2, NULL, NULL);
    mo_start(&mo);
    server_start(&server);
    lease_numbers();
    bind_to_us();
    if (n_flow)
        flow("nothing undelivered", n_flow);
    printf("\n");
    spread(subscriptions, 0, n, 500);
    spread(subscriptions, holes, n, 500);
    printf("\n");
    print_sizes();
    if (undelivered) {
        pile_up(undelivered);
        print_sizes();
        if (n_flow)
            flow("the same beside them", n_flow);
        printf("\n");
        spread(subscriptions - 20, holes, n, 500);
        print_sizes();
        server_stop(&server);
        server_start(&server);
        printf("ready %.0f ms after start, ", server.ready_ms);
        print_sizes();
    }
    server_stop(&server);
    return 0;
}
