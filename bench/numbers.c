/* What numbers cost: bringing ten million in, finding one or a hundred of them, browsing, buying, each against a small inventory.
 *
 * usage: numbers [FOLDER]    everything is made in FOLDER/numbers.made.* and taken away again
 * From the environment (make bench T=numbers LARGE=100000): LARGE and SMALL, numbers in the two inventories; LEASED, how many of
 * each ten thousand are leased before; RUNS, how often each measurement is repeated; CARTERFONE, the program. */
#include "codec/e164/e164.h"
#include "load.h"
#include "process.h"

enum { AREAS_MOST = 400, BLOCK = 1000, CLIENTS = 64, RUNS_MOST = 9, LEASE_AT_ONCE = 1000, WRITES_A_SECOND = 200 };
static const double SECONDS = 1.5, SYNC_SECONDS = 0.5;
static const double SEARCH_P99_MS = 5, SEARCH_RATIO = 1.5, IMPORT_EMPTY_S = 150000, IMPORT_BUSY_S = 60000, BUSY_P99_MS = 20;
#define API "api-version=2025-06-01"

/* -- an inventory: so many blocks of a thousand in so many area codes ------------------------------------------------------- */

struct inventory {
    const char *name;
    size_t      numbers, n_areas, blocks_each;
    unsigned    areas[AREAS_MOST];
    unsigned    exchanges[800];             /* those that an area code may have, less 555, which is simulated */
};

static struct inventory inventory_of(const char *name, size_t numbers, size_t n_areas)
{
    struct inventory v = { .name = name };
    size_t n, n_exchanges = 0;
    const struct nanp_area *areas = nanp_areas(&n);
    for (size_t i = 0; i < n && v.n_areas < n_areas && v.n_areas < AREAS_MOST; i++)
        if (areas[i].kind == NANP_GEOGRAPHIC && !strcmp(areas[i].country, "US"))
            v.areas[v.n_areas++] = areas[i].npa;
    for (unsigned nxx = 200; nxx < 1000; nxx++)
        if (nanp_nxx_possible(v.areas[0], nxx) && nxx != 555)
            v.exchanges[n_exchanges++] = nxx;
    v.blocks_each = (numbers + BLOCK * v.n_areas - 1) / (BLOCK * v.n_areas);
    v.numbers = v.blocks_each * BLOCK * v.n_areas;
    return v;
}

/* A number whose block is the i-th of all. */
static uint64_t number_at(const struct inventory *v, size_t block, unsigned line)
{
    size_t in_area = block / v->n_areas;
    return nanp_digits(v->areas[block % v->n_areas], v->exchanges[in_area / 10], (unsigned)(in_area % 10) * BLOCK + line);
}

/* Blocks in no order, as lists from several sources are: steps of a prime. Capabilities: four of five can do both ways. */
static void write_list(const struct server *s, const struct inventory *v, const char *name, size_t from, size_t to)
{
    static const char *const calling[] = { "both", "both", "both", "inbound", "both", "both", "both", "outbound", "both", "both" };
    enum { STEP = 7919 };
    char path[1024];
    size_t blocks = v->n_areas * v->blocks_each;
    FILE *f = fopen(process_path(s, name, path), "we");
    fprintf(f, "number,carrier,type,capabilities,cost,tags\n");
    for (size_t i = from; i < to; i++)
        for (unsigned line = 0; line < BLOCK; line++)
            fprintf(f, "+%llu,sim,local,calling:%s,0.25,block-%zu\n",
                    (unsigned long long)number_at(v, i * STEP % blocks, line), calling[line % ARRAY_LEN(calling)], i % 16);
    if (fclose(f))
        load_die(path, STR("cannot be written"));
}

/* -- steps ------------------------------------------------------------------------------------------------------------- */

struct want {
    const struct inventory *v;
    size_t conns;
    int    quantity;
    pid_t  until;                           /* a process whose end is the end */
    bool   ended_well;
};

