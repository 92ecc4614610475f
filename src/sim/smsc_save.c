/* The state of the simulated SMSC as JSON and back: messages that are not over, and what is on its way to ESMEs. Links, settings
 * and counters are not part of it. A deliver_sm that is under way is saved as one still to go: at least once. */
#include "base/clock.h"
#include "base/str.h"
#include "sim/smsc_priv.h"

/* -- out --------------------------------------------------------------------------------------------------------------- */
static void hex_member(struct jw *w, const char *name, const void *p, size_t n)
{
    scoped_buf hex = { 0 };
    char *room = buf_room(&hex, 2 * n + 1);
    if (!room)
        return;
    hex_write(room, p ? p : "", n);
    hex.n += 2 * n;
    jw_text(w, name, buf_str(&hex));
}

static void save_message(struct jw *w, const struct message *m, int64_t now_us)
{
    jw_object(w, NULL);
    jw_textz(w, "account", m->account->system_id);
    jw_textz(w, "id", m->id);
    jw_int(w, "number", (int64_t)m->number);
    jw_textz(w, "from", m->from);
    jw_textz(w, "to", m->to);
    hex_member(w, "head", m->head, strlen(m->head));
    jw_textz(w, "serviceType", m->service_type);
    jw_int(w, "registered", m->registered);
    jw_int(w, "state", m->state);
    jw_int(w, "alphabet", m->alphabet);
    jw_int(w, "fate", m->outcome.fate);
    jw_int(w, "fateErr", m->outcome.err);
    jw_int(w, "fateStatus", m->outcome.status);
    jw_bool(w, "halfWay", m->half_way);
    jw_int(w, "dueInUs", m->due.at_us - now_us);
    jw_int(w, "endInUs", m->end_us - now_us);
    jw_int(w, "submittedUs", m->submitted_us);
    jw_textz(w, "text", m->text);
    jw_end(w);
}

static void save_parcels(struct jw *w, const struct parcels *list)
{
    for (const struct parcel *p = list->first; p; p = p->next) {
        jw_object(w, NULL);
        jw_textz(w, "account", p->account ? p->account->system_id : NULL);
        jw_bool(w, "other", p->other);
        jw_textz(w, "from", p->from);
        jw_textz(w, "to", p->to);
        jw_int(w, "esmClass", p->esm_class);
        jw_int(w, "dataCoding", p->data_coding);
        hex_member(w, "octets", p->octets, p->n);
        if (p->payload)
            hex_member(w, "payload", p->payload, p->payload_n);
        jw_int(w, "sarRef", p->sar.ref);
        jw_int(w, "sarTotal", p->sar.total);
        jw_int(w, "sarPart", p->sar.part);
        jw_textz(w, "messageId", p->message_id);
        jw_int(w, "state", p->state);
        jw_int(w, "err", p->err);
        jw_end(w);
    }
}

void smsc_save(const struct smsc *s, struct jw *w)
{
    int64_t now_us = clock_mono().us;
    jw_object(w, "smsc");
    jw_object(w, "ways");
    smsc_ways_write(&s->ways, w);
    jw_end(w);
    jw_textz(w, "password", s->ways.password);     /* which the ways hide */
    jw_int(w, "lastMessage", (int64_t)s->last_message);
    jw_int(w, "lastRef", s->last_ref);
    jw_int(w, "random", (int64_t)s->random);
    jw_array(w, "messages");
    for (size_t i = 0; i < dues_count(s->dues); i++) {
        const struct message *m = smsc_message_of_due(dues_at(s->dues, i));
        if (m)
            save_message(w, m, now_us);
    }
    jw_end(w);
    jw_array(w, "parcels");
    for (const struct esme *e = s->esmes; e; e = e->next) {
        save_parcels(w, &e->sent);
        save_parcels(w, &e->queue);
    }
    save_parcels(w, &s->waiting);
    save_parcels(w, &s->retry);
    jw_end(w);
    jw_end(w);
}

/* -- back -------------------------------------------------------------------------------------------------------------- */
static void copy_text(char *dst, size_t size, const struct json *j, const char *name)
{
    str_copyz(dst, size, json_text_of(j, name));
}

