/* Copies of the whole database: a connection of their own, in memory or to a file that is whole or not there. */
#include "store/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"

struct db_image {
    struct conn *conn;
};

static struct db_image *image_of(struct conn *conn)
{
    struct db_image *image = calloc(1, sizeof *image);
    if (image)
        image->conn = conn;
    else
        conn_free(conn);
    return image;
}

void db_image_free(struct db_image *image)
{
    if (!image)
        return;
    conn_free(image->conn);
    free(image);
}

enum err db_image_open(struct db_image **out, const char *path, struct problem *why)
{
    struct conn *conn = NULL;
    if (access(path, R_OK))
        return problem_set(why, ERR_ABSENT, "NotFound", "There is no snapshot here.");
    enum err err = conn_open(&conn, path, CONN_IMAGE, why);
    if (!err)
        err = conn_looks_whole(conn, why);
    if (!err)
        err = conn_migrate(conn, migrations, migration_count, why);
    if (!err)
        err = conn_prepare_all(conn, why);
    if (err) {
        conn_free(conn);
        return err;
    }
    *out = image_of(conn);
    return *out ? ERR_NONE : ERR_NOMEM;
}

struct conn *image_conn(struct db_image *image)
{
    return image->conn;
}

static enum err run_also(struct conn *conn, const struct db_unit *also)
{
    size_t missed;
    if (!also)
        return ERR_NONE;
    if (also->steps.bad)
        return ERR_NOMEM;
    enum err err = conn_begin(conn);
    if (!err)
        err = conn_unit(conn, also, &missed);
    return err ? err : conn_commit(conn);
}

/* On disk under its last name, or not there. */
static enum err settle_file(const char *made, const char *path)
{
    int fd = open(made, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return good && rename(made, path) == 0 ? ERR_NONE : ERR_IO;
}

enum err image_make(struct conn *from, const char *path, const struct db_unit *also, struct db_image **out)
{
    char made[4096];
    struct conn *conn = NULL;
    if (path && (size_t)snprintf(made, sizeof made, "%s.new", path) >= sizeof made)
        return ERR_RANGE;
    if (path) {
        unlink(made);
        int fd = open(made, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
            return ERR_IO;
        close(fd);
    }
    enum err err = conn_open(&conn, path ? made : NULL, CONN_IMAGE, NULL);
    if (!err) {
        conn_hasten(conn);
        err = conn_copy(conn, from);
    }
    if (!err)
        err = run_also(conn, also);
    if (!err && !path)
        return (*out = image_of(conn)) ? ERR_NONE : ERR_NOMEM;
    conn_free(conn);
    if (!err)
        err = settle_file(made, path);
    if (err && path)
        unlink(made);
    return err;
}
