#include "base/file.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 1200 };

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
    char folder[PATH_SIZE];
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

static enum err io_problem(struct problem *why, const char *doing, const char *path)
{
    return problem_set(why, ERR_IO, "Io", "%s %s: %s.", doing, path, strerror(errno));
}

enum err file_write_whole(const char *path, struct str text, unsigned mode, struct problem *why)
{
    char beside[PATH_SIZE + 16];
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

static enum err read_all(int fd, char *dst, size_t size)
{
    for (size_t got = 0; got < size;) {
        ssize_t n = read(fd, dst + got, size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n ? errno : EAGAIN; /* 0: it became shorter meanwhile */
            return ERR_IO;
        }
        got += (size_t)n;
    }
    return ERR_NONE;
}

/* Sets errno. */
static enum err check_file(int fd, size_t most, struct stat *st)
{
    if (fstat(fd, st))
        return ERR_IO;
    if (!S_ISREG(st->st_mode)) {
        errno = S_ISDIR(st->st_mode) ? EISDIR : EINVAL;
        return ERR_IO;
    }
    return (size_t)st->st_size > most ? ERR_SIZE : ERR_NONE;
}

enum err file_read_whole(const char *path, size_t most, char **out, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);  /* opening a FIFO would wait for its other end */
    struct stat st;
    if (fd < 0)
        return errno == ENOENT ? ERR_ABSENT : ERR_IO;
    enum err err = check_file(fd, most, &st);
    char *text = err ? NULL : malloc((size_t)st.st_size + 1);
    if (!err && !text)
        err = ERR_NOMEM;
    if (!err)
        err = read_all(fd, text, (size_t)st.st_size);
    int saved = errno;
    close(fd);
    errno = saved;
    if (err) {
        free(text);
        return err;
    }
    text[st.st_size] = '\0';
    *out = text;
    *size = (size_t)st.st_size;
    return ERR_NONE;
}
