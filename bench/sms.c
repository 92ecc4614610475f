/* sms.c - messages through a whole server: accepted on disk, submitted, receipt back, event out. Kannel beside it in the same run.
 *
 *   make bench T=sms     MESSAGES=20000 RUNS=3 STORED=5000000 BACKLOG=1000000 KANNEL=1 FLOWS=4 IDS=0 in the environment change the size;
 *                        IDS=1: each recipient has a repeatability id, as the official SDKs make them
 *
 * The SMSC (smsc.h) and the load (load.h) are threads of this program, the webhook's endpoint (sink.h) is a process of its own. */
#include "base/clock.h"
#include "base/log.h"
#include "machine.h"
#include "kannel.h"
#include "process.h"
#include "sink.h"
#include "sms_history.h"
#include "smsc.h"

enum { RUNS_MOST = 15, CONNS = 32, LONG_WAIT_S = 900, RECIPIENTS_MOST = 100, TEXT_OF_MANY = 10 };

static struct server server;
static struct sink   sink;
static struct smsc   smsc;
static struct kannel kannel;
static char          sender[32];
static size_t        runs = 3;
static bool          with_ids;

static size_t from_environment(const char *name, size_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? (size_t)atoll(text) : otherwise;
}

static void clean_up(void)
{
    kannel_stop(&kannel);
    if (server.pid) {
        kill(server.pid, SIGKILL);
        waitpid(server.pid, NULL, 0);
    }
    sink_stop(&sink);
    if (!getenv("KEEP"))
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

static void lease_sender(void)
{
    json_doc_free(command((const char *const[]){ "numbers", "buy", "--type", "toll-free", "--for", "application", "--sms", "both", NULL }));
    scoped(json_doc) struct json_doc *list = command((const char *const[]){ "numbers", "list", NULL });
    const struct json *number = json_item(json_root(list), 0);
    if (!number)
        process_fail(&server, "command.log", "the number is not there");
    str_copyz(sender, sizeof sender, json_text_of(number, "phoneNumber"));
}

static void bound(void)
{
    for (int waited = 0; !smsc.binds; waited++) {
        if (waited > 3000)
            process_fail(&server, "log", "the server did not bind to the bench's SMSC");
        usleep(10000);
    }
}

static void bind_to_us(void)
{
    char host[32];
    snprintf(host, sizeof host, "127.0.0.1:%u", smsc.port);
    json_doc_free(command((const char *const[]){ "smsc", "add", "bench", "--host", host, "--system-id", "bench", "--password", "bench",
                                            "--window", "100", "--simulated", NULL }));
    bound();
}

/* The one subscription, with so many events a POST from now on. */
static void subscribe(size_t batch)
{
    static char id[64];
    char url[64], n[16];
    snprintf(url, sizeof url, "http://localhost:%u/e", sink.shared->port[0]);
    snprintf(n, sizeof n, "%zu", batch);
    if (id[0]) {
        json_doc_free(command((const char *const[]){ "events", "update", id, "--batch", n, NULL }));
        return;
    }
    scoped(json_doc) struct json_doc *doc = command((const char *const[]){ "events", "subscribe", "--url", url, "--type",
                                                    "SMSDeliveryReportReceived", "--batch", n, NULL });
    str_copyz(id, sizeof id, json_text_of(json_root(doc), "id"));
}

/* -- one request ------------------------------------------------------------------------------------------------------- */

struct want { size_t recipients; uint64_t n; };     /* n: the next request's number */

static char first_sent[RFC1123_SIZE];               /* of all: when the run began */

/* 206-20X-XXXX: a hundred thousand telephones. */
static int add_recipient(char *at, size_t room, uint64_t n)
{
    unsigned who = (unsigned)(n * 7919 % 100000);
    int used = snprintf(at, room, "{\"to\":\"+120620%05u\"", who);
    if (with_ids)
        used += snprintf(at + used, room - (size_t)used, ",\"repeatabilityRequestId\":\"%08x-9c5f-4e6b-8d3a-%012llx\","
                         "\"repeatabilityFirstSent\":\"%s\"", who, (unsigned long long)n, first_sent);
    return used + snprintf(at + used, room - (size_t)used, "},");
}

static void ask_send(void *arg, const struct load_conn *c, struct load_ask *out)
{
    struct want *w = arg;
    uint64_t n = w->n++;
    char *at = out->body, *end = out->body + sizeof out->body;
    (void)c;
    out->method = "POST";
    snprintf(out->target, sizeof out->target, "/sms?api-version=2026-01-23");
    at += snprintf(at, (size_t)(end - at), "{\"from\":\"%s\",\"smsRecipients\":[", sender);
    for (size_t i = 0; i < w->recipients; i++)
        at += add_recipient(at, (size_t)(end - at), n * w->recipients + i);
    snprintf(at - 1, (size_t)(end - at) + 1, "],\"message\":\"Your parcel %06llu comes today between nine and ten.\","
             "\"smsSendOptions\":{\"enableDeliveryReport\":true,\"tag\":\"at=%lld n=%llu\"}}", (unsigned long long)(n % 1000000),
             (long long)clock_mono().us, (unsigned long long)n);
}

static void ask_kannel(void *arg, const struct load_conn *c, struct load_ask *out)
{
    struct want *w = arg;
    char *at = out->target, *end = out->target + sizeof out->target;
    (void)c;
    out->method = "GET";
    at += snprintf(at, (size_t)(end - at), "/cgi-bin/sendsms?username=tester&password=secret&from=%%2B18335550100&text=Your+parcel+%06llu+comes+"
                   "today+between+nine+and+ten.&dlr-mask=3&dlr-url=http%%3A%%2F%%2F127.0.0.1%%3A%u%%2Fr%%3Fn%%3D%llu&to=",
                   (unsigned long long)(w->n % 1000000), sink.shared->port[0], (unsigned long long)w->n);
    for (size_t i = 0; i < w->recipients; i++)
        at += snprintf(at, (size_t)(end - at), "%s%%2B120620%05u", i ? "+" : "", (unsigned)((w->n * w->recipients + i) * 7919 % 100000));
    w->n++;
}

static struct load_result send_many(struct load_site site, struct want *w, uint64_t requests, double rate, bool to_kannel)
{
    const struct load_step steps[] = { { .timed = true, .status = 202, .ask = to_kannel ? ask_kannel : ask_send } };
    const struct load_plan plan = { .steps = steps, .n_steps = 1, .conns = CONNS, .turns = requests, .rate = rate, .arg = w };
    return load_run(site, &plan);
}

/* -- runs ------------------------------------------------------------------------------------------------------------- */

static uint64_t next_request;                   /* never the same number twice: the endpoint counts them */

struct figure { double accepted_s, whole_s, cpu_s, p50_ms, p99_ms, posts; };

/* Until the endpoint has `events`. */
static void heard(uint64_t events, uint64_t goal)
{
    int64_t until = clock_mono().us + LONG_WAIT_S * (int64_t)US_PER_S;
    while (sink.shared->events - events < goal) {
        if (clock_mono().us > until) {
            fprintf(stderr, "%llu of %llu reports came; the SMSC took %llu\n", (unsigned long long)(sink.shared->events - events),
                    (unsigned long long)goal, (unsigned long long)smsc.submits);
            process_fail(&server, "log", "reports are missing");
        }
        usleep(500);
    }
}

/* Each report of the last requests came, and once. */
static void all_once(uint64_t from, size_t recipients)
{
    for (uint64_t n = from; n < next_request && n < SINK_EVENTS_MOST; n++)
        if (sink.shared->seen[n] != recipients) {
            fprintf(stderr, "%u reports of request %llu with %zu recipients\n", sink.shared->seen[n], (unsigned long long)n, recipients);
            exit(1);
        }
}

static double cpu_of(bool of_kannel)
{
    return of_kannel ? kannel_cpu(&kannel) : server_cpu(&server);
}

static struct figure run_once(size_t recipients, uint64_t messages, double rate, bool of_kannel)
{
    struct load_site site = of_kannel ? (struct load_site){ .port = kannel.sendsms[0], .port2 = kannel.sendsms[1] } : server.site;
    struct want w = { recipients, next_request };
    uint64_t events = sink.shared->events, posts = sink.shared->requests, requests = messages / recipients, submits = smsc.submits;
    double cpu = cpu_of(of_kannel);
    int64_t from = clock_mono().us;
    struct load_result r = send_many(site, &w, requests, rate > 0 ? rate / (double)recipients : 0, of_kannel);
    heard(events, requests * recipients);
    next_request = w.n;
    struct figure f = { .accepted_s = r.turns_s * (double)recipients, .p50_ms = r.p50_ms, .p99_ms = r.p99_ms };
    f.whole_s = (double)(requests * recipients) * US_PER_S / (double)((int64_t)sink.shared->last_us - from);
    usleep(700000);                             /* what is written after the events is paid for too */
    f.cpu_s = (cpu_of(of_kannel) - cpu) * 1e4 / (double)(requests * recipients);
    f.posts = (double)(requests * recipients) / (double)(sink.shared->requests - posts);
    if (smsc.submits - submits != requests * recipients)
        process_fail(&server, "log", "the SMSC did not get each message once");
    if (!of_kannel)
        all_once(w.n - requests, recipients);
    return f;
}

static struct figure run(size_t recipients, uint64_t messages, double rate, bool of_kannel)
{
    double v[6][RUNS_MOST];
    if (rate <= 0)
        run_once(recipients, messages / 5, 0, of_kannel);
    for (size_t i = 0; i < runs; i++) {
        struct figure f = run_once(recipients, messages, rate, of_kannel);
        v[0][i] = f.accepted_s, v[1][i] = f.whole_s, v[2][i] = f.cpu_s, v[3][i] = f.p50_ms, v[4][i] = f.p99_ms, v[5][i] = f.posts;
    }
    return (struct figure){ median(v[0], runs), median(v[1], runs), median(v[2], runs), median(v[3], runs), median(v[4], runs), median(v[5], runs) };
}

static double kannel_s;                         /* its messages a second, end to end; 0: not measured */

static void print_flow(const char *what, struct figure f, bool compare)
{
    printf("%-44s %6.0f messages/s end to end, %6.0f accepted/s, %.2f CPU-s per 10,000", what, f.whole_s, f.accepted_s, f.cpu_s);
    if (compare && kannel_s > 0)
        printf(", %.1f x Kannel", f.whole_s / kannel_s);
    printf("\n");
    fflush(stdout);
}

/* At full speed, then the time to a 202 at half of it. */
static void flow(size_t recipients, size_t batch, uint64_t messages)
{
    char what[80];
    subscribe(batch);
    snprintf(what, sizeof what, "%zu recipient%s a request, %zu event%s a POST:", recipients, recipients > 1 ? "s" : "", batch, batch > 1 ? "s" : "");
    struct figure f = run(recipients, messages, 0, false);
    print_flow(what, f, true);
    struct figure half = run(recipients, messages / 2, f.whole_s / 2, false);
    printf("    at half of that, %.0f messages/s in an open loop: 202 after p50 %.2f ms, p99 %.2f ms; %.1f events a POST, %.1f at full speed\n",
           f.whole_s / 2, half.p50_ms, half.p99_ms, half.posts, f.posts);
    fflush(stdout);
}

static void flow_of_kannel(uint64_t messages)
{
    double best = 0;
    kannel_start(&kannel, server.folder, smsc.port, &smsc.binds);
    for (size_t recipients = 1; recipients <= 10; recipients *= 10) {
        char what[64];
        snprintf(what, sizeof what, "Kannel, %zu recipient%s a request:", recipients, recipients > 1 ? "s" : "");
        struct figure f = run(recipients, messages, 0, true);
        print_flow(what, f, false);
        best = f.whole_s > best ? f.whole_s : best;
    }
    kannel_s = best;
    kannel_stop(&kannel);
    while (smsc.binds)
        usleep(1000);
}

/* -- the load and the SMSC alone: are they fast enough to measure with? ------------------------------------------------ */

static void load_alone(size_t recipients)
{
    const struct load_step steps[] = { { .timed = true, .status = 200, .ask = ask_send } };
    struct want w = { recipients, SINK_EVENTS_MOST };
    const struct load_plan plan = { .steps = steps, .n_steps = 1, .conns = CONNS, .seconds = 1, .arg = &w };
    struct load_site site = { .port = sink.shared->port[1], .key_n = 64 };
    struct load_result r = load_run(site, &plan);
    printf("the load alone, %zu recipient%s a request: %.0f signed requests/s, %.0f messages/s\n", recipients, recipients > 1 ? "s" : "", r.turns_s,
           r.turns_s * (double)recipients);
}

/* Submit by submit from another thread's side of a socket, a window of 100. */
static void smsc_alone(void)
{
    static struct smsc alone;
    static uint8_t in[1 << 18], out[1 << 16];
    enum { SUBMITS = 300000, WINDOW = 100 };
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    smsc_start(&alone);
    a.sin_port = htons(alone.port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof a))
        smsc_die("connect");
    struct smpp_pdu pdu = { .command = SMPP_submit_sm, .sm = { .source_addr_ton = 1, .source_addr_npi = 1, .source_addr = STR("18335550100"),
        .dest_addr_ton = 1, .dest_addr_npi = 1, .destination_addr = STR("12062000000"), .registered_delivery = 1,
        .short_message = STR("Your parcel 000000 comes today between nine and ten.") } };
    struct smpp_pdu thanks = { .command = SMPP_deliver_sm_resp };
    uint64_t sent = 0, answered = 0, reported = 0, thanked = 0;
    size_t n_in = 0;
    int64_t from = clock_mono().us;
    while (reported < SUBMITS) {
        struct wr w = wr_of(out, sizeof out);
        for (; sent < SUBMITS && sent - answered < WINDOW; sent++) {
            pdu.sequence = (uint32_t)sent + 1;
            if (smpp_write(&w, &pdu))
                smsc_die("a PDU cannot be written");
        }
        for (; thanked < reported; thanked++)
            if (smpp_write(&w, &thanks))
                smsc_die("a PDU cannot be written");
        if (send(fd, out, wr_len(&w), MSG_NOSIGNAL) != (ssize_t)wr_len(&w))
            smsc_die("send");
        ssize_t got = recv(fd, in + n_in, sizeof in - n_in, 0);
        size_t at = 0, n;
        n_in += got > 0 ? (size_t)got : 0;
        for (; smpp_frame(in + at, n_in - at, &n) == ERR_NONE && n && n <= n_in - at; at += n)
            *(in[at + 4] & 0x80 ? &answered : &reported) += 1;
        memmove(in, in + at, n_in - at);
        n_in -= at;
    }
    printf("the SMSC alone: %.0f submits/s, each with its receipt\n\n", SUBMITS * (double)US_PER_S / (double)(clock_mono().us - from));
    close(fd);
}

