/* The lists inside submit_multi (SMPP 3.4, 4.5.1.1) and its response (4.5.2.1). */
#include "codec/smpp/smpp.h"
#include "codec/smpp/smpp_priv.h"

enum { DEST_SME = 1, DEST_LIST = 2 };       /* dest_flag (5.2.25) */

static struct smpp_addr addr_next(struct rd *r)
{
    struct smpp_addr a = { .ton = rd_u8(r) };
    a.npi = rd_u8(r);
    a.addr = rd_cstr(r);
    return a;
}

static void text_put(struct wr *w, struct str s)
{
    wr_put(w, s.p, s.n);
    wr_u8(w, 0);
}

static void addr_put(struct wr *w, const struct smpp_addr *a)
{
    wr_u8(w, a->ton);
    wr_u8(w, a->npi);
    text_put(w, a->addr);
}

bool smpp_dest_next(struct rd *r, struct smpp_dest *out)
{
    if (r->bad || !rd_left(r))
        return false;
    uint8_t flag = rd_u8(r);
    *out = (struct smpp_dest){ .addr.addr = { "", 0 }, .list = { "", 0 } };
    if (flag == DEST_SME)
        out->addr = addr_next(r);
    else if (flag == DEST_LIST)
        out->list = rd_cstr(r);
    else
        r->bad = true;
    return !r->bad;
}

void smpp_dest_put(struct wr *w, const struct smpp_dest *dest)
{
    wr_u8(w, dest->list.n ? DEST_LIST : DEST_SME);
    if (dest->list.n)
        text_put(w, dest->list);
    else
        addr_put(w, &dest->addr);
}

bool smpp_unsuccess_next(struct rd *r, struct smpp_dest *out)
{
    if (r->bad || !rd_left(r))
        return false;
    *out = (struct smpp_dest){ .list = { "", 0 } };
    out->addr = addr_next(r);
    out->status = rd_u32(r);
    return !r->bad;
}

void smpp_unsuccess_put(struct wr *w, const struct smpp_dest *dest)
{
    addr_put(w, &dest->addr);
    wr_u32(w, dest->status);
}
