/* call ...: calls placed and watched by Carterfone's own API. */
#include "base/str.h"
#include "main/ctl_priv.h"

static const struct ctl_column call_columns[] = {
    { "CALL", "id" }, { "WAY", "direction" }, { "FROM", "from" }, { "TO", "to" }, { "STATE", "state" },
    { "STARTED", "startedAt" }, { "ENDED", "endedAt" }, { "BECAUSE", "reason" }, { 0 },
};
static const struct ctl_column call_facts[] = {
    { "call", "id" }, { "way", "direction" }, { "from", "from" }, { "to", "to" }, { "state", "state" }, { "trunk", "trunk" },
    { "started", "startedAt" }, { "answered", "connectedAt" }, { "ended", "endedAt" }, { "because", "reason" },
    { "SIP", "sip" }, { "Q.850", "q850" }, { "RTP sent", "audio.packetsSent" }, { "RTP received", "audio.packetsReceived" },
    { "RTP lost", "audio.packetsLost" }, { 0 },
};
static const struct ctl_column placed_facts[] = {
    { "call", "id" }, { "from", "from" }, { "to", "to" }, { "state", "state" }, { 0 },
};

#define PROMPTS "/carterfone/prompts/"      /* on the server, not on this machine */

/* A prompt's address; one that begins with '/' is on the server itself. */
static const char *prompt_address(const struct ctl *c, const char *given)
{
    return given[0] == '/' ? arena_printf(c->arena, STR_FMT "%s", STR_ARG(c->api), given).p : given;
}

static int place(struct ctl *c)
{
    int rc = ctl_find(c);
    if (rc)
        return rc;
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    jw_textz(&w, "from", ctl_option(c, "from"));
    jw_textz(&w, "to", ctl_option(c, "to"));
    if (ctl_option(c, "play"))
        jw_textz(&w, "play", prompt_address(c, ctl_option(c, "play")));
    jw_end(&w);
    struct ctl_answer answer;
    rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", STR("/carterfone/v1/calls"), buf_str(&body), &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_facts(c, answer.json, placed_facts);
    return rc;
}

static int list(struct ctl *c)
{
    int64_t limit;
    int     rc = ctl_option_int(c, "limit", 1, 1000, 100, &limit);
    struct ctl_answer answer;
    if (!rc)
        rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", arena_printf(c->arena, "/carterfone/v1/calls?limit=%lld", (long long)limit),
                     (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, answer.json, call_columns, "No calls yet.");
    return rc;
}

static int show(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", ctl_target(c, "/carterfone/v1/calls/%e", c->args[0]), (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_facts(c, answer.json, call_facts);
    return rc;
}

static int hangup(struct ctl *c)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", ctl_target(c, "/carterfone/v1/calls/%e/:hangup", c->args[0]),
                     (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_say(c, "hung up");
    return rc;
}

/* A file of this machine is lent to the server once, from here: it fetches every prompt by HTTP. */
static int play(struct ctl *c)
{
    struct ctl_lend *lend = NULL;
    const char      *url = c->args[1];
    if (strncmp(url, PROMPTS, strlen(PROMPTS)) == 0) {
        int rc = ctl_find(c);
        if (rc)
            return rc;
        url = prompt_address(c, url);
    } else if (!strstr(url, "://")) {
        int rc = ctl_lend_new(c, c->args[1], &lend, &url);
        if (rc)
            return rc;
    }
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    jw_array(&w, "playSources");
    jw_object(&w, NULL);
    jw_textz(&w, "kind", "file");
    jw_object(&w, "file");
    jw_textz(&w, "uri", url);
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);
    jw_array(&w, "playTo");
    jw_end(&w);
    jw_end(&w);

    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_RESOURCE, "POST", ctl_target(c, "/calling/callConnections/%e:play", c->args[0]), buf_str(&body),
                     &answer);
    if (lend && !rc)
        rc = ctl_lend_wait(c, lend);
    ctl_lend_free(lend);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_say(c, "playing %s", c->args[1]);
    return rc;
}

static const struct ctl_option place_options[] = {
    { "from", "NUMBER", CTL_NEEDED, "a leased number with outbound calling" },
    { "to",   "NUMBER", CTL_NEEDED, "whom to call" },
    { "play", "URL",    CTL_MAY,    "a WAV file to play when it is answered; /carterfone/prompts/hello.wav is one the server has" },
    { 0 },
};

static const struct ctl_option list_options[] = { { "limit", "N", CTL_MAY, "the newest N [100]" }, { 0 } };

const struct ctl_command ctl_call_commands[] = {
    { "call", "place", "", 0, 0, place_options, place, "call a number" },
    { "call", "list", "", 0, 0, list_options, list, "calls, newest first" },
    { "call", "show", "CALLID", 1, 1, NULL, show, "one of them; `explain` says more" },
    { "call", "explain", "CALLID", 1, 1, NULL, ctl_explain, "its time line, from the request to the last callback" },
    { "call", "play", "CALLID FILE.wav|URL", 2, 2, NULL, play, "play a WAV file into it" },
    { "call", "hangup", "CALLID", 1, 1, NULL, hangup, "end it" },
    { 0 },
};
