/* ctl_priv.h - what the families of commands (ctl_<family>.c) share.
 *
 * Thread: the first, alone. Everything lives in c->arena until the command ends. A function that returns int returns an
 * exit code, and has already told the person when it is not CTL_OK. */
#pragma once
#include <stdio.h>

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/json.h"

enum { CTL_OK = 0, CTL_REFUSED = 1, CTL_USAGE = 2, CTL_UNREACHABLE = 3 };
enum { CTL_GIVEN_MAX = 256 };

/* An option of a command: --name TAKES, or --name alone when takes is NULL. */
enum ctl_need { CTL_MAY, CTL_NEEDED, CTL_MANY };
struct ctl_option {
    const char   *name;
    const char   *takes;
    enum ctl_need need;
    const char   *help;
};

struct ctl;
struct ctl_command {
    const char *family, *verb;              /* "numbers" "buy"; verb "" where the family is the command: "explain" */
    const char *args;                       /* positional, for help: "NUMBER [TEXT]" */
    int         args_min, args_max;
    const struct ctl_option *options;       /* ended by a NULL name; NULL: none */
    int       (*run)(struct ctl *c);
    const char *help;
};
/* Each family's commands, ended by a NULL family. */
extern const struct ctl_command ctl_account_commands[], ctl_numbers_commands[], ctl_sms_commands[], ctl_call_commands[],
                                ctl_handset_commands[], ctl_sim_commands[], ctl_events_commands[], ctl_carrier_commands[],
                                ctl_server_commands[], ctl_routes_commands[], ctl_plan_commands[], ctl_registration_commands[], ctl_sip_commands[],
                                ctl_money_commands[], ctl_import_commands[], ctl_inventory_commands[], ctl_optout_commands[],
                                ctl_fault_commands[], ctl_snapshot_commands[], ctl_completion_commands[], ctl_doctor_commands[],
                                ctl_backup_commands[], ctl_smsroutes_commands[], ctl_guard_commands[];

/** "explain", "sms explain", "call explain" (ctl_server.c). */
int ctl_explain(struct ctl *c);

struct ctl_given {
    const struct ctl_option *option;
    const char              *value;         /* "" for one that takes none */
};

struct ctl {
    struct arena *arena;
    const struct ctl_command *command;
    const char   *args[CTL_GIVEN_MAX];
    int           args_n;
    struct ctl_given given[CTL_GIVEN_MAX];
    int           given_n;
    bool          json;                     /* --json: the API's own objects */
    /* where the server is: ctl_find.c */
    const char   *server, *data, *resource; /* as given; NULL when not */
    struct str    api;                      /* "https://127.0.0.1:4500"; empty until ctl_find() */
    struct str    api_asked;                /* what was asked for, while `api` is that in the clear; else empty */
    const char   *ca_file;                  /* NULL: the system's */
    const char   *ca_pem;                   /* the CA's text, when there is no file */
    uint8_t       key[256], operator_key[256];
    size_t        key_n, operator_key_n;    /* octets; 0: none */
    bool          key_may_be_old;           /* it is that of ready.json, as it was when the server started */
    /* ctl_http.c */
    void           *curl;                   /* one connection, kept */
    struct ctl_doc *docs;                   /* every JSON document of this command */
};

/* -- what was typed (ctl.c) -------------------------------------------------------------------------------------- */
/** The value of an option, or NULL. Of one that may come often: the first. */
const char *ctl_option(const struct ctl *c, const char *name);
/** The i-th value of an option that may come often, or NULL. */
const char *ctl_option_at(const struct ctl *c, const char *name, int i);
/** A whole number. @return CTL_USAGE, said, when it is not one in min..max */
int ctl_option_int(const struct ctl *c, const char *name, int64_t min, int64_t max, int64_t otherwise, int64_t *out);
/** Say on standard error what was wrong with the command line. @return CTL_USAGE */
int ctl_usage(const struct ctl *c, const char *format, ...) PRINTF(2, 3);
/** Every command, in the order of the help. */
const struct ctl_command *ctl_next(const struct ctl_command *before);

/* -- where the server is (ctl_find.c) ----------------------------------------------------------------------------- */
/** Fill api, ca and keys from --server, CARTERFONE_CONNECTION_STRING or the data folder. Once; later calls do nothing. */
int ctl_find(struct ctl *c);
/** The key was refused: it was rotated since the server started, and this is its successor. False: it is the same, or nobody knows. */
bool ctl_find_newer_key(struct ctl *c);
/** Is the server on this machine, by a loopback address? */
bool ctl_is_local(const struct ctl *c);
/** DATA as --data, CARTERFONE_DATA or the default says. */
const char *ctl_data(const struct ctl *c);
/** A whole file as a NUL-terminated text in the arena; {NULL,0} when it cannot be read or is over 1 MiB. */
struct str ctl_file(const struct ctl *c, const char *path);

/* -- asking it (ctl_http.c) ----------------------------------------------------------------------------------------- */
enum ctl_as {
    CTL_AS_RESOURCE,            /* the ACS API: the resource's key, api-version added */
    CTL_AS_OPERATOR,            /* Carterfone's own API: the operator's key where known, else the resource's */
    CTL_AS_NOBODY,              /* unsigned */
};
struct ctl_answer {
    int                status;
    struct str         body;                /* in the arena */
    const struct json *json;                /* NULL when the body is empty or no JSON */
    struct str         operation;           /* Operation-Location */
    struct str         location;            /* Location */
    struct str         next;                /* of a Link header: the target of the next page */
    struct str         request;             /* x-ms-request-id: `explain` knows why it was refused */
    int                retry_after_s;
};
/** Each --header "NAME: VALUE" as a text of the object `member`; no object when none was given. @return CTL_USAGE, said */
int ctl_write_headers(const struct ctl *c, struct jw *w, const char *member);

