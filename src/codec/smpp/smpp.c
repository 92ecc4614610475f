#include "codec/smpp/smpp.h"
#include "codec/smpp/smpp_priv.h"

#include "base/str.h"

/* -- tables made from the lists ------------------------------------------------------------------------------------ */
static const struct { uint32_t id; enum smpp_body body; const char *name; } commands[] = {
#define C_ROW(name, id, body) { id, body, #name },
    SMPP_COMMANDS(C_ROW)
};
static const struct { uint32_t code; const char *name; } statuses[] = {
#define S_ROW(name, code) { code, #name },
    SMPP_STATUSES(S_ROW)
};

static int command_row(uint32_t command)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (commands[i].id == command)
            return (int)i;
    return -1;
}

const char *smpp_command_name(uint32_t command)
{
    int row = command_row(command);
    return row < 0 ? "?" : commands[row].name;
}

const char *smpp_status_name(uint32_t status)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (statuses[i].code == status)
            return statuses[i].name;
    return "?";
}

enum err smpp_status_read(struct str text, uint32_t *out)
{
    uint8_t octets[4];
    size_t n;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        if (str_eq_nocase(text, str_of(statuses[i].name))) {
            *out = statuses[i].code;
            return ERR_NONE;
        }
    }
    if (!str_starts(text, STR("0x"))) {
        uint64_t number;
        enum err err = str_u64(text, UINT32_MAX, &number);
        *out = err ? *out : (uint32_t)number;
        return err ? ERR_SYNTAX : ERR_NONE;
    }
    text = str_from(text, 2);
    char padded[9] = "00000000";
    if (text.n < 1 || text.n > 8)
        return ERR_SYNTAX;
    memcpy(padded + 8 - text.n, text.p, text.n);
    if (hex_read(octets, sizeof octets, str_of(padded), &n))
        return ERR_SYNTAX;
    struct rd r = rd_of(octets, n);
    *out = rd_u32(&r);
    return ERR_NONE;
}

enum err smpp_frame(const void *p, size_t n, size_t *pdu_n)
{
    *pdu_n = 0;
    if (n < 4)
        return ERR_NONE;
    struct rd r = rd_of(p, n);
    uint32_t length = rd_u32(&r);
    if (length < SMPP_HEAD_OCTETS || length > SMPP_PDU_MAX)
        return ERR_SIZE;
    if (n >= length)
        *pdu_n = length;
    return ERR_NONE;
}

/* -- reading ------------------------------------------------------------------------------------------------------- */

static struct str rd_octets(struct rd *r, size_t n)
{
    const uint8_t *p = rd_take(r, n);
    return p ? (struct str){ (const char *)p, n } : (struct str){ "", 0 };
}

#define R_U8(name)           m->name = rd_u8(r);
#define R_CSTR(name, size)   m->name = rd_cstr(r);
#define R_OCTETS(name, most) m->name = rd_octets(r, rd_u8(r));
static void bind_read(struct smpp_bind *m, struct rd *r)           { SMPP_BIND(R_U8, R_CSTR, R_OCTETS) }
static void bind_resp_read(struct smpp_bind_resp *m, struct rd *r) { SMPP_BIND_RESP_(R_U8, R_CSTR, R_OCTETS) }
static void sm_read(struct smpp_sm *m, struct rd *r)               { SMPP_SM(R_U8, R_CSTR, R_OCTETS) }
static void sm_from_read(struct smpp_sm *m, struct rd *r)          { SMPP_SM_FROM(R_U8, R_CSTR, R_OCTETS) }
static void sm_what_read(struct smpp_sm *m, struct rd *r)          { SMPP_SM_WHAT(R_U8, R_CSTR, R_OCTETS) }
static void data_read(struct smpp_sm *m, struct rd *r)             { SMPP_DATA(R_U8, R_CSTR, R_OCTETS) }
static void query_read(struct smpp_query *m, struct rd *r)         { SMPP_QUERY(R_U8, R_CSTR, R_OCTETS) }
static void query_resp_read(struct smpp_query_resp *m, struct rd *r) { SMPP_QUERY_RESP_(R_U8, R_CSTR, R_OCTETS) }
static void cancel_read(struct smpp_cancel *m, struct rd *r)       { SMPP_CANCEL(R_U8, R_CSTR, R_OCTETS) }
static void replace_read(struct smpp_replace *m, struct rd *r)     { SMPP_REPLACE(R_U8, R_CSTR, R_OCTETS) }

