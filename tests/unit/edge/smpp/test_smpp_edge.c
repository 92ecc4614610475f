/* The SMPP edge against a scripted SMSC on a thread of its own. The test is the control thread: messages_tell() and
 * messages_add_carrier() are its own, and remember. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "domain/messages/carrier.h"
#include "edge/smpp/smpp_edge.h"
#include "net/smpp_session.h"
#include "net/sms_parts.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "net/tls_ca.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum { MOST = 512 };

struct told {
    enum carrier_news_kind kind;
    uint64_t message, token;
    uint32_t segment, segments, billed, status, error;
    enum carrier_verb verb;
    char     tlvs[256];
    bool     transient, may_have_it, opted_out;
    enum carrier_state state;
    struct carrier_part part;
    char     remote_id[32], from[32], to[32], text[1024];
};

/* Everything below the lock is shared between the test, the smpp thread and the SMSC's. */
static struct world {
    struct smpp_edge *edge;
    const struct carrier_ops *ops;
    void             *carrier;
    bool              simulated;
    struct loop      *loop;             /* the SMSC's */
    struct tcp_listener *listener;
    struct smpp_session *session;
    uint16_t          port;

    pthread_mutex_t   lock;
    pthread_cond_t    changed;
    struct told       told[MOST];
    unsigned          n_told;
    bool              answers;          /* the SMSC answers submits */
    uint32_t          refuse[8];        /* statuses of the next submits, in order; 0: ESME_ROK */
    unsigned          n_refuse;
    uint32_t          always;           /* else this; 0: ESME_ROK */
    unsigned          n_submits, n_taken;
    char              taken[MOST][64];  /* the texts it took, in order */
    struct smpp_sm    last;
    struct smpp_tlvs  last_tlvs;
    char              last_from[32], last_to[32], last_validity[32];
    unsigned          n_resps;
    uint32_t          resp_status[MOST];
    uint64_t          resp_tag[MOST];
    struct tls_context *tls;            /* NULL: plain */
    unsigned          n_asked;          /* cancel_sm, query_sm, replace_sm */
    uint32_t          asked[MOST];      /* the commands */
    char              asked_id[64], asked_from[32], asked_to[32], asked_text[256];      /* of the last */
    uint32_t          ask_status;       /* what they are answered; UINT32_MAX: nothing */
    bool              nacks;            /* everything is answered by a generic_nack */
    char              payload[256];     /* of the last data_sm */
    char              further[256];     /* its TLVs that our codec does not know */
    uint32_t          last_command, late;       /* late: the sequence_number of a submit_sm that has no answer */
    unsigned          submits_before_ask;
    unsigned          binds, unbinds;
} w;

/* -- the link seam -------------------------------------------------------------------------------------------------- */
unsigned messages_add_carrier(struct messages *m, struct str name, bool simulated, const struct carrier_ops *ops,
                              void *carrier)
{
    (void)m;
    assert_true(str_eqz(name, "acme"));
    w.ops = ops;
    w.carrier = carrier;
    w.simulated = simulated;
    return 7;
}

void *messages_replace_carrier(struct messages *m, struct str name, const struct carrier_ops *ops, void *carrier,
                               unsigned *number)
{
    void *before = w.carrier;
    *number = messages_add_carrier(m, name, w.simulated, ops, carrier);
    return before;
}

void *messages_remove_carrier(struct messages *m, struct str name)
{
    (void)m;
    assert_true(str_eqz(name, "acme"));
    return w.carrier;
}

void messages_recall(struct messages *m, unsigned carrier)
{
    (void)m;
    assert_int_equal(carrier, 7);
}

enum err messages_tell(struct messages *m, const struct carrier_news *n)
{
    (void)m;
    pthread_mutex_lock(&w.lock);
    struct told *t = &w.told[w.n_told++ % MOST];
    *t = (struct told){ .kind = n->kind, .message = n->message, .token = n->token, .segment = n->segment,
                        .segments = n->segments, .billed = n->billed, .status = n->status, .transient = n->transient, .may_have_it = n->may_have_it,
                        .opted_out = n->opted_out, .state = n->state, .part = n->part };
    t->verb = n->verb;
    t->error = n->error;
    str_copyz(t->tlvs, sizeof t->tlvs, n->tlvs);
    str_copyz(t->remote_id, sizeof t->remote_id, n->remote_id);
    str_copyz(t->from, sizeof t->from, n->from);
    str_copyz(t->to, sizeof t->to, n->to);
    str_copyz(t->text, sizeof t->text, n->text);
    pthread_cond_broadcast(&w.changed);
    pthread_mutex_unlock(&w.lock);
    return n->carrier == 7 ? ERR_NONE : ERR_NOMEM;
}

/* -- the scripted SMSC: all on its own thread ----------------------------------------------------------------------- */
static void on_asked(const struct smpp_pdu *pdu)
{
    struct smpp_pdu resp;
    memset(&resp, 0, sizeof resp);
    pthread_mutex_lock(&w.lock);
    const struct str id = pdu->command == SMPP_query_sm ? pdu->query.message_id
                          : pdu->command == SMPP_cancel_sm ? pdu->cancel.message_id : pdu->replace.message_id;
    const struct str from = pdu->command == SMPP_query_sm ? pdu->query.source_addr
                            : pdu->command == SMPP_cancel_sm ? pdu->cancel.source_addr : pdu->replace.source_addr;
    str_copyz(w.asked_id, sizeof w.asked_id, id);
    str_copyz(w.asked_from, sizeof w.asked_from, from);
    str_copyz(w.asked_to, sizeof w.asked_to, pdu->command == SMPP_cancel_sm ? pdu->cancel.destination_addr : STR(""));
    str_copyz(w.asked_text, sizeof w.asked_text, pdu->command == SMPP_replace_sm ? pdu->replace.short_message : STR(""));
    w.submits_before_ask = w.n_submits;
    w.asked[w.n_asked++ % MOST] = pdu->command;
    uint32_t status = w.ask_status;
    bool nacks = w.nacks;
    pthread_cond_broadcast(&w.changed);
    pthread_mutex_unlock(&w.lock);
    if (status == UINT32_MAX)
        return;
    resp.command = nacks ? SMPP_generic_nack : smpp_resp_to(pdu->command);
    resp.sequence = pdu->sequence;
    resp.status = status;
    if (pdu->command == SMPP_query_sm && !status) {
        resp.query_resp.message_id = id;
        resp.query_resp.message_state = SMPP_EXPIRED;
        resp.query_resp.error_code = 88;
    }
    smpp_session_reply(w.session, &resp);
}

