#include "edge/smpp/probe.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/str.h"
#include "codec/smpp/smpp.h"
#include "domain/messages/receipt_ids.h"
#include "net/smpp_session.h"
#include "net/sms_parts.h"

#include <stdarg.h>
#include <stdio.h>

enum { TAG_SHORT = 1, TAG_WHOLE, TAG_BURST };
static const int64_t ENQUIRE_US = 300 * US_PER_MS, QUIET_US = 2 * (int64_t)US_PER_S, ANSWER_US = 10 * (int64_t)US_PER_S;

/* What is tried on the first link that may submit, in turn. */
enum work { WORK_ENQUIRE, WORK_SHORT, WORK_RECEIPT, WORK_WHOLE, WORK_BURST, WORK_OVER };

struct probe {
    struct loop            *loop;
    struct probe_conf       conf;
    char                    name[64], host[256], system_id[16], password[9], system_type[13], tls_name[256], from[32], to[32];
    smpp_probe_fn          *done;
    void                   *arg;
    probe_ended_fn         *ended;
    void                   *owner;
    struct smpp_session    *session;
    struct loop_timer       timer;
    struct buf              out;
    struct jw               w;
    int                     bind;           /* which is tried: index of binds[] */
    bool                    bound, worked;  /* worked: a link did or does the work */
    enum work               work;
    int64_t                 begun_us;
    char                    answer_id[80], receipt_id[80];
    unsigned                sent, under_way, taken, throttled, refused;
    uint32_t                throttle_status, refuse_status;
};

static const struct { uint32_t command; const char *name; } binds[] = {
    { SMPP_bind_transceiver, "bind transceiver" }, { SMPP_bind_transmitter, "bind transmitter" }, { SMPP_bind_receiver, "bind receiver" },
};

/* -- the report -------------------------------------------------------------------------------------------------------- */

static void say(struct probe *p, const char *check, const char *verdict, const char *format, ...) PRINTF(4, 5);
static void say(struct probe *p, const char *check, const char *verdict, const char *format, ...)
{
    char words[256];
    va_list ap;
    va_start(ap, format);
    vsnprintf(words, sizeof words, format, ap);
    va_end(ap);
    jw_object(&p->w, NULL);
    jw_textz(&p->w, "check", check);
    jw_textz(&p->w, "verdict", verdict);
    jw_textz(&p->w, "detail", words);
    jw_end(&p->w);
}

static double since_ms(const struct probe *p)
{
    return (double)(clock_mono().us - p->begun_us) / 1e3;
}

static void finish(struct probe *p)
{
    jw_end(&p->w);
    jw_end(&p->w);
    p->done(p->arg, buf_err(&p->out), buf_str(&p->out), NULL);
    p->ended(p->owner, p);              /* last: it frees p */
}

/* -- what an id looks like ----------------------------------------------------------------------------------------------- */

static const char *look_of(const char *id)
{
    if (!*id)
        return "none";
    if (strspn(id, "0123456789") == strlen(id))
        return "decimal digits";
    return strspn(id, "0123456789abcdefABCDEF") == strlen(id) ? "hexadecimal digits" : "letters";
}

/* -- the work -------------------------------------------------------------------------------------------------------------- */

static void next_work(struct probe *p);

static void work_later(struct probe *p, int64_t us)
{
    loop_timer_start(&p->timer, us);
}

static enum err submit(struct probe *p, const char *text, bool receipt, bool whole, uint64_t tag)
{
    struct smpp_addr from = smpp_addr_of(str_of(p->from)), to = smpp_addr_of(str_of(p->to));
    struct smpp_pdu pdu = {
        .command = SMPP_submit_sm,
        .sm = { .source_addr_ton = from.ton, .source_addr_npi = from.npi, .source_addr = from.addr, .dest_addr_ton = to.ton,
                .dest_addr_npi = to.npi, .destination_addr = to.addr, .registered_delivery = receipt },
    };
    uint8_t octets[SMS_WHOLE_OCTETS];
    struct sms_split split;
    enum err err = sms_split_as(&split, str_of(text), whole ? SMS_PAYLOAD : SMS_UDH);
    if (!err)
        err = sms_part_fill(&pdu, octets, &split, str_of(text), 0, 1);
    if (!err)
        err = smpp_session_send(p->session, &pdu, tag);
    p->under_way += !err;
    return err;
}