/* How far its n destinations, or the n it failed for, reach. */
static void dests_read(struct smpp_pdu *out, struct rd *r, bool (*next)(struct rd *, struct smpp_dest *))
{
    struct smpp_dest dest;
    const uint8_t *start;
    out->n_dests = rd_u8(r);
    start = r->p;
    for (unsigned i = 0; i < out->n_dests; i++)
        if (!next(r, &dest))
            r->bad = true;
    out->dests = (struct str){ (const char *)start, r->bad ? 0 : (size_t)(r->p - start) };
}

/* The SMSC has answered: that its message_id is left out, lacks the NUL or is followed by nonsense must not make us send
 * the message again. */
static void sm_resp_read(struct smpp_sm_resp *m, struct rd *r)
{
    m->message_id = rd_octets(r, strnlen((const char *)r->p, rd_left(r)));
    if (rd_left(r))
        rd_u8(r);
}

/* An integer of 1..4 octets whatever its tag says: some SMSCs send message_state as two. */
static bool tlv_int(struct str v, uint16_t *out)
{
    uint32_t sum = 0;
    if (v.n < 1 || v.n > 4)
        return false;
    for (size_t i = 0; i < v.n; i++)
        sum = sum << 8 | (uint8_t)v.p[i];
    *out = (uint16_t)sum;
    return true;
}

/* With or without its NUL (5.3.2.12 wants one; several SMSCs leave it out). */
static struct str tlv_cstr(struct str v)
{
    const char *nul = v.n ? memchr(v.p, 0, v.n) : NULL;
    return (struct str){ v.p, nul ? (size_t)(nul - v.p) : v.n };
}

/* @return it is one of SMPP_TLVS */
static bool tlv_read(struct smpp_tlvs *t, uint16_t tag, struct str v)
{
    switch (tag) {
#define R_TINT(id, name, octets)  case id: t->has_##name = tlv_int(v, &t->name); break;
#define R_TCSTR(id, name, most)   case id: t->has_##name = true; t->name = tlv_cstr(v); break;
#define R_TOCTETS(id, name, most) case id: t->has_##name = true; t->name = v; break;
    SMPP_TLVS(R_TINT, R_TCSTR, R_TOCTETS)
    default: return false;
    }
    return true;
}

static bool all_zero(const struct rd *r)
{
    for (const uint8_t *p = r->p; p < r->end; p++)
        if (*p)
            return false;
    return true;
}

/* Unknown tags are no fault (3.3), and kept. */
static void tlvs_read(struct smpp_pdu *out, struct rd *r)
{
    const char *start = (const char *)r->p;
    while (!r->bad && rd_left(r)) {
        if (rd_left(r) < 4 && all_zero(r))      /* a stray NUL or padding behind the body: seen, harmless */
            return;
        uint16_t tag = rd_u16(r), n = rd_u16(r);
        struct str v = rd_octets(r, n);
        if (!r->bad && !tlv_read(&out->tlvs, tag, v))
            out->further = (struct str){ start, (size_t)((const char *)r->p - start) };
    }
}

static void body_read(struct smpp_pdu *out, enum smpp_body body, struct rd *r)
{
    bool bare = smpp_is_resp(out->command) && !rd_left(r);
    struct rd rest;
    if (bare && out->status != ESME_ROK)
        return;             /* a refusal needs no body (4.1.2, 4.4.2) */
    switch (body) {
    case SMPP_BODY_NONE:        return;         /* whatever follows is ignored */
    case SMPP_BODY_BIND:        bind_read(&out->bind, r); break;
    case SMPP_BODY_BIND_RESP:   bind_resp_read(&out->bind_resp, r); break;
    case SMPP_BODY_SM:          sm_read(&out->sm, r); break;
    case SMPP_BODY_DATA:        data_read(&out->sm, r); break;
    case SMPP_BODY_MULTI:
        sm_from_read(&out->sm, r);
        dests_read(out, r, smpp_dest_next);
        sm_what_read(&out->sm, r);
        break;
    case SMPP_BODY_MULTI_RESP:
        out->sm_resp.message_id = rd_cstr(r);
        dests_read(out, r, smpp_unsuccess_next);
        break;
    case SMPP_BODY_QUERY:       query_read(&out->query, r); break;
    case SMPP_BODY_QUERY_RESP:  query_resp_read(&out->query_resp, r); break;
    case SMPP_BODY_CANCEL:      cancel_read(&out->cancel, r); break;
    case SMPP_BODY_REPLACE:     replace_read(&out->replace, r); break;
    case SMPP_BODY_SM_RESP:
        sm_resp_read(&out->sm_resp, r);
        rest = *r;
        tlvs_read(out, &rest);
        return;
    }
    tlvs_read(out, r);
}