static void on_request(void *arg, const struct smpp_pdu *pdu)
{
    (void)arg;
    if (pdu->command != SMPP_submit_sm && pdu->command != SMPP_data_sm) {
        on_asked(pdu);
        return;
    }
    pthread_mutex_lock(&w.lock);
    w.last_command = pdu->command;
    w.late = pdu->sequence;
    str_copyz(w.payload, sizeof w.payload, pdu->tlvs.message_payload);
    struct buf further = { 0 };
    smpp_further_words(&further, pdu);
    str_copyz(w.further, sizeof w.further, buf_str(&further));
    buf_done(&further);
    uint32_t status = w.n_refuse ? w.refuse[0] : w.always;
    char id[16];
    bool answers = w.answers;
    if (w.n_refuse)
        memmove(w.refuse, w.refuse + 1, --w.n_refuse * sizeof w.refuse[0]);
    snprintf(id, sizeof id, "id%u", ++w.n_submits);
    w.last = pdu->sm;
    w.last_tlvs = pdu->tlvs;
    smpp_addr_number(w.last_from, pdu->sm.source_addr_ton, pdu->sm.source_addr);
    smpp_addr_number(w.last_to, pdu->sm.dest_addr_ton, pdu->sm.destination_addr);
    str_copyz(w.last_validity, sizeof w.last_validity, pdu->sm.validity_period);
    if (status == ESME_ROK && answers)
        str_copyz(w.taken[w.n_taken++ % MOST], 64, pdu->sm.short_message);
    pthread_cond_broadcast(&w.changed);
    pthread_mutex_unlock(&w.lock);
    if (answers && w.nacks)
        smpp_session_reply(w.session, &(struct smpp_pdu){ .command = SMPP_generic_nack, .sequence = pdu->sequence, .status = status });
    else if (answers)
        smpp_session_answer(w.session, pdu->command, pdu->sequence, status, status ? STR("") : str_of(id));
}

static void on_answer(void *arg, uint64_t tag, enum err err, const struct smpp_pdu *answer)
{
    (void)arg;
    pthread_mutex_lock(&w.lock);
    w.resp_tag[w.n_resps % MOST] = tag;
    w.resp_status[w.n_resps++ % MOST] = err ? UINT32_MAX : answer->status;
    pthread_cond_broadcast(&w.changed);
    pthread_mutex_unlock(&w.lock);
}

static void on_up(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&w.lock);
    w.binds++;
    pthread_cond_broadcast(&w.changed);
    pthread_mutex_unlock(&w.lock);
}

static void on_down(void *arg, enum err why, uint32_t status)
{
    (void)arg, (void)why, (void)status;
    smpp_session_free(w.session);
    w.session = NULL;
    pthread_mutex_lock(&w.lock);
    w.unbinds++;
    pthread_cond_broadcast(&w.changed);
    pthread_mutex_unlock(&w.lock);
}

static const struct smpp_session_hooks hooks = { .on_up = on_up, .on_request = on_request, .on_answer = on_answer,
                                                 .on_down = on_down };

static void on_accept(void *arg, int fd, const char *peer)
{
    const struct smpp_session_conf serving = { .role = SMPP_SMSC, .name = "scripted", .system_id = "s", .window = 10, .tls = w.tls };
    (void)arg, (void)peer;
    assert_null(w.session);
    assert_int_equal(smpp_session_serve(&w.session, w.loop, fd, &serving, &hooks, NULL), ERR_NONE);
}

/* What the test asks of it: drop the link, or send a deliver_sm or data_sm. */
struct ask {
    struct inbox_item item;
    bool              drop, by_data_sm, late;
    uint64_t          tag;
    uint8_t           esm_class;
    size_t            n;
    char              octets[254];
};

static void on_ask(void *owner, struct inbox_item *item)
{
    struct ask *ask = container_of(item, struct ask, item);
    (void)owner;
    if (ask->drop)
        smpp_session_drop(w.session);
    else if (ask->late)
        smpp_session_answer(w.session, SMPP_submit_sm, w.late, ESME_ROK, STR("late"));
    else if (ask->by_data_sm)
        assert_int_equal(smpp_session_send(w.session, &(struct smpp_pdu){ .command = SMPP_data_sm,
                         .sm = { .source_addr_ton = 1, .source_addr = STR("12065550101"), .dest_addr_ton = 1,
                                 .destination_addr = STR("18005550100"), .esm_class = ask->esm_class },
                         .tlvs = { .has_message_payload = true, .message_payload = { ask->octets, ask->n } },
                         .more_tlvs = { "\x14\x01\x00\x03" "abc", 7 } }, ask->tag), ERR_NONE);
    else
        assert_int_equal(smpp_session_send(w.session, &(struct smpp_pdu){ .command = SMPP_deliver_sm,
                         .sm = { .source_addr_ton = 1, .source_addr = STR("12065550101"), .dest_addr_ton = 1,
                                 .destination_addr = STR("18005550100"), .esm_class = ask->esm_class,
                                 .short_message = { ask->octets, ask->n } } }, ask->tag), ERR_NONE);
    free(ask);
}

static const struct inbox_kind ask_kind = { "ask", on_ask, NULL };

static void smsc_drops(void)
{
    struct ask *ask = calloc(1, sizeof *ask);
    *ask = (struct ask){ .item.kind = &ask_kind, .drop = true };
    inbox_post_always(loop_inbox(w.loop), &ask->item);
}

static void smsc_answers_late(void)
{
    struct ask *ask = calloc(1, sizeof *ask);
    *ask = (struct ask){ .item.kind = &ask_kind, .late = true };
    inbox_post_always(loop_inbox(w.loop), &ask->item);
}

static void smsc_delivers(uint64_t tag, uint8_t esm_class, struct str octets)
{
    struct ask *ask = calloc(1, sizeof *ask);
    *ask = (struct ask){ .item.kind = &ask_kind, .tag = tag, .esm_class = esm_class, .n = octets.n };
    memcpy(ask->octets, octets.p, octets.n);
    inbox_post_always(loop_inbox(w.loop), &ask->item);
}

/* -- waiting -------------------------------------------------------------------------------------------------------- */
static bool wait_for(bool (*holds)(unsigned n), unsigned n)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    pthread_mutex_lock(&w.lock);
    int late = 0;
    while (!holds(n) && !late)
        late = pthread_cond_timedwait(&w.changed, &w.lock, &until);
    bool held = holds(n);
    pthread_mutex_unlock(&w.lock);
    return held;
}

static bool asked_n(unsigned n)   { return w.n_asked >= n; }
static bool told_n(unsigned n)    { return w.n_told >= n; }
static bool submits_n(unsigned n) { return w.n_submits >= n; }
static bool taken_n(unsigned n)   { return w.n_taken >= n; }
static bool resps_n(unsigned n)   { return w.n_resps >= n; }
static bool room_told(unsigned n)
{
    for (unsigned i = n; i < w.n_told; i++)
        if (w.told[i % MOST].kind == CARRIER_ROOM)
            return true;
    return false;
}