struct ctl_question {
    enum ctl_as as;
    const char *method;
    struct str  target, body;
    const char *content_type;               /* NULL: JSON */
    const char *header, *header_value;      /* one more; NULL: none */
    bool        quiet;                      /* a refusal is the caller's to tell, or to mend */
};
/** One request. A refusal (4xx, 5xx) ends in CTL_REFUSED, told unless quiet. */
int ctl_ask_this(struct ctl *c, const struct ctl_question *q, struct ctl_answer *answer);
/** Tell one that was not told.  CTL_REFUSED */
int ctl_tell_refusal(const struct ctl *c, const struct ctl_answer *answer);
/** One request. target: path and query, escaped, without api-version. A refusal (4xx, 5xx) is told and ends in
 *  CTL_REFUSED. */
int ctl_ask(struct ctl *c, enum ctl_as as, const char *method, struct str target, struct str body,
            struct ctl_answer *answer);
/** A long-running operation: asks, polls to its end, and fetches its result when it has one (answer->json), else the
 *  operation. */
int ctl_ask_long(struct ctl *c, const char *method, struct str target, struct str body, struct ctl_answer *answer);
/** Every page of a list: the items of `member`, as a JSON array in the arena. */
int ctl_ask_pages(struct ctl *c, struct str target, const char *member, const struct json **items, struct str *text);
int ctl_ask_pages_as(struct ctl *c, enum ctl_as as, struct str target, const char *member, const struct json **items,
                     struct str *text);

/* A command that asks without end does it in parts: what a part asked and what was put into c->arena in it is forgotten at its
 * end. Parts do not nest; ctl_find() comes before the first. */
struct ctl_part {
    struct arena   *arena;
    struct ctl_doc *docs;
};
bool ctl_part_begin(struct ctl *c, struct ctl_part *part);      /* false: out of memory */
void ctl_part_end(struct ctl *c, const struct ctl_part *part);

/** Every page of a list of our own API: the first answer, its `member` with the items of all of them. The target has a query. */
int ctl_ask_own_pages(struct ctl *c, struct str target, const char *member, struct ctl_answer *whole);

/** Give back the connection and the documents. */
void ctl_http_done(struct ctl *c);

/** A target: "%s" takes text as it stands, "%e" escapes it as one path or query segment. */
struct str ctl_target(const struct ctl *c, const char *format, ...);

/* -- lending a file (ctl_lend.c) -------------------------------------------------------------------------------------- */
struct ctl_lend;
/** Offer a file on a loopback port, to a server on this machine. @return CTL_USAGE, said, when it cannot be done */
int ctl_lend_new(struct ctl *c, const char *path, struct ctl_lend **out, const char **url);
/** Hand it over to the first who asks. @return CTL_REFUSED, said, when nobody did within 10 s */
int ctl_lend_wait(struct ctl *c, struct ctl_lend *lend);
void ctl_lend_free(struct ctl_lend *lend);

/* -- telling (ctl_table.c) ------------------------------------------------------------------------------------------ */
enum ctl_show {
    CTL_WHOLE,
    CTL_BRIEF,                  /* a long text is cut in tables */
    CTL_FINE,                   /* a time to the millisecond */
    CTL_IF_ANY,                 /* among facts: no line when there is none */
    CTL_MICRO,                  /* millionths of a US dollar, in dollars */
    CTL_MONEY,                  /* US dollars as the published API has them: 1 is 1.00 */
    CTL_TYPE,                   /* a type of number in people's words: local, toll-free */
    CTL_WORDS,                  /* a word of the API in people's words: tagAdded is "tag added" */
};
/** {"TITLE", "member.of.member"}, ended by a NULL title. A title that starts with '>' is set to the right. */
struct ctl_column {
    const char   *title, *path;
    enum ctl_show show;
    const char   *none;         /* what stands for nothing; NULL: "-" */
};
/** A table of an array's objects, or of the array under `value` of an object; one line of `none` when it is empty. */
void ctl_table(const struct ctl *c, const struct json *array, const struct ctl_column *columns, const char *none);
/** One object: a line a column. */
void ctl_facts(const struct ctl *c, const struct json *object, const struct ctl_column *columns);
/** 13000 -> "0.013", 2000000 -> "2.00": at least two decimals, no more than needed. */
const char *ctl_dollars(const struct ctl *c, int64_t micro);
/** Ask for an account's spend cap to be "25.50" or "none" (ctl_money.c). */
int ctl_set_spend_cap(struct ctl *c, const char *account, const char *usd);
/** With --json: print it and a newline, and true. */
bool ctl_say_json(const struct ctl *c, struct str json);
/** One line for people; nothing with --json. */
void ctl_say(const struct ctl *c, const char *format, ...) PRINTF(2, 3);
/** What stands at "member.of.member", as text in the arena: numbers, booleans and arrays too; "" when absent. */
struct str ctl_path_text(const struct ctl *c, const struct json *object, const char *path);
