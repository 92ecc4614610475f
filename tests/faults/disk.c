/* disk.c - a disk that fails when it is told to. Preloaded under the server (LD_PRELOAD), it stands between SQLite and the kernel.
 *
 * DISK_ORDERS names a file of 32 octets that the test writes while the server runs: see `struct orders`. DISK_KEPT names a folder in
 * which the files of the database are as a power cut would leave them: what was written reaches them by a sync that succeeded, and a
 * sync that failed forgets what was written since the last one, as Linux does (the pages count as clean). Only files named
 * *.db, *.db-wal and *.db-shm are touched. Our own code syncs nothing else of these. System calls are made directly, so that no other
 * library's wrapper is needed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A dot is health. */
struct orders {
    volatile char grow;                 /* f: ENOSPC for what would make a file longer, once `room` octets are used up */
    volatile char log_write, log_sync;  /* e: EIO */
    volatile char main_write, main_sync;/* e: EIO, of the database file itself: only copying the log back does these */
    char pad[3];
    volatile int32_t room;              /* little-endian */
    volatile uint32_t struck;           /* how often one of these was obeyed: ours to write */
    char rest[16];
};
enum kind { OTHER, MAIN, LOG, INDEX };
enum { PAGE = 4096, FILES_MOST = 16, FDS_MOST = 4096, PAGES_MOST = 1 << 20 };

static struct orders *orders;
static const char *kept_folder;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* One for each file by name: several descriptors share it. */
static struct file {
    char     name[64];
    int      kept;                      /* descriptor of the copy */
    uint8_t *dirty;                     /* a bit a page, since the last sync */
    size_t   highest;
    unsigned failed;                    /* syncs: each descriptor hears of one that another's was told */
} files[FILES_MOST];
static int file_count;
static unsigned heard[FDS_MOST];        /* by descriptor: files[].failed at its last sync or first write, and 1 */

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("DISK_ORDERS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return;
    orders = at;
    kept_folder = getenv("DISK_KEPT");
}

static enum kind kind_of(int fd, char path[512])
{
    static const struct { const char *end; enum kind kind; } ends[] = { { ".db", MAIN }, { ".db-wal", LOG }, { ".db-shm", INDEX } };
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = orders ? readlink(link, path, 511) : -1;
    if (n <= 0)
        return OTHER;
    path[n] = 0;
    for (size_t i = 0; i < 3; i++) {
        size_t m = strlen(ends[i].end);
        if ((size_t)n > m && !strcmp(path + n - m, ends[i].end))
            return ends[i].kind;
    }
    return OTHER;
}

static ssize_t fails(int code)
{
    __atomic_add_fetch(&orders->struck, 1, __ATOMIC_RELAXED);
    errno = code;
    return -1;
}

/* -- what a power cut would leave --------------------------------------------------------------------------------------- */
/* Under the lock. NULL: nothing is kept of it. */
static struct file *file_of(const char *path, enum kind kind)
{
    const char *name = strrchr(path, '/') + 1;
    char at[600];
    if (!kept_folder || kind == INDEX || kind == OTHER)
        return NULL;
    for (int i = 0; i < file_count; i++)
        if (!strcmp(files[i].name, name))
            return &files[i];
    if (file_count == FILES_MOST)
        abort();
    struct file *f = &files[file_count++];
    snprintf(f->name, sizeof f->name, "%s", name);
    snprintf(at, sizeof at, "%s/%s", kept_folder, name);
    f->kept = open(at, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    f->dirty = calloc(PAGES_MOST / 8, 1);
    if (f->kept < 0 || !f->dirty)
        abort();
    return f;
}

static void soil(struct file *f, off_t at, size_t n)
{
    for (size_t page = (size_t)at / PAGE; n && page <= ((size_t)at + n - 1) / PAGE; page++) {
        if (page >= PAGES_MOST)
            abort();
        f->dirty[page / 8] |= (uint8_t)(1u << page % 8);
        f->highest = page > f->highest ? page : f->highest;
    }
}

/* Each soiled page reaches the copy, or is forgotten. */
static void settle(struct file *f, int fd, bool good)
{
    char page[PAGE];
    for (size_t i = 0; i <= f->highest; i++) {
        if (!(f->dirty[i / 8] & 1u << i % 8))
            continue;
        ssize_t n = good ? syscall(SYS_pread64, fd, page, PAGE, (off_t)i * PAGE) : 0;
        if (n > 0 && syscall(SYS_pwrite64, f->kept, page, (size_t)n, (off_t)i * PAGE) != n)
            abort();
    }
    memset(f->dirty, 0, f->highest / 8 + 1);
    f->highest = 0;
}

/* -- between SQLite and the kernel ---------------------------------------------------------------------------------------- */
/* How much of it there is room for. */
static size_t room_for(int fd, size_t n, off_t at)
{
    struct stat st;
    if (orders->grow != 'f' || fstat(fd, &st) || at + (off_t)n <= st.st_size)
        return n;
    size_t inside = at < st.st_size ? (size_t)(st.st_size - at) : 0, outside = n - inside;
    size_t room = orders->room > 0 ? (size_t)orders->room : 0, granted = outside < room ? outside : room;
    orders->room -= (int32_t)granted;
    return inside + granted;
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    char path[512];
    enum kind kind = kind_of(fd, path);
    if (kind == OTHER)
        return syscall(SYS_pwrite64, fd, p, n, at);
    if ((kind == LOG && orders->log_write == 'e') || (kind == MAIN && orders->main_write == 'e'))
        return fails(EIO);
    pthread_mutex_lock(&lock);
    size_t most = room_for(fd, n, at);
    ssize_t done = most ? syscall(SYS_pwrite64, fd, p, most, at) : fails(ENOSPC);
    struct file *f = file_of(path, kind);
    if (f && fd < FDS_MOST && !heard[fd])
        heard[fd] = f->failed + 1;
    if (f && done > 0)
        soil(f, at, (size_t)done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return pwrite64(fd, p, n, at);
}

int fdatasync(int fd)
{
    char path[512];
    enum kind kind = kind_of(fd, path);
    bool bad = (kind == LOG && orders->log_sync == 'e') || (kind == MAIN && orders->main_sync == 'e');
    if (kind != OTHER) {
        pthread_mutex_lock(&lock);
        struct file *f = file_of(path, kind);
        if (f) {
            settle(f, fd, !bad);
            f->failed += bad;
            bad = bad || (fd < FDS_MOST && heard[fd] && heard[fd] != f->failed + 1);
            heard[fd % FDS_MOST] = f->failed + 1;
        }
        pthread_mutex_unlock(&lock);
    }
    return bad ? (int)fails(EIO) : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    char path[512];
    return kind_of(fd, path) == OTHER ? (int)syscall(SYS_fsync, fd) : fdatasync(fd);
}

int ftruncate64(int fd, off_t size)
{
    char path[512];
    enum kind kind = kind_of(fd, path);
    pthread_mutex_lock(&lock);
    struct file *f = kind == OTHER ? NULL : file_of(path, kind);
    if (f && syscall(SYS_ftruncate, f->kept, size))
        abort();
    pthread_mutex_unlock(&lock);
    return (int)syscall(SYS_ftruncate, fd, size);
}