/* Clients go round the area codes; in a small inventory each of many keeps to its own, so that a hundred are always there. */
static unsigned area_of(const struct want *w, const struct load_conn *c)
{
    size_t step = w->conns == 1 || w->v->n_areas > w->conns ? w->conns : 0;
    return w->v->areas[(c->id + c->turn * step) % w->v->n_areas];
}

static void ask_search(void *arg, const struct load_conn *c, struct load_ask *out)
{
    const struct want *w = arg;
    out->method = "POST";
    snprintf(out->target, sizeof out->target, "/availablePhoneNumbers/countries/US/:search?" API);
    snprintf(out->body, sizeof out->body,
             "{\"phoneNumberType\":\"geographic\",\"assignmentType\":\"application\",\"capabilities\":{\"calling\":"
             "\"inbound+outbound\",\"sms\":\"none\"},\"areaCode\":\"%u\",\"quantity\":%d}", area_of(w, c), w->quantity);
}

static void ask_cancel(void *arg, const struct load_conn *c, struct load_ask *out)
{
    (void)arg;
    out->method = "DELETE";
    snprintf(out->target, sizeof out->target, "/phoneNumbers/operations/%s?" API, c->kept);
}

static void ask_purchase(void *arg, const struct load_conn *c, struct load_ask *out)
{
    (void)arg;
    out->method = "POST";
    snprintf(out->target, sizeof out->target, "/availablePhoneNumbers/:purchase?" API);
    snprintf(out->body, sizeof out->body, "{\"searchId\":\"%s\"}", strchr(c->kept, '_') ? strchr(c->kept, '_') + 1 : "");
}

static void ask_browse(void *arg, const struct load_conn *c, struct load_ask *out)
{
    const struct want *w = arg;
    out->method = "POST";
    snprintf(out->target, sizeof out->target, "/availablePhoneNumbers/countries/US/:browse?" API);
    snprintf(out->body, sizeof out->body,
             "{\"phoneNumberType\":\"geographic\",\"assignmentType\":\"application\",\"capabilities\":{\"calling\":"
             "\"inbound+outbound\",\"sms\":\"none\"},\"phoneNumberPrefixes\":[\"1%u%u\"]}", area_of(w, c), w->v->exchanges[0]);
}

static const struct load_step search_steps[] = {
    { true, 202, "operation-id", ask_search }, { false, 204, NULL, ask_cancel },
};
static const struct load_step write_steps[] = {
    { true, 202, "operation-id", ask_search }, { true, 204, NULL, ask_cancel },
};
static const struct load_step purchase_steps[] = {
    { false, 202, "operation-id", ask_search }, { true, 202, NULL, ask_purchase },
};
static const struct load_step browse_steps[] = { { true, 200, NULL, ask_browse } };

/* -- the disk alone ---------------------------------------------------------------------------------------------------- */

struct sync { double p50_ms, p99_ms; };