static void burst(struct probe *p)
{
    while (p->sent < p->conf.asked.burst && p->under_way < p->conf.window && !submit(p, "window test", false, false, TAG_BURST))
        p->sent++;
    if (p->under_way)
        return;
    say(p, "window and throttling", p->refused ? "no" : "ok", "%u submits, %u unanswered at once: %u taken in %.0f ms (%.0f a second)%s%s%s%s",
        p->sent, p->conf.window, p->taken, since_ms(p), p->taken * 1e3 / (since_ms(p) > 0 ? since_ms(p) : 1),
        p->throttled ? "; throttled by " : "; none throttled", p->throttled ? smpp_status_name(p->throttle_status) : "",
        p->refused ? "; refused by " : "", p->refused ? smpp_status_name(p->refuse_status) : "");
    next_work(p);
}

static void begin(struct probe *p)
{
    static const char long_text[] = "This text is longer than one segment holds. It is sent whole in one message_payload, to see whether the SMSC takes "
                                    "such texts and cuts them by itself; if it does not, texts go in parts with a header.";
    p->begun_us = clock_mono().us;
    switch (p->work) {
    case WORK_ENQUIRE:
        work_later(p, QUIET_US);
        return;
    case WORK_SHORT:
        if (p->to[0] && !submit(p, "Carterfone tests this carrier.", true, false, TAG_SHORT))
            return;
        break;
    case WORK_RECEIPT:
        if (p->receipt_id[0] || !p->answer_id[0])
            break;
        work_later(p, p->conf.asked.wait_s * (int64_t)US_PER_S);
        return;
    case WORK_WHOLE:
        if (p->to[0] && !submit(p, long_text, false, true, TAG_WHOLE))
            return;
        break;
    case WORK_BURST:
        if (!p->to[0] || !p->conf.asked.burst)
            break;
        burst(p);
        return;
    case WORK_OVER:
        smpp_session_unbind(p->session);
        return;
    }
    next_work(p);
}

static void next_work(struct probe *p)
{
    loop_timer_stop(&p->timer);
    p->work++;
    begin(p);
}

/* The time of what is tried is over. */
static void on_timer(void *arg)
{
    struct probe *p = arg;
    if (p->work == WORK_ENQUIRE)
        say(p, "enquire_link", "no", "no answer within 2 s");
    if (p->work == WORK_RECEIPT)
        say(p, "receipt", "unknown", "none came on this link within %u s; it may have gone to the live bind", p->conf.asked.wait_s);
    next_work(p);
}

/* -- what the SMSC says ------------------------------------------------------------------------------------------------------ */

static void on_short(struct probe *p, enum err err, const struct smpp_pdu *answer)
{
    if (err || answer->status) {
        say(p, "submit_sm", "no", "%s", err ? err_words(err) : smpp_status_name(answer->status));
    } else {
        str_copyz(p->answer_id, sizeof p->answer_id, answer->sm_resp.message_id);
        say(p, "submit_sm", "ok", "taken after %.1f ms; its message_id is %zu %s", since_ms(p), strlen(p->answer_id), look_of(p->answer_id));
    }
    next_work(p);
}

static void on_burst(struct probe *p, enum err err, const struct smpp_pdu *answer)
{
    uint32_t status = err ? ESME_RUNKNOWNERR : answer->status;
    if (!status)
        p->taken++;
    else if (status == ESME_RTHROTTLED || status == ESME_RMSGQFUL)
        p->throttled++, p->throttle_status = status;
    else
        p->refused++, p->refuse_status = status;
    burst(p);
}

