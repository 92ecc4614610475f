/* smsc, trunk: the operator's own carriers. */
#include "base/nearest.h"
#include "base/str.h"
#include "main/ctl_priv.h"

/* Options that go into the body under a name of their own: text, number or yes. */
struct member { const char *option, *name; enum { AS_TEXT, AS_NUMBER, AS_YES, AS_LIST, AS_FILE } how; };

static void write_list(const struct ctl *c, struct jw *w, const struct member *m)
{
    jw_array(w, m->name);
    for (int i = 0; ctl_option_at(c, m->option, i); i++)
        jw_textz(w, NULL, ctl_option_at(c, m->option, i));
    jw_end(w);
}

static int write_members(const struct ctl *c, struct jw *w, const struct member *members, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *value = ctl_option(c, members[i].option);
        int64_t     number;
        if (!value)
            continue;
        if (members[i].how == AS_TEXT)
            jw_textz(w, members[i].name, value);
        else if (members[i].how == AS_YES)
            jw_bool(w, members[i].name, true);
        else if (members[i].how == AS_FILE && !ctl_file(c, value).p)
            return ctl_usage(c, "%s cannot be read", value);
        else if (members[i].how == AS_FILE)
            jw_text(w, members[i].name, ctl_file(c, value));
        else if (members[i].how == AS_LIST)
            write_list(c, w, &members[i]);
        else if (ctl_option_int(c, members[i].option, 1, 1000000, 0, &number))
            return CTL_USAGE;
        else
            jw_int(w, members[i].name, number);
    }
    return CTL_OK;
}

static int add(struct ctl *c, struct str target, const struct member *members, size_t n, const char *what)
{
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    jw_textz(&w, "name", c->args[0]);
    int rc = write_members(c, &w, members, n);
    jw_end(&w);
    struct ctl_answer answer;
    if (!rc)
        rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", target, buf_str(&body), &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_say(c, ctl_option(c, "simulated") ? "added %s %s"
                                              : "added %s %s: a real carrier. From now on the development key is refused, and "
                                                "webhooks must be https to public addresses",
                what, c->args[0]);
    return rc;
}

static const struct member smsc_members[] = {
    { "host", "host", AS_TEXT }, { "system-id", "systemId", AS_TEXT }, { "password", "password", AS_TEXT },
    { "bind", "bind", AS_TEXT }, { "window", "window", AS_NUMBER }, { "rate", "rate", AS_NUMBER },
    { "tls", "tls", AS_YES }, { "tls-ca", "tlsCa", AS_FILE }, { "tls-name", "tlsName", AS_TEXT },
    { "receipt-id", "receiptId", AS_TEXT }, { "data-coding", "dataCoding", AS_NUMBER }, { "throttle-status", "throttleStatus", AS_LIST },
    { "transient-status", "transientStatus", AS_LIST }, { "permanent-status", "permanentStatus", AS_LIST }, { "optout-status", "optoutStatus", AS_LIST },
    { "submit", "submit", AS_TEXT }, { "query-after", "queryAfter", AS_NUMBER }, { "answer-within", "answerWithin", AS_NUMBER },
    { "optout-error", "optoutError", AS_LIST }, { "tlv", "tlvs", AS_LIST },
    { "long-as", "longAs", AS_TEXT }, { "simulated", "simulated", AS_YES },
};

static int smsc_add(struct ctl *c)
{
    return add(c, STR("/carterfone/v1/smscs"), smsc_members, ARRAY_LEN(smsc_members), "SMSC");
}

/* What is unset goes as null. */
static int write_unset(const struct ctl *c, struct jw *w)
{
    const char *names[ARRAY_LEN(smsc_members)], *unset;
    size_t n = ARRAY_LEN(smsc_members);
    for (size_t i = 0; i < n; i++)
        names[i] = smsc_members[i].option;
    for (int i = 0; (unset = ctl_option_at(c, "unset", i)); i++) {
        size_t at = 0;
        while (at < n && strcmp(names[at], unset) != 0)
            at++;
        const char *near = at < n ? NULL : nearest(str_of(unset), names, n);
        if (at == n)
            return ctl_usage(c, "--unset takes the name of an option, such as tls or rate, not '%s'%s%s%s", unset,
                             near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        if (ctl_option(c, unset))
            return ctl_usage(c, "either --%s or --unset %s", unset, unset);
        jw_null(w, smsc_members[at].name);
    }
    return CTL_OK;
}

static int smsc_set(struct ctl *c)
{
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    struct ctl_answer answer;
    jw_object(&w, NULL);
    int rc = write_members(c, &w, smsc_members, ARRAY_LEN(smsc_members));
    if (!rc)
        rc = write_unset(c, &w);
    jw_end(&w);
    if (!rc && str_eqz(buf_str(&body), "{}"))
        return ctl_usage(c, "nothing to change: give an option, such as --host");
    if (!rc)
        rc = ctl_ask(c, CTL_AS_OPERATOR, "PATCH", ctl_target(c, "/carterfone/v1/smscs/%e", c->args[0]), buf_str(&body), &answer);
    if (!rc && !c->json)
        ctl_say(c, "changed SMSC %s: its bind is made anew; `carterfone smsc list` shows whether it is up", c->args[0]);
    return rc;
}

static int smsc_remove(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "DELETE", ctl_target(c, "/carterfone/v1/smscs/%e", c->args[0]), (struct str){ 0 }, &answer);
    if (!rc && !c->json)
        ctl_say(c, "removed SMSC %s", c->args[0]);
    return rc;
}