enum err smpp_read(struct smpp_pdu *out, const void *p, size_t n)
{
    struct rd r = rd_of(p, n);
    *out = (struct smpp_pdu){ 0 };
    rd_u32(&r);                                 /* command_length: smpp_frame() has seen it */
    out->command = rd_u32(&r);
    out->status = rd_u32(&r);
    out->sequence = rd_u32(&r);
    int row = command_row(out->command);
    if (row < 0)
        return r.bad ? ERR_SYNTAX : ERR_ABSENT;
    body_read(out, commands[row].body, &r);
    return rd_err(&r);
}

/* -- writing ------------------------------------------------------------------------------------------------------- */

/* A value the specification has no room for spoils the PDU: `range` tells it from a full buffer. */
struct out {
    struct wr *w;
    bool       range;
};

static void wr_cstr(struct out *o, struct str s, size_t size)
{
    if (s.n >= size || (s.n && memchr(s.p, 0, s.n)))
        o->range = true;
    wr_put(o->w, s.p, s.n);
    wr_u8(o->w, 0);
}

static void wr_counted(struct out *o, struct str s, size_t most)
{
    if (s.n > most)
        o->range = true;
    wr_u8(o->w, (uint8_t)s.n);
    wr_put(o->w, s.p, s.n);
}

#define W_U8(name)           wr_u8(o->w, m->name);
#define W_CSTR(name, size)   wr_cstr(o, m->name, size);
#define W_OCTETS(name, most) wr_counted(o, m->name, most);
static void bind_write(struct out *o, const struct smpp_bind *m)           { SMPP_BIND(W_U8, W_CSTR, W_OCTETS) }
static void bind_resp_write(struct out *o, const struct smpp_bind_resp *m) { SMPP_BIND_RESP_(W_U8, W_CSTR, W_OCTETS) }
static void sm_write(struct out *o, const struct smpp_sm *m)               { SMPP_SM(W_U8, W_CSTR, W_OCTETS) }
static void sm_resp_write(struct out *o, const struct smpp_sm_resp *m)     { SMPP_SM_RESP_(W_U8, W_CSTR, W_OCTETS) }
static void sm_from_write(struct out *o, const struct smpp_sm *m)          { SMPP_SM_FROM(W_U8, W_CSTR, W_OCTETS) }
static void sm_what_write(struct out *o, const struct smpp_sm *m)          { SMPP_SM_WHAT(W_U8, W_CSTR, W_OCTETS) }
static void data_write(struct out *o, const struct smpp_sm *m)             { SMPP_DATA(W_U8, W_CSTR, W_OCTETS) }
static void query_write(struct out *o, const struct smpp_query *m)         { SMPP_QUERY(W_U8, W_CSTR, W_OCTETS) }
static void query_resp_write(struct out *o, const struct smpp_query_resp *m) { SMPP_QUERY_RESP_(W_U8, W_CSTR, W_OCTETS) }
static void cancel_write(struct out *o, const struct smpp_cancel *m)       { SMPP_CANCEL(W_U8, W_CSTR, W_OCTETS) }
static void replace_write(struct out *o, const struct smpp_replace *m)     { SMPP_REPLACE(W_U8, W_CSTR, W_OCTETS) }

/* The octets were made by smpp_dest_put(), or read: either way they are well formed. */
static void dests_write(struct out *o, const struct smpp_pdu *pdu)
{
    wr_u8(o->w, pdu->n_dests);
    wr_put(o->w, pdu->dests.p, pdu->dests.n);
}