static void pass_ms(long ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* -- setting up ----------------------------------------------------------------------------------------------------- */
static struct smpp_bind_conf conf;

static int set_up(void **state)
{
    (void)state;
    w = (struct world){ .answers = true };
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.changed, NULL);
    log_setup(LOG_ERROR, LOG_TEXT);
    assert_int_equal(loop_new(&w.loop, "smsc", 1024, NULL), ERR_NONE);
    assert_int_equal(tcp_listen(&w.listener, w.loop, "127.0.0.1", 0, on_accept, NULL, NULL), ERR_NONE);
    w.port = tcp_listener_port(w.listener);
    assert_int_equal(loop_start(w.loop), ERR_NONE);
    conf = (struct smpp_bind_conf){ .name = STR("acme"), .host = STR("127.0.0.1"), .port = w.port,
                                    .system_id = STR("esme"), .password = STR("secret"), .window = 4 };
    assert_int_equal(smpp_edge_new(&w.edge, NULL), ERR_NONE);
    assert_int_equal(smpp_edge_start(w.edge), ERR_NONE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (w.edge)
        smpp_edge_stop(w.edge);
    smpp_edge_free(w.edge);
    loop_stop(w.loop);
    smpp_session_free(w.session);
    tls_context_free(w.tls);
    tcp_listener_free(w.listener);
    loop_free(w.loop);
    pthread_mutex_destroy(&w.lock);
    pthread_cond_destroy(&w.changed);
    return 0;
}

static void bind_it(void)
{
    struct problem why;
    assert_int_equal(smpp_edge_add(w.edge, &conf, &why), ERR_NONE);
    assert_true(wait_for(told_n, 1));
    assert_int_equal(w.told[0].kind, CARRIER_UP);
}

static enum err submit_to(uint64_t message, const char *to, const char *text)
{
    return w.ops->submit(w.carrier, &(struct carrier_message){ .message = message, .from = STR("+18005550100"),
                         .to = str_of(to), .text = str_of(text), .wants_receipt = true, .validity_s = 93784 });
}

/* Each to somebody else. */
static enum err submit(uint64_t message, const char *text)
{
    char to[24];
    snprintf(to, sizeof to, "+1206%07u", (unsigned)message);
    return submit_to(message, to, text);
}

/* All to one. */
static enum err submit_one(uint64_t message, const char *text)
{
    return submit_to(message, "+12065550101", text);
}

/* -- out ------------------------------------------------------------------------------------------------------------ */
static void a_message_goes_out_and_its_id_comes_back(void **state)
{
    (void)state;
    bind_it();
    assert_int_equal(submit_one(42, "hello"), ERR_NONE);
    assert_true(wait_for(told_n, 2));
    assert_int_equal(w.told[1].kind, CARRIER_SUBMITTED);
    assert_int_equal(w.told[1].message, 42);
    assert_int_equal(w.told[1].segments, 1);
    assert_string_equal(w.told[1].remote_id, "id1");
    assert_string_equal(w.last_from, "+18005550100");
    assert_string_equal(w.last_to, "+12065550101");
    assert_int_equal(w.last.registered_delivery, 1);
    assert_int_equal(w.last.dest_addr_ton, TON_INTERNATIONAL);
    assert_string_equal(w.last_validity, "000001020304000R");        /* 1 day, 2:03:04 from now */
}

static void a_long_message_is_told_segment_by_segment(void **state)
{
    (void)state;
    char text[401];
    memset(text, 'a', 400);
    text[400] = '\0';
    bind_it();
    assert_int_equal(submit(42, text), ERR_NONE);
    assert_true(wait_for(told_n, 4));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(w.told[i + 1].kind, CARRIER_SUBMITTED);
        assert_int_equal(w.told[i + 1].segment, i);
        assert_int_equal(w.told[i + 1].segments, 3);
    }
    assert_int_equal(w.last.esm_class, ESM_UDHI);
    assert_int_equal(w.last.short_message.n, 6 + 400 - 2 * 153);
}

/* 400 characters: three segments, of which one is left for the last. */
static void a_long_message_goes_as_the_carrier_wants_it(void **state)
{
    (void)state;
    static const struct { enum sms_way way; unsigned pdus, billed, last_octets; bool header, sar, payload; } rows[] = {
        { SMS_UDH, 3, 1, 6 + 400 - 2 * 153, true, false, false },
        { SMS_UDH16, 3, 1, 7 + 400 - 2 * 152, true, false, false },
        { SMS_SAR, 3, 1, 400 - 2 * 153, false, true, false },
        { SMS_PAYLOAD, 1, 3, 0, false, false, true },
    };
    char text[401];
    memset(text, 'a', 400);
    text[400] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (i) {
            tear_down(state);
            set_up(state);
        }
        conf.long_as = rows[i].way;
        bind_it();
        assert_int_equal(submit(42, text), ERR_NONE);
        assert_true(wait_for(told_n, 1 + rows[i].pdus));
        assert_int_equal(w.told[rows[i].pdus].segments, rows[i].pdus);
        assert_int_equal(w.told[rows[i].pdus].billed, rows[i].billed);
        assert_int_equal(w.last.short_message.n, rows[i].last_octets);
        assert_int_equal(w.last.esm_class, rows[i].header ? ESM_UDHI : 0);
        assert_int_equal(w.last_tlvs.has_sar_msg_ref_num && w.last_tlvs.sar_total_segments == 3
                         && w.last_tlvs.sar_segment_seqnum == 3, rows[i].sar);
        assert_int_equal(w.last_tlvs.has_message_payload ? w.last_tlvs.message_payload.n : 0, rows[i].payload ? 400 : 0);
    }
}

static void throttling_keeps_the_order(void **state)
{
    (void)state;
    char text[8];
    w.refuse[0] = ESME_RTHROTTLED;
    w.refuse[1] = ESME_RMSGQFUL;
    w.n_refuse = 2;
    bind_it();
    int64_t start = clock_mono().us;
    for (unsigned i = 0; i < 9; i++) {
        snprintf(text, sizeof text, "m%u", i);
        assert_int_equal(submit_one(i, text), ERR_NONE);
    }
    assert_true(wait_for(told_n, 10));
    assert_true(clock_mono().us - start >= 29 * US_PER_MS);         /* at least 10 + 20 ms of waiting */
    assert_int_equal(w.n_submits, 11);
    for (unsigned i = 0; i < 9; i++) {
        snprintf(text, sizeof text, "m%u", i);
        assert_string_equal(w.taken[i], text);
        assert_int_equal(w.told[i + 1].message, i);
        assert_int_equal(w.told[i + 1].kind, CARRIER_SUBMITTED);
    }
}

static void a_throttled_window_goes_again_in_its_order(void **state)
{
    (void)state;
    char text[8];
    for (unsigned i = 0; i < 4; i++)
        w.refuse[i] = ESME_RTHROTTLED;
    w.n_refuse = 4;
    bind_it();
    for (unsigned i = 0; i < 6; i++) {
        snprintf(text, sizeof text, "m%u", i);
        assert_int_equal(submit_one(i, text), ERR_NONE);
    }
    assert_true(wait_for(taken_n, 6));
    for (unsigned i = 0; i < 6; i++) {
        snprintf(text, sizeof text, "m%u", i);
        assert_string_equal(w.taken[i], text);
    }
}

static void one_that_is_thrown_back_holds_up_its_own_pair_alone(void **state)
{
    (void)state;
    w.refuse[0] = w.refuse[1] = ESME_RTHROTTLED;
    w.n_refuse = 2;
    conf.window = 1;
    bind_it();
    assert_int_equal(submit_one(1, "first"), ERR_NONE);
    assert_int_equal(submit_one(2, "second"), ERR_NONE);
    assert_int_equal(submit(3, "other"), ERR_NONE);
    assert_int_equal(submit(4, "another"), ERR_NONE);
    assert_true(wait_for(taken_n, 4));
    assert_string_equal(w.taken[0], "another");         /* the other was thrown back too */
    unsigned first = 0, second = 0;
    for (unsigned i = 0; i < 4; i++) {
        first = strcmp(w.taken[i], "first") == 0 ? i : first;
        second = strcmp(w.taken[i], "second") == 0 ? i : second;
    }
    assert_true(first < second);
}

