/* Two stacks call each other over loopback sockets; a bare UDP socket plays the strange peer. */
#include "net/sip_stack.h"
#include "base/clock.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 64, WAIT_S = 8, T1_TEST_MS = 40 };

enum what { INCOMING, PROGRESS, ANSWERED, CHANGED, ENDED };
struct seen {
    enum what        what;
    uint64_t         call;
    int              status, q850;
    bool             by_peer, has_media;
    struct sdp_audio media;
    char             to[72], from[72], asserted[72], display[96], words[96];
    bool             anonymous;
};

/* One side: its stack, and everything that the stack told it. */
struct side {
    struct sip_stack  *stack;
    pthread_mutex_t    lock;
    pthread_cond_t     changed;
    struct seen        seen[EVENTS_MAX];
    size_t             n, looked;
    struct sip_verdict verdict;         /* for the next call; a call id counts up from here */
};

static void note(struct side *p, struct seen e)
{
    pthread_mutex_lock(&p->lock);
    if (p->n < EVENTS_MAX)
        p->seen[p->n++] = e;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static struct sip_verdict on_incoming(void *user, const struct sip_incoming *in)
{
    struct side *p = user;
    pthread_mutex_lock(&p->lock);
    struct sip_verdict v = p->verdict;
    p->verdict.call++;
    pthread_mutex_unlock(&p->lock);
    struct seen e = { .what = INCOMING, .call = v.call, .media = in->remote, .has_media = true, .anonymous = in->anonymous };
    str_copyz(e.to, sizeof e.to, in->to);
    str_copyz(e.from, sizeof e.from, in->from);
    str_copyz(e.asserted, sizeof e.asserted, in->asserted);
    str_copyz(e.display, sizeof e.display, in->display);
    str_copyz(e.words, sizeof e.words, str_of(in->source_host));
    note(p, e);
    return v;
}

static void on_progress(void *user, uint64_t call, int status, const struct sdp_audio *early)
{
    struct seen e = { .what = PROGRESS, .call = call, .status = status, .has_media = early != NULL };
    if (early)
        e.media = *early;
    note(user, e);
}

static void on_answered(void *user, uint64_t call, const struct sdp_audio *remote)
{
    note(user, (struct seen){ .what = ANSWERED, .call = call, .media = *remote, .has_media = true });
}

static void on_changed(void *user, uint64_t call, const struct sdp_audio *remote)
{
    note(user, (struct seen){ .what = CHANGED, .call = call, .media = *remote, .has_media = true });
}

static void on_ended(void *user, uint64_t call, const struct sip_end *end)
{
    struct seen e = { .what = ENDED, .call = call, .status = end->status, .q850 = end->q850, .by_peer = end->by_peer };
    str_copyz(e.words, sizeof e.words, str_of(end->words));
    note(user, e);
}

/* The next thing told, which must be of this kind. */
static struct seen next(struct side *p, enum what what)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&p->lock);
    while (p->looked == p->n && !pthread_cond_timedwait(&p->changed, &p->lock, &until))
        continue;
    bool there = p->looked < p->n;
    struct seen e = there ? p->seen[p->looked++] : (struct seen){ 0 };
    pthread_mutex_unlock(&p->lock);
    assert_true(there);
    assert_int_equal(e.what, what);
    return e;
}

static void side_open(struct side *p, uint64_t first_call)
{
    *p = (struct side){ .verdict.call = first_call };
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    struct sip_stack_conf conf = { .name = "sip-test", .host = "127.0.0.1", .user_agent = "test/1", .t1_ms = T1_TEST_MS,
                                   .user = p,
                                   .events = { on_incoming, on_progress, on_answered, on_changed, on_ended, NULL } };
    struct problem why = { 0 };
    assert_int_equal(sip_stack_new(&p->stack, &conf, &why), ERR_NONE);
    assert_int_equal(sip_stack_start(p->stack), ERR_NONE);
    assert_true(sip_stack_port(p->stack) > 0);
}

static void side_close(struct side *p)
{
    sip_stack_free(p->stack);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
}

struct pair { struct side a, b; };

static int setup(void **state)
{
    struct pair *t = calloc(1, sizeof *t);
    side_open(&t->a, 1000);
    side_open(&t->b, 2000);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct pair *t = *state;
    struct sip_counts counts;
    sip_stack_counts(t->a.stack, &counts);
    assert_int_equal(counts.impossible, 0);
    sip_stack_counts(t->b.stack, &counts);
    assert_int_equal(counts.impossible, 0);
    side_close(&t->a);
    side_close(&t->b);
    free(t);
    return 0;
}

static struct sdp_audio audio(uint16_t port)
{
    return (struct sdp_audio){ .host = "127.0.0.1", .port = port, .payload = SDP_PCMU, .dtmf_payload = 101 };
}

