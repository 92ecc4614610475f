/* esme_parts.c - parts of messages from customers' ESMEs: each is stored before it is answered, and has an id of its own; the last
 * to come makes the message. */
#include "domain/messages/mailbox.h"
#include "domain/messages/messages_priv.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "codec/smpp/smpp.h"
#include "store/esmes.h"

METRIC_COUNTER(parts_total, "carterfone_esme_parts_total", "Parts of messages from customers' ESMEs")
METRIC_COUNTER(overdue_total, "carterfone_esme_parts_overdue_total", "Messages of customers' ESMEs whose parts did not all come")

enum { GROUPS_MAX = 20000 };
static const int64_t WAIT_US = 300 * (int64_t)US_PER_S;

struct piece {
    struct piece       *next;           /* in order of arrival */
    struct sms_answered id;
    unsigned            part;
    enum sms_alphabet   alphabet;
    size_t              n;
    char                octets[];
};

/* A message of which parts are there. */
struct group {
    struct messages    *m;
    struct agenda_entry due;
    uint64_t            resource;
    unsigned            total;
    int64_t             created_us;
    bool                whole;          /* it is being sent */
    struct piece       *first, **last;
    struct str          from, to, key;
    char                bytes[];
};

static void key_write(struct buf *b, uint64_t resource, struct str from, struct str to, unsigned ref, unsigned total)
{
    buf_printf(b, "%llx " STR_FMT " " STR_FMT " %u %u", (unsigned long long)resource, STR_ARG(from), STR_ARG(to), ref, total);
}

/* -- groups --------------------------------------------------------------------------------------------------------- */

