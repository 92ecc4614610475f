#include "sim/smsc.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "sim/smsc_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { JOIN_MAX = 100000, SENDERS_MAX = 100000 };
static const int64_t JOIN_US = 60 * (int64_t)US_PER_S;
static const struct smsc_outcome kind = { .fate = SMSC_DELIVERS, .after_us = 100 * US_PER_MS };

METRIC_COUNTER(accepted, "carterfone_sim_smsc_accepted_total", "submit_sm the simulated SMSC accepted")
METRIC_COUNTER(rejected, "carterfone_sim_smsc_rejected_total", "submit_sm the simulated SMSC rejected")

/* -- a message comes in --------------------------------------------------------------------------------------------- */
static void put_word(struct buf *b, const char *word)
{
    for (; *word; word++)
        buf_putc(b, *word == ' ' ? '_' : *word);        /* a sender's name may hold blanks: the log's fields may not */
    buf_putc(b, ' ');
}

/* The line must be with the kernel before the answer leaves: a crash test compares the two. */
static enum err log_accepted(struct smsc *s, const struct sms_part *part, uint64_t message_id)
{
    if (s->log_fd < 0)
        return ERR_NONE;
    int64_t now = clock_wall_us();
    scoped_buf text = { 0 }, line = { 0 };
    sms_text_read(&text, part->alphabet, part->octets.p, part->octets.n);
    buf_printf(&line, "%lld.%06lld ", (long long)(now / US_PER_S), (long long)(now % US_PER_S));
    put_word(&line, part->from);
    put_word(&line, part->to);
    buf_printf(&line, "%llu ", (unsigned long long)message_id);
    char *hex = buf_room(&line, 2 * text.n + 2);
    if (!hex || text.bad)
        return ERR_NOMEM;
    hex_write(hex, text.p ? text.p : "", text.n);
    line.n += 2 * text.n;
    buf_putc(&line, '\n');
    return !line.bad && write(s->log_fd, line.p, line.n) == (ssize_t)line.n ? ERR_NONE : ERR_IO;
}

static void remember_sender(struct smsc *s, const struct esme *e, const char *from)
{
    if (strmap_count(s->senders) < SENDERS_MAX)
        (void)!strmap_put(s->senders, str_of(from), (void *)(uintptr_t)e->id);     /* without it any link will do */
}

static struct delivery *delivery_new(const struct esme *e, const struct smpp_pdu *pdu, const struct sms_part *part,
                                     const struct smsc_outcome *outcome, uint64_t message_id)
{
    struct delivery *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    *d = (struct delivery){ .due_us = clock_mono().us + outcome->after_us, .outcome = *outcome, .esme = e->id,
                            .message_id = message_id, .registered = pdu->sm.registered_delivery & 3,
                            .submitted_us = clock_wall_us() };
    str_copyz(d->system_id, sizeof d->system_id, str_of(e->system_id));
    str_copyz(d->from, sizeof d->from, str_of(part->from));
    str_copyz(d->to, sizeof d->to, str_of(part->to));
    if (part->alphabet == SMS_GSM7)         /* the receipt quotes the first octets of the text */
        str_copyz(d->head, sizeof d->head, part->octets);
    return d;
}

/* Everything that can fail comes before the answer: what is answered ESME_ROK is kept. */
static uint32_t accept_message(struct smsc *s, struct esme *e, const struct smpp_pdu *pdu, struct sms_part *part,
                               const struct smsc_outcome *outcome)
{
    struct sms_whole whole;
    struct delivery *d = delivery_new(e, pdu, part, outcome, s->last_message + 1);
    enum err err = d ? sms_joiner_put(s->joiner, clock_mono(), part, &whole) : ERR_NOMEM;
    if (!err && whole.parts) {
        d->text = strndup(whole.text.n ? whole.text.p : "", whole.text.n);
        err = d->text ? ERR_NONE : ERR_NOMEM;
    }
    if (!err)
        err = smsc_make_room(s);
    if (!err)
        err = log_accepted(s, part, s->last_message + 1);
    if (err) {
        smsc_delivery_free(d);
        return err == ERR_BUSY ? ESME_RMSGQFUL : ESME_RSYSERR;
    }
    smsc_schedule(s, d);
    s->last_message++;
    remember_sender(s, e, part->from);
    return ESME_ROK;
}

static void on_request(void *arg, const struct smpp_pdu *pdu)
{
    struct esme *e = arg;
    struct smsc *s = e->smsc;
    struct sms_part part;
    struct smsc_outcome outcome = kind;
    char id[24] = "";
    uint32_t status = ESME_ROK;
    if (sms_part_read(&part, pdu))
        status = ESME_RINVMSGLEN;
    else if (!part.to[0])
        status = ESME_RINVDSTADR;
    else if (s->hooks.outcome)
        outcome = s->hooks.outcome(s->arg, str_of(part.to));
    if (!status && outcome.fate == SMSC_REJECTS)
        status = outcome.status ? outcome.status : ESME_RSUBMITFAIL;
    if (!status)
        status = accept_message(s, e, pdu, &part, &outcome);
    metric_add(status ? &rejected : &accepted, 1);
    if (!status)
        snprintf(id, sizeof id, "%llu", (unsigned long long)s->last_message);
    smpp_session_answer(e->session, pdu->command, pdu->sequence, status, str_of(id));
}

