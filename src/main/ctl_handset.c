/* handset ...: the telephones of the simulated networks (+1 NPA 555-0100 ... 0149). */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "main/ctl_priv.h"

enum { POLL_US = 100000 };

static int ask_handset(struct ctl *c, const char *verb, const struct buf *body, const char *said)
{
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", ctl_target(c, "/carterfone/v1/handsets/%e/:%s", c->args[0], verb),
                     buf_str(body), &answer);
    if (rc || ctl_say_json(c, answer.body))
        return rc;
    struct str note = json_text_of(answer.json, "note");
    if (note.n)
        ctl_say(c, "%s, but " STR_FMT, said, STR_ARG(note));
    else
        ctl_say(c, "%s", said);
    return rc;
}

/* {"name":"value", ...} of the pairs whose value is there. */
static void write_pairs(struct buf *body, const char *name1, const char *value1, const char *name2, const char *value2)
{
    struct jw w = jw_of(body);
    jw_object(&w, NULL);
    if (value1)
        jw_textz(&w, name1, value1);
    if (value2)
        jw_textz(&w, name2, value2);
    jw_end(&w);
}

/* The other number: --to, or the word after the handset's. *next is the first word behind it. */
static const char *other_number(const struct ctl *c, int *next)
{
    const char *to = ctl_option(c, "to");
    *next = to ? 1 : 2;
    return to ? to : c->args_n > 1 ? c->args[1] : NULL;
}

static int list(struct ctl *c)
{
    static const struct ctl_column columns[] = {
        { "HANDSET", "number" }, { "STATE", "state" }, { "WITH", "peer" }, { ">SMS", "messages" }, { "LAST CALL", "lastCall.peer" },
        { "ENDED", "lastCall.endedAt" }, { ">SIP", "lastCall.sipStatus" }, { ">Q.850", "lastCall.q850" }, { "BEHAVIOUR", "behaviour" }, { 0 },
    };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", STR("/carterfone/v1/handsets"), (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, answer.json, columns, "No handset has been used yet; every +1 NPA 555-0100 ... 0149 is one.");
    return rc;
}

static int sms(struct ctl *c)
{
    int         text;
    const char *to = other_number(c, &text);
    if (!to || c->args_n != text + 1)
        return ctl_usage(c, "it wants the number to write to, and one text");
    scoped_buf body = { 0 };
    write_pairs(&body, "to", to, "text", c->args[text]);
    return ask_handset(c, "sms", &body, "sent");
}

static int inbox(struct ctl *c)
{
    static const struct ctl_column columns[] = { { "WHEN", "receivedAt" }, { "FROM", "from" }, { "TEXT", "text" }, { 0 } };
    struct ctl_answer answer;
    int64_t wait;
    int     rc = ctl_option_int(c, "wait", 0, 86400, 0, &wait);
    int64_t end_us = clock_mono().us + wait * US_PER_S;
    for (bool more = true; !rc && more;) {
        rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", ctl_target(c, "/carterfone/v1/handsets/%e/inbox", c->args[0]),
                     (struct str){ 0 }, &answer);
        more = !rc && !json_count(json_member(answer.json, "value")) && clock_mono().us < end_us;
        if (more)
            usleep(POLL_US);
    }
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, answer.json, columns, "Nothing has arrived.");
    return rc;
}

static int attach(struct ctl *c)
{
    scoped_buf body = { 0 };
    write_pairs(&body, NULL, NULL, NULL, NULL);
    return ask_handset(c, "attach", &body, "attached: it rings until told otherwise");
}

/* The server reads and writes the file: it must know where we stand. @return NULL, said, when nobody knows */
static const char *full_path(const struct ctl *c, const char *path)
{
    char here[PATH_MAX];
    if (path[0] == '/')
        return path;
    if (getcwd(here, sizeof here))
        return arena_printf(c->arena, "%s/%s", here, path).p;
    ctl_usage(c, "the current folder has no name; give a full path");
    return NULL;
}