static void an_smsc_that_takes_nothing_is_told_of_and_what_waits_is_given_back(void **state)
{
    (void)state;
    w.always = ESME_RTHROTTLED;
    conf.window = 1;
    bind_it();
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(submit(i, "x"), ERR_NONE);
    assert_true(wait_for(told_n, 7));                   /* three seconds of stops that double */
    assert_int_equal(w.told[1].kind, CARRIER_STALLED);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(w.told[2 + i].kind, CARRIER_LOST);
        assert_int_equal(w.told[2 + i].message, i);
        assert_false(w.told[2 + i].may_have_it);
    }
    assert_int_equal(submit(9, "x"), ERR_BUSY);
}

static void an_smsc_that_answers_nothing_is_left_alone_and_tried_again(void **state)
{
    (void)state;
    w.answers = false;
    conf.window = 2;
    conf.answer_us = 200 * US_PER_MS;
    bind_it();
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(submit(i, "x"), ERR_NONE);
    assert_true(wait_for(told_n, 6));
    assert_int_equal(w.told[1].kind, CARRIER_LOST);
    assert_true(w.told[1].may_have_it);
    assert_int_equal(w.told[2].kind, CARRIER_STALLED);
    unsigned had_it = 1;
    for (unsigned i = 3; i < 6; i++) {
        assert_int_equal(w.told[i].kind, CARRIER_LOST);
        had_it += w.told[i].may_have_it;
    }
    assert_int_equal(had_it, 2);                        /* the window; the others had not left */
    pthread_mutex_lock(&w.lock);
    w.answers = true;
    pthread_mutex_unlock(&w.lock);
    assert_true(wait_for(told_n, 7));
    assert_int_equal(w.told[6].kind, CARRIER_UP);
    assert_int_equal(submit(10, "x"), ERR_NONE);
    assert_true(wait_for(told_n, 8));
    assert_int_equal(w.told[7].kind, CARRIER_SUBMITTED);
}

static void a_refusal_is_told_and_the_next_goes_on(void **state)
{
    (void)state;
    w.refuse[0] = ESME_RINVDSTADR;
    w.n_refuse = 1;
    bind_it();
    assert_int_equal(submit(1, "bad"), ERR_NONE);
    assert_int_equal(submit(2, "good"), ERR_NONE);
    assert_true(wait_for(told_n, 3));
    assert_int_equal(w.told[1].kind, CARRIER_REFUSED);
    assert_int_equal(w.told[1].status, ESME_RINVDSTADR);
    assert_false(w.told[1].transient);
    assert_int_equal(w.told[2].kind, CARRIER_SUBMITTED);
    assert_int_equal(w.told[2].message, 2);
}

static void a_system_error_is_tried_again_before_it_is_told(void **state)
{
    (void)state;
    w.refuse[0] = ESME_RSYSERR;
    w.n_refuse = 1;
    bind_it();
    assert_int_equal(submit(1, "x"), ERR_NONE);
    assert_true(wait_for(told_n, 2));
    assert_int_equal(w.told[1].kind, CARRIER_SUBMITTED);
    assert_int_equal(w.n_submits, 2);
}

/* Two parts: the second fails in passing for the last time just after the first was refused for good. */
static void refused_for_good_stays_so_whatever_the_other_parts_are_answered(void **state)
{
    static const uint32_t answers[] = { ESME_RSYSERR, ESME_RSYSERR, ESME_RSYSERR, ESME_RSYSERR, ESME_RINVDSTADR, ESME_RSYSERR };
    char text[201] = { 0 };
    (void)state;
    memset(text, 'x', 200);
    memcpy(w.refuse, answers, sizeof answers);
    w.n_refuse = ARRAY_LEN(answers);
    bind_it();
    assert_int_equal(submit(1, text), ERR_NONE);
    assert_true(wait_for(told_n, 2));
    assert_int_equal(w.told[1].kind, CARRIER_REFUSED);
    assert_int_equal(w.told[1].status, ESME_RINVDSTADR);
    assert_false(w.told[1].transient);
    assert_int_equal(w.n_submits, 6);
}

static void what_smpp_cannot_say_is_refused_at_once(void **state)
{
    (void)state;
    bind_it();
    assert_int_equal(w.ops->submit(w.carrier, &(struct carrier_message){ .message = 1, .from = STR("+18005550100"),
                                   .to = STR("+1234567890123456789012345"), .text = STR("x") }), ERR_NONE);
    assert_int_equal(submit(2, "\xff"), ERR_NONE);
    assert_true(wait_for(told_n, 3));
    assert_int_equal(w.told[1].kind, CARRIER_REFUSED);
    assert_int_equal(w.told[1].status, ESME_RINVDSTADR);
    assert_int_equal(w.told[2].kind, CARRIER_REFUSED);
    assert_int_equal(w.told[2].status, ESME_RINVMSGLEN);
    assert_int_equal(w.n_submits, 0);
}

static void a_lost_link_tells_down_then_each_message_in_order(void **state)
{
    (void)state;
    w.answers = false;
    bind_it();
    for (unsigned i = 0; i < 6; i++)            /* 4 under way, 2 that never left */
        assert_int_equal(submit(i, "x"), ERR_NONE);
    assert_true(wait_for(submits_n, 4));
    smsc_drops();
    assert_true(wait_for(told_n, 8));
    assert_int_equal(w.told[1].kind, CARRIER_DOWN);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(w.told[2 + i].kind, CARRIER_LOST);
        assert_int_equal(w.told[2 + i].message, i);
        assert_int_equal(w.told[2 + i].may_have_it, i < 4);
    }
    w.answers = true;
    assert_true(wait_for(told_n, 9));           /* and it binds again by itself */
    assert_int_equal(w.told[8].kind, CARRIER_UP);
    assert_int_equal(submit(9, "again"), ERR_NONE);
    assert_true(wait_for(told_n, 10));
    assert_int_equal(w.told[9].kind, CARRIER_SUBMITTED);
}

static void a_full_carrier_says_when_there_is_room(void **state)
{
    (void)state;
    unsigned n = 0;
    w.answers = false;
    bind_it();
    while (n < 10000 && submit(n, "x") == ERR_NONE)
        n++;
    assert_int_equal(n, 256);
    assert_int_equal(submit(n, "x"), ERR_BUSY);
    assert_false(wait_for(submits_n, 0) && room_told(0));
    assert_true(wait_for(submits_n, 4));
    w.answers = true;
    smsc_drops();                               /* all of them end */
    assert_true(wait_for(told_n, 1 + 1 + 256 + 1));
    assert_int_equal(w.told[1 + 1 + 256].kind, CARRIER_UP);
    assert_int_equal(submit(n, "x"), ERR_NONE);
}

static void room_is_told_when_half_has_gone(void **state)
{
    (void)state;
    unsigned n = 0;
    bind_it();
    while (n < 100000 && submit(n, "x") == ERR_NONE)
        n++;
    assert_true(wait_for(room_told, 0));
    assert_int_equal(submit(n, "x"), ERR_NONE);
}

static void a_rate_is_kept(void **state)
{
    (void)state;
    conf.rate = 20;
    conf.window = 100;
    bind_it();
    int64_t start = clock_mono().us;
    for (unsigned i = 0; i < 30; i++)
        assert_int_equal(submit(i, "x"), ERR_NONE);
    assert_true(wait_for(told_n, 31));
    int64_t took = clock_mono().us - start;
    assert_true(took >= 480 * US_PER_MS);       /* 20 at once, 10 more at 20 a second */
}

