/* Handsets at once: the simulated phone network (`carterfone sim`, a process of its own) answers 100, 500 and 1,000 calls, each with
 * a packet every 20 ms both ways. The caller is this program: our SIP stack, and RTP of its own, so that what it measures is not
 * measured by the loop that is measured. Arrival times are the kernel's (SO_TIMESTAMPNS), not those of when we came to read. */
#include "codec/rtp/rtp.h"
#include "hear.h"
#include "net/audio.h"
#include "net/sip_stack.h"
#include "process.h"

#include <arpa/inet.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/timerfd.h>

enum { CALLS_MOST = 1000, PHASES = 4, PHASE_MS = 5, FRAME_MS = 20, FRAME = 160, PACKET = RTP_HEADER_OCTETS + FRAME, BATCH = 4,
       BUCKET_US = 100, BUCKETS = 5000, CALLS_A_SECOND = 100, SPEECH_S = 10, PATIENCE_S = 60, JITTER_P99_MS = 20, TIMER_P99_MS = 2 };

struct call {
    _Atomic int state;                      /* 0 none, 1 dialled, 2 answered, 3 over */
    int      fd;
    uint16_t sequence;
    uint32_t timestamp;
    bool     begun;
    uint16_t heard;                         /* highest sequence number */
    int64_t  heard_us;
};

static struct {
    struct server    sim;                   /* the process; `site` is not used */
    char             sip[64];
    uint16_t         sip_port;
    struct sip_stack *sip_stack;
    struct call      calls[CALLS_MOST];
    size_t           n;
    pthread_t        media;
    _Atomic bool     stop, measuring;
    bool             busy;                  /* the machine, in some round */
    /* of the media thread while measuring, read when it rests */
    uint64_t         sent, received, lost;
    uint64_t         deviation[BUCKETS + 1], lateness[BUCKETS + 1];
} b;

static void fail(const char *what)
{
    process_fail(&b.sim, "log", what);
}

static void clean_up(void)
{
    if (b.sim.pid > 0) {
        kill(b.sim.pid, SIGKILL);
        waitpid(b.sim.pid, NULL, 0);
    }
    if (b.sim.folder[0])
        nftw(b.sim.folder, process_forget, 16, FTW_DEPTH | FTW_PHYS);
}

/* -- media ---------------------------------------------------------------------------------------------------------- */

static void send_frame(struct call *c, size_t i)
{
    uint8_t datagram[PACKET], sound[FRAME];
    struct wr w = wr_of(datagram, sizeof datagram);
    memset(sound, 0x55, sizeof sound);
    struct rtp_packet p = { .type = RTP_PCMU, .sequence = c->sequence++, .timestamp = c->timestamp, .ssrc = (uint32_t)i + 1,
                            .payload = sound, .n = FRAME };
    c->timestamp += FRAME;
    rtp_write(&p, &w);
    if (send(c->fd, datagram, wr_len(&w), MSG_DONTWAIT) == (ssize_t)wr_len(&w) && b.measuring)
        b.sent++;
}

static void heard(struct call *c, const uint8_t *bytes, size_t n, int64_t at_us)
{
    struct rtp_packet p;
    struct rd r = rd_of(bytes, n);
    if (rtp_read(&p, &r))
        return;
    uint16_t steps = (uint16_t)(p.sequence - c->heard);
    if (c->begun && b.measuring && steps && steps < 0x8000) {
        int64_t off = at_us - c->heard_us - (int64_t)steps * FRAME_MS * US_PER_MS;
        size_t bucket = (size_t)(llabs(off) / BUCKET_US);
        b.deviation[bucket < BUCKETS ? bucket : BUCKETS]++;
        b.lost += steps - 1U;
        b.received++;
    }
    c->begun = true;
    c->heard = p.sequence;
    c->heard_us = at_us;
}