static int answer_call(struct ctl *c)
{
    const char *record = ctl_option(c, "record");
    if (record && !(record = full_path(c, record)))
        return CTL_USAGE;
    scoped_buf body = { 0 };
    write_pairs(&body, "record", record, NULL, NULL);
    return ask_handset(c, "answer", &body, "answers what rings, or will ring");
}

static int press(struct ctl *c)
{
    scoped_buf body = { 0 };
    write_pairs(&body, "digits", c->args[1], NULL, NULL);
    return ask_handset(c, "press", &body, "pressed");
}

static int dial(struct ctl *c)
{
    int         next;
    const char *to = other_number(c, &next);
    if (!to)
        return ctl_usage(c, "it wants the number to call");
    if (c->args_n != next)
        return ctl_usage(c, "'%s' is one word too many", c->args[next]);
    scoped_buf body = { 0 };
    struct jw  w = jw_of(&body);
    jw_object(&w, NULL);
    jw_textz(&w, "to", to);
    if (ctl_write_headers(c, &w, "headers"))
        return CTL_USAGE;
    jw_end(&w);
    return ask_handset(c, "dial", &body, "dialling; `carterfone handset list` shows how it goes");
}

static int hangup(struct ctl *c)
{
    scoped_buf body = { 0 };
    write_pairs(&body, NULL, NULL, NULL, NULL);
    return ask_handset(c, "hangup", &body, "hung up");
}

static int detach(struct ctl *c)
{
    scoped_buf body = { 0 };
    write_pairs(&body, NULL, NULL, NULL, NULL);
    return ask_handset(c, "detach", &body, "detached: it takes its calls by itself again");
}

static int reject(struct ctl *c)
{
    int64_t status = 0, cause = 0;
    int rc = ctl_option_int(c, "status", 400, 699, 0, &status);
    if (!rc)
        rc = ctl_option_int(c, "cause", 1, 127, 0, &cause);
    if (rc)
        return rc;
    scoped_buf body = { 0 };
    struct jw w = jw_of(&body);
    jw_object(&w, NULL);
    if (status)
        jw_int(&w, "status", status);
    if (cause)
        jw_int(&w, "q850", cause);
    jw_end(&w);
    return ask_handset(c, "reject", &body, "refused");
}

/* A word with a dot in it is a file; ringback, busy and tone are not. */
static const char *file_of(const struct ctl *c, const char *word)
{
    return strchr(word, '.') ? full_path(c, word) : word;
}

static int say(struct ctl *c)
{
    const char *sound = file_of(c, c->args[1]);
    scoped_buf body = { 0 };
    write_pairs(&body, "sound", sound, NULL, NULL);
    return sound ? ask_handset(c, "say", &body, "says it") : CTL_USAGE;
}

static int record(struct ctl *c)
{
    const char *path = full_path(c, c->args[1]);
    scoped_buf body = { 0 };
    write_pairs(&body, "record", path, NULL, NULL);
    return path ? ask_handset(c, "record", &body, "records its call from now on; the next one if it has none, or is recorded already") : CTL_USAGE;
}

/* KEY=FILE of the keys that take one: with the whole path. */
static const char *behaviour_of(const struct ctl *c, const char *word)
{
    static const char *const keys[] = { "say=", "early-media=", "record=" };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        size_t n = strlen(keys[i]);
        const char *file = strncmp(word, keys[i], n) ? NULL : file_of(c, word + n);
        if (file)
            return arena_printf(c->arena, "%s%s", keys[i], file).p;
    }
    return word;
}

static int set(struct ctl *c)
{
    struct ctl_answer answer;
    scoped_buf body = { 0 };
    struct jw w = jw_of(&body);
    jw_object(&w, NULL);
    jw_array(&w, "behaviour");
    for (int i = 1; i < c->args_n; i++)
        jw_textz(&w, NULL, behaviour_of(c, c->args[i]));
    jw_end(&w);
    jw_end(&w);
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", ctl_target(c, "/carterfone/v1/handsets/%e/:set", c->args[0]), buf_str(&body), &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_say(c, "from its next call on: " STR_FMT, STR_ARG(ctl_path_text(c, answer.json, "behaviour")));
    return rc;
}

