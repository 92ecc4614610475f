/* doctor: what on this machine, in the data folder and of the server is worth mending, each with what to do. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/str.h"
#include "main/ctl_priv.h"

struct visit {
    struct ctl *c;
    struct jw  *w;
    int         looks;                      /* findings that are worth a look */
};

/* One finding a line: good, or worth a look and what to do. */
static void finding(struct visit *v, bool good, const char *what, const char *is, const char *advice)
{
    jw_object(v->w, NULL);
    jw_textz(v->w, "what", what);
    jw_textz(v->w, "is", is);
    jw_bool(v->w, "good", good);
    if (!good)
        jw_textz(v->w, "advice", advice);
    jw_end(v->w);
    ctl_say(v->c, "%-4s %-32s %s%s%s", good ? "ok" : "LOOK", what, is, good ? "" : ": ", good ? "" : advice);
    v->looks += !good;
}

static const char *figure(const struct visit *v, int64_t n, const char *unit)
{
    return arena_printf(v->c->arena, "%lld%s", (long long)n, unit).p;
}

/* -- the machine -------------------------------------------------------------------------------------------------- */

static int64_t file_number(struct ctl *c, const char *path)
{
    struct str text = ctl_file(c, path);
    uint64_t   n;
    return text.p && str_u64(str_trim(text), INT64_MAX, &n) == ERR_NONE ? (int64_t)n : -1;
}

static void see_machine(struct visit *v)
{
    enum { RMEM_GOOD = 2 << 20, FILES_GOOD = 4096 };
    struct rlimit files = { 0 };
    struct timex  wall = { 0 };
    getrlimit(RLIMIT_NOFILE, &files);
    int64_t rmem = file_number(v->c, "/proc/sys/net/core/rmem_max");
    finding(v, rmem < 0 || rmem >= RMEM_GOOD, "net.core.rmem_max", figure(v, rmem, " octets"),
            "bursts of SIP over UDP may be lost; sysctl -w net.core.rmem_max=4194304");
    finding(v, files.rlim_max >= FILES_GOOD, "open files a process may have", figure(v, (int64_t)files.rlim_max, ""),
            "each connection takes one, each call two; ulimit -Hn 65536");
    finding(v, sysconf(_SC_NPROCESSORS_ONLN) >= 2, "processors", figure(v, sysconf(_SC_NPROCESSORS_ONLN), ""),
            "media and SIP share one; fine for trying out");
    int state = adjtimex(&wall);
    bool kept = state >= 0 && state != TIME_ERROR;
    finding(v, kept || state < 0, "clock", kept ? "kept by a time service" : state < 0 ? "not told here" : "kept by nobody",
            "signatures are refused when it is 15 minutes off; install chrony or systemd-timesyncd");
}

/* -- the data folder ---------------------------------------------------------------------------------------------- */

static void see_secret(struct visit *v, const char *name)
{
    const char *path = arena_printf(v->c->arena, "%s/%s", ctl_data(v->c), name).p;
    struct stat is;
    if (stat(path, &is))
        return;
    bool good = !(is.st_mode & 077);
    finding(v, good, name, good ? "for its owner alone" : "others may read it", arena_printf(v->c->arena, "chmod 600 %s", path).p);
}

static void see_data(struct visit *v)
{
    enum { MEBI = 1 << 20, ROOM_GOOD = 1024 };
    static const char *const secrets[] = { "id.key", "operator.key", "carterfone.db", "tls/ca.key", "tls/server.key" };
    struct statvfs disk;
    const char *data = ctl_data(v->c);
    if (access(data, F_OK) != 0) {
        finding(v, false, "data folder", data, "is not there; `carterfone serve` makes it, --data DIR names another");
        return;
    }
    bool mine = access(data, R_OK | W_OK | X_OK) == 0;
    finding(v, mine, "data folder", data, "may not be written by who asks; run the server as its owner, or chown it");
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
        see_secret(v, secrets[i]);
    if (statvfs(data, &disk))
        return;
    int64_t room = (int64_t)(disk.f_bavail * (disk.f_frsize / 1024) / 1024);
    finding(v, room >= ROOM_GOOD, "room on its disk", figure(v, room, " MiB"),
            "a full disk refuses what would be accepted; free some, or shorten --retention");
}

/* -- ports, where no server answers -------------------------------------------------------------------------------- */

static void see_ports(struct visit *v)
{
    static const struct { const char *what; uint16_t port; int type; } ports[] = {
        { "port of the API", 4500, SOCK_STREAM }, { "port of SIP (UDP)", 5060, SOCK_DGRAM }, { "port of the simulated SIP (UDP)", 15060, SOCK_DGRAM },
        { "port of the simulated SMSC", 12775, SOCK_STREAM },
    };
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(ports[i].port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, ports[i].type | SOCK_CLOEXEC, 0), yes = 1;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        bool is_free = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
        if (fd >= 0)
            close(fd);
        finding(v, is_free, ports[i].what, figure(v, ports[i].port, is_free ? " is free" : " is in use"),
                "the server takes the next free one and says so; or name one with --listen, --sip, --sim-sip, --sim-smpp");
    }
}

/* -- the server ---------------------------------------------------------------------------------------------------- */

static void see_carriers(struct visit *v)
{
    struct ctl_answer answer;
    const struct ctl_question q = { .as = CTL_AS_OPERATOR, .method = "GET", .target = STR("/carterfone/v1/status"), .quiet = true };
    if (ctl_ask_this(v->c, &q, &answer)) {
        finding(v, false, "carriers", "not told", "the operator's key is needed: --data DIR, or CARTERFONE_OPERATOR_KEY");
        return;
    }
    const struct json *carriers = json_member(answer.json, "carriers");
    for (size_t i = 0; i < json_count(carriers); i++) {
        const struct json *one = json_item(carriers, i);
        bool up = json_bool_of(one, "up", false);
        struct str why = json_text_of(one, "why");
        finding(v, up, arena_printf(v->c->arena, "carrier %s", ctl_path_text(v->c, one, "name").p).p,
                up ? "up" : why.n ? arena_printf(v->c->arena, "down: " STR_FMT, STR_ARG(why)).p : "down",
                "texts to it wait; `carterfone smsc list` shows its address, `carterfone smsc set` corrects it");
    }
}

static int doctor(struct ctl *c)
{
    scoped_buf    body = { 0 };
    struct jw     w = jw_of(&body);
    struct visit  v = { c, &w, 0 };
    struct ctl_answer answer;
    jw_object(&w, NULL);
    jw_array(&w, "findings");
    see_machine(&v);
    int found = ctl_find(c);
    see_data(&v);
    int rc = found ? found : ctl_ask(c, CTL_AS_NOBODY, "GET", STR("/readyz"), (struct str){ 0 }, &answer);
    if (rc == CTL_UNREACHABLE)
        see_ports(&v);
    else
        see_carriers(&v);
    if (!rc)                                /* asked over TLS, and its certificate was believed */
        finding(&v, true, str_starts(c->api, STR("https:")) ? "TLS, and the server" : "the server", "ready", "");
    jw_end(&w);
    jw_bool(&w, "serverReady", rc == CTL_OK);
    jw_end(&w);
    ctl_say_json(c, buf_str(&body));
    if (rc)
        return rc;
    ctl_say(c, "%s", v.looks ? "It runs; the lines marked LOOK say what to mend." : "Nothing to mend.");
    return CTL_OK;
}

const struct ctl_command ctl_doctor_commands[] = {
    { "doctor", "", "", 0, 0, NULL, doctor, "what on this machine is worth mending" },
    { 0 },
};