static void nothing_is_taken_while_down(void **state)
{
    (void)state;
    conf.port = 1;                              /* nobody listens there */
    struct problem why;
    assert_int_equal(smpp_edge_add(w.edge, &conf, &why), ERR_NONE);
    assert_int_equal(submit(1, "x"), ERR_BUSY);
    pass_ms(20);
    assert_int_equal(w.n_told, 0);
}

static void stopping_unbinds_and_gives_back_what_never_left(void **state)
{
    (void)state;
    w.answers = true;
    conf.rate = 1;                              /* one leaves, the others wait */
    bind_it();
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(submit(i, "x"), ERR_NONE);
    assert_true(wait_for(told_n, 2));
    smpp_edge_stop(w.edge);
    assert_int_equal(submit(9, "x"), ERR_BUSY);
    assert_true(wait_for(told_n, 5));
    assert_int_equal(w.told[1].kind, CARRIER_SUBMITTED);
    assert_int_equal(w.told[2].kind, CARRIER_LOST);
    assert_int_equal(w.told[2].message, 1);
    assert_int_equal(w.told[3].kind, CARRIER_LOST);
    assert_int_equal(w.told[4].kind, CARRIER_DOWN);
    smpp_edge_free(w.edge);
    w.edge = NULL;
}

static void an_edge_that_never_started_goes_with_its_binds(void **state)
{
    (void)state;
    struct problem why;
    struct smpp_edge *edge = NULL;
    assert_int_equal(smpp_edge_new(&edge, NULL), ERR_NONE);
    assert_int_equal(smpp_edge_add(edge, &conf, &why), ERR_NONE);
    smpp_edge_stop(edge);
    smpp_edge_free(edge);
    assert_int_equal(w.binds, 0);
}

static void a_conf_that_cannot_be_is_explained(void **state)
{
    (void)state;
    struct problem why = { 0 };
    conf.password = STR("nine char");
    assert_int_equal(smpp_edge_add(w.edge, &conf, &why), ERR_RANGE);
    assert_string_equal(why.target, "password");
    conf.password = STR("");
    conf.window = 1001;
    assert_int_equal(smpp_edge_add(w.edge, &conf, &why), ERR_RANGE);
    assert_string_equal(why.target, "window");
    assert_null(w.carrier);
}

/* -- in ------------------------------------------------------------------------------------------------------------- */
static void a_receipt_is_answered_once_it_is_settled(void **state)
{
    (void)state;
    bind_it();
    smsc_delivers(5, ESM_RECEIPT, STR("id:77 sub:001 dlvrd:000 submit date:2611221200 done date:2611221201 stat:UNDELIV "
                                      "err:005 text:x"));
    assert_true(wait_for(told_n, 2));
    assert_int_equal(w.told[1].kind, CARRIER_RECEIPT);
    assert_string_equal(w.told[1].remote_id, "77");
    assert_int_equal(w.told[1].state, RECEIPT_UNDELIVERABLE);
    assert_int_equal(w.told[1].status, 5);
    assert_string_equal(w.told[1].from, "+12065550101");
    pass_ms(30);
    assert_int_equal(w.n_resps, 0);
    w.ops->settle(w.carrier, w.told[1].token, ERR_NONE);
    assert_true(wait_for(resps_n, 1));
    assert_int_equal(w.resp_tag[0], 5);
    assert_int_equal(w.resp_status[0], ESME_ROK);
    w.ops->settle(w.carrier, w.told[1].token, ERR_NONE);        /* twice, or nonsense: nothing happens */
    w.ops->settle(w.carrier, 12345, ERR_NONE);
}

static void what_could_not_be_stored_is_put_back(void **state)
{
    (void)state;
    bind_it();
    smsc_delivers(6, 0, STR("hi"));
    assert_true(wait_for(told_n, 2));
    assert_int_equal(w.told[1].kind, CARRIER_INBOUND);
    w.ops->settle(w.carrier, w.told[1].token, ERR_STORE);
    assert_true(wait_for(resps_n, 1));
    assert_int_equal(w.resp_status[0], ESME_RX_T_APPN);
}

static void parts_are_told_as_one_and_answered_together(void **state)
{
    (void)state;
    bind_it();
    smsc_delivers(1, ESM_UDHI, STR("\x05\x00\x03\x09\x02\x02world"));
    pass_ms(30);
    assert_int_equal(w.n_told, 1);
    assert_int_equal(w.n_resps, 0);
    smsc_delivers(2, ESM_UDHI, STR("\x05\x00\x03\x09\x02\x01hello "));
    assert_true(wait_for(told_n, 2));
    assert_int_equal(w.told[1].kind, CARRIER_INBOUND);
    assert_string_equal(w.told[1].text, "hello world");
    assert_string_equal(w.told[1].from, "+12065550101");
    assert_string_equal(w.told[1].to, "+18005550100");
    assert_int_equal(w.told[1].segments, 2);
    assert_int_equal(w.n_resps, 0);
    w.ops->settle(w.carrier, w.told[1].token, ERR_NONE);
    assert_true(wait_for(resps_n, 2));
    assert_int_equal(w.resp_status[0], ESME_ROK);
    assert_int_equal(w.resp_status[1], ESME_ROK);
}

/* The part is told for keeping, and answered when it is kept. */
static void keep(unsigned told, unsigned resps, const char *body)
{
    assert_true(wait_for(told_n, told + 1));
    assert_int_equal(w.told[told].kind, CARRIER_PART);
    assert_string_equal(w.told[told].text, body);
    assert_int_equal(w.n_resps, resps);
    w.ops->settle(w.carrier, w.told[told].token, ERR_NONE);
    assert_true(wait_for(resps_n, resps + 1));
    assert_int_equal(w.resp_status[resps], ESME_ROK);
}

static void parts_can_be_answered_early_for_a_peer_with_one_at_a_time(void **state)
{
    (void)state;
    conf.answer_parts_early = true;
    bind_it();
    smsc_delivers(1, ESM_UDHI, STR("\x05\x00\x03\x09\x02\x01hello "));
    keep(1, 0, "068656c6c6f20");
    assert_int_equal(w.told[1].part.ref, 9);
    assert_int_equal(w.told[1].part.total, 2);
    assert_int_equal(w.told[1].part.number, 1);
    smsc_delivers(2, ESM_UDHI, STR("\x05\x00\x03\x09\x02\x02world"));
    assert_true(wait_for(told_n, 3));
    assert_string_equal(w.told[2].text, "hello world");
    assert_int_equal(w.n_resps, 1);
    w.ops->settle(w.carrier, w.told[2].token, ERR_NONE);
    assert_true(wait_for(resps_n, 2));
    assert_int_equal(w.resp_tag[1], 2);
}

static void a_part_that_cannot_be_kept_is_put_back(void **state)
{
    (void)state;
    conf.answer_parts_early = true;
    bind_it();
    smsc_delivers(1, ESM_UDHI, STR("\x05\x00\x03\x09\x02\x01hello "));
    assert_true(wait_for(told_n, 2));
    w.ops->settle(w.carrier, w.told[1].token, ERR_STORE);
    assert_true(wait_for(resps_n, 1));
    assert_int_equal(w.resp_status[0], ESME_RX_T_APPN);
    smsc_delivers(2, ESM_UDHI, STR("\x05\x00\x03\x09\x02\x01hello "));
    keep(2, 1, "068656c6c6f20");
    smsc_delivers(3, ESM_UDHI, STR("\x05\x00\x03\x09\x02\x02world"));
    assert_true(wait_for(told_n, 4));
    assert_string_equal(w.told[3].text, "hello world");
}