static enum err load_message(struct smsc *s, const struct json *j, int64_t now_us)
{
    size_t n = 0;
    struct str text = json_text_of(j, "text");
    struct message *m = calloc(1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    *m = (struct message){
        .account = smsc_account(s, json_text_of(j, "account")), .number = (uint64_t)json_int_of(j, "number", 0),
        .outcome = { .fate = (enum smsc_fate)json_int_of(j, "fate", 0), .err = (uint32_t)json_int_of(j, "fateErr", 0),
                     .status = (uint32_t)json_int_of(j, "fateStatus", 0) },
        .registered = (uint8_t)json_int_of(j, "registered", 0), .state = (uint8_t)json_int_of(j, "state", SMPP_ENROUTE),
        .alphabet = (enum sms_alphabet)json_int_of(j, "alphabet", 0), .half_way = json_bool_of(j, "halfWay", false),
        .submitted_us = json_int_of(j, "submittedUs", 0), .end_us = now_us + json_int_of(j, "endInUs", 0),
        .due.at_us = now_us + json_int_of(j, "dueInUs", 0),
    };
    copy_text(m->id, sizeof m->id, j, "id");
    copy_text(m->from, sizeof m->from, j, "from");
    copy_text(m->to, sizeof m->to, j, "to");
    copy_text(m->service_type, sizeof m->service_type, j, "serviceType");
    enum err err = hex_read(m->head, sizeof m->head - 1, json_text_of(j, "head"), &n);
    if (text.p && !err)
        err = (m->text = strndup(text.p, text.n)) ? ERR_NONE : ERR_NOMEM;
    if (!err && (!m->account || m->outcome.fate > SMSC_REJECTS || m->outcome.status > LOSS_UNKNOWN))
        err = ERR_RANGE;
    if (!err)
        return smsc_message_put_back(s, m);
    free(m->text);
    free(m);
    return err;
}

static enum err load_octets(struct parcel *p, const struct json *j)
{
    size_t n = 0;
    struct str payload = json_text_of(j, "payload");
    enum err err = hex_read(p->octets, sizeof p->octets, json_text_of(j, "octets"), &n);
    p->n = (uint8_t)n;
    if (err || !payload.p)
        return err;
    p->payload = malloc(payload.n / 2 + 1);
    return p->payload ? hex_read(p->payload, payload.n / 2 + 1, payload, &p->payload_n) : ERR_NOMEM;
}

static enum err load_parcel(struct smsc *s, const struct json *j)
{
    char from[SMPP_NUMBER_SIZE], to[SMPP_NUMBER_SIZE];
    struct str account = json_text_of(j, "account");
    copy_text(from, sizeof from, j, "from");
    copy_text(to, sizeof to, j, "to");
    struct parcel *p = smsc_parcel_new(s, from, to);
    if (!p)
        return ERR_NOMEM;
    p->account = account.n ? smsc_account(s, account) : NULL;
    p->other = json_bool_of(j, "other", false);
    p->esm_class = (uint8_t)json_int_of(j, "esmClass", 0);
    p->data_coding = (uint8_t)json_int_of(j, "dataCoding", 0);
    p->sar.ref = (uint16_t)json_int_of(j, "sarRef", 0);
    p->sar.total = (uint8_t)json_int_of(j, "sarTotal", 0);
    p->sar.part = (uint8_t)json_int_of(j, "sarPart", 0);
    p->state = (uint8_t)json_int_of(j, "state", 0);
    p->err = (uint32_t)json_int_of(j, "err", 0);
    copy_text(p->message_id, sizeof p->message_id, j, "messageId");
    enum err err = load_octets(p, j);
    if (err)
        smsc_parcel_free(s, p);
    else
        smsc_route(s, p);
    return err;
}

void smsc_clear(struct smsc *s)
{
    smsc_inject_done(s);                /* a series that was begun is not of the state that comes */
    smsc_messages_clear(s);
    smsc_out_clear(s);
    if (s->out_until_us)
        smsc_outage(s, 0);
    smsc_set_ways(s, &s->first_ways);
}

/* One of an earlier program says nothing of them. */
static enum err load_ways(struct smsc *s, const struct json *j)
{
    struct smsc_ways ways;
    struct problem why;
    const struct json *saved = json_member(j, "ways");
    if (json_kind(saved) != JSON_IS_OBJECT)
        return ERR_NONE;
    smsc_ways_init(&ways);
    enum err err = smsc_ways_patch(&ways, saved, &why);
    copy_text(ways.password, sizeof ways.password, j, "password");
    if (!err)
        smsc_set_ways(s, &ways);
    return err;
}

enum err smsc_load(struct smsc *s, const struct json *all)
{
    const struct json *j = json_member(all, "smsc"), *messages = json_member(j, "messages"), *parcels = json_member(j, "parcels");
    int64_t now_us = clock_mono().us;
    enum err err = ERR_NONE;
    smsc_clear(s);
    if (!j)
        return ERR_NONE;
    uint64_t last = (uint64_t)json_int_of(j, "lastMessage", 0);
    s->last_message = last > s->last_message ? last : s->last_message;     /* an id that an ESME saw is not given again */
    s->last_ref = (uint16_t)json_int_of(j, "lastRef", s->last_ref);
    s->random = (uint64_t)json_int_of(j, "random", (int64_t)s->random);
    err = load_ways(s, j);
    for (size_t i = 0; !err && i < json_count(messages); i++)
        err = load_message(s, json_item(messages, i), now_us);
    for (size_t i = 0; !err && i < json_count(parcels); i++)
        err = load_parcel(s, json_item(parcels, i));
    return err;
}