static struct sip_invite plan_to(const struct side *to, uint64_t call)
{
    return (struct sip_invite){ .call = call, .peer = { "127.0.0.1", sip_stack_port(to->stack), SIP_UDP },
                                .to = STR("+12065550100"), .from = STR("+12065550199"), .local = audio(4000) };
}

static void dial(struct pair *t, uint64_t call)
{
    struct sip_invite plan = plan_to(&t->b, call);
    assert_int_equal(sip_stack_invite(t->a.stack, &plan), ERR_NONE);
}

/* a calls b, b answers; returns b's id. */
static uint64_t connect_pair(struct pair *t, uint64_t call, enum sip_transport transport)
{
    struct sip_invite plan = plan_to(&t->b, call);
    plan.peer.transport = transport;
    assert_int_equal(sip_stack_invite(t->a.stack, &plan), ERR_NONE);
    uint64_t theirs = next(&t->b, INCOMING).call;
    struct sdp_audio local = audio(4002);
    assert_int_equal(sip_stack_answer(t->b.stack, theirs, &local), ERR_NONE);
    assert_int_equal(next(&t->a, ANSWERED).media.port, 4002);
    assert_int_equal(next(&t->b, ANSWERED).media.port, 4000);
    return theirs;
}

static void an_answered_call_tells_both_ends_where_media_goes(void **state)
{
    struct pair *t = *state;
    struct sip_invite plan = plan_to(&t->b, 1);
    plan.display = STR("Ann \"A\" Bell");
    assert_int_equal(sip_stack_invite(t->a.stack, &plan), ERR_NONE);
    struct seen in = next(&t->b, INCOMING);
    assert_string_equal(in.to, "+12065550100");
    assert_string_equal(in.from, "+12065550199");
    assert_string_equal(in.display, "Ann \"A\" Bell");
    assert_string_equal(in.words, "127.0.0.1");
    assert_false(in.anonymous);
    assert_int_equal(in.media.port, 4000);
    assert_int_equal(in.media.payload, SDP_PCMU);
    assert_int_equal(in.media.dtmf_payload, 101);

    assert_int_equal(sip_stack_ring(t->b.stack, in.call, NULL), ERR_NONE);
    struct seen ringing = next(&t->a, PROGRESS);
    assert_int_equal(ringing.status, 180);
    assert_false(ringing.has_media);

    struct sdp_audio local = audio(4002);
    assert_int_equal(sip_stack_answer(t->b.stack, in.call, &local), ERR_NONE);
    struct seen up = next(&t->a, ANSWERED);
    assert_int_equal(up.call, 1);
    assert_int_equal(up.media.port, 4002);
    assert_int_equal(up.media.dtmf_payload, 101);
    assert_int_equal(next(&t->b, ANSWERED).call, in.call);

    assert_int_equal(sip_stack_hangup(t->a.stack, 1, 16), ERR_NONE);
    struct seen mine = next(&t->a, ENDED), theirs = next(&t->b, ENDED);
    assert_int_equal(mine.status, 200);
    assert_false(mine.by_peer);
    assert_int_equal(theirs.status, 200);
    assert_int_equal(theirs.q850, 16);
    assert_true(theirs.by_peer);
}

static void the_called_side_may_hang_up(void **state)
{
    struct pair *t = *state;
    uint64_t theirs = connect_pair(t, 2, SIP_UDP);
    assert_int_equal(sip_stack_hangup(t->b.stack, theirs, 31), ERR_NONE);
    assert_false(next(&t->b, ENDED).by_peer);
    struct seen end = next(&t->a, ENDED);
    assert_true(end.by_peer);
    assert_int_equal(end.q850, 31);
}

static void a_call_goes_over_tcp(void **state)
{
    struct pair *t = *state;
    uint64_t theirs = connect_pair(t, 3, SIP_TCP);
    assert_int_equal(sip_stack_hangup(t->b.stack, theirs, 0), ERR_NONE);
    assert_true(next(&t->a, ENDED).by_peer);
    next(&t->b, ENDED);
}

static void a_busy_call_says_so_with_its_cause(void **state)
{
    struct pair *t = *state;
    dial(t, 4);
    uint64_t theirs = next(&t->b, INCOMING).call;
    assert_int_equal(sip_stack_reject(t->b.stack, theirs, 486, 17), ERR_NONE);
    assert_false(next(&t->b, ENDED).by_peer);
    struct seen end = next(&t->a, ENDED);
    assert_int_equal(end.status, 486);
    assert_int_equal(end.q850, 17);
    assert_string_equal(end.words, "Busy Here");
    assert_true(end.by_peer);
}

