#include "main/datadir.h"
#include "base/crypto.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

void datadir_path(const struct datadir *d, const char *name, char dst[DATADIR_PATH_SIZE])
{
    snprintf(dst, DATADIR_PATH_SIZE, "%s/%s", d->path, name);
}

static enum err io_problem(struct problem *why, const char *doing, const char *path)
{
    return problem_set(why, ERR_IO, "Io", "%s %s: %s.", doing, path, strerror(errno));
}

static bool write_all(int fd, struct str text)
{
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text = str_from(text, (size_t)n);
    }
    return fsync(fd) == 0;
}

/* The folder's entry too must survive a power cut: a key that is drawn anew would void every id given out. */
static bool sync_folder(const char *path)
{
    char folder[DATADIR_PATH_SIZE];
    str_copyz(folder, sizeof folder, str_of(path));
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);     /* EINVAL: this file system has no such thing */
    if (fd >= 0)
        close(fd);
    return good;
}

enum err file_write_whole(const char *path, struct str text, unsigned mode, struct problem *why)
{
    char beside[DATADIR_PATH_SIZE + 16];
    snprintf(beside, sizeof beside, "%s.%ld", path, (long)getpid());
    unlink(beside);                     /* of an earlier process with our number */
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return io_problem(why, "cannot make", beside);
    bool good = fchmod(fd, mode) == 0 && write_all(fd, text);
    close(fd);
    if (good && rename(beside, path) == 0 && sync_folder(path))
        return ERR_NONE;
    enum err err = io_problem(why, "cannot write", path);
    unlink(beside);
    return err;
}

/* 32 octets in base64. Absent: drawn and written. */
static enum err key_ensure(const struct datadir *d, const char *name, uint8_t key[32], struct problem *why)
{
    char path[DATADIR_PATH_SIZE], text[128];
    size_t n = 0;
    datadir_path(d, name, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        random_bytes(key, 32);
        n = base64_write(text, key, 32);
        return file_write_whole(path, (struct str){ text, n }, 0600, why);
    }
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (fd >= 0)
        close(fd);
    if (got < 0)
        return io_problem(why, "cannot read", path);
    if (base64_read(key, 32, str_trim((struct str){ text, (size_t)got }), &n) || n != 32)
        return problem_set(why, ERR_SYNTAX, "Io", "%s is damaged: it must hold 32 octets in base64.", path);
    return ERR_NONE;
}

static enum err lock_take(struct datadir *d, struct problem *why)
{
    char path[DATADIR_PATH_SIZE];
    datadir_path(d, "lock", path);
    d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (d->lock_fd < 0)
        return io_problem(why, "cannot open", path);
    if (flock(d->lock_fd, LOCK_EX | LOCK_NB))
        return problem_set(why, ERR_CONFLICT, "Io", "another server uses %s: stop it (%s/ready.json names its "
                           "process and address), or give this one a folder of its own with --data.", d->path, d->path);
    return ERR_NONE;
}

enum err datadir_open(struct datadir *d, const char *path, bool in_memory, struct problem *why)
{
    *d = (struct datadir){ .lock_fd = -1 };
    if (in_memory) {
        random_bytes(d->id_key, sizeof d->id_key);
        random_bytes(d->operator_key, sizeof d->operator_key);
        return ERR_NONE;
    }
    if (str_copyz(d->path, sizeof d->path, str_of(path)) < strlen(path))
        return problem_set(why, ERR_RANGE, "Io", "the path of the data folder has over %zu characters.", sizeof d->path - 1);
    umask(077);                         /* the database and its log hold keys */
    if (mkdir(d->path, 0700) && errno != EEXIST)
        return io_problem(why, "cannot make", d->path);
    enum err err = lock_take(d, why);
    if (!err)
        err = key_ensure(d, "id.key", d->id_key, why);
    if (!err)
        err = key_ensure(d, "operator.key", d->operator_key, why);
    return err;
}

void datadir_close(struct datadir *d)
{
    if (d->lock_fd >= 0)
        close(d->lock_fd);
    d->lock_fd = -1;
}
