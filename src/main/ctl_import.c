/* numbers import: a list of any length, sent in pieces of whole lines. The server says where the next piece begins, so that an
 * import that was cut off goes on there. Memory: two pieces. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"
#include "codec/csv/csv.h"
#include "main/ctl_priv.h"

#define IMPORTS "/carterfone/v1/numbers/imports"

enum {
    BLOCK = 64 << 10,           /* octets read at once */
    PIECE_ROWS = 8192, PIECE_OCTETS = 768 << 10,            /* the server takes 8192 rows and 1 MiB */
    BAD_TOLD = 20, BUSY_TRIES = 120, DRAW_US = 100 * US_PER_MS, MARK_OCTETS = 12,
};

struct piece {
    struct buf text;            /* what was read from `offset` on */
    uint64_t   offset, line;    /* where it begins in the list */
    size_t     rows;
};

struct import {
    struct ctl  *c;
    const char  *name;          /* of the list, for people */
    int          fd;
    int64_t      size;          /* octets; -1: not known */
    char         block[BLOCK];
    size_t       block_n;
    bool         ended;         /* the block is the last */
    struct sha256_run *digest;  /* of the list up to piece.offset */
    char         mark[2 * MARK_OCTETS + 1];     /* what it was where the server goes on; empty: nobody said */
    bool         dry;
    struct csv   csv;
    struct str   columns;       /* the header, for pieces that do not begin with it; empty: not read yet */
    struct piece piece;
    char         id[64];
    uint64_t     next_line;     /* where the server goes on */
    bool         sent;          /* something was */
    bool         resumed;
    uint64_t     rows, bad;     /* taken and left out, as the server counts */
    uint64_t     rows_before;   /* by what was cut off */
    FILE        *report;
    unsigned     told;          /* bad rows on the terminal */
    bool         draws;         /* the progress line */
    int64_t      began_us, drawn_us;
};

/* -- words ---------------------------------------------------------------------------------------------------------- */

/* 1234567 as 1,234,567. Good for four calls. */
static const char *thousands(uint64_t v)
{
    static char texts[4][32];
    static unsigned turn;
    char *text = texts[turn++ % 4], digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, v), at = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = 0;
    return text;
}

static uint64_t rate_of(const struct import *im, int64_t now_us)
{
    int64_t us = now_us - im->began_us;
    return us > 0 ? (im->rows + im->bad - im->rows_before) * US_PER_S / (uint64_t)us : 0;
}

static void draw(struct import *im)
{
    static const char full[] = "====================", none[] = "                    ";
    int64_t now = clock_mono().us;
    if (!im->draws || now - im->drawn_us < DRAW_US)
        return;
    im->drawn_us = now;
    fprintf(stderr, "\r%s rows  %s/s  %s bad", thousands(im->rows + im->bad), thousands(rate_of(im, now)), thousands(im->bad));
    if (im->size > 0) {
        int part = (int)(im->piece.offset * 20 / (uint64_t)im->size);
        part = part < 20 ? part : 20;
        fprintf(stderr, "  [%.*s%.*s] %d %%", part, full, 20 - part, none, (int)(im->piece.offset * 100 / (uint64_t)im->size));
    }
    fprintf(stderr, "\033[K");
}

static void undraw(const struct import *im)
{
    if (im->draws)
        fprintf(stderr, "\r\033[K");
}

static int say_resume(const struct import *im, int rc)
{
    undraw(im);
    fprintf(stderr, "What was taken is kept. Go on with:  carterfone numbers import %s --resume %s\n"
                    "or take it away with:  carterfone numbers import --undo %s\n", im->name, im->id, im->id);
    return rc;
}

