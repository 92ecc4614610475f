/* smsc.h - an SMSC that takes all it is given: answers each submit_sm at once and reports it delivered behind the answer.
 *
 * A thread of its own, one poll over its few binds. What one read brought is answered by one write. At most SMSC_REPORT_WINDOW reports
 * are unanswered at once, the others wait. It may hold back its answers (then the other end's window stays full), and forgets what
 * it held when the link goes. Message ids are rising numbers. */
#pragma once
#include "base/buf.h"
#include "base/clock.h"
#include "base/rdwr.h"
#include "base/str.h"
#include "codec/smpp/smpp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SMSC_BINDS_MOST = 8, SMSC_IN_OCTETS = 1 << 18, SMSC_OUT_OCTETS = 1 << 20, SMSC_HELD_MOST = 1024,
       SMSC_REPORTS_MOST = 1 << 21, SMSC_REPORT_WINDOW = 500 };

struct smsc_held { uint64_t id; uint32_t sequence; uint8_t ton, npi, from_ton, from_npi; char from[24], to[24]; };
struct smsc_link {
    int              fd;                    /* -1: free */
    uint32_t         sequence;
    size_t           n_in, n_held;
    uint64_t         taken, reported, answered;     /* of this link */
    struct wr        out;
    struct smsc_held held[SMSC_HELD_MOST], *reports;      /* reports: a ring */
    uint8_t          in[SMSC_IN_OCTETS], octets[SMSC_OUT_OCTETS];
};
struct smsc {
    int              door;
    uint16_t         port;
    _Atomic unsigned binds;                 /* links that are bound now */
    _Atomic uint64_t submits, receipts;     /* taken; and deliver_sm answered */
    _Atomic bool     holds;                 /* answers nothing */
    uint64_t         last_id;
    struct smsc_link links[SMSC_BINDS_MOST];
    pthread_t        thread;
};

static inline void smsc_die(const char *what)
{
    fprintf(stderr, "the bench's SMSC: %s (%s)\n", what, strerror(errno));
    exit(1);
}

static inline void smsc_flush(struct smsc_link *l)
{
    size_t n = wr_len(&l->out);
    for (size_t at = 0; at < n;) {
        ssize_t sent = send(l->fd, l->octets + at, n - at, MSG_NOSIGNAL);
        if (sent <= 0)
            break;                          /* gone: the next read says so */
        at += (size_t)sent;
    }
    l->out = wr_of(l->octets, sizeof l->octets);
}

static inline void smsc_write(struct smsc_link *l, const struct smpp_pdu *pdu)
{
    if (sizeof l->octets - wr_len(&l->out) < 1024)
        smsc_flush(l);
    if (smpp_write(&l->out, pdu))
        smsc_die("a PDU cannot be written");
}

/* Receipts (appendix B) of what was taken, as far as the window lets. */
static inline void smsc_report(struct smsc_link *l)
{
    for (; l->reported < l->taken && l->reported - l->answered < SMSC_REPORT_WINDOW; l->reported++) {
        const struct smsc_held *h = &l->reports[l->reported % SMSC_REPORTS_MOST];
        char text[160];
        snprintf(text, sizeof text, "id:%llu sub:001 dlvrd:001 submit date:2611220900 done date:2611220900 stat:DELIVRD err:000 text:",
                 (unsigned long long)h->id);
        smsc_write(l, &(struct smpp_pdu){ .command = SMPP_deliver_sm, .sequence = l->sequence++ % 0x7fffffff + 1,
            .sm = { .source_addr_ton = h->ton, .source_addr_npi = h->npi, .source_addr = str_of(h->to), .dest_addr_ton = h->from_ton,
                    .dest_addr_npi = h->from_npi, .destination_addr = str_of(h->from), .esm_class = ESM_RECEIPT, .short_message = str_of(text) } });
    }
}

static inline void smsc_take(struct smsc *s, struct smsc_link *l, const struct smsc_held *h)
{
    char id[24];
    struct smsc_held *r = &l->reports[l->taken++ % SMSC_REPORTS_MOST];
    if (l->taken - l->reported > SMSC_REPORTS_MOST)
        smsc_die("the other end is too slow with its receipts");
    *r = *h;
    r->id = ++s->last_id;
    snprintf(id, sizeof id, "%llu", (unsigned long long)r->id);
    smsc_write(l, &(struct smpp_pdu){ .command = SMPP_submit_sm_resp, .sequence = h->sequence, .sm_resp.message_id = str_of(id) });
    smsc_report(l);
    s->submits++;
}

