/* Our two ends of SMPP without the product between them, for foreign peers to talk to (the scripts beside this file).
 *
 *   smpp_peer smsc                      the simulated SMSC; says "port N"
 *       stdin:  inject FROM TO TEXT | set NAME=VALUE,... (all others at their defaults)
 *       stdout: message FROM TO TEXT
 *   smpp_peer esme HOST PORT [WINDOW]   the edge, bound there as esme/secret
 *       stdin:  submit KEY FROM TO TEXT | settle TOKEN ok|fail
 *       stdout: up | down | submitted KEY SEGMENT SEGMENTS ID | refused KEY STATUS | lost KEY |
 *               receipt TOKEN ID STATE ERR FROM TO | inbound TOKEN FROM TO SEGMENTS TEXT
 * Words are parted by one blank, TEXT is the rest of the line. Ends with its standard input. */
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "domain/messages/carrier.h"
#include "edge/smpp/smpp_edge.h"
#include "sim/smsc.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINE_MAX_OCTETS = 16384 };

static const struct carrier_ops *ops;
static void *carrier;

static void say(const char *format, ...) PRINTF(1, 2);
static void say(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    flockfile(stdout);
    vprintf(format, ap);
    putchar('\n');
    fflush(stdout);
    funlockfile(stdout);
    va_end(ap);
}

static struct str word(struct str *line)
{
    struct str head, rest;
    str_cut(*line, ' ', &head, &rest);
    *line = rest;
    return head;
}

static uint64_t number(struct str s)
{
    uint64_t v = 0;
    if (str_u64(s, UINT64_MAX, &v))
        exit(2);
    return v;
}

/* -- the edge, with the test in the place of the domain -------------------------------------------------------------- */
unsigned messages_add_carrier(struct messages *m, struct str name, bool simulated, const struct carrier_ops *o, void *c)
{
    (void)m, (void)name, (void)simulated;
    ops = o;
    carrier = c;
    return 1;
}

/* Nobody here changes a carrier that was added. */
void *messages_replace_carrier(struct messages *m, struct str name, const struct carrier_ops *o, void *c, unsigned *nr)
{
    (void)m, (void)name, (void)o, (void)c, (void)nr;
    abort();
}

void *messages_remove_carrier(struct messages *m, struct str name)
{
    (void)m, (void)name;
    abort();
}

void messages_recall(struct messages *m, unsigned carrier_number)
{
    (void)m, (void)carrier_number;
}

enum err messages_tell(struct messages *m, const struct carrier_news *n)
{
    const unsigned long long message = n->message, token = n->token;
    (void)m;
    switch (n->kind) {
    case CARRIER_UP:        say("up"); break;
    case CARRIER_DOWN:      say("down"); break;
    case CARRIER_ROOM:      say("room"); break;
    case CARRIER_STALLED:   say("stalled"); break;
    case CARRIER_LOST:      say("lost %llu", message); break;
    case CARRIER_REFUSED:   say("refused %llu %u", message, n->status); break;
    case CARRIER_SUBMITTED:
        say("submitted %llu %u %u " STR_FMT, message, n->segment, n->segments, STR_ARG(n->remote_id));
        break;
    case CARRIER_RECEIPT:
        say("receipt %llu " STR_FMT " %d %u " STR_FMT " " STR_FMT, token, STR_ARG(n->remote_id), (int)n->state, n->status,
            STR_ARG(n->from), STR_ARG(n->to));
        break;
    case CARRIER_PART:      ops->settle(carrier, n->token, ERR_NONE); break;
    case CARRIER_INBOUND:
        say("inbound %llu " STR_FMT " " STR_FMT " %u " STR_FMT, token, STR_ARG(n->from), STR_ARG(n->to), n->segments,
            STR_ARG(n->text));
        break;
    case CARRIER_ANSWERED:
        say("answered %llu %u " STR_FMT " 0x%x %d %u", message, n->segment, STR_ARG(n->remote_id), n->status, (int)n->state, n->error);
        break;
    }
    return ERR_NONE;
}

static void esme_line(struct str line)
{
    struct str verb = word(&line);
    if (str_eqz(verb, "submit")) {
        struct carrier_message msg = { .message = number(word(&line)), .wants_receipt = true };
        msg.from = word(&line);
        msg.to = word(&line);
        msg.text = line;
        if (ops->submit(carrier, &msg))
            say("busy %llu", (unsigned long long)msg.message);
    } else if (str_eqz(verb, "settle")) {
        uint64_t token = number(word(&line));
        ops->settle(carrier, token, str_eqz(line, "ok") ? ERR_NONE : ERR_STORE);
    } else if (str_eqz(verb, "cancel") || str_eqz(verb, "query") || str_eqz(verb, "replace")) {
        struct carrier_ask ask = { .verb = verb.p[0] == 'c' ? CARRIER_CANCEL : verb.p[0] == 'q' ? CARRIER_QUERY : CARRIER_REPLACE };
        ask.message = number(word(&line));
        ask.remote_id = word(&line);
        ask.from = word(&line);
        ask.to = word(&line);
        ask.text = line;
        if (ops->ask(carrier, &ask))
            say("busy %llu", (unsigned long long)ask.message);
    }
}