static void parts_of_an_earlier_run_are_joined_with_what_comes(void **state)
{
    (void)state;
    bind_it();
    w.ops->recall(w.carrier, STR("+12065550101"), STR("+18005550100"), &(struct carrier_part){ 9, 2, 1 }, STR("068656c6c6f20"));
    w.ops->recall(w.carrier, STR("+12065550101"), STR("+18005550100"), &(struct carrier_part){ 10, 2, 1 }, STR("0zz"));
    smsc_delivers(2, ESM_UDHI, STR("\x05\x00\x03\x09\x02\x02world"));
    assert_true(wait_for(told_n, 2));
    assert_int_equal(w.told[1].kind, CARRIER_INBOUND);
    assert_string_equal(w.told[1].text, "hello world");
    assert_int_equal(w.told[1].part.ref, 9);
    assert_int_equal(w.told[1].part.total, 2);
}

static void a_peer_with_one_at_a_time_is_known_by_its_silence(void **state)
{
    (void)state;
    bind_it();
    smsc_delivers(1, ESM_UDHI, STR("\x05\x00\x03\x09\x02\x01hello "));
    keep(1, 0, "068656c6c6f20");                    /* after a second of nothing else */
    smsc_delivers(2, ESM_UDHI, STR("\x05\x00\x03\x09\x02\x02world"));
    assert_true(wait_for(told_n, 3));
    assert_string_equal(w.told[2].text, "hello world");
    w.ops->settle(w.carrier, w.told[2].token, ERR_NONE);
    assert_true(wait_for(resps_n, 2));
    assert_int_equal(w.resp_tag[1], 2);
    int64_t begun = clock_mono().us;
    smsc_delivers(3, ESM_UDHI, STR("\x05\x00\x03\x0a\x02\x01next "));
    keep(3, 2, "06e65787420");                      /* learned: at once */
    assert_true(clock_mono().us - begun < 900 * US_PER_MS);
}

static void a_slow_peer_is_not_taken_for_one_with_one_at_a_time(void **state)
{
    (void)state;
    bind_it();
    smsc_delivers(1, ESM_UDHI, STR("\x05\x00\x03\x09\x02\x01hello "));
    keep(1, 0, "068656c6c6f20");
    pass_ms(1100);                                  /* it had our answer, and did not go on */
    smsc_delivers(2, ESM_UDHI, STR("\x05\x00\x03\x09\x02\x02world"));
    assert_true(wait_for(told_n, 3));
    w.ops->settle(w.carrier, w.told[2].token, ERR_NONE);
    assert_true(wait_for(resps_n, 2));
    smsc_delivers(3, ESM_UDHI, STR("\x05\x00\x03\x0a\x02\x01next "));
    pass_ms(100);
    assert_int_equal(w.n_resps, 2);
}

static void a_receipt_without_an_id_is_answered_and_not_told(void **state)
{
    (void)state;
    bind_it();
    smsc_delivers(1, ESM_RECEIPT, STR("nothing of use"));
    assert_true(wait_for(resps_n, 1));
    assert_int_equal(w.resp_status[0], ESME_ROK);
    smsc_delivers(2, ESM_UDHI, STR("\x09\x00\x03"));
    assert_true(wait_for(resps_n, 2));
    assert_int_equal(w.resp_status[1], ESME_RX_P_APPN);
    assert_int_equal(w.n_told, 1);
}

static void a_receiver_is_not_up_for_messages(void **state)
{
    (void)state;
    conf.type = BIND_RECEIVER;
    conf.simulated = true;
    struct problem why;
    assert_int_equal(smpp_edge_add(w.edge, &conf, &why), ERR_NONE);
    assert_true(w.simulated);
    pthread_mutex_lock(&w.lock);
    while (!w.binds)
        pthread_cond_wait(&w.changed, &w.lock);
    pthread_mutex_unlock(&w.lock);
    smsc_delivers(1, 0, STR("hi"));
    assert_true(wait_for(told_n, 2));
    assert_int_equal(w.told[0].kind, CARRIER_UP);
    assert_int_equal(w.told[1].kind, CARRIER_INBOUND);
    assert_null(w.ops->submit);
    w.ops->settle(w.carrier, w.told[1].token, ERR_NONE);
    assert_true(wait_for(resps_n, 1));
}

static void a_status_means_what_the_profile_says(void **state)
{
    (void)state;
    conf.throttles = (struct smpp_statuses){ { 0x400 }, 1 };
    conf.transients = (struct smpp_statuses){ { ESME_RINVDSTADR }, 1 };
    conf.permanents = (struct smpp_statuses){ { ESME_RSYSERR }, 1 };
    w.refuse[0] = 0x400;
    w.refuse[1] = ESME_RINVDSTADR;
    w.refuse[2] = ESME_ROK;
    w.refuse[3] = ESME_RSYSERR;
    w.n_refuse = 4;
    bind_it();
    assert_int_equal(submit(1, "x"), ERR_NONE);
    assert_true(wait_for(told_n, 2));
    assert_int_equal(w.told[1].kind, CARRIER_SUBMITTED);
    assert_int_equal(w.n_submits, 3);
    assert_int_equal(submit(2, "x"), ERR_NONE);
    assert_true(wait_for(told_n, 3));
    assert_int_equal(w.told[2].kind, CARRIER_REFUSED);
    assert_false(w.told[2].transient);
}

static void a_status_and_a_receipts_error_may_say_opted_out(void **state)
{
    (void)state;
    conf.optouts = (struct smpp_statuses){ { 0x407 }, 1 };
    conf.optout_errors = (struct smpp_statuses){ { 407 }, 1 };
    w.refuse[0] = 0x407;
    w.refuse[1] = ESME_RINVDSTADR;
    w.n_refuse = 2;
    bind_it();
    assert_int_equal(submit(1, "x"), ERR_NONE);
    assert_int_equal(submit(2, "x"), ERR_NONE);
    assert_true(wait_for(told_n, 3));
    assert_int_equal(w.told[1].kind, CARRIER_REFUSED);
    assert_true(w.told[1].opted_out && !w.told[1].transient);
    assert_false(w.told[2].opted_out);
    smsc_delivers(1, ESM_RECEIPT, STR("id:A1 sub:001 dlvrd:000 submit date:2611230000 done date:2611230000 stat:UNDELIV err:407 text:x"));
    smsc_delivers(2, ESM_RECEIPT, STR("id:A2 sub:001 dlvrd:001 submit date:2611230000 done date:2611230000 stat:DELIVRD err:407 text:x"));
    smsc_delivers(3, ESM_RECEIPT, STR("id:A3 sub:001 dlvrd:000 submit date:2611230000 done date:2611230000 stat:UNDELIV err:001 text:x"));
    assert_true(wait_for(told_n, 6));
    assert_true(w.told[3].opted_out);
    assert_false(w.told[4].opted_out || w.told[5].opted_out);
}