static void tlv_int_write(struct out *o, uint16_t tag, uint16_t v, uint16_t octets)
{
    wr_u16(o->w, tag);
    wr_u16(o->w, octets);
    if (octets == 1 && v > 0xff)
        o->range = true;
    if (octets == 1)
        wr_u8(o->w, (uint8_t)v);
    else
        wr_u16(o->w, v);
}

static void tlv_str_write(struct out *o, uint16_t tag, struct str v, size_t most, bool nul)
{
    if (v.n + nul > most || (nul && v.n && memchr(v.p, 0, v.n)))
        o->range = true;
    wr_u16(o->w, tag);
    wr_u16(o->w, (uint16_t)(v.n + nul));
    wr_put(o->w, v.p, v.n);
    if (nul)
        wr_u8(o->w, 0);
}

static void tlvs_write(struct out *o, const struct smpp_tlvs *t)
{
#define W_TINT(id, name, octets)  if (t->has_##name) tlv_int_write(o, id, t->name, octets);
#define W_TCSTR(id, name, most)   if (t->has_##name) tlv_str_write(o, id, t->name, most, true);
#define W_TOCTETS(id, name, most) if (t->has_##name) tlv_str_write(o, id, t->name, most, false);
    SMPP_TLVS(W_TINT, W_TCSTR, W_TOCTETS)
}

/* 4.4.2: a refused submit_sm has no body in its answer; libsmpp34 refuses one that has. 4.1.2 says the same of binds, but there
 * libsmpp34 wants the body, and nobody is known to mind it. */
static bool is_bare(const struct smpp_pdu *pdu)
{
    return pdu->status != ESME_ROK && pdu->command == SMPP_submit_sm_resp;
}

static void body_write(struct out *o, const struct smpp_pdu *pdu, enum smpp_body body)
{
    if (is_bare(pdu))
        return;
    switch (body) {
    case SMPP_BODY_NONE:        return;
    case SMPP_BODY_BIND:        bind_write(o, &pdu->bind); break;
    case SMPP_BODY_BIND_RESP:   bind_resp_write(o, &pdu->bind_resp); break;
    case SMPP_BODY_SM:          sm_write(o, &pdu->sm); break;
    case SMPP_BODY_SM_RESP:     sm_resp_write(o, &pdu->sm_resp); break;
    case SMPP_BODY_DATA:        data_write(o, &pdu->sm); break;
    case SMPP_BODY_MULTI:
        sm_from_write(o, &pdu->sm);
        dests_write(o, pdu);
        sm_what_write(o, &pdu->sm);
        break;
    case SMPP_BODY_MULTI_RESP:
        sm_resp_write(o, &pdu->sm_resp);
        dests_write(o, pdu);
        break;
    case SMPP_BODY_QUERY:       query_write(o, &pdu->query); break;
    case SMPP_BODY_QUERY_RESP:  query_resp_write(o, &pdu->query_resp); break;
    case SMPP_BODY_CANCEL:      cancel_write(o, &pdu->cancel); break;
    case SMPP_BODY_REPLACE:     replace_write(o, &pdu->replace); break;
    }
    tlvs_write(o, &pdu->tlvs);
    wr_put(o->w, pdu->more_tlvs.p, pdu->more_tlvs.n);
}

enum err smpp_write(struct wr *w, const struct smpp_pdu *pdu)
{
    uint8_t *start = w->p;
    struct out o = { w, false };
    int row = command_row(pdu->command);
    if (row < 0)
        return ERR_ABSENT;
    wr_u32(w, 0);
    wr_u32(w, pdu->command);
    wr_u32(w, pdu->status);
    wr_u32(w, pdu->sequence);
    body_write(&o, pdu, commands[row].body);
    size_t n = (size_t)(w->p - start);
    if (w->bad || o.range || n > SMPP_PDU_MAX) {
        w->p = start;
        return o.range || n > SMPP_PDU_MAX ? ERR_RANGE : ERR_SIZE;
    }
    struct wr head = wr_of(start, 4);
    wr_u32(&head, (uint32_t)n);
    return ERR_NONE;
}

struct str smpp_sm_octets(const struct smpp_pdu *pdu)
{
    return pdu->tlvs.has_message_payload ? pdu->tlvs.message_payload : pdu->sm.short_message;
}
