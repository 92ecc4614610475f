/* process.h - the program under test as a process of its own: the server, and the command line beside it.
 *
 * Whatever was started ends with this program. */
#pragma once
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "load.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READY_WITHIN_S = 180 };

struct server {
    char             program[512], folder[512];     /* folder: of everything that is made, and taken away at the end */
    pid_t            pid;
    double           ready_ms;              /* from exec to accepting */
    struct load_site site;
};

static inline const char *process_path(const struct server *s, const char *name, char path[1024])
{
    snprintf(path, 1024, "%s/%s", s->folder, name);
    return path;
}

/** @param log_name  name of the file for what it says, in the folder; "log" grows, others begin anew */
static inline pid_t process_start(const struct server *s, const char *log_name, const char *const *argv)
{
    char log[1024];
    pid_t pid = fork();
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int fd = open(process_path(s, log_name, log), O_WRONLY | O_CREAT | O_CLOEXEC | (strcmp(log_name, "log") ? O_TRUNC : O_APPEND), 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    execv(s->program, (char *const *)(uintptr_t)argv);
    _exit(127);
}

/** Show what it said, and end. */
static inline void process_fail(const struct server *s, const char *log_name, const char *what)
{
    char path[1024], *text = NULL;
    size_t n = 0;
    fprintf(stderr, "%s\n", what);
    if (!file_read_whole(process_path(s, log_name, path), 64 << 20, &text, &n))
        fprintf(stderr, "%s\n", n > 2000 ? text + n - 2000 : text);
    exit(1);
}

/* Wait; @return did it end well? */
static inline bool process_ended_well(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static inline int process_forget(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static inline void server_remove(const struct server *s, const char *name)
{
    char path[1024];
    nftw(process_path(s, name, path), process_forget, 16, FTW_DEPTH | FTW_PHYS);
}

/* The connection string's key, and the port of "https://127.0.0.1:PORT". */
static inline bool server_read_ready(struct server *s, const char *text, size_t n)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    struct problem why = { 0 };
    if (json_read(&doc, (struct str){ text, n }, &why))
        return false;
    struct str api = json_text_of(json_root(doc), "api"), secret = json_text_of(json_root(doc), "connectionString");
    const char *port = api.n ? strrchr(api.p, ':') : NULL, *key = secret.n ? strstr(secret.p, "accesskey=") : NULL;
    if (!port || !key || base64_read(s->site.key, sizeof s->site.key, str_of(key + strlen("accesskey=")), &s->site.key_n))
        return false;
    s->site.port = (uint16_t)atoi(port + 1);
    return true;
}

/** On the folder's data, new or not; returns when it accepts. */
static inline void server_start(struct server *s)
{
    char data[1024], ready[1024], *text = NULL;
    size_t n = 0;
    struct stat st;
    struct timespec began;
    const char *const argv[] = { s->program, "serve", "--data", process_path(s, "data", data), "--listen", "127.0.0.1:0", "--sip",
        "127.0.0.1:0", "--smpp", "127.0.0.1:0", "--sim-sip", "127.0.0.1:0", "--sim-smpp", "127.0.0.1:0", "--rtp-ports", "0",
        "--quiet", "--ready-file", process_path(s, "ready.json", ready), NULL };
    unlink(ready);
    clock_gettime(CLOCK_REALTIME, &began);
    s->pid = process_start(s, "log", argv);
    for (int waited = 0; stat(ready, &st); waited++) {
        if (waitpid(s->pid, NULL, WNOHANG) == s->pid || waited > READY_WITHIN_S * 200)
            process_fail(s, "log", "the server did not start");
        usleep(5000);
    }
    s->ready_ms = (double)(st.st_mtim.tv_sec - began.tv_sec) * 1e3 + (double)(st.st_mtim.tv_nsec - began.tv_nsec) / 1e6;
    if (file_read_whole(ready, 1 << 16, &text, &n) || !server_read_ready(s, text, n))
        process_fail(s, "log", "the ready file cannot be read");
    free(text);
}

static inline void server_stop(struct server *s)
{
    kill(s->pid, SIGTERM);
    if (!process_ended_well(s->pid))
        process_fail(s, "log", "the server did not end well");
    s->pid = 0;
}

/** A line of /proc/PID/status, in MiB. */
static inline double server_memory(const struct server *s, const char *name)
{
    char path[64], line[256];
    double kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)s->pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, name, strlen(name)))
            kib = atof(line + strlen(name) + 1);
    if (f)
        fclose(f);
    return kib / 1024;
}

/** Processor time it has used, seconds. */
static inline double server_cpu(const struct server *s)
{
    char path[64], line[1024];
    unsigned long user = 0, kernel = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)s->pid);
    FILE *f = fopen(path, "re");
    const char *rest = f && fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    if (!rest || sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel) != 2)
        user = 0;
    if (f)
        fclose(f);
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

/** MiB. */
static inline double server_file(const struct server *s, const char *name)
{
    char path[1024];
    struct stat st;
    return stat(process_path(s, name, path), &st) ? 0 : (double)st.st_size / (1 << 20);
}