static void coding_and_further_tlvs_are_the_profiles(void **state)
{
    (void)state;
    static const uint8_t tlv[] = { 0x00, 0x1e, 0x00, 0x03, 'a', 'b', 0 };      /* one that our reader knows */
    conf.data_coding = 1;
    memcpy(conf.tlvs, tlv, sizeof tlv);
    conf.tlvs_n = sizeof tlv;
    bind_it();
    assert_int_equal(submit(1, "x"), ERR_NONE);
    assert_true(wait_for(told_n, 2));
    assert_int_equal(w.last.data_coding, 1);
    assert_true(w.last_tlvs.has_receipted_message_id);
    assert_int_equal(submit(2, "\xd0\xb4"), ERR_NONE);
    assert_true(wait_for(told_n, 3));
    assert_int_equal(w.last.data_coding, 8);
}

/* -- data_sm ---------------------------------------------------------------------------------------------------------- */
static void smsc_delivers_data(uint64_t tag, uint8_t esm_class, struct str octets)
{
    struct ask *ask = calloc(1, sizeof *ask);
    *ask = (struct ask){ .item.kind = &ask_kind, .by_data_sm = true, .tag = tag, .esm_class = esm_class, .n = octets.n };
    memcpy(ask->octets, octets.p, octets.n);
    inbox_post_always(loop_inbox(w.loop), &ask->item);
}

static void texts_may_go_as_data_sm_with_their_time_to_live(void **state)
{
    (void)state;
    static const uint8_t tlv[] = { 0x14, 0x01, 0x00, 0x01, 'v' };
    conf.by_data_sm = true;
    memcpy(conf.tlvs, tlv, sizeof tlv);
    conf.tlvs_n = sizeof tlv;
    bind_it();
    assert_int_equal(submit_one(42, "hello"), ERR_NONE);
    assert_true(wait_for(told_n, 2));
    assert_int_equal(w.told[1].kind, CARRIER_SUBMITTED);
    assert_string_equal(w.told[1].remote_id, "id1");
    assert_int_equal(w.last_command, SMPP_data_sm);
    assert_string_equal(w.payload, "hello");
    assert_string_equal(w.further, "0x1401=v 0x0017=hex:00016e58");      /* 93784 s */
    assert_int_equal(w.last.registered_delivery, 1);
    char text[401];
    memset(text, 'a', 400);
    text[400] = '\0';
    assert_int_equal(submit(43, text), ERR_NONE);
    assert_true(wait_for(told_n, 5));
    assert_int_equal(w.n_submits, 4);
    assert_true(w.last.esm_class & ESM_UDHI);
    assert_memory_equal(w.payload, "\x05", 2);         /* a header, whose next octet is 0 */
}

static void what_comes_as_data_sm_is_answered_as_that(void **state)
{
    (void)state;
    bind_it();
    smsc_delivers_data(5, 0, STR("hi"));
    assert_true(wait_for(told_n, 2));
    assert_int_equal(w.told[1].kind, CARRIER_INBOUND);
    assert_string_equal(w.told[1].text, "hi");
    assert_string_equal(w.told[1].tlvs, "0x1401=abc");
    w.ops->settle(w.carrier, w.told[1].token, ERR_STORE);
    assert_true(wait_for(resps_n, 1));
    assert_int_equal(w.resp_status[0], ESME_RX_T_APPN);     /* the answer was its: another command's would have been none */
    smsc_delivers_data(6, ESM_RECEIPT, STR("id:77 sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:DELIVRD err:000 text:x"));
    assert_true(wait_for(told_n, 3));
    assert_int_equal(w.told[2].kind, CARRIER_RECEIPT);
    assert_string_equal(w.told[2].remote_id, "77");
    w.ops->settle(w.carrier, w.told[2].token, ERR_NONE);
    assert_true(wait_for(resps_n, 2));
    assert_int_equal(w.resp_status[1], ESME_ROK);
}

/* -- asking ----------------------------------------------------------------------------------------------------------- */
static enum err ask(enum carrier_verb verb, uint64_t message, const char *text)
{
    return w.ops->ask(w.carrier, &(struct carrier_ask){ .verb = verb, .message = message, .segment = 2, .remote_id = STR("00AbC"),
                      .from = STR("+18005550100"), .to = STR("+12065550101"), .text = str_of(text) });
}

static void an_smsc_is_asked_about_what_it_has(void **state)
{
    (void)state;
    conf.optout_errors = (struct smpp_statuses){ { 88 }, 1 };
    bind_it();
    assert_int_equal(ask(CARRIER_CANCEL, 7, ""), ERR_NONE);
    assert_true(wait_for(told_n, 2));
    assert_int_equal(w.asked[0], SMPP_cancel_sm);
    assert_string_equal(w.asked_id, "00AbC");
    assert_string_equal(w.asked_from, "18005550100");
    assert_string_equal(w.asked_to, "12065550101");
    assert_int_equal(w.told[1].kind, CARRIER_ANSWERED);
    assert_int_equal(w.told[1].message, 7);
    assert_int_equal(w.told[1].segment, 2);
    assert_string_equal(w.told[1].remote_id, "00AbC");
    assert_int_equal(w.told[1].status, ESME_ROK);
    assert_int_equal(ask(CARRIER_QUERY, 7, ""), ERR_NONE);
    assert_true(wait_for(told_n, 3));
    assert_int_equal(w.told[2].verb, CARRIER_QUERY);
    assert_int_equal(w.told[2].state, RECEIPT_EXPIRED);
    assert_int_equal(w.told[2].error, 88);
    assert_true(w.told[2].opted_out);
    assert_int_equal(ask(CARRIER_REPLACE, 7, "good bye"), ERR_NONE);
    assert_true(wait_for(told_n, 4));
    assert_string_equal(w.asked_text, "good bye");
}

static void a_refusal_a_nack_and_silence_are_told(void **state)
{
    (void)state;
    bind_it();
    w.ask_status = ESME_RCANCELFAIL;
    assert_int_equal(ask(CARRIER_CANCEL, 1, ""), ERR_NONE);
    assert_true(wait_for(told_n, 2));
    assert_int_equal(w.told[1].status, ESME_RCANCELFAIL);
    w.nacks = true;
    for (int verb = CARRIER_CANCEL; verb <= CARRIER_REPLACE; verb++) {
        unsigned told = w.n_told;
        w.ask_status = verb == CARRIER_QUERY ? 0 : ESME_RINVCMDID;      /* a generic_nack is a no, whatever it says */
        assert_int_equal(ask((enum carrier_verb)verb, 1, "x"), ERR_NONE);
        assert_true(wait_for(told_n, told + 1));
        assert_int_equal(w.told[told].kind, CARRIER_ANSWERED);
        assert_int_equal(w.told[told].status, verb == CARRIER_QUERY ? ESME_RUNKNOWNERR : ESME_RINVCMDID);
    }
    w.ask_status = UINT32_MAX;
    for (unsigned i = 0; i < 6; i++)                    /* 1 under way, 5 that wait for a place */
        assert_int_equal(ask(CARRIER_QUERY, i, ""), ERR_NONE);
    assert_true(wait_for(asked_n, 5));
    unsigned told = w.n_told;
    smsc_drops();
    assert_true(wait_for(told_n, told + 7));
    unsigned lost = 0;
    for (unsigned i = told; i < told + 7; i++)
        lost += w.told[i].kind == CARRIER_ANSWERED && w.told[i].status == CARRIER_NO_ANSWER;
    assert_int_equal(lost, 6);
    assert_true(wait_for(told_n, told + 8));            /* bound again */
    assert_int_equal(w.n_asked, 5);
}