static void hear(struct call *c)
{
    uint8_t bytes[BATCH][256], control[BATCH][64];
    struct mmsghdr m[BATCH];
    struct iovec v[BATCH];
    for (int i = 0; i < BATCH; i++) {
        v[i] = (struct iovec){ bytes[i], sizeof bytes[i] };
        m[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &v[i], .msg_iovlen = 1, .msg_control = control[i],
                                              .msg_controllen = sizeof control[i] } };
    }
    int n = recvmmsg(c->fd, m, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        struct cmsghdr *h = CMSG_FIRSTHDR(&m[i].msg_hdr);
        struct timespec t = { 0 };
        if (h && h->cmsg_type == SCM_TIMESTAMPNS)
            memcpy(&t, CMSG_DATA(h), sizeof t);
        heard(c, bytes[i], m[i].msg_len, (int64_t)t.tv_sec * US_PER_S + t.tv_nsec / 1000);
    }
}

/* Every 5 ms a quarter of the calls: what has come, then one packet each. */
static void *media_thread(void *arg)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    struct itimerspec every = { .it_interval.tv_nsec = PHASE_MS * 1000000, .it_value.tv_nsec = PHASE_MS * 1000000 };
    uint64_t ticks, tick = 0;
    timerfd_settime(timer, 0, &every, NULL);
    int64_t begun_us = clock_mono().us;
    while (!b.stop && read(timer, &ticks, sizeof ticks) == sizeof ticks) {
        int64_t late_us = clock_mono().us - begun_us - (int64_t)(tick + 1) * PHASE_MS * US_PER_MS;
        size_t bucket = late_us > 0 ? (size_t)late_us / BUCKET_US : 0;
        if (b.measuring)
            b.lateness[bucket < BUCKETS ? bucket : BUCKETS]++;
        for (; ticks; ticks--, tick++)
            for (size_t i = tick % PHASES; i < CALLS_MOST; i += PHASES)
                if (b.calls[i].state == 2) {
                    hear(&b.calls[i]);
                    send_frame(&b.calls[i], i);
                }
    }
    close(timer);
    return arg;
}

/* -- calls ------------------------------------------------------------------------------------------------------------ */

static struct sip_verdict on_incoming(void *user, const struct sip_incoming *in)
{
    (void)user, (void)in;
    return (struct sip_verdict){ .status = 480 };
}
static void on_progress(void *user, uint64_t call, int status, const struct sdp_audio *early)
{
    (void)user, (void)call, (void)status, (void)early;
}
static void on_answered(void *user, uint64_t call, const struct sdp_audio *remote)
{
    struct call *c = &b.calls[call - 1];
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(remote->port) };
    (void)user;
    inet_pton(AF_INET, remote->host, &to.sin_addr);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to))
        perror("connect");
    c->state = 2;
}
static void on_ended(void *user, uint64_t call, const struct sip_end *end)
{
    (void)user;
    if (b.calls[call - 1].state == 1)
        fprintf(stderr, "call %d was not answered: %d %s\n", (int)call, end->status, end->words);
    b.calls[call - 1].state = 3;
}

static void dial(size_t i)
{
    struct call *c = &b.calls[i];
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    char to[16];
    int on = 1;
    *c = (struct call){ .fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), .state = 1 };
    if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&at, sizeof at) || getsockname(c->fd, (struct sockaddr *)&at, &n)
        || setsockopt(c->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on))
        fail("a socket cannot be made (ulimit -n?)");
    snprintf(to, sizeof to, "+1206555%04zu", 2000 + i);
    struct sip_invite plan = { .call = i + 1, .peer = { b.sip, b.sip_port, SIP_UDP }, .to = str_of(to), .from = STR("+12065551000"),
                               .local = { .host = "127.0.0.1", .port = ntohs(at.sin_port), .dtmf_payload = 101, .ptime_ms = FRAME_MS } };
    if (sip_stack_invite(b.sip_stack, &plan))
        fail("an INVITE could not be sent");
}

static size_t count(int state)
{
    size_t n = 0;
    for (size_t i = 0; i < b.n; i++)
        n += b.calls[i].state == state;
    return n;
}

static void wait_all(int state, const char *what)
{
    for (int ms = 0; count(state) < b.n; ms += 10) {
        if (ms > PATIENCE_S * 1000)
            fail(what);
        usleep(10000);
    }
}

/* -- a round ------------------------------------------------------------------------------------------------------------ */

