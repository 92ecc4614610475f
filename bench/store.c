/* How many units a second the store makes durable, against what the disk alone can do.
 *
 * usage: store [FOLDER [SECONDS]]   the database is made and removed in FOLDER (the current one) */
#include "base/clock.h"
#include "base/problem.h"
#include "base/str.h"
#include "machine.h"
#include "store/db.h"

#include "base/metric.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { REPEATS = 5, VALUE_OCTETS = 300, SAMPLES = 1 << 20 };

struct run {
    struct db    *db;
    struct inbox *inbox;
    int           rows;
    int64_t       until_us;
    size_t        out, answered, n_waits;
    double       *waits_ms;
    uint64_t      key;
};
struct told {
    struct db_done done;
    int64_t        posted_us;
};

static void post_one(struct run *r, struct told *told);

static void on_told(void *owner, struct inbox_item *item)
{
    struct run *r = owner;
    struct told *told = container_of(item, struct told, done.item);
    int64_t now = clock_mono().us;
    if (told->done.err) {
        fprintf(stderr, "a unit failed: %s\n", err_words(told->done.err));
        exit(1);
    }
    r->out--;
    r->answered++;
    if (r->n_waits < SAMPLES)
        r->waits_ms[r->n_waits++] = (double)(now - told->posted_us) / US_PER_MS;
    if (now < r->until_us)
        post_one(r, told);
    else
        free(told);
}
static const struct inbox_kind told_kind = { "told", on_told, NULL };

static void post_one(struct run *r, struct told *told)
{
    static char value[VALUE_OCTETS];
    struct db_unit *u = db_unit_new();
    memset(value, 'v', sizeof value);
    for (int i = 0; i < r->rows; i++) {
        char name[32];
        snprintf(name, sizeof name, "%016llx", (unsigned long long)r->key++);
        db_do(u, DB_META_ADD, 1, DB_Z(name), DB_T(((struct str){ value, sizeof value })));
    }
    *told = (struct told){ .done = { .item = { .kind = &told_kind }, .to = r->inbox }, .posted_us = clock_mono().us };
    if (db_post(r->db, u, &told->done))
        exit(1);
    r->out++;
}

static int64_t groups_so_far(void)
{
    static const char line[] = "\ncarterfone_store_groups_total ";
    scoped_buf b = { 0 };
    metric_write_all(&b);
    buf_putc(&b, '\0');
    const char *at = strstr(b.p, line);
    return at ? atoll(at + strlen(line)) : 0;
}

struct figures { double units_s, per_group, p50_ms, p99_ms, max_ms; };

static struct figures measure(struct run *r, int outstanding, double seconds)
{
    int64_t from = clock_mono().us, groups = groups_so_far();
    r->answered = r->n_waits = 0;
    r->until_us = from + (int64_t)(seconds * US_PER_S);
    for (int i = 0; i < outstanding; i++)
        post_one(r, malloc(sizeof(struct told)));
    while (r->out) {
        inbox_wait(r->inbox, -1);
        inbox_drain(r->inbox);
    }
    double took = (double)(clock_mono().us - from) / US_PER_S;
    double p50 = median(r->waits_ms, r->n_waits);
    groups = groups_so_far() - groups;
    return (struct figures){ (double)r->answered / took, groups ? (double)r->answered / (double)groups : 0, p50,
                             r->waits_ms[r->n_waits * 99 / 100], r->waits_ms[r->n_waits - 1] };
}

static void measure_and_print(struct run *r, int rows, int outstanding, double seconds)
{
    double units[REPEATS], per_group[REPEATS], p50[REPEATS], p99[REPEATS], max[REPEATS];
    r->rows = rows;
    for (int i = 0; i < REPEATS; i++) {
        struct figures f = measure(r, outstanding, seconds);
        units[i] = f.units_s, per_group[i] = f.per_group, p50[i] = f.p50_ms, p99[i] = f.p99_ms, max[i] = f.max_ms;
    }
    double u = median(units, REPEATS);
    printf("%5d %12d %10.0f %10.0f %10.0f..%-8.0f %8.1f %8.2f %8.2f %8.1f\n", rows, outstanding, u, u * rows, units[0],
           units[REPEATS - 1], median(per_group, REPEATS), median(p50, REPEATS), median(p99, REPEATS), median(max, REPEATS));
    fflush(stdout);
}

/* fdatasync after each 4 KiB, appended or over zeros that are there already. */
static double syncs_a_second(const char *path, bool filled, double seconds)
{
    static char page[4096];
    enum { PAGES = 16384 };
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0)
        return 0;
    for (int i = 0; filled && i < PAGES; i++)
        (void)!write(fd, page, sizeof page);
    fsync(fd);
    lseek(fd, 0, SEEK_SET);
    memset(page, 'x', sizeof page);
    int64_t from = clock_mono().us, now = from;
    size_t n = 0;
    for (; now - from < seconds * US_PER_S; n++, now = clock_mono().us) {
        if (filled && n % PAGES == 0)
            lseek(fd, 0, SEEK_SET);
        if (write(fd, page, sizeof page) < 0 || fdatasync(fd))
            break;
    }
    close(fd);
    unlink(path);
    return (double)n / ((double)(now - from) / US_PER_S);
}

static void print_syncs(const char *folder, bool filled, double seconds)
{
    char path[512];
    double rate[REPEATS];
    snprintf(path, sizeof path, "%s/bench-sync", folder);
    for (int i = 0; i < REPEATS; i++)
        rate[i] = syncs_a_second(path, filled, seconds);
    double m = median(rate, REPEATS);
    printf("fdatasync of 4 KiB, %s: %.0f/s (%.0f..%.0f)\n", filled ? "file filled before" : "growing file", m, rate[0],
           rate[REPEATS - 1]);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    double seconds = argc > 2 ? atof(argv[2]) : 1;
    char path[512];
    struct problem why = { 0 };
    snprintf(path, sizeof path, "%s/bench-store.db", folder);
    unlink(path);
    machine_print("Durable units of the store (SQLite, WAL, synchronous=FULL)",
                  "one thread keeps N units outstanding and posts anew on each reply; a row is a 16-octet ascending text "
                  "key and 300 octets; medians of 5 runs");
    print_syncs(folder, false, seconds);
    print_syncs(folder, true, seconds);
    struct run r = { .waits_ms = malloc(SAMPLES * sizeof(double)) };
    r.inbox = inbox_new("bench", 1, &r);
    struct db_conf conf = { .path = path, .readers = 2, .bound = 1000 };
    if (db_open(&r.db, &conf, &why)) {
        fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    printf("\n rows  outstanding    units/s     rows/s      (lowest..highest)   a group   p50 ms   p99 ms  max ms\n");
    static const int rows[] = { 1, 10 }, outstanding[] = { 1, 16, 64 };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t k = 0; k < ARRAY_LEN(outstanding); k++)
            measure_and_print(&r, rows[i], outstanding[k], seconds);
    struct stat st;
    char log_path[600];
    snprintf(log_path, sizeof log_path, "%s-wal", path);
    if (!stat(log_path, &st))
        printf("\nwrite-ahead log at the end: %.1f MiB\n", (double)st.st_size / (1 << 20));
    db_close(r.db);
    inbox_free(r.inbox);
    free(r.waits_ms);
    unlink(path);
    strcat(path, ".lock");
    unlink(path);
    return 0;
}