static int clear(struct ctl *c)
{
    struct ctl_answer answer;
    if (c->args_n) {
        scoped_buf body = { 0 };
        write_pairs(&body, NULL, NULL, NULL, NULL);
        return ask_handset(c, "clear", &body, "kind again, or as its number is");
    }
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "POST", STR("/carterfone/v1/handsets/:clear"), STR("{}"), &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_say(c, "all are kind again, or as their numbers are");
    return rc;
}

static int behaviours(struct ctl *c)
{
    static const struct ctl_column columns[] = { { "KEY", "key" }, { "TAKES", "takes" }, { "UNTOLD", "untold" }, { "WHAT", "words" }, { 0 } };
    struct ctl_answer answer;
    int rc = ctl_ask(c, CTL_AS_OPERATOR, "GET", STR("/carterfone/v1/sim/handsets"), (struct str){ 0 }, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_table(c, answer.json, columns, "");
    return rc;
}

static const struct ctl_option reject_options[] = {
    { "status", "N", CTL_MAY, "SIP status, 400 to 699 [603]" }, { "cause", "N", CTL_MAY, "Q.850 cause [as goes with the status]" }, { 0 },
};
static const struct ctl_option to_options[] = { { "to", "NUMBER", CTL_MAY, "the other number" }, { 0 } };
static const struct ctl_option dial_options[] = {
    { "to",     "NUMBER",      CTL_MAY,  "the other number" },
    { "header", "NAME: VALUE", CTL_MANY, "User-To-User or X-MS-Custom-*: the event IncomingCall has it in customContext" }, { 0 } };
static const struct ctl_option inbox_options[] = { { "wait", "S", CTL_MAY, "when it is empty, up to S seconds for the first" }, { 0 } };
static const struct ctl_option answer_options[] = { { "record", "FILE.wav", CTL_MAY, "write what it hears" }, { 0 } };

const struct ctl_command ctl_handset_commands[] = {
    { "handset", "list", "", 0, 0, NULL, list, "handsets in use" },
    { "handset", "sms", "NUMBER --to NUMBER TEXT", 2, 3, to_options, sms, "write from a handset" },
    { "handset", "inbox", "NUMBER", 1, 1, inbox_options, inbox, "what it has received" },
    { "handset", "attach", "NUMBER", 1, 1, NULL, attach, "let it ring until told; untold, it answers after 1 s" },
    { "handset", "answer", "NUMBER", 1, 1, answer_options, answer_call, "answer what rings, or will ring" },
    { "handset", "press", "NUMBER DIGITS", 2, 2, NULL, press, "press keys during a call" },
    { "handset", "dial", "NUMBER --to NUMBER", 1, 2, dial_options, dial, "call from a handset" },
    { "handset", "hangup", "NUMBER", 1, 1, NULL, hangup, "end its call" },
    { "handset", "detach", "NUMBER", 1, 1, NULL, detach, "let it take its calls by itself again" },
    { "handset", "reject", "NUMBER", 1, 1, reject_options, reject, "refuse what rings" },
    { "handset", "say", "NUMBER FILE.wav|ringback|busy|tone", 2, 2, NULL, say, "say this during a call" },
    { "handset", "record", "NUMBER FILE.wav", 2, 2, NULL, record, "write what it hears from now on; in its next call if it has none, or is recorded already" },
    { "handset", "set", "NUMBER|'*' KEY=VALUE...", 2, CTL_GIVEN_MAX, NULL, set, "how it takes its calls from now on; '*': all who were told nothing" },
    { "handset", "clear", "[NUMBER|'*']", 0, 1, NULL, clear, "take back what set said; without a number: everybody's" },
    { "handset", "behaviours", "", 0, 0, NULL, behaviours, "the keys that set takes" },
    { 0 },
};
