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
    if (!rc && !ctl_say_json(c, answer.body))
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
        { "ENDED", "lastCall.endedAt" }, { ">SIP", "lastCall.sipStatus" }, { ">Q.850", "lastCall.q850" }, { 0 },
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

/* The server writes the recording: it must know where we stand. */
static int answer_call(struct ctl *c)
{
    const char *record = ctl_option(c, "record");
    char        here[PATH_MAX];
    if (record && record[0] != '/') {
        if (!getcwd(here, sizeof here))
            return ctl_usage(c, "the current folder has no name; give --record a full path");
        record = arena_printf(c->arena, "%s/%s", here, record).p;
    }
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
    write_pairs(&body, "to", to, NULL, NULL);
    return ask_handset(c, "dial", &body, "dialling; `carterfone handset list` shows how it goes");
}

static int hangup(struct ctl *c)
{
    scoped_buf body = { 0 };
    write_pairs(&body, NULL, NULL, NULL, NULL);
    return ask_handset(c, "hangup", &body, "hung up");
}

static const struct ctl_option to_options[] = { { "to", "NUMBER", CTL_MAY, "the other number" }, { 0 } };
static const struct ctl_option inbox_options[] = { { "wait", "S", CTL_MAY, "when it is empty, up to S seconds for the first" }, { 0 } };
static const struct ctl_option answer_options[] = { { "record", "FILE.wav", CTL_MAY, "write what it hears" }, { 0 } };

const struct ctl_command ctl_handset_commands[] = {
    { "handset", "list", "", 0, 0, NULL, list, "handsets in use" },
    { "handset", "sms", "NUMBER --to NUMBER TEXT", 2, 3, to_options, sms, "write from a handset" },
    { "handset", "inbox", "NUMBER", 1, 1, inbox_options, inbox, "what it has received" },
    { "handset", "attach", "NUMBER", 1, 1, NULL, attach, "let it ring until told; untold, it answers after 1 s" },
    { "handset", "answer", "NUMBER", 1, 1, answer_options, answer_call, "answer what rings, or will ring" },
    { "handset", "press", "NUMBER DIGITS", 2, 2, NULL, press, "press keys during a call" },
    { "handset", "dial", "NUMBER --to NUMBER", 1, 2, to_options, dial, "call from a handset" },
    { "handset", "hangup", "NUMBER", 1, 1, NULL, hangup, "end its call" },
    { 0 },
};