static inline void smsc_hear_submit(struct smsc *s, struct smsc_link *l, const struct smpp_pdu *pdu)
{
    struct smsc_held h = { .sequence = pdu->sequence, .ton = pdu->sm.dest_addr_ton, .npi = pdu->sm.dest_addr_npi,
                           .from_ton = pdu->sm.source_addr_ton, .from_npi = pdu->sm.source_addr_npi };
    str_copyz(h.from, sizeof h.from, pdu->sm.source_addr);
    str_copyz(h.to, sizeof h.to, pdu->sm.destination_addr);
    if (!s->holds)
        smsc_take(s, l, &h);
    else if (l->n_held < SMSC_HELD_MOST)
        l->held[l->n_held++] = h;
    else
        smsc_die("more than its window");
}

static inline void smsc_hear_one(struct smsc *s, struct smsc_link *l, const struct smpp_pdu *pdu)
{
    struct smpp_pdu answer = { .command = smpp_resp_to(pdu->command), .sequence = pdu->sequence };
    switch (pdu->command) {
    case SMPP_bind_receiver: case SMPP_bind_transmitter: case SMPP_bind_transceiver:
        answer.bind_resp.system_id = STR("bench");
        smsc_write(l, &answer);
        s->binds++;
        break;
    case SMPP_submit_sm:
        smsc_hear_submit(s, l, pdu);
        break;
    case SMPP_deliver_sm_resp:
        if (pdu->status)
            smsc_die("a receipt was refused");
        s->receipts++;
        l->answered++;
        break;
    case SMPP_enquire_link: case SMPP_unbind:
        smsc_write(l, &answer);
        break;
    default: break;
    }
}

/* @return false: the link is down */
static inline bool smsc_hear(struct smsc *s, struct smsc_link *l)
{
    ssize_t got = recv(l->fd, l->in + l->n_in, sizeof l->in - l->n_in, MSG_DONTWAIT);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    l->n_in += (size_t)got;
    size_t at = 0, n;
    while (smpp_frame(l->in + at, l->n_in - at, &n) == ERR_NONE && n && n <= l->n_in - at) {
        struct smpp_pdu pdu;
        if (smpp_read(&pdu, l->in + at, n) == ERR_NONE)
            smsc_hear_one(s, l, &pdu);
        at += n;
    }
    memmove(l->in, l->in + at, l->n_in - at);
    l->n_in -= at;
    smsc_report(l);
    smsc_flush(l);
    return true;
}

static inline void smsc_accept(struct smsc *s)
{
    struct smsc_link *l = s->links;
    int fd = accept4(s->door, NULL, NULL, SOCK_CLOEXEC), one = 1;
    while (l < s->links + SMSC_BINDS_MOST && l->fd >= 0)
        l++;
    if (fd < 0 || l == s->links + SMSC_BINDS_MOST)
        smsc_die("accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    l->fd = fd;
    if (!l->reports && !(l->reports = calloc(SMSC_REPORTS_MOST, sizeof *l->reports)))
        smsc_die("memory");
    l->n_in = l->n_held = 0;
    l->taken = l->reported = l->answered = 0;
    l->out = wr_of(l->octets, sizeof l->octets);
}

static inline void smsc_release(struct smsc *s, struct smsc_link *l)
{
    for (size_t i = 0; i < l->n_held; i++)
        smsc_take(s, l, &l->held[i]);
    l->n_held = 0;
    smsc_flush(l);
}

static inline void *smsc_run(void *arg)
{
    struct smsc *s = arg;
    while (s->door >= 0) {
        struct pollfd p[SMSC_BINDS_MOST + 1] = { { .fd = s->door, .events = POLLIN } };
        for (size_t i = 0; i < SMSC_BINDS_MOST; i++)
            p[i + 1] = (struct pollfd){ .fd = s->links[i].fd, .events = POLLIN };
        poll(p, SMSC_BINDS_MOST + 1, 100);
        if (p[0].revents)
            smsc_accept(s);
        for (size_t i = 0; i < SMSC_BINDS_MOST; i++) {
            struct smsc_link *l = &s->links[i];
            if (l->fd >= 0 && l->n_held && !s->holds)
                smsc_release(s, l);
            if (p[i + 1].revents && l->fd >= 0 && !smsc_hear(s, l)) {
                close(l->fd);
                l->fd = -1;
                s->binds--;
            }
        }
    }
    return NULL;
}

static inline void smsc_start(struct smsc *s)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    for (size_t i = 0; i < SMSC_BINDS_MOST; i++)
        s->links[i].fd = -1;
    s->door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->door, (struct sockaddr *)&a, sizeof a) || listen(s->door, 4) || getsockname(s->door, (struct sockaddr *)&a, &n)
        || pthread_create(&s->thread, NULL, smsc_run, s))
        smsc_die("no port");
    s->port = ntohs(a.sin_port);
}
