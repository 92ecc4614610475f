/* carrier.c - how well the whole server uses difficult carriers: the simulated SMSC as a process of its own, its log of what it took.
 *
 *   make bench T=carrier
 *
 *   a carrier of 300 a second with a burst of 0.1 s, its rate told and not told: at least 95 % of it is used
 *   50 ms to each answer, window 100: at least 95 % of window / latency
 *   the same with 1 % random throttles: at least 95 % of that
 *   a link cut at every 2,000th submit, window 100: nothing lost, doubled at most a window for each cut
 * and in each of them: messages of one sender to one recipient arrive in order. Ends with 1 when one does not hold. */
#include "base/log.h"
#include "machine.h"
#include "process.h"

enum { RECIPIENTS = 10, PEOPLE = 2003, MESSAGES_MOST = 1 << 20, WAIT_S = 60, WINDOW = 100 };

static struct server server;
static char          sender[32];
static pid_t         network;
static int           failed;

static void clean_up(void)
{
    if (network)
        kill(network, SIGKILL);
    if (server.pid) {
        kill(server.pid, SIGKILL);
        waitpid(server.pid, NULL, 0);
    }
    if (!getenv("KEEP"))
        server_remove(&server, "");
}

static void on_signal(int number)
{
    (void)number;
    exit(1);
}

/* -- set-up ------------------------------------------------------------------------------------------------------------- */

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
    str_copyz(sender, sizeof sender, json_text_of(json_item(json_root(list), 0), "phoneNumber"));
}

/* One more simulated network, bound to as the carrier `name`; a route sends all there. */
static void network_start(const char *name, const char *ways, const char *rate)
{
    char ready[1024], log[1024], *text = NULL;
    size_t n = 0;
    struct stat st;
    struct problem why = { 0 };
    scoped(json_doc) struct json_doc *doc = NULL;
    unlink(process_path(&server, "network.json", ready));
    unlink(process_path(&server, "accepted", log));
    network = process_start(&server, "network.log", (const char *const[]){ server.program, "sim", "--sim-smpp", "127.0.0.1:0", "--sim-sip",
        "127.0.0.1:0", "--ready-file", ready, "--accepted-log", log, "--sim-smsc", ways, NULL });
    for (int waited = 0; stat(ready, &st); waited++, usleep(5000))
        if (waited > 4000)
            process_fail(&server, "network.log", "the simulated network did not start");
    if (file_read_whole(ready, 1 << 16, &text, &n) || json_read(&doc, (struct str){ text, n }, &why))
        process_fail(&server, "network.log", "its ready file cannot be read");
    const char *host = json_text_of(json_root(doc), "simSmpp").p;
    json_doc_free(command((const char *const[]){ "smsc", "add", name, "--host", host, "--system-id", "bench", "--password", "bench",
                                            "--window", "100", "--simulated", rate ? "--rate" : NULL, rate, NULL }));
    for (int waited = 0;; waited++, usleep(20000)) {
        scoped(json_doc) struct json_doc *list = command((const char *const[]){ "smsc", "list", NULL });
        const struct json *all = json_member(json_root(list), "value");
        for (size_t i = 0; i < json_count(all); i++)
            if (str_eqz(json_text_of(json_item(all, i), "name"), name) && json_bool_of(json_item(all, i), "up", false)) {
                json_doc_free(command((const char *const[]){ "smsc", "route", "add", name, "--carrier", name, NULL }));
                free(text);
                return;
            }
        if (waited > 500)
            process_fail(&server, "log", "the server did not bind");
    }
}

static void network_stop(const char *name)
{
    process_ended_well(process_start(&server, "command.log", (const char *const[]){ server.program, "smsc", "route", "remove", name, "--data",
                                                                                 process_path(&server, "data", (char[1024]){ 0 }), NULL }));
    kill(network, SIGKILL);
    waitpid(network, NULL, 0);
    network = 0;
}

/* -- sending: one connection, so that the order is known; each request to ten people, its number is the text --------------- */

static uint64_t next_request;

static void ask_send(void *arg, const struct load_conn *c, struct load_ask *out)
{
    (void)arg, (void)c;
    char *at = out->body, *end = out->body + sizeof out->body;
    out->method = "POST";
    snprintf(out->target, sizeof out->target, "/sms?api-version=2021-03-07");
    at += snprintf(at, (size_t)(end - at), "{\"from\":\"%s\",\"smsRecipients\":[", sender);
    for (unsigned i = 0; i < RECIPIENTS; i++)
        at += snprintf(at, (size_t)(end - at), "%s{\"to\":\"+120620%05u\"}", i ? "," : "",
                       (unsigned)((next_request * RECIPIENTS + i) * 7919 % PEOPLE));
    snprintf(at, (size_t)(end - at), "],\"message\":\"%llu\"}", (unsigned long long)next_request++);
}

/* -- what the SMSC took --------------------------------------------------------------------------------------------------- */

struct took { size_t lines, distinct, doubled, disordered; double rate; };

static uint8_t  seen[MESSAGES_MOST];
static int64_t  newest[100000];                 /* request last seen for a person */
static double   at_s[2 * MESSAGES_MOST];

static uint64_t number_of(const char *hex)
{
    uint64_t n = 0;
    for (; hex[0] == '3' && hex[1] >= '0' && hex[1] <= '9'; hex += 2)
        n = 10 * n + (uint64_t)(hex[1] - '0');
    return n;
}