static void group_free(struct group *g)
{
    agenda_clear(g->m->control->agenda, &g->due);
    for (struct piece *p = g->first, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    free(g);
}

static void group_end(struct group *g)
{
    strmap_take(g->m->part_groups, g->key);
    group_free(g);
}

void esme_parts_free(struct messages *m)
{
    struct str key;
    void *group;
    for (size_t at = 0; m->part_groups && strmap_next(m->part_groups, &at, &key, &group);)
        group_free(group);
    strmap_free(m->part_groups);
}

static void on_overdue(void *group, int64_t due_us);

static struct group *group_new(struct messages *m, uint64_t resource, struct str from, struct str to, unsigned total, struct str key,
                               int64_t created_us)
{
    if (strmap_count(m->part_groups) >= GROUPS_MAX)
        return NULL;
    struct group *g = calloc(1, sizeof *g + from.n + to.n + key.n + 3);
    if (!g)
        return NULL;
    *g = (struct group){ .m = m, .resource = resource, .total = total, .created_us = created_us };
    g->last = &g->first;
    char *at = g->bytes;
    g->from = str_put(&at, from);
    g->to = str_put(&at, to);
    g->key = str_put(&at, key);
    if (agenda_set(m->control->agenda, &g->due, created_us + WAIT_US, on_overdue, g) || strmap_put(m->part_groups, g->key, g)) {
        group_free(g);
        return NULL;
    }
    return g;
}

static struct piece *add_piece(struct group *g, const struct sms_answered *id, unsigned part, enum sms_alphabet alphabet, struct str octets)
{
    struct piece *p = malloc(sizeof *p + octets.n);
    if (!p)
        return NULL;
    *p = (struct piece){ .id = *id, .part = part, .alphabet = alphabet, .n = octets.n };
    memcpy(p->octets, octets.p, octets.n);
    *g->last = p;
    g->last = &p->next;
    return p;
}

/* One that came twice counts as it came last. */
static const struct piece *piece_of(const struct group *g, unsigned part)
{
    const struct piece *found = NULL;
    for (const struct piece *p = g->first; p; p = p->next)
        if (p->part == part)
            found = p;
    return found;
}

static bool lacks_only(const struct group *g, unsigned part)
{
    for (unsigned i = 1; i <= g->total; i++)
        if (i != part && !piece_of(g, i))
            return false;
    return true;
}

static void remove_piece(struct group *g, uint64_t key)
{
    for (struct piece **at = &g->first; *at; at = &(*at)->next)
        if ((*at)->id.key == key) {
            struct piece *p = *at;
            *at = p->next;
            if (!*at)
                g->last = at;
            free(p);
            return;
        }
}

/* -- given up ------------------------------------------------------------------------------------------------------- */

struct part_ending {
    struct messages *m;
    uint64_t         resource;
};

static void on_ended(void *mine, enum err err)
{
    const struct part_ending *e = mine;
    if (err)
        log_error("messages", "the end of parts that waited could not be stored: they wait again after a restart");
    else
        mailbox_go(e->m->mailbox, e->resource);
}

/* Its parts end undelivered, each with the receipt it asked for. */
static void fail(struct group *g, int state)
{
    struct messages *m = g->m;
    struct db_unit *u = db_unit_new();
    struct part_ending *e = malloc(sizeof *e);
    if (e)
        *e = (struct part_ending){ m, g->resource };
    for (const struct piece *p = g->first; p; p = p->next) {
        struct letter l = { .resource = g->resource, .receipt = true, .message = p->id.key, .answered = p->id.key, .from = g->to,
                            .to = g->from, .state = state, .reference = p->id.reference, .submitted_us = g->created_us,
                            .at_us = control_now_us(m->control), .text = STR("") };
        if (p->id.registered & 3)
            mailbox_put(m->mailbox, u, &l);
        esme_part_row_drop(u, p->id.key);
    }
    if (control_write(m->control, u, on_ended, e))
        log_error("messages", "the end of parts that waited could not be stored: they wait again after a restart");
    group_end(g);
}

static void on_overdue(void *group, int64_t due_us)
{
    struct group *g = group;
    if (g->whole) {                     /* its unit is under way, and says what becomes of it */
        (void)!agenda_set(g->m->control->agenda, &g->due, due_us + WAIT_US, on_overdue, g);
        return;
    }
    metric_add(&overdue_total, 1);
    log_warn("messages", "a message of an ESME ends undelivered: not all of its %u parts came in five minutes", g->total);
    fail(g, SMPP_EXPIRED);
}

/* -- the last part -------------------------------------------------------------------------------------------------- */

/* What is sent when all are there. */
struct joining {
    struct messages     *m;
    struct group        *group;
    struct sms_send      send;
    struct sms_recipient to;
    struct sms_esme      esme;
    struct buf           text;
    messages_sent_fn    *done;
    void                *arg;
    struct sms_answered  ids[];
};

static void joining_free(struct joining *j)
{
    buf_done(&j->text);
    free(j);
}

static void on_joined(void *arg, enum err err, const struct sms_result *results, size_t n)
{
    struct joining *j = arg;
    struct group *g = j->group;
    messages_sent_fn *done = j->done;
    void *whose = j->arg;
    if (err)
        g->whole = false;               /* the others wait for the last one to come again */
    else if (results[0].status == 202)
        group_end(g);
    else
        fail(g, SMPP_REJECTED);
    joining_free(j);
    done(whose, err, results, n);
}

/* Octets of one alphabet are read together: a character may be cut between two parts. */
static void join_text(const struct group *g, const struct sms_part_in *last, struct buf *out)
{
    scoped_buf run = { 0 };
    enum sms_alphabet alphabet = last->alphabet;
    for (unsigned i = 1; i <= g->total; i++) {
        const struct piece *p = i == last->concat.part ? NULL : piece_of(g, i);
        enum sms_alphabet its = p ? p->alphabet : last->alphabet;
        if (its != alphabet) {
            sms_text_read(out, alphabet, run.p, run.n);
            buf_clear(&run);
            alphabet = its;
        }
        buf_puts(&run, p ? (struct str){ p->octets, p->n } : last->octets);
    }
    sms_text_read(out, alphabet, run.p, run.n);
    out->bad |= run.bad;
}

static enum err send_whole(struct group *g, const struct sms_part_in *last, messages_sent_fn *done, void *arg, struct problem *why)
{
    size_t n = 0;
    for (const struct piece *p = g->first; p; p = p->next)
        n++;
    struct joining *j = calloc(1, sizeof *j + n * sizeof j->ids[0]);
    if (!j)
        return ERR_NOMEM;
    *j = (struct joining){ .m = g->m, .group = g, .esme = last->esme, .done = done, .arg = arg };
    for (const struct piece *p = g->first; p; p = p->next)
        j->ids[j->esme.parts_n++] = p->id;
    j->esme.parts = j->ids;
    join_text(g, last, &j->text);
    j->to.to = g->to;
    j->send = (struct sms_send){ .resource = g->resource, .from = g->from, .recipients = &j->to, .n = 1, .text = buf_str(&j->text),
                                 .report = true, .send_at_us = last->send_at_us, .valid_until_us = last->valid_until_us,
                                 .esme = &j->esme };
    enum err err = j->text.bad ? ERR_NOMEM : utf8_utf16_units(j->send.text) > SMS_TEXT_MAX_UNITS ? ERR_SIZE : ERR_NONE;
    if (!err) {
        g->whole = true;
        err = messages_send(g->m, &j->send, on_joined, j, why);
    } else if (err == ERR_SIZE) {
        problem_set(why, ERR_FORBIDDEN, "BadRequest", "The parts make more than 2,048 UTF-16 units.");
        err = ERR_FORBIDDEN;
    }
    if (err) {
        g->whole = false;
        joining_free(j);
    }
    return err;
}

/* -- a part --------------------------------------------------------------------------------------------------------- */

struct storing {
    struct messages  *m;
    uint64_t          part;
    struct sms_result result;
    messages_sent_fn *done;
    void             *arg;
    size_t            key_n;
    char              key[];            /* of its group, which may have ended meanwhile */
};

static void on_stored(void *mine, enum err err)
{
    struct storing *s = mine;
    struct group *g = strmap_find(s->m->part_groups, (struct str){ s->key, s->key_n });
    if (err && g && !g->whole)
        remove_piece(g, s->part);
    s->done(s->arg, err, &s->result, 1);
}

static void body_write(struct buf *b, const struct sms_part_in *part)
{
    buf_printf(b, "%u", (unsigned)part->alphabet);
    for (size_t i = 0; i < part->octets.n; i++)
        buf_printf(b, "%02x", (unsigned char)part->octets.p[i]);
}

static enum err store(struct group *g, const struct sms_part_in *part, messages_sent_fn *done, void *arg)
{
    struct messages *m = g->m;
    scoped_buf body = { 0 };
    const struct sms_answered id = { control_key(m->control), part->esme.registered, part->esme.reference };
    struct storing *s = calloc(1, sizeof *s + g->key.n);
    body_write(&body, part);
    if (!s || body.bad || !add_piece(g, &id, part->concat.part, part->alphabet, part->octets)) {
        free(s);
        return ERR_NOMEM;
    }
    *s = (struct storing){ .m = m, .part = id.key, .done = done, .arg = arg, .key_n = g->key.n, .result = { .status = 202 } };
    memcpy(s->key, g->key.p, g->key.n);
    message_public_id(m, id.key, false, s->result.id);
    struct db_unit *u = db_unit_new();
    esme_part_row_put(u, &(struct esme_part_row){ .key = id.key, .resource = g->resource, .from = g->from, .to = g->to,
                                                  .ref = part->concat.ref, .total = g->total, .part = part->concat.part,
                                                  .body = buf_str(&body), .registered = id.registered, .reference = id.reference,
                                                  .created_us = control_now_us(m->control) });
    enum err err = control_write(m->control, u, on_stored, s);
    if (err)
        remove_piece(g, id.key);
    return err;
}

/* Would the message be let through? Asked with the text of its first part. */
static enum err ask_first(struct messages *m, const struct sms_part_in *part, struct sms_forecast *out, struct problem *why)
{
    const struct sms_recipient to = { .to = part->to };
    const struct sms_send s = { .resource = part->resource, .from = part->from, .recipients = &to, .n = 1, .text = STR("part"),
                                .esme = &part->esme };
    return messages_preview(m, &s, out, why);
}

enum err messages_take_part(struct messages *m, const struct sms_part_in *part, messages_sent_fn *done, void *arg, struct problem *why)
{
    scoped_buf key = { 0 };
    struct sms_forecast first = { .refused = false };
    key_write(&key, part->resource, part->from, part->to, part->concat.ref, part->concat.total);
    struct group *g = key.bad ? NULL : strmap_find(m->part_groups, buf_str(&key));
    metric_add(&parts_total, 1);
    if (key.bad || (g && g->whole))
        return key.bad ? ERR_NOMEM : ERR_BUSY;          /* its message is being stored: after that it is another one */
    if (!g) {
        enum err err = ask_first(m, part, &first, why);
        if (err)
            return err;
        if (first.refused) {
            done(arg, ERR_NONE, &(struct sms_result){ .to = part->to, .status = 400, .refusal = &first.refusal }, 1);
            return ERR_NONE;
        }
        g = group_new(m, part->resource, part->from, part->to, part->concat.total, buf_str(&key), control_now_us(m->control));
        if (!g)
            return problem_set(why, ERR_SIZE, "TooManyRequests", "Too many messages wait for parts that have not come.");
    }
    if (lacks_only(g, part->concat.part))
        return send_whole(g, part, done, arg, why);
    return store(g, part, done, arg);
}

/* -- start-up ------------------------------------------------------------------------------------------------------- */

static void load_part(void *arg, const struct esme_part_row *row)
{
    struct messages *m = arg;
    scoped_buf key = { 0 };
    uint8_t octets[2 * SMS_SEGMENT_OCTETS];
    size_t n = 0;
    const struct sms_answered id = { row->key, row->registered, row->reference };
    ids_after(m->control->ids, row->key);
    key_write(&key, row->resource, row->from, row->to, row->ref, row->total);
    if (key.bad || !row->body.n || hex_read(octets, sizeof octets, str_from(row->body, 1), &n))
        return;
    struct group *g = strmap_find(m->part_groups, buf_str(&key));
    if (!g)
        g = group_new(m, row->resource, row->from, row->to, row->total, buf_str(&key), row->created_us);
    if (g)
        (void)!add_piece(g, &id, row->part, (enum sms_alphabet)(row->body.p[0] - '0'), (struct str){ (const char *)octets, n });
}

enum err esme_parts_load(struct messages *m)
{
    return esme_part_rows_each(m->control->db, load_part, m);
}