/* -- much stored, much waiting ------------------------------------------------------------------------------------------ */

static void print_sizes(const char *when)
{
    printf("%s: memory %.0f MiB (at most %.0f), database %.0f MiB, its log %.0f MiB\n", when, server_memory(&server, "VmRSS:"),
           server_memory(&server, "VmHWM:"), server_file(&server, "data/carterfone.db"), server_file(&server, "data/carterfone.db-wal"));
    fflush(stdout);
}

static void restart(void)
{
    server_start(&server);
    bound();
}

static void much_stored(uint64_t stored, uint64_t messages)
{
    char path[1024];
    server_stop(&server);
    int64_t from = clock_mono().us;
    uint64_t rows = history_grow(process_path(&server, "data/carterfone.db", path), stored);
    restart();
    printf("\n%llu messages stored (copies of those that were sent, with segments, charges, events and tries; made in %.0f s), ready %.0f ms after start\n",
           (unsigned long long)rows, (double)(clock_mono().us - from) / US_PER_S, server.ready_ms);
    print_sizes("now");
    flow(10, 100, messages);
    flow(1, 100, messages);
}

/* The SMSC answers nothing: what is accepted waits. Then it goes on. */
static void much_waiting(uint64_t backlog, uint64_t messages, double rate)
{
    struct want w = { RECIPIENTS_MOST, next_request };
    uint64_t requests = backlog / RECIPIENTS_MOST, events = sink.shared->events, all = requests * RECIPIENTS_MOST + messages / 10 * 10;
    double before = server_memory(&server, "VmRSS:");
    smsc.holds = true;
    int64_t from = clock_mono().us;
    struct load_result r = send_many(server.site, &w, requests, 0, false);
    sleep(2);
    double grown = (server_memory(&server, "VmRSS:") - before) * (1 << 20) / (double)(requests * RECIPIENTS_MOST);
    printf("\n%llu messages waiting, accepted in %.0f s (%.0f/s, 100 a request): %.0f octets of memory each\n", (unsigned long long)(all - messages / 10 * 10),
           (double)(clock_mono().us - from) / US_PER_S, r.turns_s * RECIPIENTS_MOST, grown);
    w.recipients = 10;
    struct load_result more = send_many(server.site, &w, messages / 10, rate / 10, false);
    printf("    beside them %.0f messages/s, 10 a request: 202 after p50 %.2f ms, p99 %.2f ms\n", rate, more.p50_ms, more.p99_ms);
    double cpu = server_cpu(&server);
    from = clock_mono().us;
    smsc.holds = false;
    heard(events, all);
    printf("    and then all of them: %.0f messages/s end to end, %.2f CPU-s per 10,000\n", (double)all * US_PER_S / (double)((int64_t)sink.shared->last_us - from),
           (server_cpu(&server) - cpu) * 1e4 / (double)all);
    next_request = w.n;
    print_sizes("after them");
}

