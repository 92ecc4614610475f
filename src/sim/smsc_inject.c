/* SMS from handsets: one at once, or many at a rate; long ones as the setting longAs says. */
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "sim/smsc_priv.h"

#include <stdio.h>

enum { RUNS_MAX = 16, RUN_MAX = 1000000, RATE_MAX = 10000, A_TURN = 256 };
static const int64_t TURN_US = 2 * US_PER_MS, BUSY_US = 50 * US_PER_MS;

/* -- one ------------------------------------------------------------------------------------------------------------- */
static enum err keep_payload(struct parcel *p, struct str octets)
{
    p->payload = malloc(octets.n ? octets.n : 1);
    if (!p->payload)
        return ERR_NOMEM;
    memcpy(p->payload, octets.p, octets.n);
    p->payload_n = octets.n;
    return ERR_NONE;
}

static enum err parcel_fill(struct smsc *s, struct parcel *p, const struct sms_split *split, struct str text, unsigned i)
{
    struct smpp_pdu pdu = { 0 };
    uint8_t octets[SMS_WHOLE_OCTETS];
    const struct smpp_tlvs *t = &pdu.tlvs;
    enum err err = sms_part_fill(&pdu, octets, split, text, i, s->last_ref);
    if (err)
        return err;
    p->esm_class = pdu.sm.esm_class;
    p->data_coding = pdu.sm.data_coding;
    p->n = (uint8_t)pdu.sm.short_message.n;
    memcpy(p->octets, pdu.sm.short_message.p, p->n);
    if (t->has_sar_msg_ref_num)
        p->sar = sms_concat_sar(t->sar_msg_ref_num, (uint8_t)t->sar_total_segments, (uint8_t)t->sar_segment_seqnum);
    return t->has_message_payload ? keep_payload(p, t->message_payload) : ERR_NONE;
}

static enum err part_new(struct smsc *s, struct parcel **out, const char *from, const char *to,
                         const struct sms_split *split, struct str text, unsigned i)
{
    struct parcel *p = smsc_parcel_new(s, from, to);
    if (!p)
        return s->n_parcels < WAITING_MAX ? ERR_NOMEM : ERR_BUSY;
    p->account = strmap_find(s->senders, str_of(to));
    enum err err = parcel_fill(s, p, split, text, i);
    if (err) {
        smsc_parcel_free(s, p);
        return err;
    }
    *out = p;
    return ERR_NONE;
}

enum err smsc_inject(struct smsc *s, struct str from, struct str to, struct str text)
{
    char sender[SMPP_NUMBER_SIZE], receiver[SMPP_NUMBER_SIZE];
    struct sms_split split;
    struct parcels parts = { 0 };
    struct parcel *p;
    if (!from.n || from.n >= sizeof sender || !to.n || to.n >= sizeof receiver)
        return ERR_SYNTAX;
    str_copyz(sender, sizeof sender, from);
    str_copyz(receiver, sizeof receiver, to);
    enum err err = sms_split_as(&split, text, (enum sms_way)s->ways.long_as);
    unsigned count = err ? 0 : sms_pdus(&split);
    s->last_ref++;
    for (unsigned i = 0; !err && i < count; i++) {
        err = part_new(s, &p, sender, receiver, &split, text, i);
        if (!err)
            smsc_parcels_add(&parts, p);
    }
    s->counts.from_handsets += !err;
    while ((p = smsc_parcels_take(&parts))) {
        if (err)
            smsc_parcel_free(s, p);     /* all of it or nothing */
        else
            smsc_route(s, p);
    }
    return err;
}

/* -- many ------------------------------------------------------------------------------------------------------------ */
struct mo_run {
    struct due     due;
    struct mo_run *next;
    struct smsc   *smsc;
    struct smsc_run conf;           /* its texts are the ones below; count 0: endless */
    uint64_t       done;
    int64_t        started_us;      /* mono */
    char           from[SMPP_NUMBER_SIZE], to[SMPP_NUMBER_SIZE], text[1024];
};

/* A number so many after another: "+12065550109" and 2 give "+12065550111". */
static void number_after(char dst[SMPP_NUMBER_SIZE], const char *first, uint64_t by)
{
    size_t i = str_copyz(dst, SMPP_NUMBER_SIZE, str_of(first));
    for (; by && i && dst[i - 1] >= '0' && dst[i - 1] <= '9'; i--) {
        by += (uint64_t)(dst[i - 1] - '0');
        dst[i - 1] = (char)('0' + by % 10);
        by /= 10;
    }
}

static void write_text(struct buf *out, const char *text, uint64_t number)
{
    static const char mark[] = "{n}";
    for (const char *at; (at = strstr(text, mark)); text = at + sizeof mark - 1) {
        buf_put(out, text, (size_t)(at - text));
        buf_printf(out, "%llu", (unsigned long long)number);
    }
    buf_putz(out, text);
}

static enum err inject_next(struct smsc *s, const struct mo_run *r)
{
    char from[SMPP_NUMBER_SIZE];
    scoped_buf text = { 0 };
    number_after(from, r->from, r->done % r->conf.senders);
    write_text(&text, r->text, r->done + 1);
    enum err err = buf_err(&text);
    return err ? err : smsc_inject(s, str_of(from), str_of(r->to), buf_str(&text));
}

static void run_end(struct smsc *s, struct mo_run *r)
{
    struct mo_run **at = &s->runs;
    while (*at && *at != r)
        at = &(*at)->next;
    if (*at)
        *at = r->next;
    if (s->endless == r)
        s->endless = NULL;
    dues_remove(s->dues, &r->due);
    free(r);
}