static int trunk_add(struct ctl *c)
{
    static const struct member members[] = {
        { "host", "host", AS_TEXT }, { "transport", "transport", AS_TEXT }, { "user", "user", AS_TEXT },
        { "password", "password", AS_TEXT }, { "register", "register", AS_YES }, { "emergency", "emergency", AS_YES },
        { "simulated", "simulated", AS_YES },
    };
    return add(c, STR("/carterfone/v1/trunks"), members, ARRAY_LEN(members), "trunk");
}

static int list_at(struct ctl *c, struct str target, const struct ctl_column *columns, const char *none)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", target, (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, answer.json, columns, none);
    return rc;
}

static int smsc_list(struct ctl *c)
{
    static const struct ctl_column columns[] = {
        { "SMSC", "name" }, { "UP", "up" }, { "BUSY", "busy" }, { "SINCE", "since" }, { "SIMULATED", "simulated" }, { "HOST", "host" },
        { "RECEIPT ID", "receiptId" }, { ">WAITING", "waiting" }, { ">UNDER WAY", "underWay" }, { ">WINDOW", "window" }, { ">RATE", "rate" }, { ">ERRORS", "errors" },
        { ">THROTTLED", "throttled" }, { ">LINKS LOST", "linksLost" }, { "BIND REFUSED", "bindRefused" }, { "WHY NOT UP", "why" },
        { "NEXT ATTEMPT", "nextAttempt" }, { 0 },
    };
    return list_at(c, STR("/carterfone/v1/smscs"), columns, "No SMSC; `carterfone smsc add` binds to one.");
}

static int smsc_test(struct ctl *c)
{
    static const struct ctl_column columns[] = { { "CHECK", "check" }, { "VERDICT", "verdict" }, { "WHAT IT DID", "detail" }, { 0 } };
    static const struct member members[] = {
        { "from", "from", AS_TEXT }, { "to", "to", AS_TEXT }, { "burst", "burst", AS_NUMBER }, { "wait", "wait", AS_NUMBER },
    };
    scoped_buf body = { 0 };
    struct jw w = jw_of(&body);
    struct ctl_answer answer;
    jw_object(&w, NULL);
    int rc = write_members(c, &w, members, ARRAY_LEN(members));
    jw_end(&w);
    if (!rc)
        rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", ctl_target(c, "/carterfone/v1/smscs/%e/:test", c->args[0]), buf_str(&body), &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, json_member(answer.json, "checks"), columns, "Nothing was tried.");
    for (size_t i = 0; !rc && i < json_count(json_member(answer.json, "checks")); i++)
        if (str_eqz(json_text_of(json_item(json_member(answer.json, "checks"), i), "verdict"), "no"))
            return CTL_REFUSED;
    return rc;
}

static int trunk_list(struct ctl *c)
{
    static const struct ctl_column columns[] = {
        { "TRUNK", "name" }, { "SIMULATED", "simulated" }, { "HOST", "host" }, { 0 },
    };
    return list_at(c, STR("/carterfone/v1/trunks"), columns, "No trunk; `carterfone trunk add` connects one.");
}

