#include "main/datadir.h"
#include "base/crypto.h"
#include "base/file.h"
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

/* 32 octets in base64. Absent: drawn and written. */
static enum err key_ensure(const struct datadir *d, const char *name, uint8_t key[32], struct problem *why)
{
    enum { MOST = 128 };
    char path[DATADIR_PATH_SIZE], fresh[MOST], *text = NULL;
    size_t n = 0, size = 0;
    datadir_path(d, name, path);
    enum err err = file_read_whole(path, MOST, &text, &size);
    if (err == ERR_ABSENT) {
        random_bytes(key, 32);
        n = base64_write(fresh, key, 32);
        return file_write_whole(path, (struct str){ fresh, n }, 0600, why);
    }
    if (err == ERR_IO)
        return io_problem(why, "cannot read", path);
    if (err || base64_read(key, 32, str_trim((struct str){ text, size }), &n) || n != 32)
        err = problem_set(why, ERR_SYNTAX, "Io", "%s is damaged: it must hold 32 octets in base64.", path);
    if (text)
        explicit_bzero(text, size);
    free(text);
    return err;
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

/* Nobody could read a key that is kept nowhere: one may be given. */
static enum err given_key(struct datadir *d, struct problem *why)
{
    size_t n = 0;
    const char *given = getenv("CARTERFONE_OPERATOR_KEY");
    if (!given || !*given)
        return ERR_NONE;
    if (base64_read(d->operator_key, sizeof d->operator_key, str_trim(str_of(given)), &n) || n != sizeof d->operator_key)
        return problem_set(why, ERR_SYNTAX, "Io", "CARTERFONE_OPERATOR_KEY is not the base64 of %zu octets.", sizeof d->operator_key);
    return ERR_NONE;
}

enum err datadir_open(struct datadir *d, const char *path, bool in_memory, struct problem *why)
{
    *d = (struct datadir){ .lock_fd = -1 };
    if (in_memory) {
        random_bytes(d->id_key, sizeof d->id_key);
        random_bytes(d->operator_key, sizeof d->operator_key);
        return given_key(d, why);
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