static void one_that_answers_no_query_still_gets_texts(void **state)
{
    (void)state;
    bind_it();
    w.ask_status = UINT32_MAX;
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(ask(CARRIER_QUERY, i, ""), ERR_NONE);
    assert_true(wait_for(asked_n, 1));
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(submit(90 + i, "goes"), ERR_NONE);
    assert_true(wait_for(told_n, 4));
    for (unsigned i = 1; i < 4; i++)
        assert_int_equal(w.told[i].kind, CARRIER_SUBMITTED);
    assert_int_equal(w.n_asked, 1);
}

static void what_is_asked_waits_for_the_window_and_goes_before_submits(void **state)
{
    (void)state;
    conf.window = 1;
    w.answers = false;
    bind_it();
    assert_int_equal(submit(1, "a"), ERR_NONE);
    assert_int_equal(submit(2, "b"), ERR_NONE);
    assert_true(wait_for(submits_n, 1));
    assert_int_equal(ask(CARRIER_QUERY, 1, ""), ERR_NONE);
    pass_ms(20);
    assert_int_equal(w.n_asked, 0);
    w.answers = true;
    smsc_answers_late();
    assert_true(wait_for(submits_n, 2));
    assert_int_equal(w.n_asked, 1);
    assert_int_equal(w.submits_before_ask, 1);
}

static void a_submit_that_is_nacked_is_refused(void **state)
{
    (void)state;
    w.nacks = true;
    w.always = ESME_RINVCMDID;
    bind_it();
    assert_int_equal(submit(1, "x"), ERR_NONE);
    assert_true(wait_for(told_n, 2));
    assert_int_equal(w.told[1].kind, CARRIER_REFUSED);
    assert_int_equal(w.told[1].status, ESME_RINVCMDID);
    w.always = ESME_ROK;                                /* nonsense, and no answer that took it */
    assert_int_equal(submit(2, "x"), ERR_NONE);
    assert_true(wait_for(told_n, 3));
    assert_int_equal(w.told[2].kind, CARRIER_REFUSED);
    assert_int_equal(w.told[2].status, ESME_RUNKNOWNERR);
}

static void a_receiver_is_not_asked(void **state)
{
    (void)state;
    struct problem why;
    conf.type = BIND_RECEIVER;
    assert_int_equal(smpp_edge_add(w.edge, &conf, &why), ERR_NONE);
    assert_true(wait_for(told_n, 1));
    assert_null(w.ops->ask);
}

static void it_says_which_smsc_it_is_bound_to(void **state)
{
    (void)state;
    struct carrier_profile profile;
    char want[64];
    conf.ids = CARRIER_ID_HEX_DEC;
    bind_it();
    w.ops->profile(w.carrier, &profile);
    snprintf(want, sizeof want, "esme@127.0.0.1:%u", w.port);
    assert_true(str_eqz(profile.smsc, want));
    assert_int_equal(profile.ids, CARRIER_ID_HEX_DEC);
}

static void under_tls_the_certificate_is_proved(void **state)
{
    (void)state;
    struct problem why;
    struct tls_pems pems;
    assert_int_equal(tls_ca_ensure(NULL, NULL, 0, &pems, &why), ERR_NONE);
    assert_int_equal(tls_context_server(&w.tls, pems.cert, pems.key, &why), ERR_NONE);
    conf.tls = true;
    conf.tls_ca = STR("nonsense");
    assert_int_equal(smpp_edge_add(w.edge, &conf, &why), ERR_RANGE);
    assert_string_equal(why.target, "tlsCa");
    conf.tls_ca = str_of(pems.ca);
    bind_it();
    assert_int_equal(submit(1, "secret"), ERR_NONE);
    assert_true(wait_for(told_n, 2));
    assert_int_equal(w.told[1].kind, CARRIER_SUBMITTED);
    smsc_drops();
    assert_true(wait_for(told_n, 4));           /* down, and up again */
    tls_pems_done(&pems);
}

static void a_certificate_of_another_name_is_no_bind(void **state)
{
    (void)state;
    struct problem why;
    struct tls_pems pems;
    assert_int_equal(tls_ca_ensure(NULL, NULL, 0, &pems, &why), ERR_NONE);
    assert_int_equal(tls_context_server(&w.tls, pems.cert, pems.key, &why), ERR_NONE);
    conf.tls = true;
    conf.tls_ca = str_of(pems.ca);
    conf.tls_name = STR("smsc.example.net");
    assert_int_equal(smpp_edge_add(w.edge, &conf, &why), ERR_NONE);
    pass_ms(300);
    assert_int_equal(w.binds, 0);
    assert_int_equal(w.n_told, 0);
    tls_pems_done(&pems);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_message_goes_out_and_its_id_comes_back),
        T(a_long_message_is_told_segment_by_segment),
        T(a_long_message_goes_as_the_carrier_wants_it),
        T(throttling_keeps_the_order),
        T(one_that_is_thrown_back_holds_up_its_own_pair_alone),
        T(an_smsc_that_takes_nothing_is_told_of_and_what_waits_is_given_back),
        T(a_throttled_window_goes_again_in_its_order),
        T(an_smsc_that_answers_nothing_is_left_alone_and_tried_again),
        T(a_refusal_is_told_and_the_next_goes_on),
        T(a_system_error_is_tried_again_before_it_is_told),
        T(refused_for_good_stays_so_whatever_the_other_parts_are_answered),
        T(what_smpp_cannot_say_is_refused_at_once),
        T(a_lost_link_tells_down_then_each_message_in_order),
        T(a_full_carrier_says_when_there_is_room),
        T(room_is_told_when_half_has_gone),
        T(a_rate_is_kept),
        T(nothing_is_taken_while_down),
        T(stopping_unbinds_and_gives_back_what_never_left),
        T(an_edge_that_never_started_goes_with_its_binds),
        T(a_conf_that_cannot_be_is_explained),
        T(a_receipt_is_answered_once_it_is_settled),
        T(what_could_not_be_stored_is_put_back),
        T(parts_are_told_as_one_and_answered_together),
        T(parts_can_be_answered_early_for_a_peer_with_one_at_a_time),
        T(a_part_that_cannot_be_kept_is_put_back),
        T(parts_of_an_earlier_run_are_joined_with_what_comes),
        T(a_peer_with_one_at_a_time_is_known_by_its_silence),
        T(a_slow_peer_is_not_taken_for_one_with_one_at_a_time),
        T(a_receipt_without_an_id_is_answered_and_not_told),
        T(a_receiver_is_not_up_for_messages),
        T(a_status_means_what_the_profile_says),
        T(a_status_and_a_receipts_error_may_say_opted_out),
        T(coding_and_further_tlvs_are_the_profiles),
        T(texts_may_go_as_data_sm_with_their_time_to_live),
        T(what_comes_as_data_sm_is_answered_as_that),
        T(an_smsc_is_asked_about_what_it_has),
        T(a_refusal_a_nack_and_silence_are_told),
        T(one_that_answers_no_query_still_gets_texts),
        T(what_is_asked_waits_for_the_window_and_goes_before_submits),
        T(a_submit_that_is_nacked_is_refused),
        T(a_receiver_is_not_asked),
        T(it_says_which_smsc_it_is_bound_to),
        T(under_tls_the_certificate_is_proved),
        T(a_certificate_of_another_name_is_no_bind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
