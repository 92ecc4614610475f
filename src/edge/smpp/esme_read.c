#include "edge/smpp/esme_read.h"

#include "base/str.h"
#include "net/sms_parts.h"

#define FAULT(status, text) ((struct esme_fault){ (status), (text) })
#define NO_FAULT ((struct esme_fault){ ESME_ROK, NULL })

/* Text in an alphabet we can read: not binary, not compressed, not the Japanese, Cyrillic or Hebrew sets (5.2.19). */
static bool is_text_coding(uint8_t dc)
{
    bool plain = dc == 0 || dc == 1 || dc == 3 || dc == DATA_CODING_UCS2;
    bool classed = (dc >= 0x10 && dc < 0x20) || dc >= 0xf0;
    return plain || (classed && sms_alphabet_of(dc) != SMS_OCTETS);
}

static struct esme_fault check_class(const struct smpp_sm *sm)
{
    enum { MODE_BITS = 0x03, MODE_FORWARD = 0x02, ANSWER_BITS = 0x3c };
    if ((sm->esm_class & MODE_BITS) == MODE_FORWARD)
        return FAULT(ESME_RINVESMCLASS, "esm_class asks for transaction mode; messages are stored and forwarded.");
    if (sm->esm_class & ANSWER_BITS)
        return FAULT(ESME_RINVESMCLASS, "esm_class says that it is a receipt or an acknowledgement, which ESMEs get and do not send here.");
    if ((sm->registered_delivery & 3) == 3)
        return FAULT(ESME_RINVREGDLVFLG, "registered_delivery 3 is reserved.");
    if (sm->replace_if_present_flag)
        return FAULT(ESME_RSUBMITFAIL, "replace_if_present_flag is not served; replace_sm replaces a message by its id.");
    if (sm->sm_default_msg_id)
        return FAULT(ESME_RINVDFTMSGID, "There are no predefined messages.");
    if (!is_text_coding(sm->data_coding))
        return FAULT(ESME_RSUBMITFAIL, "data_coding is not one of text: GSM 03.38 (0), IA5 (1), ISO 8859-1 (3) or UCS-2 (8).");
    return NO_FAULT;
}

static struct esme_fault check_times(struct esme_submitted *g, const struct smpp_sm *sm, int64_t now_us)
{
    int64_t at_us;
    if (sm->schedule_delivery_time.n && smpp_time_read(sm->schedule_delivery_time, now_us, &at_us))
        return FAULT(ESME_RINVSCHED, "schedule_delivery_time is not YYMMDDhhmmsstnnp.");
    if (sm->schedule_delivery_time.n && at_us > now_us)
        g->send.send_at_us = at_us;
    if (sm->validity_period.n && (smpp_time_read(sm->validity_period, now_us, &at_us) || at_us <= now_us))
        return FAULT(ESME_RINVEXPIRY, "validity_period is not YYMMDDhhmmsstnnp, or is over.");
    if (sm->validity_period.n)
        g->send.valid_until_us = at_us;
    if (g->send.valid_until_us && g->send.send_at_us >= g->send.valid_until_us)
        return FAULT(ESME_RINVEXPIRY, "validity_period is over before schedule_delivery_time.");
    return NO_FAULT;
}

static struct esme_fault read_text(struct esme_submitted *g, const struct smpp_pdu *pdu)
{
    struct sms_part p;
    if (sms_part_read(&p, pdu))
        return FAULT(ESME_RINVMSGLEN, "The user data header is longer than the message.");
    if ((pdu->sm.esm_class & ESM_UDHI) && !p.concat.total)
        return FAULT(ESME_RINVESMCLASS, "The user data header says something other than which part of a message this is.");
    memcpy(g->from, p.from, sizeof g->from);
    g->part.concat = p.concat;
    g->part.alphabet = p.alphabet;
    if (p.concat.total > 1 && p.octets.n > SMPP_SHORT_MESSAGE_MAX)
        return FAULT(ESME_RINVMSGLEN, "A part of a message has 254 octets at most.");
    if (p.concat.total > 1) {
        buf_puts(&g->text, p.octets);   /* as it is: an escape or a surrogate pair may go on in the next part */
        g->part.octets = buf_str(&g->text);
    } else {
        g->part.concat.total = 0;
        sms_text_read(&g->text, p.alphabet, p.octets.p, p.octets.n);
        if (!g->text.bad && !g->text.n)
            return FAULT(ESME_RINVMSGLEN, "The message has no text: there is nothing to send.");
        if (!g->text.bad && utf8_utf16_units(buf_str(&g->text)) > SMS_TEXT_MAX_UNITS)
            return FAULT(ESME_RINVMSGLEN, "The message is longer than 2,048 UTF-16 units.");
    }
    return g->text.bad ? FAULT(ESME_RSYSERR, "Out of memory.") : NO_FAULT;
}