#define SMSC_OPTIONS \
    { "bind",      "transceiver|transmitter|receiver", CTL_MAY, "how to bind [transceiver]" },                                                  \
    { "window",    "N",         CTL_MAY,    "submits awaiting an answer at once" },                                                             \
    { "rate",      "N",         CTL_MAY,    "submits a second" },                                                                               \
    { "long-as",   "WAY",       CTL_MAY,    "how long texts go: udh [it is this], udh16, sar or payload" },                                     \
    { "tls",       NULL,        CTL_MAY,    "under TLS; its certificate is proved" },                                                           \
    { "tls-ca",    "FILE",      CTL_MAY,    "authorities to trust, in PEM [the system's]" },                                                    \
    { "tls-name",  "NAME",      CTL_MAY,    "the name in its certificate [the host]" },                                                         \
    { "receipt-id", "FORM",     CTL_MAY,    "ids in receipts: auto [it is learned], same, hex-dec (answers hex, receipts decimal), dec-hex" },  \
    { "throttle-status", "STATUS", CTL_MANY, "means: not so fast; such as 0x58 [ESME_RTHROTTLED, ESME_RMSGQFUL]" },                             \
    { "transient-status", "STATUS", CTL_MANY, "means: not now [ESME_RSYSERR, ESME_RX_T_APPN]" },                                                \
    { "permanent-status", "STATUS", CTL_MANY, "means: never [all others]" },                                                                    \
    { "submit",    "submit_sm|data_sm", CTL_MAY, "how texts are submitted [submit_sm]" },                                                       \
    { "query-after", "SECONDS", CTL_MAY,    "ask by query_sm when no receipt came for so long [never]" },                                       \
    { "answer-within", "SECONDS", CTL_MAY,  "a submit is answered in; one that is not is sent again [30]" },                                    \
    { "optout-status", "STATUS", CTL_MANY,  "means: the recipient wants no texts of this sender; recorded as an opt-out [none]" },              \
    { "optout-error", "N",      CTL_MANY,   "the same, of the err: of a receipt [none]" },                                                      \
    { "data-coding", "N",       CTL_MAY,    "data_coding of GSM-7 texts [0]" },                                                                 \
    { "tlv",       "0xTAG=VALUE", CTL_MANY, "goes with each submit; VALUE is text, or hex:OCTETS" }
static const struct ctl_option smsc_options[] = {
    { "host",      "HOST:PORT", CTL_NEEDED, "the SMSC" },
    { "system-id", "ID",        CTL_NEEDED, "our name there" },
    { "password",  "WORD",      CTL_NEEDED, "and password" },
    SMSC_OPTIONS,
    { "simulated", NULL,        CTL_MAY,    "another simulated network, on a loopback address: it carries simulated numbers" },
    { 0 },
};
static const struct ctl_option set_options[] = {
    { "host",      "HOST:PORT", CTL_MAY,    "the SMSC" },
    { "system-id", "ID",        CTL_MAY,    "our name there" },
    { "password",  "WORD",      CTL_MAY,    "and password" },
    SMSC_OPTIONS,
    { "unset",     "OPTION",    CTL_MANY,   "as if it had never been given, such as tls, rate or tlv" },
    { 0 },
};
static const struct ctl_option test_options[] = {
    { "to",    "NUMBER",  CTL_MAY, "submit to this one [nothing is submitted]" },
    { "from",  "NUMBER",  CTL_MAY, "from this leased number" },
    { "burst", "N",       CTL_MAY, "so many submits as fast as the window allows, 1 to 1000" },
    { "wait",  "SECONDS", CTL_MAY, "for a receipt, 1 to 25 [10]" },
    { 0 },
};
static const struct ctl_option trunk_options[] = {
    { "host",      "HOST:PORT", CTL_NEEDED, "the peer" },
    { "transport", "udp|tcp|tls", CTL_MAY,  "how to reach it [udp]" },
    { "user",      "NAME",      CTL_MAY,    "our name there" },
    { "password",  "WORD",      CTL_MAY,    "and password" },
    { "register",  NULL,        CTL_MAY,    "register with it" },
    { "emergency", NULL,        CTL_MAY,    "it carries emergency calls" },
    { "simulated", NULL,        CTL_MAY,    "another simulated network, on a loopback address: it carries simulated numbers" },
    { 0 },
};

const struct ctl_command ctl_carrier_commands[] = {
    { "smsc", "add", "NAME", 1, 1, smsc_options, smsc_add, "bind to an SMSC over SMPP" },
    { "smsc", "list", "", 0, 0, NULL, smsc_list, "the binds" },
    { "smsc", "set", "NAME", 1, 1, set_options, smsc_set, "change an SMSC; what is not said stays, what waits for it goes on waiting" },
    { "smsc", "remove", "NAME", 1, 1, NULL, smsc_remove, "take an SMSC away that nothing hangs on" },
    { "smsc", "test", "NAME", 1, 1, test_options, smsc_test, "what an SMSC does, tried on links of its own; exit 1 when something is refused" },
    { "trunk", "add", "NAME", 1, 1, trunk_options, trunk_add, "connect a SIP trunk" },
    { "trunk", "list", "", 0, 0, NULL, trunk_list, "the trunks" },
    { 0 },
};
