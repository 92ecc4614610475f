/* sip_peer - our SIP stack alone, for foreign programs to talk to (tests/sip/test_stack.sh).
 *
 *   sip_peer listen answer|busy|ring        wait for calls; the port is the first line printed
 *   sip_peer call HOST:PORT udp|tcp hangup|wait|cancel     one call: hang up when answered, wait for their BYE, or cancel
 *   sip_peer noise HOST:PORT                500 datagrams that are no SIP, or hardly
 * Each event is a line: incoming, progress 180, answered HOST PORT PAYLOAD, changed DIRECTION, ended STATUS Q850 us|peer.
 * It ends when its (only) call has ended, or `listen` after N calls: sip_peer listen answer N. */
#include "base/str.h"
#include "net/sip_stack.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { CALL = 1, NOISES = 500, LINGER_MS = 300, TALK_MS = 100 };
enum mode { ANSWER, BUSY, RING, HANGUP, WAIT, CANCEL };

struct peer {
    struct sip_stack *stack;
    enum mode         mode;
    uint64_t          next_call;
    int               left;             /* calls still to end */
    pthread_mutex_t   lock;
    pthread_cond_t    done;
};

static const struct sdp_audio local = { .host = "127.0.0.1", .port = 40000, .payload = SDP_PCMU, .dtmf_payload = 101 };

static void check(enum err err)
{
    if (!err)
        return;
    fprintf(stderr, "sip_peer: %s\n", err_words(err));
    _exit(1);
}

static struct sip_verdict on_incoming(void *user, const struct sip_incoming *in)
{
    struct peer *p = user;
    struct sip_verdict v = { .call = ++p->next_call };
    printf("incoming " STR_FMT " " STR_FMT "\n", STR_ARG(in->from), STR_ARG(in->to));
    if (p->mode != BUSY)
        check(sip_stack_ring(p->stack, v.call, NULL));
    if (p->mode == ANSWER)
        check(sip_stack_answer(p->stack, v.call, &local));
    if (p->mode == BUSY)
        check(sip_stack_reject(p->stack, v.call, 486, 17));
    return v;
}

static void on_progress(void *user, uint64_t call, int status, const struct sdp_audio *early)
{
    struct peer *p = user;
    printf("progress %d%s\n", status, early ? " early" : "");
    if (p->mode == CANCEL)
        check(sip_stack_hangup(p->stack, call, 0));
}

static void on_answered(void *user, uint64_t call, const struct sdp_audio *remote)
{
    struct peer *p = user;
    printf("answered %s %u %u\n", remote->host, remote->port, remote->payload);
    if (p->mode == HANGUP) {
        usleep(TALK_MS * 1000);         /* a test program may sleep on this thread */
        check(sip_stack_hangup(p->stack, call, 16));
    }
}

static void on_changed(void *user, uint64_t call, const struct sdp_audio *remote)
{
    (void)user, (void)call;
    printf("changed %d\n", remote->direction);
}

static void on_ended(void *user, uint64_t call, const struct sip_end *end)
{
    struct peer *p = user;
    (void)call;
    printf("ended %d %d %s\n", end->status, end->q850, end->by_peer ? "peer" : "us");
    pthread_mutex_lock(&p->lock);
    p->left--;
    pthread_cond_signal(&p->done);
    pthread_mutex_unlock(&p->lock);
}

/* Random octets, and INVITEs with some of their octets replaced; always the same ones. */
static int noise(const char *host_port)
{
    static const char invite[] = "INVITE sip:+12065550100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKn\r\n"
                                 "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: noise\r\nCSeq: 1 INVITE\r\n\r\n";
    const char *colon = strrchr(host_port, ':');
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                              .sin_port = htons((uint16_t)atoi(colon + 1)) };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    uint32_t seed = 1;
    for (int i = 0; i < NOISES; i++) {
        char text[sizeof invite];
        memcpy(text, invite, sizeof text);
        for (size_t k = 0; k < sizeof text; k++) {
            seed = seed * 1664525 + 1013904223;
            if (i % 2 || (seed >> 8) % 50 == 0)
                text[k] = (char)(seed >> 24);
        }
        if (sendto(fd, text, 1 + (size_t)i % (sizeof text - 1), 0, (struct sockaddr *)&to, sizeof to) < 0)
            return 1;
        usleep(100);
    }
    close(fd);
    return 0;
}

static int usage(void)
{
    fprintf(stderr, "sip_peer listen answer|busy|ring [N] | call HOST:PORT udp|tcp hangup|wait|cancel | noise HOST:PORT\n");
    return 2;
}

static bool mode_of(const char *word, enum mode *mode)
{
    static const char *const words[] = { "answer", "busy", "ring", "hangup", "wait", "cancel" };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (!strcmp(word, words[i])) {
            *mode = (enum mode)i;
            return true;
        }
    return false;
}

static void call_out(struct peer *p, char *host_port, const char *transport)
{
    char *colon = strrchr(host_port, ':');
    *colon = 0;
    struct sip_invite plan = { .call = CALL, .to = STR("+12065550100"), .from = STR("+12065550199"), .display = STR("Peer"),
                               .local = local, .ring_us = 3000000,
                               .peer = { host_port, (uint16_t)atoi(colon + 1), strcmp(transport, "tcp") ? SIP_UDP : SIP_TCP } };
    check(sip_stack_invite(p->stack, &plan));
}

int main(int argc, char **argv)
{
    struct peer p = { .left = 1, .lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER };
    if (argc == 3 && !strcmp(argv[1], "noise") && strchr(argv[2], ':'))
        return noise(argv[2]);
    bool listens = argc >= 3 && !strcmp(argv[1], "listen");
    bool calls = argc == 5 && !strcmp(argv[1], "call") && strchr(argv[2], ':');
    if ((!listens && !calls) || !mode_of(argv[listens ? 2 : 4], &p.mode))
        return usage();
    if (listens && argc > 3)
        p.left = atoi(argv[3]);
    struct sip_stack_conf conf = { .name = "peer", .host = "127.0.0.1", .user = &p,
                                   .events = { on_incoming, on_progress, on_answered, on_changed, on_ended, NULL } };
    struct problem why = { 0 };
    setvbuf(stdout, NULL, _IOLBF, 0);
    check(sip_stack_new(&p.stack, &conf, &why));
    printf("%u\n", sip_stack_port(p.stack));
    check(sip_stack_start(p.stack));
    if (calls)
        call_out(&p, argv[2], argv[3]);
    pthread_mutex_lock(&p.lock);
    while (p.left > 0)
        pthread_cond_wait(&p.done, &p.lock);
    pthread_mutex_unlock(&p.lock);
    sip_stack_stop(p.stack, LINGER_MS);
    sip_stack_free(p.stack);
    return 0;
}
