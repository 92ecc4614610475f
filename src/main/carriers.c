#include "main/carriers_priv.h"
#include "base/hostport.h"
#include "base/log.h"
#include "base/str.h"
#include "main/carrier_profile.h"
#include "domain/calls/calls.h"
#include "domain/messages/messages.h"
#include "domain/rules.h"
#include "edge/sip/sip_edge.h"
#include "edge/smpp/smpp_edge.h"
#include "net/target.h"
#include "store/carriers.h"

#include <stdio.h>

/* What the built-in SMSC says: sim/magic.h. */
static const struct smpp_statuses SIM_OPTOUT_STATUS = { { 0x407 }, 1 }, SIM_OPTOUT_ERROR = { { 407 }, 1 };

enum err carriers_new(struct carriers **out, const struct carriers_conf *conf)
{
    struct carriers *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    c->conf = *conf;
    *out = c;
    return ERR_NONE;
}

char *carrier_conf_text(const struct json *conf)
{
    struct buf text = { 0 };
    struct jw w = jw_of(&text);
    jw_json(&w, NULL, conf);
    buf_putc(&text, '\0');
    if (text.bad)
        buf_done(&text);
    return text.p;
}

void carrier_free(struct carrier *one)
{
    free(one->conf);
    free(one);
}

void carriers_free(struct carriers *c)
{
    if (!c)
        return;
    for (struct carrier *one = c->list, *next; one; one = next) {
        next = one->next;
        carrier_free(one);
    }
    free(c);
}

/* -- reading ------------------------------------------------------------------------------------------------------- */

enum err carrier_bad(struct problem *why, const char *field, const char *text)
{
    enum err err = problem_set(why, ERR_RANGE, "BadRequest", "%s", text);
    problem_target(why, "%s", field);
    return err;
}

/* "host:port", "[v6]:port". */
static enum err host_read(struct given *g, struct str text, struct problem *why)
{
    struct hostport at;
    if (hostport_read(&at, text) || at.host.n >= sizeof g->host || !at.port)
        return carrier_bad(why, "host", "host must be HOST:PORT, such as smsc.example.net:2775.");
    str_copyz(g->host, sizeof g->host, at.host);
    g->port = at.port;
    return ERR_NONE;
}

/* It stands in trails, logs and keys between blanks. */
static bool is_name(struct str name)
{
    static const char others[] = "._:-";
    bool good = name.n >= 1 && name.n <= 63;
    for (size_t i = 0; good && i < name.n; i++) {
        char c = name.p[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr(others, c));
    }
    return good;
}

static const struct json_shape given_shapes[] = {
    { "name", JSON_IS_TEXT },      { "host", JSON_IS_TEXT },      { "systemId", JSON_IS_TEXT },  { "user", JSON_IS_TEXT },
    { "password", JSON_IS_TEXT },  { "transport", JSON_IS_TEXT }, { "bind", JSON_IS_TEXT },      { "window", JSON_IS_INTEGER },
    { "tls", JSON_IS_BOOL },       { "tlsCa", JSON_IS_TEXT },     { "tlsName", JSON_IS_TEXT },
    { "receiptId", JSON_IS_TEXT }, { "dataCoding", JSON_IS_INTEGER }, { "throttleStatus", JSON_IS_ARRAY },
    { "transientStatus", JSON_IS_ARRAY }, { "permanentStatus", JSON_IS_ARRAY }, { "submit", JSON_IS_TEXT }, { "queryAfter", JSON_IS_INTEGER }, { "answerWithin", JSON_IS_INTEGER },
    { "optoutStatus", JSON_IS_ARRAY }, { "optoutError", JSON_IS_ARRAY }, { "tlvs", JSON_IS_ARRAY },
    { "longAs", JSON_IS_TEXT },    { "rate", JSON_IS_INTEGER },   { "simulated", JSON_IS_BOOL }, { "register", JSON_IS_BOOL },  { "emergency", JSON_IS_BOOL },
};