static void a_verdict_refuses_without_a_call(void **state)
{
    struct pair *t = *state;
    t->b.verdict = (struct sip_verdict){ .status = 503, .retry_after_s = 3 };
    dial(t, 5);
    next(&t->b, INCOMING);
    assert_int_equal(next(&t->a, ENDED).status, 503);
    struct sip_counts counts;
    sip_stack_counts(t->b.stack, &counts);
    assert_int_equal(counts.shed, 1);
    assert_int_equal(counts.calls, 0);
}

static void hanging_up_before_the_answer_cancels(void **state)
{
    struct pair *t = *state;
    dial(t, 6);
    uint64_t theirs = next(&t->b, INCOMING).call;
    assert_int_equal(sip_stack_ring(t->b.stack, theirs, NULL), ERR_NONE);
    next(&t->a, PROGRESS);
    assert_int_equal(sip_stack_hangup(t->a.stack, 6, 0), ERR_NONE);
    struct seen mine = next(&t->a, ENDED), end = next(&t->b, ENDED);
    assert_int_equal(mine.status, 487);
    assert_false(mine.by_peer);
    assert_int_equal(end.status, 487);
    assert_true(end.by_peer);
}

static void nobody_answers_in_time(void **state)
{
    struct pair *t = *state;
    struct sip_invite plan = plan_to(&t->b, 7);
    plan.ring_us = 150 * US_PER_MS;
    assert_int_equal(sip_stack_invite(t->a.stack, &plan), ERR_NONE);
    next(&t->b, INCOMING);
    struct seen end = next(&t->a, ENDED);
    assert_int_equal(end.status, 408);
    assert_int_equal(end.q850, 19);
    assert_false(end.by_peer);
    assert_int_equal(next(&t->b, ENDED).status, 487);
}

static void early_media_comes_with_183(void **state)
{
    struct pair *t = *state;
    dial(t, 8);
    uint64_t theirs = next(&t->b, INCOMING).call;
    struct sdp_audio early = audio(4444);
    assert_int_equal(sip_stack_ring(t->b.stack, theirs, &early), ERR_NONE);
    struct seen p = next(&t->a, PROGRESS);
    assert_int_equal(p.status, 183);
    assert_true(p.has_media);
    assert_int_equal(p.media.port, 4444);
    assert_int_equal(sip_stack_reject(t->b.stack, theirs, 480, 18), ERR_NONE);
    assert_int_equal(next(&t->a, ENDED).status, 480);
    next(&t->b, ENDED);
}

static void an_anonymous_caller_is_known_as_one(void **state)
{
    struct pair *t = *state;
    struct sip_invite plan = plan_to(&t->b, 9);
    plan.from = (struct str){ 0 };
    assert_int_equal(sip_stack_invite(t->a.stack, &plan), ERR_NONE);
    struct seen in = next(&t->b, INCOMING);
    assert_true(in.anonymous);
    assert_int_equal(sip_stack_reject(t->b.stack, in.call, 433, 0), ERR_NONE);
    assert_int_equal(next(&t->a, ENDED).status, 433);
    next(&t->b, ENDED);
}

static void nobody_at_the_address_ends_the_call(void **state)
{
    struct pair *t = *state;
    struct sip_invite plan = plan_to(&t->b, 10);
    plan.peer.port = 9;                 /* discard: nobody listens */
    assert_int_equal(sip_stack_invite(t->a.stack, &plan), ERR_NONE);
    struct seen end = next(&t->a, ENDED);
    assert_true(end.status == 408 || end.status == 503);
    assert_false(end.by_peer);
}

static void a_bad_plan_is_refused_at_once(void **state)
{
    struct pair *t = *state;
    struct sip_invite plan = plan_to(&t->b, 11);
    plan.to = STR("+1206 <sip:evil>");
    assert_int_equal(sip_stack_invite(t->a.stack, &plan), ERR_RANGE);
    plan = plan_to(&t->b, 11);
    plan.peer.host = "example.org";
    assert_int_equal(sip_stack_invite(t->a.stack, &plan), ERR_RANGE);
}

static void stopping_ends_the_calls_politely(void **state)
{
    struct pair *t = *state;
    connect_pair(t, 12, SIP_UDP);
    sip_stack_stop(t->a.stack, 2000);
    assert_int_equal(next(&t->a, ENDED).status, 200);
    assert_true(next(&t->b, ENDED).by_peer);
    struct sip_invite plan = plan_to(&t->b, 13);
    assert_int_equal(sip_stack_invite(t->a.stack, &plan), ERR_CLOSED);
}

static void a_port_in_use_is_a_conflict(void **state)
{
    struct pair *t = *state;
    struct sip_stack *s = NULL;
    struct sip_stack_conf conf = { .name = "x", .host = "127.0.0.1", .port = sip_stack_port(t->a.stack), .user = &t->a,
                                   .events = { on_incoming, on_progress, on_answered, on_changed, on_ended, NULL } };
    struct problem why = { 0 };
    assert_int_equal(sip_stack_new(&s, &conf, &why), ERR_CONFLICT);
    assert_null(s);
    assert_true(strlen(why.text) > 0);
}