/* -- links ---------------------------------------------------------------------------------------------------------- */
static uint32_t on_bind(void *arg, const struct smpp_pdu *pdu)
{
    struct esme *e = arg;
    const char *password = e->smsc->conf.password;
    if (password && !str_eqz(pdu->bind.password, password))
        return ESME_RINVPASWD;
    str_copyz(e->system_id, sizeof e->system_id, pdu->bind.system_id);
    return ESME_ROK;
}

static void on_up(void *arg)
{
    struct esme *e = arg;
    e->up = true;
    smsc_out_up(e->smsc);
}

static void on_answer(void *arg, uint64_t tag, enum err err, const struct smpp_pdu *answer)
{
    smsc_out_answer(arg, (struct parcel *)(uintptr_t)tag, err, answer ? answer->status : 0);
}

static void esme_free(struct esme *e)
{
    struct esme **at = &e->smsc->esmes;
    while (*at && *at != e)
        at = &(*at)->next;
    if (*at)
        *at = e->next;
    smpp_session_free(e->session);
    free(e);
}

static void on_down(void *arg, enum err why, uint32_t status)
{
    struct esme *e = arg;
    struct smsc *s = e->smsc;
    (void)why, (void)status;
    e->up = false;
    smsc_out_down(e);
    esme_free(e);
    smsc_out_up(s);         /* another link of the same ESME may take over */
}

static const struct smpp_session_hooks session_hooks = {
    .on_bind = on_bind, .on_up = on_up, .on_request = on_request, .on_answer = on_answer, .on_down = on_down,
};

static void on_accept(void *arg, int fd, const char *peer)
{
    struct smsc *s = arg;
    char name[96];
    snprintf(name, sizeof name, "simulated SMSC, %s", peer);
    const struct smpp_session_conf conf = { .role = SMPP_SMSC, .name = name, .system_id = "carterfone-sim",
                                            .window = WINDOW_OUT };
    struct esme *e = calloc(1, sizeof *e);
    if (!e) {
        close(fd);
        return;
    }
    *e = (struct esme){ .smsc = s, .id = ++s->last_esme };
    if (smpp_session_serve(&e->session, s->loop, fd, &conf, &session_hooks, e)) {
        free(e);
        return;
    }
    e->next = s->esmes;
    s->esmes = e;
}

/* -- making --------------------------------------------------------------------------------------------------------- */
static enum err open_log(struct smsc *s, struct problem *why)
{
    s->log_fd = -1;
    if (!s->conf.accepted_log)
        return ERR_NONE;
    s->log_fd = open(s->conf.accepted_log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (s->log_fd < 0)
        return problem_set(why, ERR_IO, "LogFailed", "cannot write %s: %s", s->conf.accepted_log, strerror(errno));
    return ERR_NONE;
}

static enum err prepare(struct smsc *s, struct problem *why)
{
    enum err err = open_log(s, why);
    s->senders = strmap_new();
    if (!err && !s->senders)
        err = ERR_NOMEM;
    if (!err)
        err = sms_joiner_new(&s->joiner, JOIN_US, JOIN_MAX);
    if (!err)
        err = smsc_out_init(s);
    if (!err)
        err = tcp_listen(&s->listener, s->loop, s->conf.host, s->conf.port, on_accept, s, why);
    return err;
}

enum err smsc_new(struct smsc **out, struct loop *loop, const struct smsc_conf *conf, const struct smsc_hooks *hooks,
                  void *arg, struct problem *why)
{
    struct smsc *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    *s = (struct smsc){ .conf = *conf, .hooks = hooks ? *hooks : (struct smsc_hooks){ 0 }, .arg = arg, .loop = loop };
    /* in steps of 10 microseconds: a simulator that starts again never repeats an id of its last run */
    s->last_message = (uint64_t)clock_wall_us() / 10;
    enum err err = prepare(s, why);
    if (err) {
        smsc_free(s);
        return err;
    }
    *out = s;
    return ERR_NONE;
}

void smsc_free(struct smsc *s)
{
    if (!s)
        return;
    tcp_listener_free(s->listener);
    for (struct esme *e = s->esmes; e; e = e->next)
        smsc_out_down(e);
    while (s->esmes)
        esme_free(s->esmes);
    smsc_out_done(s);
    sms_joiner_free(s->joiner);
    strmap_free(s->senders);
    if (s->log_fd >= 0)
        close(s->log_fd);
    free(s);
}

uint16_t smsc_port(const struct smsc *s)
{
    return tcp_listener_port(s->listener);
}

unsigned smsc_bound(const struct smsc *s)
{
    unsigned n = 0;
    for (const struct esme *e = s->esmes; e; e = e->next)
        n += e->up;
    return n;
}