enum err given_read(struct given *g, const char *kind, const struct json *j, struct problem *why)
{
    *g = (struct given){ .kind = kind, .json = j,
                         .name = json_text_of(j, "name"),
                         .system_id = json_text_of(j, "systemId"),
                         .user = json_text_of(j, "user"),
                         .password = json_text_of(j, "password"),
                         .transport = json_text_of(j, "transport"),
                         .bind = json_text_of(j, "bind"),
                         .long_as = json_text_of(j, "longAs"),
                         .window = json_int_of(j, "window", 0),
                         .rate = json_int_of(j, "rate", 0),
                         .simulated = json_bool_of(j, "simulated", false) };
    if (json_kind(j) != JSON_IS_OBJECT)
        return carrier_bad(why, "", "The body must be a JSON object.");
    enum err err = json_expect(j, given_shapes, ARRAY_LEN(given_shapes), why);
    if (err)
        return err;
    if (!is_name(g->name))
        return carrier_bad(why, "name", "name must have 1 to 63 of A-Z, a-z, 0-9, '.', '_', ':' and '-'.");
    if (g->window < 0 || g->window > 1000)
        return carrier_bad(why, "window", "window must be 1 to 1000 unanswered submits, or absent.");
    if (g->rate < 0 || g->rate > 100000)
        return carrier_bad(why, "rate", "rate must be 1 to 100000 segments a second, or absent.");
    err = host_read(g, json_text_of(j, "host"), why);
    if (!err && g->simulated && strcmp(g->host, "localhost") && !target_is_loopback(str_of(g->host)))
        return carrier_bad(why, "simulated", "A simulated network must have a loopback address.");
    return err;
}

/* -- starting ------------------------------------------------------------------------------------------------------ */

static enum err bind_type_read(struct str word, enum smpp_bind_type *out, struct problem *why)
{
    *out = BIND_TRANSCEIVER;
    if (!word.n || str_eqz(word, "transceiver"))
        return ERR_NONE;
    if (str_eqz(word, "transmitter"))
        *out = BIND_TRANSMITTER;
    else if (str_eqz(word, "receiver"))
        *out = BIND_RECEIVER;
    else
        return carrier_bad(why, "bind", "bind is transceiver, transmitter or receiver.");
    return ERR_NONE;
}

static enum err long_as_read(struct str word, enum sms_way *out, struct problem *why)
{
#define WAY_WORD(name, word) word,
    static const char *const words[] = { SMS_WAYS(WAY_WORD) };
#undef WAY_WORD
    *out = SMS_UDH;
    for (size_t i = 0; word.n && i < ARRAY_LEN(words); i++)
        if (str_eqz(word, words[i])) {
            *out = (enum sms_way)i;
            return ERR_NONE;
        }
    return word.n ? carrier_bad(why, "longAs", "longAs is udh, udh16, sar or payload.") : ERR_NONE;
}

enum err given_bind(struct smpp_bind_conf *out, const struct given *g, struct problem *why)
{
    struct smpp_bind_conf conf = { .name = g->name, .host = str_of(g->host), .port = g->port, .system_id = g->system_id,
                                   .password = g->password, .window = (unsigned)g->window, .rate = (unsigned)g->rate,
                                   .simulated = g->simulated };
    if (!g->json) {
        conf.optouts = SIM_OPTOUT_STATUS;
        conf.optout_errors = SIM_OPTOUT_ERROR;
    }
    enum err err = bind_type_read(g->bind, &conf.type, why);
    if (!err)
        err = carrier_profile_read(&conf, g->json, why);
    if (!err)
        err = long_as_read(g->long_as, &conf.long_as, why);
    *out = conf;
    return err;
}

static enum err start_smsc(struct carriers *c, const struct given *g, struct problem *why)
{
    struct smpp_bind_conf conf;
    enum err err = given_bind(&conf, g, why);
    return err ? err : smpp_edge_add(c->conf.smpp, &conf, why);
}

static enum err start_trunk(struct carriers *c, const struct given *g, struct problem *why)
{
    struct sip_trunk_conf conf = { .name = g->name, .host = str_of(g->host), .port = g->port, .transport = g->transport,
                                   .user = g->user, .password = g->password, .simulated = g->simulated };
    return sip_edge_trunk_add(c->conf.sip, &conf, why);
}

static enum err start(struct carriers *c, const struct given *g, bool built_in, struct problem *why)
{
    struct carrier *one = calloc(1, sizeof *one);
    if (!one || (g->json && !(one->conf = carrier_conf_text(g->json)))) {
        free(one);
        return ERR_NOMEM;
    }
    enum err err = strcmp(g->kind, "smsc") == 0 ? start_smsc(c, g, why) : start_trunk(c, g, why);
    if (err) {
        carrier_free(one);
        return err;
    }
    snprintf(one->kind, sizeof one->kind, "%s", g->kind);
    snprintf(one->host, sizeof one->host, "%s:%u", g->host, g->port);
    str_copyz(one->name, sizeof one->name, g->name);
    one->simulated = g->simulated;
    one->built_in = built_in;
    one->next = c->list;
    c->list = one;
    if (g->simulated && strcmp(g->kind, "trunk") == 0)
        calls_set_sim_trunk(c->conf.calls, g->name);
    if (!g->simulated)
        c->conf.real_carrier(c->conf.arg, one->name);
    log_info("carriers", "%s %s at %s%s", one->kind, one->name, one->host, one->simulated ? " (simulated)" : "");
    return ERR_NONE;
}

