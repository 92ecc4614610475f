/* mo.h - an SMSC that sends messages in: the cause of events, as many as wanted, as fast or at a rate.
 *
 * A thread of its own. It waits for a bind, answers enquire_link, and sends deliver_sm up to the goal, a window unanswered at
 * once; what the other end refuses ends the program. The text of message n is "at=<us> n=<number>": when it was due (at a rate)
 * or sent, by the monotonic clock, which every process of the machine shares. */
#pragma once
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

enum { MO_NUMBERS_MOST = 64, MO_IN_OCTETS = 1 << 18 };

struct mo {
    int               door, fd;
    uint16_t          port;
    char              to[MO_NUMBERS_MOST][24];
    size_t            n_to;
    _Atomic uint64_t  goal, sent, answered;
    _Atomic unsigned  senders, first, window;       /* who writes: senders from first on, in turn */
    _Atomic uint64_t  rate;                 /* a second; 0: as fast as the window lets */
    _Atomic uint64_t  from_n;               /* where the run began, and when */
    _Atomic int64_t   from_us;
    _Atomic bool      up, fragile;          /* fragile: the other end may die */
    uint8_t           in[MO_IN_OCTETS];
    size_t            n_in;
    pthread_t         thread;
};

static inline void mo_die(const char *what)
{
    fprintf(stderr, "the bench's SMSC: %s (%s)\n", what, strerror(errno));
    exit(1);
}

static inline void mo_write(struct mo *m, const struct smpp_pdu *pdu)
{
    uint8_t octets[512];
    struct wr w = wr_of(octets, sizeof octets);
    if (smpp_write(&w, pdu))
        mo_die("a PDU cannot be written");
    if (send(m->fd, octets, wr_len(&w), MSG_NOSIGNAL) != (ssize_t)wr_len(&w) && !m->fragile)
        mo_die("send");
}

static inline void mo_send_next(struct mo *m, int64_t due_us)
{
    char from[24], text[96];
    uint64_t n = m->sent;
    snprintf(from, sizeof from, "1425%07u", (unsigned)(2000000 + m->first + (n - m->from_n) % m->senders));
    snprintf(text, sizeof text, "at=%lld n=%llu", (long long)(due_us ? due_us : clock_mono().us), (unsigned long long)n);
    struct smpp_pdu pdu = { .command = SMPP_deliver_sm, .sequence = (uint32_t)(n % 0x7fffffff) + 1,
        .sm = { .source_addr_ton = TON_INTERNATIONAL, .source_addr_npi = NPI_ISDN, .source_addr = str_of(from),
                .dest_addr_ton = TON_INTERNATIONAL, .dest_addr_npi = NPI_ISDN, .destination_addr = str_of(m->to[n % m->n_to] + 1),
                .short_message = str_of(text) } };
    m->sent++;
    mo_write(m, &pdu);
}

static inline void mo_hear_one(struct mo *m, const struct smpp_pdu *pdu)
{
    struct smpp_pdu answer = { .command = smpp_resp_to(pdu->command), .sequence = pdu->sequence };
    switch (pdu->command) {
    case SMPP_bind_receiver: case SMPP_bind_transmitter: case SMPP_bind_transceiver:
        answer.bind_resp.system_id = STR("bench");
        mo_write(m, &answer);
        m->up = true;
        break;
    case SMPP_deliver_sm_resp:
        if (pdu->status)
            mo_die("a message was refused");
        m->answered++;
        break;
    case SMPP_enquire_link: case SMPP_unbind:
        mo_write(m, &answer);
        break;
    default: break;
    }
}

/* @return false: the link is down */
static inline bool mo_hear(struct mo *m)
{
    ssize_t got = recv(m->fd, m->in + m->n_in, sizeof m->in - m->n_in, MSG_DONTWAIT);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    m->n_in += (size_t)got;
    size_t at = 0, n;
    while (smpp_frame(m->in + at, m->n_in - at, &n) == ERR_NONE && n && n <= m->n_in - at) {
        struct smpp_pdu pdu;
        if (smpp_read(&pdu, m->in + at, n) == ERR_NONE)
            mo_hear_one(m, &pdu);
        at += n;
    }
    memmove(m->in, m->in + at, m->n_in - at);
    m->n_in -= at;
    return true;
}

/* Send what is due. @return milliseconds until the next, -1: whenever an answer comes */
static inline int mo_send(struct mo *m)
{
    while (m->up && m->sent < m->goal && m->sent - m->answered < m->window) {
        int64_t due = 0;
        if (m->rate) {
            due = m->from_us + (int64_t)((m->sent - m->from_n) * US_PER_S / m->rate);
            int64_t gap = due - clock_mono().us;
            if (gap > 0)
                return gap < 1000 ? 0 : (int)(gap / 1000);
        }
        mo_send_next(m, due);
    }
    return m->sent < m->goal ? -1 : 1;
}

static inline void *mo_run(void *arg)
{
    struct mo *m = arg;
    for (int one = 1;; close(m->fd)) {
        m->up = false;
        m->n_in = 0;
        m->fd = accept(m->door, NULL, NULL);
        if (m->fd < 0)
            return NULL;
        setsockopt(m->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        m->answered = (uint64_t)m->sent;    /* what a link took with it is not waited for */
        do {
            struct pollfd p = { .fd = m->fd, .events = POLLIN };
            poll(&p, 1, mo_send(m));
        } while (mo_hear(m));
    }
}

static inline void mo_start(struct mo *m)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    m->senders = 1;
    m->window = 500;
    m->door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(m->door, (struct sockaddr *)&a, sizeof a) || listen(m->door, 4) || getsockname(m->door, (struct sockaddr *)&a, &n)
        || pthread_create(&m->thread, NULL, mo_run, m))
        mo_die("no port");
    m->port = ntohs(a.sin_port);
}

/** Send n more. Returns at once. */
static inline void mo_more(struct mo *m, uint64_t n, uint64_t rate)
{
    m->rate = rate;
    m->from_n = (uint64_t)m->sent;
    m->from_us = clock_mono().us;
    m->goal += n;
}
