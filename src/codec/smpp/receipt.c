/* The text of a delivery receipt. Appendix B calls it vendor specific; this is the form nearly everybody took. */
#include "codec/smpp/smpp.h"

#include "base/str.h"

#include <time.h>

enum { STAT_SAME = 5, TEXT_OCTETS = 20 };

static const struct { enum smpp_state state; const char *word; } words[] = {
    { SMPP_ENROUTE, "ENROUTE" },        { SMPP_DELIVERED, "DELIVRD" },  { SMPP_EXPIRED, "EXPIRED" },
    { SMPP_DELETED, "DELETED" },        { SMPP_UNDELIVERABLE, "UNDELIV" }, { SMPP_ACCEPTED, "ACCEPTD" },
    { SMPP_UNKNOWN, "UNKNOWN" },        { SMPP_REJECTED, "REJECTD" },
};

/* Five letters tell them apart, so "DELIVERED" and "DELIVRD", "UNDELIVERABLE" and "UNDELIV" are the same. */
static enum smpp_state state_of(struct str word)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (word.n >= STAT_SAME
            && str_eq_nocase((struct str){ word.p, STAT_SAME }, (struct str){ words[i].word, STAT_SAME }))
            return words[i].state;
    return SMPP_UNKNOWN;
}

/* The value of "name:" up to the next blank; names in any case, a blank after the colon allowed. */
static bool field(struct str text, struct str name, struct str *value)
{
    for (size_t at = 0; at + name.n <= text.n; at++) {
        bool starts = at == 0 || text.p[at - 1] == ' ' || text.p[at - 1] == '\n';
        if (!starts || !str_eq_nocase((struct str){ text.p + at, name.n }, name))
            continue;
        struct str rest = str_from(text, at + name.n);
        if (rest.n && rest.p[0] == ' ')
            rest = str_from(rest, 1);
        size_t n = 0;
        while (n < rest.n && rest.p[n] != ' ' && rest.p[n] != '\n' && rest.p[n] != '\r' && rest.p[n] != '\0')
            n++;
        *value = (struct str){ rest.p, n };
        return true;
    }
    return false;
}

/* What stands before "text:": the message's own words may contain "id:" or "stat:". */
static struct str before_text(struct str text)
{
    static const struct str mark = { " text:", 6 };
    for (size_t at = 0; at + mark.n <= text.n; at++)
        if (str_eq_nocase((struct str){ text.p + at, mark.n }, mark))
            return (struct str){ text.p, at };
    return text;
}

enum err smpp_receipt_text_read(struct smpp_receipt *out, struct str text)
{
    struct str head = before_text(text), v;
    uint64_t code;
    *out = (struct smpp_receipt){ .state = SMPP_UNKNOWN };
    if (!field(head, STR("id:"), &out->id) || !out->id.n)
        return ERR_SYNTAX;
    if (field(head, STR("stat:"), &v))
        out->state = state_of(v);
    if (field(head, STR("err:"), &v) && str_u64(v, UINT32_MAX, &code) == ERR_NONE)
        out->err = (uint32_t)code;
    return ERR_NONE;
}

enum err smpp_receipt_read(struct smpp_receipt *out, const struct smpp_pdu *pdu)
{
    const struct smpp_tlvs *t = &pdu->tlvs;
    struct smpp_receipt text = { .state = SMPP_UNKNOWN };
    enum err err = smpp_receipt_text_read(&text, smpp_sm_octets(pdu));
    if (t->has_receipted_message_id && t->receipted_message_id.n) {
        text.id = t->receipted_message_id;
        err = ERR_NONE;
    }
    if (t->has_message_state && t->message_state >= SMPP_ENROUTE && t->message_state <= SMPP_REJECTED)
        text.state = (enum smpp_state)t->message_state;
    if (!text.err && t->has_network_error_code && t->network_error_code.n == 3)     /* type, then the code (5.3.2.31) */
        text.err = (uint32_t)(uint8_t)t->network_error_code.p[1] << 8 | (uint8_t)t->network_error_code.p[2];
    if (!err)
        *out = text;
    return err;
}

static void put_time(struct buf *out, const char *name, int64_t us)
{
    time_t s = us / 1000000;
    struct tm tm;
    gmtime_r(&s, &tm);
    buf_printf(out, " %s date:%02d%02d%02d%02d%02d", name, tm.tm_year % 100, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
               tm.tm_min);
}

void smpp_receipt_text_write(struct buf *out, const struct smpp_receipt *receipt, int64_t submit_us, int64_t done_us,
                             struct str text)
{
    const char *word = "UNKNOWN";
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (words[i].state == receipt->state)
            word = words[i].word;
    buf_printf(out, "id:" STR_FMT " sub:001 dlvrd:%s", STR_ARG(receipt->id),
               receipt->state == SMPP_DELIVERED ? "001" : "000");
    put_time(out, "submit", submit_us);
    put_time(out, "done", done_us);
    buf_printf(out, " stat:%s err:%03u text:" STR_FMT, word, receipt->err,
               (int)(text.n < TEXT_OCTETS ? text.n : TEXT_OCTETS), text.p);
}

bool smpp_is_receipt(const struct smpp_pdu *pdu)
{
    uint8_t type = pdu->sm.esm_class & ESM_TYPE_BITS;
    return type == ESM_RECEIPT || type == ESM_INTERMEDIATE || (type == 0 && pdu->tlvs.has_receipted_message_id);
}
