/* kannel.h - Kannel 1.4.5, the gateway most people have, as the peer of a bench: a bearerbox with a transceiver bind of window
 * 100, a file store and internal delivery reports, and two smsboxes. As Debian packages it; a folder of its own. */
#pragma once
#include "process.h"

enum { KANNEL_PROCESSES = 3 };
struct kannel {
    char     folder[600];
    pid_t    pid[KANNEL_PROCESSES];
    uint16_t sendsms[2];
};

static inline bool kannel_is_there(void)
{
    return !access("/usr/sbin/bearerbox", X_OK) && !access("/usr/sbin/smsbox", X_OK);
}

static inline uint16_t kannel_free_port(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) || getsockname(fd, (struct sockaddr *)&a, &n))
        exit(1);
    close(fd);
    return ntohs(a.sin_port);
}

static inline void kannel_configure(const struct kannel *k, const char *name, uint16_t admin, uint16_t boxes, uint16_t smsc_port, uint16_t sendsms)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.conf", k->folder, name);
    FILE *f = fopen(path, "we");
    if (!f)
        exit(1);
    fprintf(f, "group = core\nadmin-port = %u\nadmin-interface = 127.0.0.1\nadmin-password = change-me\nsmsbox-port = %u\n"
               "smsbox-interface = 127.0.0.1\nlog-file = \"%s/bearerbox.log\"\nlog-level = 3\nstore-type = file\n"
               "store-location = \"%s/kannel.store\"\ndlr-storage = internal\n\n", admin, boxes, k->folder, k->folder);
    fprintf(f, "group = smsc\nsmsc = smpp\nsmsc-id = bench\nhost = 127.0.0.1\nport = %u\ntransceiver-mode = true\n"
                   "smsc-username = kannel\nsmsc-password = secret\nsystem-type = \"\"\nsource-addr-autodetect = true\n"
                   "dest-addr-ton = 1\ndest-addr-npi = 1\nmax-pending-submits = 100\n\n", smsc_port);
    fprintf(f, "group = smsbox\nsmsbox-id = %s\nbearerbox-host = 127.0.0.1\nsendsms-port = %u\nsendsms-interface = 127.0.0.1\n"
                   "log-file = \"%s/%s.log\"\nlog-level = 3\n\ngroup = sendsms-user\nusername = tester\npassword = secret\n\n"
                   "group = sms-service\nkeyword = default\ntext = \"no\"\n", name, sendsms, k->folder, name);
    fclose(f);
}

static inline pid_t kannel_spawn(const struct kannel *k, const char *program, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.conf", k->folder, name);
    pid_t pid = fork();
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int fd = open("/dev/null", O_RDWR);
    dup2(fd, 1);
    dup2(fd, 2);
    execl(program, program, "-v", "4", path, (char *)NULL);
    _exit(127);
}

static inline bool kannel_listens(uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = !connect(fd, (struct sockaddr *)&a, sizeof a);
    close(fd);
    return good;
}

static inline void kannel_wait_for(uint16_t port)
{
    for (int waited = 0; !kannel_listens(port); waited++) {
        if (waited > 2000) {
            fprintf(stderr, "Kannel does not listen\n");
            exit(1);
        }
        usleep(10000);
    }
}

/** @param binds  of the SMSC at smsc_port: returns when there is one, and both smsboxes listen */
static inline void kannel_start(struct kannel *k, const char *folder, uint16_t smsc_port, const _Atomic unsigned *binds)
{
    uint16_t admin = kannel_free_port(), boxes = kannel_free_port();
    snprintf(k->folder, sizeof k->folder, "%s/kannel", folder);
    mkdir(k->folder, 0700);
    kannel_configure(k, "bearerbox", admin, boxes, smsc_port, kannel_free_port());
    k->pid[0] = kannel_spawn(k, "/usr/sbin/bearerbox", "bearerbox");
    kannel_wait_for(boxes);
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "two" : "one";
        k->sendsms[i] = kannel_free_port();
        kannel_configure(k, name, admin, boxes, smsc_port, k->sendsms[i]);
        k->pid[i + 1] = kannel_spawn(k, "/usr/sbin/smsbox", name);
        kannel_wait_for(k->sendsms[i]);
    }
    for (int waited = 0; !*binds; waited++) {
        if (waited > 2000) {
            fprintf(stderr, "Kannel does not bind\n");
            exit(1);
        }
        usleep(10000);
    }
}

static inline void kannel_stop(struct kannel *k)
{
    for (int i = KANNEL_PROCESSES - 1; i >= 0; i--)
        if (k->pid[i] > 0) {
            kill(k->pid[i], SIGKILL);           /* nothing of it is wanted again */
            waitpid(k->pid[i], NULL, 0);
            k->pid[i] = 0;
        }
}

/** Processor time, seconds. */
static inline double kannel_cpu(const struct kannel *k)
{
    double sum = 0;
    for (int i = 0; i < KANNEL_PROCESSES; i++)
        sum += server_cpu(&(struct server){ .pid = k->pid[i] });
    return sum;
}