static void on_answer(void *arg, uint64_t tag, enum err err, const struct smpp_pdu *answer)
{
    struct probe *p = arg;
    p->under_way--;
    if (err == ERR_CLOSED)
        return;                         /* on_down tells */
    if (tag == TAG_SHORT) {
        on_short(p, err, answer);
    } else if (tag == TAG_WHOLE) {
        bool good = !err && !answer->status;
        say(p, "message_payload", good ? "ok" : "no", "%s",
            good ? "taken: --long-as payload is possible" : err ? err_words(err) : smpp_status_name(answer->status));
        next_work(p);
    } else {
        on_burst(p, err, answer);
    }
}

static bool on_heard(void *arg, const struct smpp_pdu *pdu)
{
    struct probe *p = arg;
    if (pdu->command == SMPP_enquire_link_resp && p->work == WORK_ENQUIRE && p->bound && p->worked) {
        say(p, "enquire_link", "ok", "answered");
        next_work(p);
    }
    return true;
}

static void tell_receipt(struct probe *p, const struct smpp_pdu *pdu, const struct smpp_receipt *r)
{
    static const char *const states[] = { "?", "ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD" };
    struct smpp_receipt in_text;
    char a[RECEIPT_ID_SIZE], b[RECEIPT_ID_SIZE];
    enum carrier_id_form form = CARRIER_ID_SAME;
    bool text = !smpp_receipt_text_read(&in_text, smpp_sm_octets(pdu));
    receipt_id_canonical(a, str_of(p->answer_id));
    while (form <= CARRIER_ID_DEC_HEX && (receipt_id_read(b, r->id, form) || strcmp(a, b) != 0))
        form++;
    say(p, "receipt", form <= CARRIER_ID_DEC_HEX ? "ok" : "no", "after %.0f ms, stat:%s, by %s; its id is %s, %s", since_ms(p), states[r->state],
        !text ? "TLVs" : pdu->tlvs.has_receipted_message_id ? "text and TLVs" : "text", look_of(p->receipt_id),
        form <= CARRIER_ID_DEC_HEX ? (const char *[]){ "", "the answer's: --receipt-id same", "the answer's in decimal: --receipt-id hex-dec",
                                                       "the answer's in hexadecimal: --receipt-id dec-hex" }[form]
                                   : "which leads to no answer");
}

static void on_request(void *arg, const struct smpp_pdu *pdu)
{
    struct probe *p = arg;
    struct smpp_receipt r;
    bool ours = !p->receipt_id[0] && p->answer_id[0] && smpp_is_receipt(pdu) && !smpp_receipt_read(&r, pdu)
                && (r.state != SMPP_ENROUTE && r.state != SMPP_ACCEPTED);
    if (ours) {
        str_copyz(p->receipt_id, sizeof p->receipt_id, r.id);
        tell_receipt(p, pdu, &r);
    }
    smpp_session_answer(p->session, pdu->command, pdu->sequence, ours ? ESME_ROK : ESME_RX_T_APPN, STR(""));
    if (ours && p->work == WORK_RECEIPT)
        next_work(p);
}

/* -- binds, one after another ------------------------------------------------------------------------------------------------ */

static void try_bind(struct probe *p);

static void on_up(void *arg)
{
    struct probe *p = arg;
    if (p->conf.tls && p->bind == 0)
        say(p, "TLS", "ok", "%s", smpp_session_tls_words(p->session));
    p->bound = true;
    say(p, binds[p->bind].name, "ok", "bound after %.1f ms", since_ms(p));
    if (p->worked || !smpp_session_may_submit(p->session)) {
        smpp_session_unbind(p->session);
        return;
    }
    p->worked = true;
    p->work = WORK_ENQUIRE;
    begin(p);
}