static int run_esme(int argc, char **argv)
{
    struct smpp_edge *edge = NULL;
    struct problem why = { 0 };
    static char line[LINE_MAX_OCTETS];
    const struct smpp_bind_conf conf = {
        .name = STR("foreign"), .host = str_of(argv[2]), .port = (uint16_t)atoi(argv[3]), .system_id = STR("esme"),
        .password = STR("secret"), .window = argc > 4 ? (unsigned)atoi(argv[4]) : 10,
        .by_data_sm = argc > 5 && strcmp(argv[5], "data_sm") == 0,
    };
    if (smpp_edge_new(&edge, NULL) || smpp_edge_start(edge) || smpp_edge_add(edge, &conf, &why)) {
        fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    while (fgets(line, sizeof line, stdin))
        esme_line(str_trim(str_of(line)));
    smpp_edge_stop(edge);
    smpp_edge_free(edge);
    return 0;
}

/* -- the simulated SMSC ---------------------------------------------------------------------------------------------- */
static struct smsc *smsc;

static void on_message(void *arg, struct str from, struct str to, struct str text)
{
    (void)arg;
    say("message " STR_FMT " " STR_FMT " " STR_FMT, STR_ARG(from), STR_ARG(to), STR_ARG(text));
}

/* The last two digits choose, as the product's magic numbers do: 51 is undeliverable, 52 throttled. */
static struct smsc_outcome outcome(void *arg, struct str to)
{
    (void)arg;
    if (str_ends(to, STR("51")))
        return (struct smsc_outcome){ .fate = SMSC_LOSES, .err = 5 };
    if (str_ends(to, STR("52")))
        return (struct smsc_outcome){ .fate = SMSC_REJECTS, .status = 0x58 };
    return (struct smsc_outcome){ .fate = SMSC_DELIVERS };
}

struct line_item {
    struct inbox_item item;
    char              text[];
};

static void on_line(void *owner, struct inbox_item *item)
{
    struct str line = str_of(container_of(item, struct line_item, item)->text);
    (void)owner;
    struct str verb = word(&line);
    if (str_eqz(verb, "inject")) {
        struct str from = word(&line), to = word(&line);
        if (smsc_inject(smsc, from, to, line))
            say("refused");
    } else if (str_eqz(verb, "set")) {
        struct smsc_ways ways;
        struct problem why = { 0 };
        smsc_ways_init(&ways);
        enum err err = smsc_ways_read(&ways, line, &why);
        if (!err)
            smsc_set_ways(smsc, &ways);
        say("set %s", err ? why.text : "ok");
    }
    free(item);
}

static const struct inbox_kind line_kind = { "line", on_line, NULL };

static int run_smsc(void)
{
    static struct smsc_ways ways;
    const struct smsc_conf conf = { .host = "127.0.0.1", .ways = &ways };
    static const struct smsc_hooks hooks = { .outcome = outcome, .on_message = on_message };
    struct loop *loop = NULL;
    struct problem why = { 0 };
    static char line[LINE_MAX_OCTETS];
    smsc_ways_init(&ways);
    ways.receipt_delay = 20 * US_PER_MS;
    if (loop_new(&loop, "smsc", 1024, NULL) || smsc_new(&smsc, loop, &conf, &hooks, NULL, &why) || loop_start(loop)) {
        fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    say("port %u", smsc_port(smsc));
    while (fgets(line, sizeof line, stdin)) {
        struct str text = str_trim(str_of(line));
        struct line_item *item = calloc(1, sizeof *item + text.n + 1);
        if (!item)
            return 1;
        item->item.kind = &line_kind;
        str_copyz(item->text, text.n + 1, text);
        inbox_post_always(loop_inbox(loop), &item->item);
    }
    loop_stop(loop);
    smsc_free(smsc);
    loop_free(loop);
    return 0;
}

int main(int argc, char **argv)
{
    log_setup(LOG_WARN, LOG_TEXT);
    if (argc == 2 && strcmp(argv[1], "smsc") == 0)
        return run_smsc();
    if (argc >= 4 && strcmp(argv[1], "esme") == 0)
        return run_esme(argc, argv);
    fprintf(stderr, "smpp_peer smsc | smpp_peer esme HOST PORT [WINDOW]\n");
    return 2;
}