void esme_add_failed(struct esme_submitted *g, const struct smpp_addr *addr, struct str list, uint32_t status)
{
    struct wr w = wr_of(g->failed + g->failed_n, sizeof g->failed - g->failed_n);
    smpp_unsuccess_put(&w, &(struct smpp_dest){ .addr = *addr, .list = list, .status = status });
    if (wr_err(&w))
        return;                         /* as many as there may be recipients have room */
    g->failed_n += wr_len(&w);
    g->n_failed++;
}

static void add_recipient(struct esme_submitted *g, const struct smpp_addr *addr)
{
    char *number = g->numbers[g->send.n];
    smpp_addr_number(number, addr->ton, addr->addr);
    g->to[g->send.n++] = (struct sms_recipient){ .to = str_of(number) };
}

static struct esme_fault read_recipients(struct esme_submitted *g, const struct smpp_pdu *pdu)
{
    if (pdu->command != SMPP_submit_multi) {
        add_recipient(g, &(struct smpp_addr){ pdu->sm.dest_addr_ton, pdu->sm.dest_addr_npi, pdu->sm.destination_addr });
        return NO_FAULT;
    }
    struct rd r = rd_of(pdu->dests.p, pdu->dests.n);
    struct smpp_dest dest;
    if (!pdu->n_dests || pdu->n_dests > SMS_RECIPIENTS_MAX)
        return FAULT(ESME_RINVNUMDESTS, "A submit_multi has 1 to 100 destinations here.");
    while (smpp_dest_next(&r, &dest)) {
        if (dest.list.n)
            esme_add_failed(g, &dest.addr, dest.list, ESME_RINVDLNAME);
        else
            add_recipient(g, &dest.addr);
    }
    if (r.bad)
        return FAULT(ESME_RINVNUMDESTS, "number_of_dests and dest_addresses do not agree.");
    return g->send.n ? NO_FAULT : FAULT(ESME_RINVDLNAME, "There are no distribution lists.");
}

struct esme_fault esme_read(struct esme_submitted *g, const struct smpp_pdu *pdu, int64_t now_us)
{
    struct esme_fault f = check_class(&pdu->sm);
    if (!f.status)
        f = check_times(g, &pdu->sm, now_us);
    if (!f.status)
        f = read_text(g, pdu);
    if (!f.status)
        f = read_recipients(g, pdu);
    if (!f.status && g->part.concat.total && pdu->command == SMPP_submit_multi)
        f = FAULT(ESME_RINVESMCLASS, "Parts of a message are not served in submit_multi: send it whole, in message_payload.");
    g->esme = (struct sms_esme){ .command = smpp_command_name(pdu->command), .registered = pdu->sm.registered_delivery,
                                 .reference = pdu->tlvs.has_user_message_reference ? pdu->tlvs.user_message_reference : -1 };
    g->send.from = str_of(g->from);
    g->send.recipients = g->to;
    g->send.text = buf_str(&g->text);
    g->send.report = true;
    g->send.esme = &g->esme;
    g->part.resource = g->send.resource;
    g->part.from = g->send.from;
    g->part.to = g->to[0].to;
    g->part.esme = g->esme;
    g->part.send_at_us = g->send.send_at_us;
    g->part.valid_until_us = g->send.valid_until_us;
    return f;
}