/* How many should have left by now. */
static uint64_t wanted(const struct mo_run *r, int64_t now_us)
{
    uint64_t n = r->conf.rate ? (uint64_t)(now_us - r->started_us) * r->conf.rate / US_PER_S + 1 : r->done + A_TURN;
    return r->conf.count && n > r->conf.count ? r->conf.count : n;
}

static int64_t next_at(const struct mo_run *r, int64_t now_us)
{
    if (!r->conf.rate)
        return now_us + TURN_US;
    int64_t at = r->started_us + (int64_t)(r->done * US_PER_S / r->conf.rate);
    return at > now_us + TURN_US ? at : now_us + TURN_US;
}

static void on_run_due(void *arg, struct due *d)
{
    struct mo_run *r = container_of(d, struct mo_run, due);
    struct smsc *s = arg;
    int64_t now_us = clock_mono().us;
    enum err err = ERR_NONE;
    for (unsigned n = 0; !err && n < A_TURN && r->done < wanted(r, now_us); n++) {
        err = inject_next(s, r);
        r->done += !err;
    }
    if ((r->conf.count && r->done >= r->conf.count) || (err && err != ERR_BUSY && err != ERR_NOMEM)) {
        run_end(s, r);
        return;
    }
    if (err && r->conf.rate)        /* nobody takes them: what could not leave now is not made up for later */
        r->started_us = now_us + BUSY_US - (int64_t)(r->done * US_PER_S / r->conf.rate);
    d->at_us = err ? now_us + BUSY_US : next_at(r, now_us);
    if (dues_room(s->dues))
        run_end(s, r);
    else
        dues_add(s->dues, d);
}

static struct mo_run *run_new(struct smsc *s, const struct smsc_run *conf)
{
    struct mo_run *r = dues_room(s->dues) ? NULL : calloc(1, sizeof *r);
    if (!r)
        return NULL;
    *r = (struct mo_run){ .next = s->runs, .smsc = s, .conf = *conf, .started_us = clock_mono().us };
    str_copyz(r->from, sizeof r->from, conf->from);
    str_copyz(r->to, sizeof r->to, conf->to);
    str_copyz(r->text, sizeof r->text, conf->text);
    r->due = (struct due){ .at_us = r->started_us, .run = on_run_due };
    s->runs = r;
    dues_add(s->dues, &r->due);
    return r;
}

unsigned smsc_inject_runs(const struct smsc *s)
{
    unsigned n = 0;
    for (const struct mo_run *r = s->runs; r; r = r->next)
        n++;
    return n;
}

static enum err check_run(const struct smsc *s, const struct smsc_run *run, struct problem *why)
{
    if (!run->from.n || run->from.n >= SMPP_NUMBER_SIZE || !run->to.n || run->to.n >= SMPP_NUMBER_SIZE)
        return problem_set(why, ERR_RANGE, "BadRequest", "'from' and 'to' must be numbers of 1 to %d letters.",
                           SMPP_NUMBER_SIZE - 1);
    if (run->text.n >= sizeof s->runs->text || !utf8_valid(run->text))
        return problem_set(why, ERR_RANGE, "BadRequest", "'text' must have at most %zu octets of UTF-8.",
                           sizeof s->runs->text - 1);
    if (run->count < 1 || run->count > RUN_MAX || run->senders < 1 || run->senders > RUN_MAX)
        return problem_set(why, ERR_RANGE, "BadRequest", "'count' and 'senders' must be 1 to %d.", RUN_MAX);
    if (run->rate > RATE_MAX)
        return problem_set(why, ERR_RANGE, "BadRequest", "'rate' must be at most %d a second.", RATE_MAX);
    if (smsc_inject_runs(s) >= RUNS_MAX)
        return problem_set(why, ERR_BUSY, "TooManyRuns", "%d series of messages are under way.", RUNS_MAX);
    return ERR_NONE;
}

enum err smsc_inject_run(struct smsc *s, const struct smsc_run *run, struct problem *why)
{
    enum err err = check_run(s, run, why);
    if (err)
        return err;
    return run_new(s, run) ? ERR_NONE : ERR_NOMEM;
}

static bool same_run(const struct mo_run *r, const struct smsc_ways *w)
{
    return r->conf.rate == w->mo_rate && r->conf.senders == w->mo_senders && strcmp(r->from, w->mo_from) == 0
        && strcmp(r->to, w->mo_to) == 0 && strcmp(r->text, w->mo_text[0] ? w->mo_text : "message {n}") == 0;
}

void smsc_inject_ways(struct smsc *s)
{
    const struct smsc_ways *w = &s->ways;
    if (s->endless && same_run(s->endless, w))
        return;
    if (s->endless)
        run_end(s, s->endless);
    if (!w->mo_rate)
        return;
    if (!w->mo_from[0] || !w->mo_to[0]) {
        log_warn("sim", "SMSC: moRate is set, but not moFrom and moTo: nothing is sent");
        return;
    }
    s->endless = run_new(s, &(struct smsc_run){ .from = str_of(w->mo_from), .to = str_of(w->mo_to),
                                                .text = str_of(w->mo_text[0] ? w->mo_text : "message {n}"),
                                                .senders = w->mo_senders, .rate = w->mo_rate });
}

void smsc_inject_done(struct smsc *s)
{
    while (s->runs)
        run_end(s, s->runs);
}