int main(int argc, char **argv)
{
    const char *program = getenv("CARTERFONE");
    uint64_t messages = from_environment("MESSAGES", 20000), stored = from_environment("STORED", 5000000);
    uint64_t backlog = from_environment("BACKLOG", 1000000), flows = from_environment("FLOWS", 4);
    bool beside = from_environment("KANNEL", 1) && kannel_is_there();
    with_ids = from_environment("IDS", 0);
    time_rfc1123(first_sent, clock_wall_us());
    runs = from_environment("RUNS", 3);
    runs = runs < 1 ? 1 : runs < RUNS_MOST ? runs : RUNS_MOST;
    log_setup(LOG_WARN, LOG_TEXT);
    snprintf(server.program, sizeof server.program, "%s", program ? program : "build/release/carterfone");
    snprintf(server.folder, sizeof server.folder, "%s/sms.made", argc > 1 ? argv[1] : ".");
    server_remove(&server, "");
    mkdir(server.folder, 0700);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN);
    atexit(clean_up);
    machine_print("messages: from a signed request to the SMSC, its receipt, and the event at the webhook; SQLite (WAL, synchronous=FULL)",
                  "the server, the load (32 keep-alive connections, HMAC), the SMSC (one transceiver bind, window 100, a receipt behind\n"
                  "         each answer) and the webhook on the same machine over loopback. End to end: all messages of a run, from the first\n"
                  "         request to the last event. CPU: of the server's process, all of it. Medians of runs after a shorter one.\n"
                  "         Kannel: 1 bearerbox and 2 smsboxes, one transceiver bind, window 100, file store (never synchronised to disk),\n"
                  "         internal delivery reports, a GET for each; its better figure is what ours is compared with");
    sink_start(&sink, 2, NULL, NULL);
    smsc_start(&smsc);
    load_alone(10);
    load_alone(1);
    smsc_alone();
    if (beside)
        flow_of_kannel(messages / 2);
    server_start(&server);
    lease_sender();
    bind_to_us();
    static const struct { size_t recipients, batch; } kinds[] = { { 10, 100 }, { 10, 1 }, { 1, 100 }, { 1, 1 } };
    for (size_t i = 0; i < ARRAY_LEN(kinds) && i < flows; i++)
        flow(kinds[i].recipients, kinds[i].batch, messages);
    print_sizes("after them");
    if (backlog) {
        subscribe(100);
        much_waiting(backlog, messages, 1000);
    }
    if (stored)
        much_stored(stored, messages);
    server_stop(&server);
    return 0;
}