/* Over a file filled before, as the database's log is after its first round. */
static struct sync sync_probe(const struct server *s)
{
    static double waits_ms[1 << 16];
    static char page[4096];
    enum { PAGES = 4096 };
    static int fd = -1;
    char path[1024];
    size_t n = 0;
    if (fd < 0) {
        fd = open(process_path(s, "sync", path), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        for (int i = 0; i < PAGES; i++)
            (void)!write(fd, page, sizeof page);
        fsync(fd);
    }
    int64_t until = clock_mono().us + (int64_t)(SYNC_SECONDS * US_PER_S);
    for (int64_t from; n < ARRAY_LEN(waits_ms) && (from = clock_mono().us) < until; n++) {
        if (pwrite(fd, page, sizeof page, (off_t)(n % PAGES * sizeof page)) < 0 || fdatasync(fd))
            load_die("fdatasync", str_of(strerror(errno)));
        waits_ms[n] = (double)(clock_mono().us - from) / US_PER_MS;
    }
    double p50 = median(waits_ms, n);
    return (struct sync){ p50, waits_ms[n * 99 / 100] };
}

/* -- measurements ------------------------------------------------------------------------------------------------------ */

enum { SEARCH_1, SEARCH_100, BROWSE, PURCHASE, KINDS };
static const struct kind {
    const char             *name;
    const struct load_step *steps;
    size_t                  n_steps;
    int                     quantity;
    uint64_t                turns[3];       /* of a small inventory there is only so much to sell; 0: by time */
} kinds[KINDS] = {
    [SEARCH_1]   = { "search for 1",   search_steps,   2, 1,   { 0 } },
    [SEARCH_100] = { "search for 100", search_steps,   2, 100, { 0 } },
    [BROWSE]     = { "browse",         browse_steps,   1, 0,   { 0 } },
    [PURCHASE]   = { "purchase",       purchase_steps, 2, 1,   { 300, 1000, 500 } },
};
enum { ONE, MANY, HALF, MODES };
struct figure { double p50_ms, p99_ms, turns_s, cpu_us; };       /* cpu_us: the server's, a turn */

static unsigned runs = 3;

static struct load_result run_once(const struct server *s, const struct inventory *v, const struct kind *k, int mode, double rate)
{
    struct want w = { .v = v, .conns = mode == ONE ? 1 : CLIENTS, .quantity = k->quantity };
    const struct load_plan p = { .steps = k->steps, .n_steps = k->n_steps, .conns = w.conns, .turns = k->turns[mode],
                                 .seconds = k->turns[mode] ? 0 : SECONDS, .rate = rate, .arg = &w };
    return load_run(s->site, &p);
}

/* One inventory and its server. */
struct side {
    struct server    server;
    struct inventory stock;
    struct figure    figures[KINDS][MODES];
    struct sync      disk[KINDS];
};
enum { FEW, MANY_MORE, SIDES };

/* The runs of both sides take turns, so that what the machine does meanwhile is the same for both. */
static void run_mode(struct side sides[SIDES], int k, int mode)
{
    double p50[SIDES][RUNS_MOST], p99[SIDES][RUNS_MOST], turns[SIDES][RUNS_MOST], cpu[SIDES] = { 0 }, all[SIDES] = { 0 };
    for (unsigned i = 0; i < runs; i++)
        for (int n = 0; n < SIDES; n++) {
            struct side *x = &sides[n];
            double before = server_cpu(&x->server), rate = mode == HALF ? x->figures[k][MANY].turns_s / 2 : 0;
            struct load_result r = run_once(&x->server, &x->stock, &kinds[k], mode, rate);
            cpu[n] += server_cpu(&x->server) - before;
            p50[n][i] = r.p50_ms, p99[n][i] = r.p99_ms, turns[n][i] = r.turns_s, all[n] += (double)r.turns;
        }
    for (int n = 0; n < SIDES; n++)
        sides[n].figures[k][mode] = (struct figure){ median(p50[n], runs), median(p99[n], runs), median(turns[n], runs),
                                                     cpu[n] * 1e6 / all[n] };
}

static void print_side(const struct side *x)
{
    printf("\n%s, %zu numbers in %zu area codes:\n%-15s %-19s %-31s %-30s %s\n", x->stock.name, x->stock.numbers, x->stock.n_areas,
           "  ms", "1 client p50   p99", "64 clients: turns/s  p50    p99  CPU us", "half of it: turns/s  p50   p99",
           "fdatasync p50  p99");
    for (int k = 0; k < KINDS; k++) {
        const struct figure *f = x->figures[k];
        printf("%-15s      %6.2f %6.2f          %7.0f %6.2f %6.2f %6.0f          %7.0f %6.2f %5.2f          %6.2f %5.2f\n", kinds[k].name,
               f[ONE].p50_ms, f[ONE].p99_ms, f[MANY].turns_s, f[MANY].p50_ms, f[MANY].p99_ms, f[MANY].cpu_us, f[HALF].turns_s, f[HALF].p50_ms,
               f[HALF].p99_ms, x->disk[k].p50_ms, x->disk[k].p99_ms);
    }
}

static void measure(struct side sides[SIDES])
{
    for (int k = 0; k < KINDS; k++) {
        sides[FEW].disk[k] = sides[MANY_MORE].disk[k] = sync_probe(&sides[MANY_MORE].server);
        for (int mode = ONE; mode < MODES; mode++)
            run_mode(sides, k, mode);
    }
    print_side(&sides[FEW]);
    print_side(&sides[MANY_MORE]);
}

/* -- bringing in, leasing ---------------------------------------------------------------------------------------------- */

/* What the server says there is; it must be what was brought in. */
static void check_stock(const struct server *s, size_t numbers)
{
    char data[1024], path[1024], *text = NULL;
    size_t n = 0;
    int64_t total = 0, available = 0, leased = 0;
    struct problem why = { 0 };
    scoped(json_doc) struct json_doc *doc = NULL;
    const char *const argv[] = { s->program, "numbers", "pools", "--json", "--data", process_path(s, "data", data), NULL };
    if (!process_ended_well(process_start(s, "pools.log", argv))
        || file_read_whole(process_path(s, "pools.log", path), 1 << 20, &text, &n) || json_read(&doc, (struct str){ text, n }, &why))
        process_fail(s, "pools.log", "the inventory cannot be counted");
    const struct json *list = json_member(json_root(doc), "value"), *pool;
    for (size_t i = 0; (pool = json_item(list, i)); i++) {
        total += json_int_of(pool, "total", 0);
        available += json_int_of(pool, "available", 0);
        leased += json_int_of(pool, "leased", 0);
    }
    free(text);
    printf("%lld numbers in the inventory: %lld available, %lld leased\n", (long long)total, (long long)available, (long long)leased);
    if (total != (int64_t)numbers)
        process_fail(s, "pools.log", "that is not what was brought in");
}

static pid_t import_start(const struct server *s, const char *list)
{
    char data[1024], path[1024];
    const char *const argv[] = { s->program, "numbers", "import", process_path(s, list, path), "--data",
                                 process_path(s, "data", data), NULL };
    return process_start(s, "import.log", argv);
}

/** @return rows a second, the command line's start and end included */
static double import(const struct server *s, const char *list, size_t rows)
{
    int64_t from = clock_mono().us;
    if (!process_ended_well(import_start(s, list)))
        process_fail(s, "import.log", "the import failed");
    return (double)rows * US_PER_S / (double)(clock_mono().us - from);
}

static bool import_ended(void *arg)
{
    struct want *w = arg;
    int status;
    if (w->until && waitpid(w->until, &status, WNOHANG) == w->until) {
        w->until = 0;
        w->ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    return !w->until;
}

/** The same while others write. */
static double import_beside(const struct server *s, const struct inventory *v, const char *list, size_t rows,
                            struct load_result *writes)
{
    int64_t from = clock_mono().us;
    struct want w = { .v = v, .conns = 16, .quantity = 1, .until = import_start(s, list) };
    const struct load_plan p = { .steps = write_steps, .n_steps = 2, .conns = 16, .rate = WRITES_A_SECOND, .ended = import_ended,
                                 .arg = &w };
    *writes = load_run(s->site, &p);
    if (!w.ended_well)
        process_fail(s, "import.log", "the import failed");
    return (double)rows * US_PER_S / (double)(clock_mono().us - from);
}

/* Bought as a customer buys. */
static void lease_some(const struct server *s, const struct inventory *v, size_t numbers)
{
    int at_once = numbers / v->n_areas >= LEASE_AT_ONCE ? LEASE_AT_ONCE : (int)(numbers / v->n_areas);
    size_t conns = v->n_areas < 4 ? 1 : 4;
    struct want w = { .v = v, .conns = conns, .quantity = at_once };
    if (!at_once)
        return;
    const struct load_plan p = { .steps = purchase_steps, .n_steps = 2, .conns = conns, .turns = numbers / (size_t)at_once, .arg = &w };
    struct load_result r = load_run(s->site, &p);
    printf("leased %llu numbers, %d at a time: %.0f numbers/s\n", (unsigned long long)r.turns * (unsigned)at_once, at_once,
           r.turns_s * at_once);
}

/* -- the whole --------------------------------------------------------------------------------------------------------- */

static struct side sides[SIDES];

static void clean_up(void)
{
    for (int n = 0; n < SIDES; n++) {
        struct server *s = &sides[n].server;
        if (s->pid) {
            kill(s->pid, SIGKILL);
            waitpid(s->pid, NULL, 0);
        }
        server_remove(s, "");
    }
}

static void side_init(struct side *x, struct inventory stock, const char *folder)
{
    const char *program = getenv("CARTERFONE");
    x->stock = stock;
    snprintf(x->server.program, sizeof x->server.program, "%s", program ? program : "build/release/carterfone");
    snprintf(x->server.folder, sizeof x->server.folder, "%s/numbers.made.%s", folder, stock.name);
    server_remove(&x->server, "");
    mkdir(x->server.folder, 0700);
}

static void on_signal(int number)
{
    (void)number;
    exit(1);
}

static size_t from_environment(const char *name, size_t otherwise)
{
    const char *text = getenv(name);
    return text && atoll(text) > 0 ? (size_t)atoll(text) : otherwise;
}

static const char *verdict(bool met)
{
    return met ? "met" : "MISSED";
}

static void print_sizes(const struct server *s)
{
    printf("memory %.0f MiB (at most %.0f), database %.0f MiB, its log %.0f MiB\n", server_memory(s, "VmRSS:"),
           server_memory(s, "VmHWM:"), server_file(s, "data/carterfone.db"), server_file(s, "data/carterfone.db-wal"));
}

static void start_again(struct server *s)
{
    double ms[RUNS_MOST];
    for (unsigned i = 0; i < runs; i++) {
        server_stop(s);
        server_start(s);
        ms[i] = s->ready_ms;
    }
    printf("ready %.0f ms after start (median of %u), ", median(ms, runs), runs);
    print_sizes(s);
}

/* Made, filled with some of its blocks, of which some are leased. */
static double prepare(struct side *x, size_t first, size_t leased)
{
    struct server *s = &x->server;
    const struct inventory *v = &x->stock;
    server_start(s);
    printf("\nempty: ready %.0f ms after the first start, ", s->ready_ms);
    print_sizes(s);
    write_list(s, v, "first.csv", 0, first);
    double rows_s = import(s, "first.csv", first * BLOCK);
    printf("import of %zu rows (%.0f MiB) into the empty inventory: %.0f rows/s\n", first * BLOCK, server_file(s, "first.csv"), rows_s);
    server_remove(s, "first.csv");
    check_stock(s, first * BLOCK);
    lease_some(s, v, leased);
    return rows_s;
}

static void compare(const struct side *with)
{
    const struct figure (*large)[MODES] = with[MANY_MORE].figures, (*small)[MODES] = with[FEW].figures;
    printf("\nlarge to small, p99:\n");
    for (int k = 0; k < KINDS; k++)
        printf("%-15s 1 client %.2f, half rate %.2f, turns/s at 64 clients %.2f, CPU a turn %.2f\n", kinds[k].name,
               large[k][ONE].p99_ms / small[k][ONE].p99_ms, large[k][HALF].p99_ms / small[k][HALF].p99_ms,
               large[k][MANY].turns_s / small[k][MANY].turns_s, large[k][MANY].cpu_us / small[k][MANY].cpu_us);
    printf("\ntargets:\n");
    for (int k = SEARCH_1; k <= SEARCH_100; k++)
        for (int mode = ONE; mode < MODES; mode += HALF)
            printf("%-15s %-9s p99 %5.2f ms, wanted %.0f: %s; %.2f times the small one's, wanted %.1f: %s\n", kinds[k].name,
                   mode == ONE ? "1 client" : "half rate", large[k][mode].p99_ms, SEARCH_P99_MS,
                   verdict(large[k][mode].p99_ms <= SEARCH_P99_MS), large[k][mode].p99_ms / small[k][mode].p99_ms, SEARCH_RATIO,
                   verdict(large[k][mode].p99_ms <= SEARCH_RATIO * small[k][mode].p99_ms));
}

/* Half of the numbers in peace, half while others write. @return rows a second of the latter */
static double import_other_half(struct side *x, struct load_result *writes)
{
    struct server *s = &x->server;
    size_t blocks = x->stock.numbers / BLOCK;
    write_list(s, &x->stock, "second.csv", blocks / 2, blocks);
    double busy_s = import_beside(s, &x->stock, "second.csv", x->stock.numbers / 2, writes);
    server_remove(s, "second.csv");
    printf("import of %zu rows more while others write: %.0f rows/s; %llu writes of theirs, %d/s: p50 %.2f ms, p99 %.2f ms, "
           "longest %.1f ms\n", x->stock.numbers / 2, busy_s, (unsigned long long)writes->samples, 2 * WRITES_A_SECOND,
           writes->p50_ms, writes->p99_ms, writes->max_ms);
    check_stock(s, x->stock.numbers);
    print_sizes(s);
    start_again(s);
    return busy_s;
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    size_t share = from_environment("LEASED", 1000);
    struct load_result writes;
    runs = (unsigned)from_environment("RUNS", 5);
    runs = runs < RUNS_MOST ? runs : RUNS_MOST;
    side_init(&sides[FEW], inventory_of("small", from_environment("SMALL", 10000), 10), folder);
    side_init(&sides[MANY_MORE], inventory_of("large", from_environment("LARGE", 10000000), 250), folder);
    size_t small = sides[FEW].stock.numbers, large = sides[MANY_MORE].stock.numbers;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN);
    atexit(clean_up);
    machine_print("numbers: import, search, browse, purchase over signed HTTP against a server on SQLite (WAL, synchronous=FULL)",
                  "two server processes, the command line's import, and this load generator on the same machine, over loopback; runs\n"
                  "         of the small and the large inventory take turns, the other server idle. A turn is a search and (not timed)\n"
                  "         the cancel of its hold; a browse; or a search (not timed) and its purchase. Times are from the last octet\n"
                  "         of the request to the answer, at half rate from when it was due; medians of runs; fdatasync: 4 KiB over a\n"
                  "         file filled before, nothing else going on, before each line");
    prepare(&sides[FEW], small / BLOCK, small * share / 10000);
    double empty_s = prepare(&sides[MANY_MORE], large / BLOCK / 2, large * share / 10000);
    double busy_s = import_other_half(&sides[MANY_MORE], &writes);
    measure(sides);
    print_sizes(&sides[MANY_MORE].server);
    compare(sides);
    printf("%-25s %.0f rows/s, wanted %.0f: %s\n", "import, empty", empty_s, IMPORT_EMPTY_S, verdict(empty_s >= IMPORT_EMPTY_S));
    printf("%-25s %.0f rows/s, wanted %.0f: %s; p99 of others' writes %.1f ms, wanted %.0f: %s\n", "import, others write", busy_s,
           IMPORT_BUSY_S, verdict(busy_s >= IMPORT_BUSY_S), writes.p99_ms, BUSY_P99_MS, verdict(writes.p99_ms < BUSY_P99_MS));
    server_stop(&sides[FEW].server);
    server_stop(&sides[MANY_MORE].server);
    return 0;
}