/* A counter of the Udp lines of /proc/net/snmp; of the whole machine. */
static uint64_t udp_counter(const char *name)
{
    char names[512] = "", values[512] = "", *at_name, *at_value, *save1 = NULL, *save2 = NULL;
    FILE *f = fopen("/proc/net/snmp", "re");
    while (f && fgets(names, sizeof names, f) && strncmp(names, "Udp:", 4))
        continue;
    if (!f || !fgets(values, sizeof values, f))
        values[0] = '\0';
    if (f)
        fclose(f);
    for (at_name = strtok_r(names, " \n", &save1), at_value = strtok_r(values, " \n", &save2); at_name && at_value;
         at_name = strtok_r(NULL, " \n", &save1), at_value = strtok_r(NULL, " \n", &save2))
        if (!strcmp(at_name, name))
            return strtoull(at_value, NULL, 10);
    return 0;
}

static double percentile_ms(const uint64_t *buckets, double share)
{
    uint64_t all = 0, seen = 0;
    for (size_t i = 0; i <= BUCKETS; i++)
        all += buckets[i];
    for (size_t i = 0; i <= BUCKETS; i++)
        if ((seen += buckets[i]) >= (uint64_t)ceil(share * (double)all))
            return (double)(i + 1) * BUCKET_US / 1000;
    return 0;
}