static void on_down(void *arg, enum err why, uint32_t status)
{
    struct probe *p = arg;
    if (p->conf.tls && p->bind == 0 && !p->bound && (why == ERR_UNPROVEN || why == ERR_SYNTAX) && !status)
        say(p, "TLS", "no", "%s", smpp_session_tls_words(p->session));
    smpp_session_free(p->session);
    p->session = NULL;
    loop_timer_stop(&p->timer);
    if (!p->bound)
        say(p, binds[p->bind].name, "no", "%s%s", status ? smpp_status_name(status) : err_words(why),
            status == ESME_RALYBND ? ": the live bind may be the only one that is allowed" : "");
    else if (why && p->work != WORK_OVER && p->worked)
        say(p, "link", "no", "it was lost: %s", err_words(why));
    else if (p->work == WORK_OVER && p->bind == 0)
        say(p, "unbind", why ? "no" : "ok", "%s", why ? err_words(why) : "answered");
    p->bind++;
    try_bind(p);
}

static const struct smpp_session_hooks hooks = { .on_heard = on_heard, .on_up = on_up, .on_request = on_request, .on_answer = on_answer,
                                                 .on_down = on_down };

static void try_bind(struct probe *p)
{
    for (; p->bind < (int)ARRAY_LEN(binds); p->bind++) {
        const struct smpp_session_conf conf = { .role = SMPP_ESME, .name = p->name, .system_id = p->system_id, .password = p->password,
                                                .system_type = p->system_type, .bind = binds[p->bind].command, .window = p->conf.window,
                                                .answer_us = ANSWER_US, .enquire_us = ENQUIRE_US,
                                                .tls = p->conf.tls, .tls_name = p->tls_name[0] ? p->tls_name : NULL };
        p->bound = false;
        p->begun_us = clock_mono().us;
        enum err err = smpp_session_connect(&p->session, p->loop, p->host, p->conf.port, &conf, &hooks, p);
        if (!err)
            return;
        say(p, binds[p->bind].name, "no", "%s", err_words(err));
    }
    finish(p);
}

/* -- making ------------------------------------------------------------------------------------------------------------------ */

enum err probe_start(struct probe **out, struct loop *loop, const struct probe_conf *conf, smpp_probe_fn *done, void *arg,
                     probe_ended_fn *ended, void *owner)
{
    struct probe *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    *p = (struct probe){ .loop = loop, .conf = *conf, .done = done, .arg = arg, .ended = ended, .owner = owner };
    str_copyz(p->name, sizeof p->name, str_of(conf->name));
    str_copyz(p->host, sizeof p->host, str_of(conf->host));
    str_copyz(p->system_id, sizeof p->system_id, str_of(conf->system_id));
    str_copyz(p->password, sizeof p->password, str_of(conf->password));
    str_copyz(p->system_type, sizeof p->system_type, str_of(conf->system_type));
    str_copyz(p->tls_name, sizeof p->tls_name, str_of(conf->tls_name));
    str_copyz(p->from, sizeof p->from, conf->asked.from);
    str_copyz(p->to, sizeof p->to, conf->asked.to);
    enum err err = loop_timer_init(loop, &p->timer, on_timer, p);
    if (err) {
        free(p);
        return err;
    }
    p->w = jw_of(&p->out);
    jw_object(&p->w, NULL);
    jw_textz(&p->w, "name", p->name);
    jw_printf(&p->w, "host", "%s:%u", p->host, p->conf.port);
    jw_array(&p->w, "checks");
    *out = p;
    try_bind(p);                        /* last: without memory it is over already */
    return ERR_NONE;
}

void probe_stop(struct probe *p)
{
    say(p, "link", "unknown", "the server is stopping");
    finish(p);
}

void probe_free(struct probe *p)
{
    if (!p)
        return;
    smpp_session_free(p->session);
    loop_timer_done(&p->timer);
    buf_done(&p->out);
    free(p);
}