/* Where in its request a person stands tells the message: request n has people n*10 .. n*10+9 times 7919. */
static size_t message_of(uint64_t request, unsigned person, uint64_t first)
{
    for (unsigned i = 0; i < RECIPIENTS; i++)
        if ((request * RECIPIENTS + i) * 7919 % PEOPLE == person)
            return (size_t)((request - first) * RECIPIENTS + i);
    return MESSAGES_MOST;
}

static struct took read_log(uint64_t first)
{
    char path[1024], line[512], from[32], to[32], id[80], hex[256];
    struct took t = { 0 };
    double s;
    FILE *f = fopen(process_path(&server, "accepted", path), "re");
    memset(seen, 0, sizeof seen);
    memset(newest, -1, sizeof newest);
    while (f && fgets(line, sizeof line, f)) {
        if (!strchr(line, '\n') || sscanf(line, "%lf %31s %31s %79s %255s", &s, from, to, id, hex) != 5)
            continue;
        unsigned person = (unsigned)atoi(to + strlen("+120620"));
        uint64_t request = number_of(hex);
        size_t message = request >= first ? message_of(request, person, first) : MESSAGES_MOST;
        if (message >= MESSAGES_MOST || t.lines >= 2 * MESSAGES_MOST)
            continue;
        at_s[t.lines++] = s;
        if (seen[message]++) {
            t.doubled++;
            continue;
        }
        t.distinct++;
        t.disordered += (int64_t)request < newest[person];
        newest[person] = (int64_t)request > newest[person] ? (int64_t)request : newest[person];
    }
    if (f)
        fclose(f);
    size_t a = t.lines / 10, b = t.lines - 1 - t.lines / 10;
    t.rate = t.lines > 20 && at_s[b] > at_s[a] ? (double)(b - a) / (at_s[b] - at_s[a]) : 0;
    return t;
}

/* Send so many to a network that behaves so; until all are there, or no more come. */
static struct took run(const char *name, const char *ways, const char *rate, size_t messages)
{
    const struct load_step steps[] = { { .status = 202, .ask = ask_send } };
    const struct load_plan plan = { .steps = steps, .n_steps = 1, .conns = 1, .turns = messages / RECIPIENTS };
    uint64_t first = next_request;
    struct took t = { 0 };
    network_start(name, ways, rate);
    load_run(server.site, &plan);
    for (int waited = 0; t.distinct < messages && waited < WAIT_S * 5; waited++, usleep(200000))
        t = read_log(first);
    usleep(300000);
    t = read_log(first);
    network_stop(name);
    if (t.distinct != messages || t.disordered) {
        printf("  !! %zu of %zu arrived, %zu out of order\n", t.distinct, messages, t.disordered);
        failed = 1;
    }
    return t;
}

static void judge(const char *what, double value, double goal, const char *unit, struct took t)
{
    bool good = value >= goal;
    failed |= !good;
    printf("%-58s %9.1f %s (at least %.1f) %s; doubled %zu\n", what, value, unit, goal, good ? "ok" : "NOT REACHED", t.doubled);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *program = getenv("CARTERFONE");
    snprintf(server.program, sizeof server.program, "%s", program ? program : "build/release/carterfone");
    snprintf(server.folder, sizeof server.folder, "%s/carrier.made", argc > 1 ? argv[1] : ".");
    server_remove(&server, "");
    mkdir(server.folder, 0700);
    log_setup(LOG_ERROR, LOG_TEXT);
    atexit(clean_up);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN);
    machine_print("carriers that are slow, narrow or broken: how much of them the server uses",
                  "server and simulated SMSC are processes on this machine, one bind with window 100, one client that sends in order.\n"
                  "         A rate is that of the middle four fifths of what the SMSC took, by its own log");
    server_start(&server);
    lease_sender();

    struct took t = run("told", "rate=300,burst=30", "300", 3600);
    judge("300 a second, burst 0.1 s, the bind has --rate 300", t.rate, 0.95 * 300, "a second", t);
    t = run("untold", "rate=300,burst=30", NULL, 3600);
    judge("the same, nobody told the rate", t.rate, 0.95 * 300, "a second", t);
    t = run("latent", "answerDelay=50ms", NULL, 20000);
    double latent = t.rate;
    judge("50 ms to each answer, window 100", t.rate, 0.95 * WINDOW / 0.05, "a second", t);
    t = run("random", "answerDelay=50ms,refusePercent=1,refuseStatus=ESME_RTHROTTLED", NULL, 20000);
    judge("the same, 1 % random throttles", t.rate, 0.95 * latent, "a second", t);
    t = run("cut", "cutEvery=2000,cutWhen=unanswered,answerDelay=20ms", NULL, 20000);
    size_t cuts = t.lines / 2000;
    printf("%-58s %9zu cuts, doubled %zu (at most %zu), lost %zu %s\n", "20 ms, link cut at every 2,000th submit, window 100", cuts, t.doubled,
           cuts * WINDOW, 20000 - t.distinct, t.doubled <= cuts * WINDOW && t.distinct == 20000 ? "ok" : "NOT REACHED");
    failed |= t.doubled > cuts * WINDOW;
    server_stop(&server);
    return failed;
}