static double own_cpu(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static bool round_of(size_t n, int seconds)
{
    double rss = server_memory(&b.sim, "VmRSS:");
    b.n = n;
    for (size_t i = 0; i < n; i++) {
        dial(i);
        usleep(1000000 / CALLS_A_SECOND);
    }
    wait_all(2, "not every call was answered");
    sleep(1);
    memset(b.deviation, 0, sizeof b.deviation);
    memset(b.lateness, 0, sizeof b.lateness);
    b.sent = b.received = b.lost = 0;
    uint64_t full = udp_counter("RcvbufErrors");
    double sim_cpu = server_cpu(&b.sim), my_cpu = own_cpu();
    int64_t began = clock_mono().us;
    b.measuring = true;
    sleep((unsigned)seconds);
    b.measuring = false;
    double took = (double)(clock_mono().us - began) / US_PER_S, expected = (double)n * took * 1000 / FRAME_MS;
    usleep(100000);
    sim_cpu = (server_cpu(&b.sim) - sim_cpu) / took;
    my_cpu = (own_cpu() - my_cpu) / took;
    full = udp_counter("RcvbufErrors") - full;
    double lost = 100 * (double)b.lost / (double)(b.received + b.lost), p99 = percentile_ms(b.deviation, 0.99), timer = percentile_ms(b.lateness, 0.99);
    printf("%5zu  %6.1f %%  %6.1f us  %6.1f %%  %9llu  %6.2f %%  %6.3f %%  %8llu  %5.1f  %5.1f  %6.1f  %7.1f  %7.1f KiB\n", n, 100 * sim_cpu,
           1e6 * sim_cpu / ((double)n * 1000 / FRAME_MS), 100 * my_cpu, (unsigned long long)b.received, 100 * (double)b.received / expected, lost,
           (unsigned long long)full, percentile_ms(b.deviation, 0.5), p99, percentile_ms(b.deviation, 0.999), timer,
           (server_memory(&b.sim, "VmRSS:") - rss) * 1024 / (double)n);
    fflush(stdout);
    for (size_t i = 0; i < n; i++) {
        if (sip_stack_hangup(b.sip_stack, i + 1, 16))
            fail("a call cannot be ended");
        usleep(500000 / CALLS_A_SECOND);
    }
    wait_all(3, "not every call ended");
    for (size_t i = 0; i < n; i++)
        close(b.calls[i].fd);
    bool busy = timer > TIMER_P99_MS;
    b.busy |= busy;
    return count(3) == n && lost < 0.1 && (busy || ((double)b.received > 0.98 * expected && p99 <= JITTER_P99_MS));
}

/* -- life ---------------------------------------------------------------------------------------------------------------- */

static void start_sim(void)
{
    char ready[1024], speech[1024], how[1100], *text = NULL;
    size_t n = 0;
    struct stat st;
    int16_t *samples = calloc(SPEECH_S * 8000, sizeof *samples);
    hear_make_speech(samples, SPEECH_S * 8000, 8000, 1);
    if (audio_write_wav(process_path(&b.sim, "speech.wav", speech), samples, SPEECH_S * 8000, NULL))
        fail("the speech cannot be written");
    free(samples);
    snprintf(how, sizeof how, "* answer-after=0 say=%s", speech);
    const char *const argv[] = { b.sim.program, "sim", "--data", process_path(&b.sim, "data", (char[1024]){ 0 }), "--sim-sip", "127.0.0.1:0",
        "--sim-smpp", "127.0.0.1:0", "--rtp-ports", "0", "--quiet", "--sim-handsets", how, "--ready-file",
        process_path(&b.sim, "ready.json", ready), NULL };
    b.sim.pid = process_start(&b.sim, "log", argv);
    for (int waited = 0; stat(ready, &st); waited++) {
        if (waitpid(b.sim.pid, NULL, WNOHANG) == b.sim.pid || waited > 2000)
            fail("the simulated networks did not start");
        usleep(5000);
    }
    scoped(json_doc) struct json_doc *doc = NULL;
    struct str at, port;
    if (file_read_whole(ready, 1 << 16, &text, &n) || json_read(&doc, (struct str){ text, n }, NULL)
        || !str_cut(json_text_of(json_root(doc), "simSip"), ':', &at, &port))
        fail("the ready file cannot be read");
    str_copyz(b.sip, sizeof b.sip, at);
    b.sip_port = (uint16_t)atoi(port.p);
    free(text);
}

int main(int argc, char **argv)
{
    static const size_t rounds[] = { 100, 500, 1000 };
    const char *seconds = getenv("SECONDS_EACH");
    struct problem why = { 0 };
    struct rlimit files = { 8192, 8192 };
    bool good = true;
    if (setrlimit(RLIMIT_NOFILE, &files))
        fprintf(stderr, "ulimit -n stays as it is\n");
    snprintf(b.sim.program, sizeof b.sim.program, "%s/../carterfone", argc > 1 ? argv[1] : ".");
    snprintf(b.sim.folder, sizeof b.sim.folder, "/tmp/carterfone-bench-XXXXXX");
    if (!mkdtemp(b.sim.folder))
        return 1;
    atexit(clean_up);
    machine_print("handsets: calls at once through the simulated phone network, a packet every 20 ms each way",
                  "one process of `carterfone sim`; the caller is this program: our SIP stack and an RTP sender of its own, on the same\n"
                  "         machine over loopback, 100 calls a second until all talk, then 10 s are measured. cpu: of the network's process;\n"
                  "         a call's: its processor time for each 20 ms, both ways; caller: this program's. Heard: of the packets that were due.\n"
                  "         Lost: by sequence numbers. Full: datagrams dropped on this machine for want of buffer. Deviation: of the time between\n"
                  "         two packets from 20 ms, by the kernel's time stamps. Timer: how late this program's own timer woke it, which is\n"
                  "         the machine's doing: packets in time are judged only where its p99 is under 2 ms.\n"
                  "         Memory: growth of the network's process since before the round\n"
                  "         (SIP transactions of a round before rest for 32 s)");
    struct sip_stack_conf sip = { .name = "caller", .host = "127.0.0.1", .events = { on_incoming, on_progress, on_answered, NULL, on_ended, NULL } };
    start_sim();
    if (sip_stack_new(&b.sip_stack, &sip, &why) || sip_stack_start(b.sip_stack) || pthread_create(&b.media, NULL, media_thread, NULL))
        fail(why.text);
    printf("calls  cpu       a call     caller    packets    heard     lost       full    deviation p50 p99 p99.9 ms  timer p99  memory a call\n");
    for (size_t i = 0; i < ARRAY_LEN(rounds); i++)
        good &= round_of(rounds[i], seconds ? atoi(seconds) : 10);
    b.stop = true;
    pthread_join(b.media, NULL);
    sip_stack_stop(b.sip_stack, 100);
    sip_stack_free(b.sip_stack);
    server_stop(&b.sim);
    printf("\nwanted: all heard but 2 %%, under 0.1 %% lost, p99 of the deviation one packet (%d ms) at most: %s\n", JITTER_P99_MS,
           !good ? "NOT HELD" : b.busy ? "not judged in every round, the machine was too busy" : "held");
    return !good;
}