static int report_bad(struct import *im, const struct json *bad)
{
    scoped_buf line = { 0 };
    static const char *const members[] = { "number", "rule", "reason", "suggestion" };
    buf_printf(&line, "%" PRId64, json_int_of(bad, "line", 0));
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        buf_putc(&line, ',');
        csv_put(&line, json_text_of(bad, members[i]));
    }
    buf_putc(&line, '\n');
    if (im->report && fwrite(line.p, 1, line.n, im->report) != line.n)
        return ctl_usage(NULL, "the report cannot be written: %s", strerror(errno));
    if (im->told++ < BAD_TOLD) {
        undraw(im);
        struct str reason = json_text_of(bad, "reason"), next = json_text_of(bad, "suggestion");
        fprintf(stderr, "line %" PRId64 ": " STR_FMT " " STR_FMT "\n", json_int_of(bad, "line", 0), STR_ARG(reason), STR_ARG(next));
    } else if (im->told == BAD_TOLD + 1) {
        undraw(im);
        fprintf(stderr, "(further bad rows: %s)\n", im->report ? "in the report" : "--report FILE writes down all of them");
    }
    return CTL_OK;
}

/* -- asking --------------------------------------------------------------------------------------------------------- */

static void wait_s(int s)
{
    struct timespec t = { s > 0 ? s : 1, 0 };
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

/* One request, asked again while the server has too much to do. */
static int ask(struct ctl *c, const char *method, struct str target, struct str body, const char *type, struct ctl_answer *answer)
{
    const struct ctl_question q = { .as = CTL_AS_OPERATOR, .method = method, .target = target, .body = body,
                                    .content_type = type, .quiet = true };
    for (int tries = 1;; tries++) {
        int rc = ctl_ask_this(c, &q, answer);
        if (rc != CTL_REFUSED)
            return rc;
        if ((answer->status != 429 && answer->status != 503) || tries == BUSY_TRIES)
            return ctl_tell_refusal(c, answer);
        wait_s(answer->retry_after_s);
    }
}

static int learn(struct import *im, const struct json *answer)
{
    im->rows = (uint64_t)json_int_of(answer, "rows", 0);
    im->bad = (uint64_t)json_int_of(answer, "badRows", 0);
    im->next_line = (uint64_t)json_int_of(answer, "nextLine", 1);
    const struct json *bad = json_member(answer, "bad");
    int rc = CTL_OK;
    for (size_t i = 0; !rc && i < json_count(bad); i++)
        rc = report_bad(im, json_item(bad, i));
    return rc;
}

/* The list is known by the digest of all of it that was sent. */
static void write_mark(const struct import *im, char mark[2 * MARK_OCTETS + 1])
{
    uint8_t digest[32];
    sha256_run_now(im->digest, digest);
    hex_write(mark, digest, MARK_OCTETS);
}

static int send_text(struct import *im, struct str text)
{
    struct ctl_answer answer;
    char line[24], mark[2 * MARK_OCTETS + 1];
    snprintf(line, sizeof line, "%" PRIu64, im->piece.line);
    write_mark(im, mark);
    struct str target = ctl_target(im->c, IMPORTS "/%e/rows?line=%s&mark=%s", im->id, line, mark);
    if (im->piece.offset)
        target = arena_printf(im->c->arena, STR_FMT "&columns=" STR_FMT, STR_ARG(target), STR_ARG(ctl_target(im->c, "%e", im->columns.p)));
    int rc = ask(im->c, "POST", target, text, "text/csv", &answer);
    return rc ? rc : learn(im, answer.json);
}

static int other_list(const struct import *im)
{
    fprintf(stderr, "carterfone: %s is not the list that import '%s' began with: they differ before line %" PRIu64 "\n"
                    "Give the list it began with, or take away what was taken:  carterfone numbers import --undo %s\n", im->name, im->id,
            im->next_line, im->id);
    return CTL_REFUSED;
}

static bool same_list(const struct import *im)
{
    char mark[2 * MARK_OCTETS + 1];
    write_mark(im, mark);
    return !*im->mark || strcmp(mark, im->mark) == 0;
}

/* The piece up to `end` goes; the next one begins there. */
static int send_piece(struct import *im, uint64_t end, uint64_t next_line)
{
    struct ctl_part part;
    size_t n = (size_t)(end - im->piece.offset);
    if (!im->sent && im->resumed && !same_list(im))
        return other_list(im);
    sha256_run_add(im->digest, (struct str){ im->piece.text.p, n });
    int rc = CTL_OK;
    if (im->piece.rows || !im->sent) {
        if (!ctl_part_begin(im->c, &part))
            return ctl_usage(NULL, "%s", err_words(ERR_NOMEM));
        rc = send_text(im, (struct str){ im->piece.text.p, n });
        ctl_part_end(im->c, &part);
    }
    if (rc)
        return rc;
    im->sent = true;
    memmove(im->piece.text.p, im->piece.text.p + n, im->piece.text.n - n);
    im->piece.text.n -= n;
    im->piece.offset = end;
    im->piece.line = next_line;
    im->piece.rows = 0;
    draw(im);
    return CTL_OK;
}

/* -- reading the list ----------------------------------------------------------------------------------------------- */

static int read_block(struct import *im)
{
    im->block_n = 0;
    while (im->block_n < sizeof im->block && !im->ended) {
        ssize_t got = read(im->fd, im->block + im->block_n, sizeof im->block - im->block_n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ctl_usage(NULL, "%s cannot be read: %s", im->name, strerror(errno));
        im->ended = got == 0;
        im->block_n += (size_t)got;
    }
    return CTL_OK;
}

static int feed_block(struct import *im)
{
    csv_feed(&im->csv, (struct str){ im->block, im->block_n }, im->ended);
    buf_put(&im->piece.text, im->block, im->block_n);
    return im->piece.text.bad ? ctl_usage(NULL, "%s", err_words(ERR_NOMEM)) : CTL_OK;
}

/* Not yet where the server goes on? */
static bool passing(const struct import *im)
{
    return !im->sent && im->piece.line < im->next_line;
}

/* Forget what the server has already. */
static void pass(struct import *im, uint64_t to, uint64_t line)
{
    size_t n = (size_t)(to - im->piece.offset);
    sha256_run_add(im->digest, (struct str){ im->piece.text.p, n });
    memmove(im->piece.text.p, im->piece.text.p + n, im->piece.text.n - n);
    im->piece.text.n -= n;
    im->piece.offset = to;
    im->piece.line = line;
}

static int read_more(struct import *im)
{
    if (passing(im) && im->columns.n)
        pass(im, im->csv.offset, im->csv.line);
    if (im->piece.text.n > PIECE_OCTETS + BLOCK)
        return ctl_usage(NULL, "%s, line %" PRIu64 ": no end of line in sight; is it a list?", im->name, im->csv.line);
    int rc = read_block(im);
    return rc ? rc : feed_block(im);
}

static int take_header(struct import *im, const struct csv_record *rec)
{
    scoped_buf text = { 0 };
    for (size_t i = 0; i < rec->n; i++) {
        buf_putz(&text, i ? "," : "");
        csv_put(&text, rec->fields[i]);
    }
    im->columns = arena_str(im->c->arena, buf_str(&text));
    return text.bad || !im->columns.p ? ctl_usage(NULL, "%s", err_words(ERR_NOMEM)) : CTL_OK;
}

/* A row, or a line that cannot be read as one: the server says why. */
static int take_row(struct import *im, const struct csv_record *rec)
{
    if (passing(im)) {
        if (rec->line < im->next_line)
            return CTL_OK;              /* it was taken before */
        if (rec->line != im->next_line)
            return other_list(im);
        pass(im, rec->offset, rec->line);
    }
    int rc = CTL_OK;
    if (im->piece.rows == PIECE_ROWS || rec->offset - im->piece.offset > PIECE_OCTETS)
        rc = send_piece(im, rec->offset, rec->line);
    im->piece.rows++;
    return rc;
}

static int send_list(struct import *im)
{
    struct csv_record rec;
    int rc = feed_block(im);
    while (!rc) {
        enum csv_step step = csv_next(&im->csv, &rec);
        if (step == CSV_END)
            break;
        if (step == CSV_NOMEM)
            rc = ctl_usage(NULL, "%s", err_words(ERR_NOMEM));
        else if (step == CSV_MORE)
            rc = read_more(im);
        else if (step == CSV_RECORD && !im->columns.n)
            rc = take_header(im, &rec);
        else
            rc = take_row(im, &rec);
    }
    if (!rc && passing(im)) {           /* all of it was taken before */
        pass(im, im->csv.offset, im->csv.line);
        if (im->csv.line + 1 < im->next_line || !same_list(im))
            rc = other_list(im);
        return rc;
    }
    return rc ? rc : send_piece(im, im->csv.offset, im->csv.line);
}

/* -- beginning ------------------------------------------------------------------------------------------------------ */

static int open_list(struct import *im)
{
    const char *path = im->c->args[0];
    struct stat is;
    im->name = path;
    im->size = -1;
    im->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (im->fd < 0)
        return ctl_usage(NULL, "%s cannot be opened: %s", path, strerror(errno));
    if (fstat(im->fd, &is) == 0 && S_ISREG(is.st_mode) && im->fd != STDIN_FILENO)
        im->size = is.st_size;
    return read_block(im);
}

/* "/lists/Block 206.csv" is for import block-206-3fa9c1. */
static void make_id(struct import *im)
{
    const char *slash = strrchr(im->name, '/'), *base = slash ? slash + 1 : im->name;
    uint8_t some[3];
    size_t n = 0;
    for (; *base && *base != '.' && n < 32; base++) {
        char c = *base >= 'A' && *base <= 'Z' ? (char)(*base - 'A' + 'a') : *base;
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        im->id[n++] = plain ? c : '-';
    }
    if (n == 0 || strcmp(im->name, "-") == 0) {
        strcpy(im->id, "list");
        n = 4;
    }
    random_bytes(some, sizeof some);
    im->id[n++] = '-';
    hex_write(im->id + n, some, sizeof some);
}

static int begin(struct import *im)
{
    im->dry = ctl_option(im->c, "dry-run");
    struct ctl_answer answer;
    scoped_buf body = { 0 };
    struct jw w = jw_of(&body);
    const char *slash = strrchr(im->name, '/'), *carrier = ctl_option(im->c, "carrier");
    make_id(im);
    jw_object(&w, NULL);
    jw_textz(&w, "id", im->id);
    jw_printf(&w, "file", "%.100s", slash ? slash + 1 : im->name);
    jw_bool(&w, "dryRun", im->dry);
    if (carrier)
        jw_textz(&w, "carrier", carrier);
    jw_end(&w);
    int rc = ask(im->c, "POST", STR(IMPORTS), buf_str(&body), NULL, &answer);
    if (!rc)
        fprintf(stderr, "import %s begins; if it is cut off:  carterfone numbers import %s --resume %s\n", im->id, im->name, im->id);
    return rc;
}

/* What was left out before is said once more in the report. */
static int report_before(struct import *im)
{
    const struct json *bad;
    struct str text;
    int rc = CTL_OK;
    if (!im->report || !im->bad)
        return CTL_OK;
    rc = ctl_ask_pages_as(im->c, CTL_AS_OPERATOR, ctl_target(im->c, IMPORTS "/%e/badRows", im->id), "value", &bad, &text);
    for (size_t i = 0; !rc && i < json_count(bad); i++) {
        im->told = BAD_TOLD + 1;        /* not on the terminal */
        rc = report_bad(im, json_item(bad, i));
    }
    im->told = 0;
    return rc;
}

static int tell_ended(const struct import *im, struct str state)
{
    const char *next = str_eqz(state, "complete") ? "Its numbers are in `carterfone numbers inventory`; to take them away:  carterfone numbers import --undo"
                                                  : "Nothing of it is in the inventory; import the list anew:  carterfone numbers import";
    fprintf(stderr, "carterfone: import '%s' has ended: it is " STR_FMT "\n%s %s\n", im->id, STR_ARG(state), next,
            str_eqz(state, "complete") ? im->id : im->name);
    return CTL_REFUSED;
}

static int resume(struct import *im)
{
    struct ctl_answer answer;
    str_copyz(im->id, sizeof im->id, str_of(ctl_option(im->c, "resume")));
    int rc = ask(im->c, "GET", ctl_target(im->c, IMPORTS "/%e", im->id), (struct str){ 0 }, NULL, &answer);
    if (rc)
        return rc;
    struct str state = json_text_of(answer.json, "state");
    if (!str_eqz(state, "open")) {
        return tell_ended(im, state);
    }
    im->dry = json_bool_of(answer.json, "dryRun", false);
    str_copyz(im->mark, sizeof im->mark, json_text_of(answer.json, "mark"));
    rc = learn(im, answer.json);
    im->rows_before = im->rows + im->bad;
    im->resumed = true;
    fprintf(stderr, "%s %s goes on at line %" PRIu64 "\n", im->dry ? "dry run" : "import", im->id, im->next_line);
    return rc ? rc : report_before(im);
}

/* -- the end -------------------------------------------------------------------------------------------------------- */

static int end(struct import *im, const char *how, struct ctl_answer *answer)
{
    return ask(im->c, "POST", ctl_target(im->c, IMPORTS "/%e/:%s", im->id, how), (struct str){ 0 }, NULL, answer);
}

/* Nothing was taken, and the list or the request is at fault: no empty import stays behind. */
static int give_up(struct import *im, int rc)
{
    struct ctl_answer answer;
    if (rc == CTL_REFUSED && !im->sent && !im->resumed && !end(im, "rollBack", &answer))
        return rc;
    return say_resume(im, rc);
}

/* They are in the inventory, and the edition lets nobody have them. Said before it ends: a dry run keeps nothing to ask about. */
static void warn_unoffered(const struct import *im)
{
    struct ctl_answer answer;
    if (ask(im->c, "GET", ctl_target(im->c, IMPORTS "/%e", im->id), (struct str){ 0 }, NULL, &answer))
        return;
    const struct json *kinds = json_member(answer.json, "unoffered");
    for (size_t i = 0; i < json_count(kinds); i++) {
        const struct json *kind = json_item(kinds, i);
        fprintf(stderr, "warning: %s " STR_FMT " number%s of " STR_FMT ": this edition offers none, so nobody can lease them (docs/editions.md)\n",
                thousands((uint64_t)json_int_of(kind, "numbers", 0)), STR_ARG(json_text_of(kind, "phoneNumberType")),
                json_int_of(kind, "numbers", 0) == 1 ? "" : "s", STR_ARG(json_text_of(kind, "countryCode")));
    }
}

static int finish(struct import *im)
{
    struct ctl_answer answer;
    bool none = im->bad && ctl_option(im->c, "all-or-nothing");
    int64_t now = clock_mono().us;
    warn_unoffered(im);
    double seconds = (double)(now - im->began_us) / US_PER_S;
    int rc = end(im, im->dry || none ? "rollBack" : "complete", &answer);
    undraw(im);
    if (rc)                             /* one that has no row to keep has ended: the refusal says so */
        return rc == CTL_REFUSED && answer.status == 409 ? rc : say_resume(im, rc);
    ctl_say_json(im->c, answer.body);
    if (im->dry)
        ctl_say(im->c, "dry run: %s rows would be imported, %s left out; nothing was kept", thousands(im->rows), thousands(im->bad));
    else if (none)
        ctl_say(im->c, "nothing was imported: %s rows are bad; correct them and import the list again", thousands(im->bad));
    else if (!im->rows)
        ctl_say(im->c, "nothing was imported: the list has no rows");
    else
        ctl_say(im->c, "imported %s numbers in %.1f s (%s rows/s), %s rows were left out\ntake them back with:  carterfone numbers "
                "import --undo %s", thousands(im->rows), seconds, thousands(rate_of(im, now)), thousands(im->bad), im->id);
    return im->bad ? CTL_REFUSED : CTL_OK;
}

static int run_import(struct import *im)
{
    int rc = open_list(im);
    if (!rc)
        rc = ctl_option(im->c, "resume") ? resume(im) : begin(im);
    if (rc)
        return rc;
    im->draws = isatty(STDERR_FILENO) && !im->c->json;
    im->began_us = clock_mono().us;
    rc = send_list(im);
    return rc ? give_up(im, rc) : finish(im);
}

static int undo(struct ctl *c)
{
    struct ctl_answer answer;
    const char *id = ctl_option(c, "undo");
    static const char *const others[] = { "carrier", "resume", "dry-run", "all-or-nothing", "report" };
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (c->args_n || ctl_option(c, others[i]))
            return ctl_usage(c, "--undo ID stands alone");
    int rc = ask(c, "POST", ctl_target(c, IMPORTS "/%e/:rollBack", id), (struct str){ 0 }, NULL, &answer);
    if (!rc && !ctl_say_json(c, answer.body))
        ctl_say(c, "import %s is undone", id);
    return rc;
}

static int open_report(struct import *im)
{
    const char *path = ctl_option(im->c, "report");
    if (!path)
        return CTL_OK;
    im->report = fopen(path, "we");
    if (!im->report || fputs("line,number,rule,reason,next\n", im->report) < 0)
        return ctl_usage(NULL, "%s cannot be written: %s", path, strerror(errno));
    return CTL_OK;
}

static int import(struct ctl *c)
{
    if (ctl_option(c, "undo"))
        return undo(c);
    if (!c->args_n)
        return ctl_usage(c, "FILE.csv is missing; - reads standard input");
    if (ctl_option(c, "resume") && ctl_option(c, "carrier"))
        return ctl_usage(c, "a resumed import has its carrier already");
    if (ctl_option(c, "resume") && ctl_option(c, "dry-run"))
        return ctl_usage(c, "a resumed import goes on as it began: a dry run as a dry run");
    struct import *im = calloc(1, sizeof *im);
    if (!im)
        return ctl_usage(NULL, "%s", err_words(ERR_NOMEM));
    im->c = c;
    im->fd = -1;
    im->next_line = im->piece.line = 1;
    im->digest = sha256_run_new();
    csv_init(&im->csv, 1);
    int rc = open_report(im);
    if (!rc)
        rc = run_import(im);
    if (im->report && fclose(im->report) != 0 && !rc)
        rc = ctl_usage(NULL, "the report cannot be written: %s", strerror(errno));
    if (im->fd > STDIN_FILENO)
        close(im->fd);
    sha256_run_free(im->digest);
    csv_done(&im->csv);
    buf_done(&im->piece.text);
    free(im);
    return rc;
}

static int imports(struct ctl *c)
{
    static const struct ctl_column columns[] = {
        { "ID", "id" }, { "LIST", "file", CTL_BRIEF }, { "STATE", "state" }, { ">ROWS", "rows" }, { ">BAD", "badRows" },
        { ">NUMBERS", "numbers" }, { ">IN USE", "inUse" }, { ">NEXT LINE", "nextLine" }, { "STARTED", "startedOn" }, { 0 },
    };
    const struct json *list;
    struct str         text;
    int rc = ctl_ask_pages_as(c, CTL_AS_OPERATOR, STR(IMPORTS), "value", &list, &text);
    if (!rc && !ctl_say_json(c, text))
        ctl_table(c, list, columns, "Nothing was imported; `carterfone numbers import FILE.csv` does it.");
    return rc;
}

static const struct ctl_option import_options[] = {
    { "carrier",        "NAME", CTL_MAY, "the carrier of rows that name none" },
    { "resume",         "ID",   CTL_MAY, "go on with an import that was cut off, with the same list" },
    { "dry-run",        NULL,   CTL_MAY, "check every row, keep nothing" },
    { "all-or-nothing", NULL,   CTL_MAY, "one bad row, and nothing is imported" },
    { "report",         "FILE", CTL_MAY, "write every bad row there, as CSV" },
    { "undo",           "ID",   CTL_MAY, "instead: take an import away, while its numbers are available" },
    { 0 },
};

const struct ctl_command ctl_import_commands[] = {
    { "numbers", "import", "[FILE.csv|-]", 0, 1, import_options, import, "bring in numbers of your own from a list" },
    { "numbers", "imports", "", 0, 0, NULL, imports, "what was brought in" },
    { 0 },
};