/* -- a peer that writes its own datagrams -------------------------------------------------------------------------- */

struct wire { int fd; struct sockaddr_in to; uint16_t port; };

static struct wire wire_open(const struct side *p)
{
    struct wire w = { .fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                      .to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                              .sin_port = htons(sip_stack_port(p->stack)) } };
    struct sockaddr_in me = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof me;
    assert_int_equal(bind(w.fd, (struct sockaddr *)&me, sizeof me), 0);
    getsockname(w.fd, (struct sockaddr *)&me, &n);
    w.port = ntohs(me.sin_port);
    return w;
}

static void wire_send(const struct wire *w, const void *p, size_t n)
{
    assert_int_equal(sendto(w->fd, p, n, 0, (const struct sockaddr *)&w->to, sizeof w->to), (ssize_t)n);
}

/* A request with a body; extra: further header lines, each with CRLF. */
static void wire_request(const struct wire *w, const char *method, int cseq, const char *to_tag, const char *extra,
                         const char *body)
{
    char text[4096];
    int n = snprintf(text, sizeof text,
                     "%s sip:+12065550100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK-%s-%d-%u\r\n"
                     "From: <sip:+12065550111@127.0.0.1>;tag=w1\r\nTo: <sip:+12065550100@127.0.0.1>%s\r\n"
                     "Call-ID: wire-%u\r\nCSeq: %d %s\r\nMax-Forwards: 70\r\nContact: <sip:wire@127.0.0.1:%u>\r\n%s%s"
                     "Content-Length: %zu\r\n\r\n%s",
                     method, w->port, method, cseq, w->port, to_tag, w->port, cseq, strcmp(method, "ACK") ? method : "ACK",
                     w->port, extra, *body ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
    wire_send(w, text, (size_t)n);
}

/* The next response with this status; provisional and repeated ones before it are passed over. Its text. */
static const char *wire_expect(const struct wire *w, int status)
{
    static char text[8192];
    char start[24];
    snprintf(start, sizeof start, "SIP/2.0 %d ", status);
    for (int i = 0; i < 50; i++) {
        struct pollfd p = { .fd = w->fd, .events = POLLIN };
        if (poll(&p, 1, WAIT_S * 1000) != 1)
            break;
        ssize_t n = recv(w->fd, text, sizeof text - 1, 0);
        assert_true(n >= 0);
        text[n] = 0;
        if (!strncmp(text, start, strlen(start)))
            return text;
        if (text[0] == 1)
            continue;                   /* the noise looked like STUN, and that is its answer */
        if (strncmp(text, "SIP/2.0 1", 9) && strncmp(text, "BYE", 3))
            fail_msg("expected %d, got: %.60s", status, text);
    }
    fail_msg("no %d came", status);
    return "";
}

static const char sdp_text[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                               "m=audio 5004 RTP/AVP 8 0 97\r\na=rtpmap:97 telephone-event/8000\r\n";

static void copy_to_tag(char dst[80], const char *response)
{
    const char *to = strstr(response, "\r\nTo:"), *tag = to ? strstr(to, ";tag=") : NULL;
    assert_non_null(tag);
    snprintf(dst, 80, "%.*s", (int)strcspn(tag, "\r"), tag);
}

static void garbage_is_counted_and_the_stack_lives_on(void **state)
{
    struct pair *t = *state;
    struct wire w = wire_open(&t->b);
    static const char *const bad[] = { "\x00\x01\x02\xff\xfe", "hello\r\n\r\n", "INVITE\r\n\r\n", "SIP/2.0 999999\r\n\r\n",
                                       "INVITE sip:x SIP/2.0\r\nVia: \r\nCSeq: x\r\n\r\n", "\r\n\r\n" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        wire_send(&w, bad[i], i ? strlen(bad[i]) : 5);
    uint32_t seed = 1;
    for (int i = 0; i < 200; i++) {
        char noise[300];
        for (size_t k = 0; k < sizeof noise; k++)
            noise[k] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
        wire_send(&w, noise, 1 + (size_t)i);
    }
    wire_request(&w, "INVITE", 1, "", "From: twice <<<\r\nMax-Forwards: many\r\n", sdp_text);
    wire_expect(&w, 400);
    wire_request(&w, "OPTIONS", 2, "", "", "");
    assert_non_null(strstr(wire_expect(&w, 200), "Allow: INVITE"));
    struct sip_counts counts = { 0 };
    for (int i = 0; i < 100 && !counts.malformed; i++) {
        sip_stack_counts(t->b.stack, &counts);
        usleep(10000);
    }
    assert_true(counts.malformed > 0);
    connect_pair(t, 14, SIP_UDP);
    close(w.fd);
}

static void requests_outside_of_calls_get_precise_refusals(void **state)
{
    struct pair *t = *state;
    struct wire w = wire_open(&t->b);
    wire_request(&w, "BYE", 1, ";tag=nosuch", "", "");
    wire_expect(&w, 481);
    wire_request(&w, "INVITE", 2, ";tag=nosuch", "", sdp_text);
    wire_expect(&w, 481);
    wire_request(&w, "SUBSCRIBE", 3, "", "Event: presence\r\n", "");
    assert_non_null(strstr(wire_expect(&w, 405), "Allow: "));
    wire_request(&w, "FROBNICATE", 4, "", "", "");
    wire_expect(&w, 501);
    wire_request(&w, "INVITE", 5, "", "", "");
    wire_expect(&w, 488);
    wire_request(&w, "INVITE", 6, "", "", "v=0\r\nnonsense\r\n");
    wire_expect(&w, 400);
    wire_request(&w, "INVITE", 7, "", "Require: 100rel\r\n", sdp_text);
    assert_non_null(strstr(wire_expect(&w, 420), "Unsupported: 100rel"));
    struct sip_counts counts;
    sip_stack_counts(t->b.stack, &counts);
    assert_int_equal(counts.unknown_dialog, 2);
    assert_int_equal(counts.unknown_method, 2);
    assert_int_equal(counts.refused, 3);
    assert_int_equal(t->b.n, 0);
    close(w.fd);
}

static void a_lost_ack_ends_the_call_with_bye(void **state)
{
    struct pair *t = *state;
    struct wire w = wire_open(&t->b);
    wire_request(&w, "INVITE", 1, "", "P-Asserted-Identity: <tel:+1-206-555-0122>\r\nPrivacy: id\r\n", sdp_text);
    struct seen in = next(&t->b, INCOMING);
    assert_string_equal(in.asserted, "+12065550122");
    assert_true(in.anonymous);
    assert_int_equal(in.media.payload, SDP_PCMA);
    struct sdp_audio local = audio(4002);
    assert_int_equal(sip_stack_answer(t->b.stack, in.call, &local), ERR_NONE);
    const char *ok = wire_expect(&w, 200);
    assert_non_null(strstr(ok, "m=audio 4002 RTP/AVP 8 97\r\n"));
    struct seen end = next(&t->b, ENDED);       /* after 64 * T1 */
    assert_int_equal(end.status, 408);
    assert_false(end.by_peer);
    close(w.fd);
}

static void a_reinvite_is_answered_and_told(void **state)
{
    struct pair *t = *state;
    struct wire w = wire_open(&t->b);
    wire_request(&w, "INVITE", 1, "", "", sdp_text);
    uint64_t call = next(&t->b, INCOMING).call;
    struct sdp_audio local = audio(4002);
    char tag[80];
    assert_int_equal(sip_stack_answer(t->b.stack, call, &local), ERR_NONE);
    copy_to_tag(tag, wire_expect(&w, 200));
    wire_request(&w, "ACK", 1, tag, "", "");
    next(&t->b, ANSWERED);

    char hold[512];
    snprintf(hold, sizeof hold, "%sa=sendonly\r\n", sdp_text);
    wire_request(&w, "INVITE", 2, tag, "", hold);
    const char *ok = wire_expect(&w, 200);
    assert_non_null(strstr(ok, "a=recvonly"));
    assert_non_null(strstr(ok, " 2 IN IP4"));
    assert_int_equal(next(&t->b, CHANGED).media.direction, SDP_SENDONLY);
    wire_request(&w, "ACK", 2, tag, "", "");

    wire_request(&w, "INVITE", 3, tag, "", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 18\r\n");
    wire_expect(&w, 488);
    wire_request(&w, "INFO", 4, tag, "", "");
    wire_expect(&w, 405);
    wire_request(&w, "BYE", 5, tag, "Reason: SIP;cause=200, Q.850;cause=16\r\n", "");
    wire_expect(&w, 200);
    assert_int_equal(next(&t->b, ENDED).q850, 16);
    wire_request(&w, "BYE", 6, tag, "", "");
    wire_expect(&w, 481);
    close(w.fd);
}

static void a_reinvite_without_an_offer_gets_ours(void **state)
{
    struct pair *t = *state;
    struct wire w = wire_open(&t->b);
    wire_request(&w, "INVITE", 1, "", "", sdp_text);
    uint64_t call = next(&t->b, INCOMING).call;
    struct sdp_audio local = audio(4002);
    char tag[80];
    assert_int_equal(sip_stack_answer(t->b.stack, call, &local), ERR_NONE);
    copy_to_tag(tag, wire_expect(&w, 200));
    wire_request(&w, "ACK", 1, tag, "", "");
    next(&t->b, ANSWERED);
    wire_request(&w, "INVITE", 2, tag, "", "");
    assert_non_null(strstr(wire_expect(&w, 200), "m=audio 4002 RTP/AVP 0 8"));
    wire_request(&w, "ACK", 2, tag, "", sdp_text);
    assert_int_equal(next(&t->b, CHANGED).media.port, 5004);
    close(w.fd);
}

/* -- the bare socket as the called side ---------------------------------------------------------------------------- */

/* The next request of this method, into text; its repetitions and others are passed over. */
static void wire_take(const struct wire *w, const char *method, char *text, size_t size)
{
    for (int i = 0; i < 50; i++) {
        struct pollfd p = { .fd = w->fd, .events = POLLIN };
        if (poll(&p, 1, WAIT_S * 1000) != 1)
            break;
        ssize_t n = recv(w->fd, text, size - 1, 0);
        assert_true(n >= 0);
        text[n] = 0;
        if (!strncmp(text, method, strlen(method)))
            return;
    }
    fail_msg("no %s came", method);
}

static void put_header(char *dst, size_t size, const char *request, const char *name)
{
    const char *at = strstr(request, name);
    assert_non_null(at);
    size_t n = strlen(dst);
    snprintf(dst + n, size - n, "%.*s", (int)strcspn(at + 2, "\r") + 2, at);
}

/* Answer a request that was taken; extra: further header lines, each with CRLF. */
static void wire_reply(const struct wire *w, const char *request, int status, const char *extra, const char *body)
{
    char text[4096];
    snprintf(text, sizeof text, "SIP/2.0 %d Word", status);
    put_header(text, sizeof text, request, "\r\nVia:");
    put_header(text, sizeof text, request, "\r\nFrom:");
    put_header(text, sizeof text, request, "\r\nTo:");
    size_t n = strlen(text);
    if (!strstr(strstr(request, "\r\nTo:") + 2, ";tag=wire"))
        n += (size_t)snprintf(text + n, sizeof text - n, ";tag=wire");
    put_header(text, sizeof text, request, "\r\nCall-ID:");
    put_header(text, sizeof text, request, "\r\nCSeq:");
    n = strlen(text);
    n += (size_t)snprintf(text + n, sizeof text - n, "\r\nContact: <sip:w@127.0.0.1:%u>\r\n%s%sContent-Length: %zu\r\n\r\n%s",
                          w->port, extra, *body ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
    wire_send(w, text, n);
}

static void call_the_wire(struct pair *t, const struct wire *w, uint64_t call, char *invite, size_t size)
{
    struct sip_invite plan = plan_to(&t->a, call);
    plan.peer.port = w->port;
    assert_int_equal(sip_stack_invite(t->b.stack, &plan), ERR_NONE);
    wire_take(w, "INVITE", invite, size);
}

static void an_invite_is_written_as_trunks_expect_it(void **state)
{
    struct pair *t = *state;
    struct wire w = wire_open(&t->b);
    char invite[4096], start[128];
    call_the_wire(t, &w, 30, invite, sizeof invite);
    snprintf(start, sizeof start, "INVITE sip:+12065550100@127.0.0.1:%u;user=phone SIP/2.0\r\n", w.port);
    assert_int_equal(strncmp(invite, start, strlen(start)), 0);
    assert_non_null(strstr(invite, "From: <sip:+12065550199@127.0.0.1:"));
    assert_non_null(strstr(invite, "\r\nContact: <sip:127.0.0.1:"));
    assert_non_null(strstr(invite, "\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n"));
    assert_non_null(strstr(invite, "\r\nContent-Type: application/sdp\r\n"));
    assert_non_null(strstr(invite, "\r\nm=audio 4000 RTP/AVP 0 8 101\r\n"));
    wire_reply(&w, invite, 603, "Reason: Q.850;cause=21;text=\"no\"\r\n", "");
    wire_take(&w, "ACK", invite, sizeof invite);
    struct seen end = next(&t->b, ENDED);
    assert_int_equal(end.status, 603);
    assert_int_equal(end.q850, 21);
    assert_string_equal(end.words, "Word");
    close(w.fd);
}

static void a_repeated_200_is_acknowledged_again(void **state)
{
    struct pair *t = *state;
    struct wire w = wire_open(&t->b);
    char invite[4096], ack[4096];
    call_the_wire(t, &w, 31, invite, sizeof invite);
    wire_reply(&w, invite, 200, "", sdp_text);
    wire_take(&w, "ACK", ack, sizeof ack);
    assert_int_equal(next(&t->b, ANSWERED).media.port, 5004);
    for (int i = 0; i < 3; i++) {
        wire_reply(&w, invite, 200, "", sdp_text);
        wire_take(&w, "ACK", ack, sizeof ack);
    }
    assert_int_equal(sip_stack_hangup(t->b.stack, 31, 16), ERR_NONE);
    wire_take(&w, "BYE", ack, sizeof ack);
    assert_non_null(strstr(ack, "\r\nReason: Q.850;cause=16\r\n"));
    assert_non_null(strstr(ack, ";tag=wire"));
    wire_reply(&w, ack, 200, "", "");
    next(&t->b, ENDED);
    close(w.fd);
}

static void an_answer_without_usable_media_is_acked_and_ended(void **state)
{
    struct pair *t = *state;
    struct wire w = wire_open(&t->b);
    char invite[4096], text[4096];
    call_the_wire(t, &w, 32, invite, sizeof invite);
    wire_reply(&w, invite, 200, "", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\nm=audio 0 RTP/AVP 0\r\n");
    wire_take(&w, "ACK", text, sizeof text);
    wire_take(&w, "BYE", text, sizeof text);
    wire_reply(&w, text, 200, "", "");
    struct seen end = next(&t->b, ENDED);
    assert_int_equal(end.status, 488);
    assert_false(end.by_peer);
    close(w.fd);
}

static void an_answer_in_183_stands_when_the_200_has_none(void **state)
{
    struct pair *t = *state;
    struct wire w = wire_open(&t->b);
    char invite[4096];
    call_the_wire(t, &w, 33, invite, sizeof invite);
    wire_reply(&w, invite, 183, "", sdp_text);
    assert_int_equal(next(&t->b, PROGRESS).media.port, 5004);
    wire_reply(&w, invite, 200, "", "");
    assert_int_equal(next(&t->b, ANSWERED).media.port, 5004);
    close(w.fd);
}

static void a_200_that_crosses_our_cancel_is_acked_and_ended(void **state)
{
    struct pair *t = *state;
    struct wire w = wire_open(&t->b);
    char invite[4096], text[4096];
    call_the_wire(t, &w, 34, invite, sizeof invite);
    wire_reply(&w, invite, 180, "", "");
    next(&t->b, PROGRESS);
    assert_int_equal(sip_stack_hangup(t->b.stack, 34, 0), ERR_NONE);
    assert_int_equal(next(&t->b, ENDED).status, 487);
    wire_take(&w, "CANCEL", text, sizeof text);
    wire_reply(&w, invite, 200, "", sdp_text);
    wire_take(&w, "ACK", invite, sizeof invite);
    wire_take(&w, "BYE", text, sizeof text);
    wire_reply(&w, text, 200, "", "");
    close(w.fd);
}

static void call_with_credentials(struct pair *t, const struct wire *w, uint64_t call, const char *user, char *invite, size_t n)
{
    struct sip_invite plan = plan_to(&t->a, call);
    plan.peer.port = w->port;
    plan.user = str_of(user);
    plan.password = STR("secret");
    assert_int_equal(sip_stack_invite(t->b.stack, &plan), ERR_NONE);
    wire_take(w, "INVITE", invite, n);
}

static void a_challenge_is_answered_once_with_digest(void **state)
{
    struct pair *t = *state;
    struct wire w = wire_open(&t->b);
    char invite[4096], text[4096];
    call_with_credentials(t, &w, 40, "box", invite, sizeof invite);
    assert_null(strstr(invite, "uthorization:"));
    wire_reply(&w, invite, 407, "Proxy-Authenticate: Basic realm=\"x\"\r\n"
                                "Proxy-Authenticate: Digest realm=\"wire\", nonce=\"abc\", qop=\"auth,auth-int\"\r\n", "");
    wire_take(&w, "ACK", text, sizeof text);
    wire_take(&w, "INVITE", invite, sizeof invite);
    assert_non_null(strstr(invite, "\r\nProxy-Authorization: Digest username=\"box\", realm=\"wire\", nonce=\"abc\", "
                                   "uri=\"sip:+12065550100@127.0.0.1:"));
    assert_non_null(strstr(invite, "qop=auth, nc=00000001"));
    wire_reply(&w, invite, 200, "", sdp_text);
    wire_take(&w, "ACK", text, sizeof text);
    assert_non_null(strstr(text, "\r\nProxy-Authorization: Digest"));
    next(&t->b, ANSWERED);
    assert_int_equal(sip_stack_hangup(t->b.stack, 40, 16), ERR_NONE);
    wire_take(&w, "BYE", text, sizeof text);
    wire_reply(&w, text, 401, "WWW-Authenticate: Digest realm=\"wire\", nonce=\"d\", algorithm=SHA-256\r\n", "");
    while (!strstr(text, "\r\nAuthorization: Digest"))
        wire_take(&w, "BYE", text, sizeof text);
    wire_reply(&w, text, 200, "", "");
    next(&t->b, ENDED);
    close(w.fd);
}

static void a_second_challenge_ends_the_call(void **state)
{
    struct pair *t = *state;
    struct wire w = wire_open(&t->b);
    static const char challenge[] = "WWW-Authenticate: Digest realm=\"wire\", nonce=\"abc\"\r\n";
    char invite[4096], text[4096];
    call_with_credentials(t, &w, 41, "box", invite, sizeof invite);
    wire_reply(&w, invite, 401, challenge, "");
    wire_take(&w, "ACK", text, sizeof text);
    wire_take(&w, "INVITE", invite, sizeof invite);
    assert_non_null(strstr(invite, "\r\nAuthorization: Digest"));
    wire_reply(&w, invite, 401, challenge, "");
    wire_take(&w, "ACK", text, sizeof text);
    assert_int_equal(next(&t->b, ENDED).status, 401);
    call_with_credentials(t, &w, 42, "", invite, sizeof invite);
    wire_reply(&w, invite, 401, challenge, "");
    assert_int_equal(next(&t->b, ENDED).status, 401);
    close(w.fd);
}

static void a_cancel_waits_for_a_provisional_answer(void **state)
{
    struct pair *t = *state;
    struct wire w = wire_open(&t->b);
    char invite[4096], text[4096];
    call_the_wire(t, &w, 35, invite, sizeof invite);
    assert_int_equal(sip_stack_hangup(t->b.stack, 35, 0), ERR_NONE);
    next(&t->b, ENDED);
    struct pollfd p = { .fd = w.fd, .events = POLLIN };
    while (poll(&p, 1, 2 * T1_TEST_MS) == 1) {          /* the INVITE is repeated meanwhile; no CANCEL yet */
        ssize_t n = recv(w.fd, text, sizeof text - 1, 0);
        text[n < 0 ? 0 : n] = 0;
        assert_int_equal(strncmp(text, "INVITE", 6), 0);
        wire_reply(&w, invite, 100, "", "");
        break;
    }
    wire_take(&w, "CANCEL", text, sizeof text);
    wire_reply(&w, text, 200, "", "");
    wire_reply(&w, invite, 487, "", "");
    wire_take(&w, "ACK", text, sizeof text);
    close(w.fd);
}

static void many_calls_at_once_all_end(void **state)
{
    struct pair *t = *state;
    enum { CALLS = 15 };
    for (uint64_t i = 0; i < CALLS; i++)
        dial(t, 100 + i);
    struct sdp_audio local = audio(4002);
    uint64_t theirs[CALLS];
    for (size_t i = 0; i < CALLS; i++)
        theirs[i] = next(&t->b, INCOMING).call;
    for (size_t i = 0; i < CALLS; i++)
        assert_int_equal(sip_stack_answer(t->b.stack, theirs[i], &local), ERR_NONE);
    for (size_t i = 0; i < CALLS; i++) {
        next(&t->a, ANSWERED);
        next(&t->b, ANSWERED);
    }
    for (size_t i = 0; i < CALLS; i++)
        assert_int_equal(sip_stack_hangup(t->a.stack, 100 + i, 16), ERR_NONE);
    for (size_t i = 0; i < CALLS; i++) {
        next(&t->a, ENDED);
        assert_true(next(&t->b, ENDED).by_peer);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_answered_call_tells_both_ends_where_media_goes), CASE(the_called_side_may_hang_up),
        CASE(a_call_goes_over_tcp), CASE(a_busy_call_says_so_with_its_cause), CASE(a_verdict_refuses_without_a_call),
        CASE(hanging_up_before_the_answer_cancels), CASE(nobody_answers_in_time), CASE(early_media_comes_with_183),
        CASE(an_anonymous_caller_is_known_as_one), CASE(nobody_at_the_address_ends_the_call),
        CASE(a_bad_plan_is_refused_at_once), CASE(stopping_ends_the_calls_politely), CASE(a_port_in_use_is_a_conflict),
        CASE(garbage_is_counted_and_the_stack_lives_on), CASE(requests_outside_of_calls_get_precise_refusals),
        CASE(a_lost_ack_ends_the_call_with_bye), CASE(a_reinvite_is_answered_and_told),
        CASE(a_reinvite_without_an_offer_gets_ours), CASE(an_invite_is_written_as_trunks_expect_it),
        CASE(a_repeated_200_is_acknowledged_again), CASE(an_answer_without_usable_media_is_acked_and_ended),
        CASE(an_answer_in_183_stands_when_the_200_has_none), CASE(a_200_that_crosses_our_cancel_is_acked_and_ended),
        CASE(a_cancel_waits_for_a_provisional_answer), CASE(a_challenge_is_answered_once_with_digest),
        CASE(a_second_challenge_ends_the_call), CASE(many_calls_at_once_all_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