enum err carriers_start_sim(struct carriers *c, const char *smpp_host, uint16_t smpp_port, const char *sip_host,
                            uint16_t sip_port, struct problem *why)
{
    struct given smsc = { .kind = "smsc", .name = STR("sim"), .system_id = STR("carterfone"), .port = smpp_port,
                          .window = 100, .simulated = true };
    struct given trunk = { .kind = "trunk", .name = STR("sim"), .port = sip_port, .simulated = true };
    str_copyz(smsc.host, sizeof smsc.host, str_of(smpp_host));
    str_copyz(trunk.host, sizeof trunk.host, str_of(sip_host));
    enum err err = start(c, &smsc, true, why);
    return err ? err : start(c, &trunk, true, why);
}

static enum err load_one(void *arg, const struct carrier_row *row)
{
    struct carriers *c = arg;
    struct given g;
    struct problem why = { 0 };
    scoped(json_doc) struct json_doc *doc = NULL;
    const char *kind = str_eqz(row->kind, "smsc") ? "smsc" : "trunk";
    enum err err = json_read(&doc, row->conf, &why);
    if (!err)
        err = given_read(&g, kind, json_root(doc), &why);
    if (!err)
        err = start(c, &g, false, &why);
    if (err) {
        log_error("carriers", "%s " STR_FMT " cannot be started: %s", kind, STR_ARG(row->name), why.text);
        if (!doc || !json_bool_of(json_root(doc), "simulated", false))
            c->conf.real_carrier(c->conf.arg, kind);    /* it exists all the same: what its absence allowed has ended */
    }
    return ERR_NONE;                    /* one bad carrier must not keep the others from starting */
}

enum err carriers_load(struct carriers *c, struct problem *why)
{
    enum err err = carrier_rows_each(c->conf.control->db, load_one, c);
    return err ? problem_set(why, err, "InternalError", "The carriers cannot be read: %s.", err_words(err)) : ERR_NONE;
}

/* -- adding -------------------------------------------------------------------------------------------------------- */

/* A carrier on its way to disk; it is started once it is safe there. */
struct adding {
    struct db_done     done;
    struct carriers   *c;
    struct json_doc   *doc;
    char               kind[8];
    carrier_done_fn   *then;
    void              *arg;
};

static enum err taken(const struct given *g, struct problem *why)
{
    char name[64];
    str_copyz(name, sizeof name, g->name);
    return rule_problem(why, ERR_CONFLICT, RULE_CARRIER_TAKEN, name);
}

static void on_stored(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct adding *a = container_of(item, struct adding, done.item);
    struct problem why = { 0 };
    struct given g;
    enum err err = a->done.err;
    if (given_read(&g, strcmp(a->kind, "smsc") == 0 ? "smsc" : "trunk", json_root(a->doc), &why))
        err = ERR_RANGE;
    else if (err)
        err = err == ERR_CONFLICT ? taken(&g, &why) : rule_problem(&why, err, RULE_STORE_BUSY);
    if (!err)
        err = start(a->c, &g, false, &why);
    a->then(a->arg, err, &why);
    json_doc_free(a->doc);
    free(a);
}

static void drop_stored(struct inbox_item *item)
{
    struct adding *a = container_of(item, struct adding, done.item);
    json_doc_free(a->doc);
    free(a);
}

static const struct inbox_kind stored_kind = { "carriers.stored", on_stored, drop_stored };

static bool name_taken(const struct carriers *c, struct str name)
{
    const struct carrier *one = c->list;
    while (one && !str_eqz(name, one->name))
        one = one->next;
    return one != NULL;
}

/* Everything that start() would refuse must be refused before it is stored; so the transport too. */
static enum err trunk_check(const struct given *g, const struct json *conf, struct problem *why)
{
    if (json_bool_of(conf, "register", false) || json_bool_of(conf, "emergency", false))
        return problem_set(why, ERR_UNBUILT, "NotImplemented", "Trunks that register or carry emergency calls are not built yet.");
    if (str_eqz(g->transport, "tls"))
        return problem_set(why, ERR_UNBUILT, "NotImplemented", "TLS trunks are not built yet; docs/conformance.md.");
    if (g->transport.n && !str_eqz(g->transport, "udp") && !str_eqz(g->transport, "tcp"))
        return carrier_bad(why, "transport", "transport is udp, tcp or tls.");
    return ERR_NONE;
}

enum err given_check(const struct given *g, const char *kind, const struct json *conf, struct problem *why)
{
    struct smpp_bind_conf bind;
    if (strcmp(kind, "smsc") != 0)
        return trunk_check(g, conf, why);
    if (!g->system_id.n || g->system_id.n > 15)
        return carrier_bad(why, "systemId", "systemId must have 1 to 15 characters (SMPP 3.4, 5.2.1).");
    if (g->password.n > 8)
        return carrier_bad(why, "password", "password has at most 8 characters (SMPP 3.4, 5.2.2).");
    return given_bind(&bind, g, why);
}

static enum err check(const struct carriers *c, const char *kind, const struct json *conf, struct given *g,
                      struct problem *why)
{
    enum err err = given_read(g, kind, conf, why);
    if (!err && !g->simulated && str_eqz(g->name, "sim"))
        err = rule_problem(why, ERR_RANGE, RULE_NAME_RESERVED);     /* it would open the wall */
    if (!err && name_taken(c, g->name))
        err = taken(g, why);
    return err ? err : given_check(g, kind, conf, why);
}

enum err carriers_add(void *carriers, const char *kind, const struct json *conf, carrier_done_fn *done, void *arg,
                      struct problem *why)
{
    struct carriers *c = carriers;
    struct given g;
    enum err err = check(c, kind, conf, &g, why);
    if (err)
        return err;
    scoped_buf text = { 0 };
    struct jw w = jw_of(&text);
    jw_json(&w, NULL, conf);
    struct adding *a = calloc(1, sizeof *a);
    struct db_unit *u = db_unit_new();
    struct json_doc *doc = NULL;
    err = a && u && !text.bad ? json_read(&doc, buf_str(&text), why) : ERR_NOMEM;
    if (!err) {
        *a = (struct adding){ .done = { .item.kind = &stored_kind, .to = control_inbox(c->conf.control) }, .c = c,
                              .doc = doc, .then = done, .arg = arg };
        snprintf(a->kind, sizeof a->kind, "%s", kind);
        carrier_row_insert(u, &(struct carrier_row){ ids_next(c->conf.control->ids), str_of(a->kind), g.name,
                                                     buf_str(&text) });
        err = db_post(c->conf.control->db, u, &a->done);
    }
    if (err) {
        db_unit_free(u);
        json_doc_free(doc);
        free(a);
    }
    return err;
}

enum err carriers_test(void *carriers, const struct carrier_trial *trial, carrier_tested_fn *done, void *arg, struct problem *why)
{
    struct carriers *c = carriers;
    struct carrier *one;
    if (carriers_find(c, trial->name, &one, why))
        return ERR_ABSENT;
    char from[64];
    str_copyz(from, sizeof from, trial->from);
    if (trial->to.n && one->simulated != trial->from_simulated)
        return rule_problem(why, ERR_FORBIDDEN, RULE_SMSC_TEST_OTHER_SIDE, from);
    const struct smpp_probe_conf conf = { .name = trial->name, .from = trial->from, .to = trial->to, .burst = trial->burst, .wait_s = trial->wait_s };
    return smpp_edge_probe(c->conf.smpp, &conf, done, arg);
}

void carriers_write(void *carriers, const char *kind, struct jw *w)
{
    const struct carriers *c = carriers;
    for (const struct carrier *one = c->list; one; one = one->next) {
        if (strcmp(one->kind, kind) != 0)
            continue;
        jw_object(w, NULL);
        jw_textz(w, "name", one->name);
        jw_textz(w, "host", one->host);
        jw_bool(w, "simulated", one->simulated);
        jw_bool(w, "builtIn", one->built_in);
        if (strcmp(kind, "smsc") == 0)
            messages_write_carrier_state(c->conf.messages, one->name, w);
        jw_end(w);
    }
}

bool carriers_known(void *carriers, struct str name, bool *simulated)
{
    const struct carriers *c = carriers;
    bool known = false;
    *simulated = true;
    for (const struct carrier *one = c->list; one; one = one->next) {
        if (!str_eqz(name, one->name))
            continue;
        known = true;
        *simulated &= one->simulated;
    }
    return known;
}
