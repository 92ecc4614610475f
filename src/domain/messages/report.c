/* report.c - the delivery report of a message that ended: told in its event, and asked for by its id. Its details stand in the
 * trail ("<time> report 2000: ... (1 of 1 segments)"), so that they are there for as long as the message is. */
#include "base/words.h"
#include "domain/messages/messages_priv.h"

#include <stdio.h>
#include <stdlib.h>

/* The service's numeric codes and words (docs/messages.md). */
static const struct code { int number; const char *words; }
    DELIVERED = { 2000, "Message Delivered Successfully" },
    ABSENT = { 4004, "The recipient's number does not exist or cannot be reached." },
    REJECTED = { 4005, "Message blocked by the destination carrier." },
    UNREACHABLE = { 4006, "The recipient was not reachable." },
    OPTED_OUT = { 4007, "The recipient has opted out." },
    UNVERIFIED = { 4010, "The toll-free number is not verified." },
    FAILED = { 5000, "Message delivery failed." },
    TOO_LATE = { 5001, "Message delivery failed: no carrier took it in time." },
    UNREPORTED = { 5002, "The carrier gave no delivery report in time." };

static const struct code *failure_of(const struct message *msg)
{
    struct str step = str_of(msg->end_step);
    if (msg->blocked)
        return &UNVERIFIED;
    if (msg->opted_out || str_eqz(step, "opt-out"))
        return &OPTED_OUT;
    if (str_eqz(step, "validity"))
        return &TOO_LATE;
    switch (msg->last_receipt) {
    case RECEIPT_REJECTED:      return &REJECTED;
    case RECEIPT_EXPIRED:       return &UNREACHABLE;
    case RECEIPT_UNDELIVERABLE: return &ABSENT;
    default:                    return &FAILED;
    }
}

void report_of(struct sms_report *r, const struct message *msg, int64_t now_us)
{
    const struct code *code = msg->state == MSG_DELIVERED ? &DELIVERED : msg->state == MSG_UNKNOWN ? &UNREPORTED : failure_of(msg);
    *r = (struct sms_report){ .from = msg->texts->from, .to = message_to(msg), .tag = msg->texts->tag, .delivered = msg->state == MSG_DELIVERED,
                              .at_us = now_us, .succeeded = msg->delivered, .segments = msg->acked ? msg->acked : msg->segments };
    message_public_id(msg->m, msg->key, false, r->id);
    words_put(r->details, sizeof r->details, "%d: %s", code->number, code->words);
}

static const char TELL[] = "%s (%u of %u segments)";

void report_tell(const struct sms_report *r, struct buf *trail)
{
    trail_line(trail, r->at_us, "report", TELL, r->details, r->succeeded, r->segments);
}

/* The words of the last line of that step; empty when there is none. */
static struct str last_step(struct str trail, struct str step)
{
    struct str line, when, what, words, found = { "", 0 };
    for (bool more = true; more;) {
        more = str_cut(trail, '\n', &line, &trail);
        if (str_cut(line, ' ', &when, &what) && str_cut(what, ' ', &what, &words) && str_eq(what, step))
            found = words;
    }
    return found;
}

/* What report_tell() wrote. */
static bool read_told(struct sms_report *r, struct str words)
{
    char text[sizeof r->details + 40];
    str_copyz(text, sizeof text, words);
    char *open = strrchr(text, '(');
    if (!open || open == text || sscanf(open, "(%u of %u", &r->succeeded, &r->segments) != 2)
        return false;
    open[-1] = 0;
    str_copyz(r->details, sizeof r->details, str_of(text));
    return true;
}

bool report_read(struct sms_report *r, const struct messages *m, const struct message_row *row)
{
    if (row->inbound || row->state < message_state_stored(MSG_DELIVERED))
        return false;
    bool delivered = row->state == message_state_stored(MSG_DELIVERED);
    *r = (struct sms_report){ .from = row->from, .to = row->to, .tag = row->tag, .delivered = delivered, .at_us = row->updated_us,
                              .succeeded = delivered ? row->segments : 0, .segments = row->segments };
    message_public_id(m, row->key, false, r->id);
    if (!read_told(r, last_step(row->trail, STR("report")))) {      /* it ended before these were told */
        const struct code *code = delivered ? &DELIVERED : row->state == message_state_stored(MSG_UNKNOWN) ? &UNREPORTED : &FAILED;
        words_put(r->details, sizeof r->details, "%d: %s", code->number, code->words);
    }
    return true;
}

void report_json(const struct sms_report *r, struct jw *w)
{
    jw_object(w, NULL);
    jw_textz(w, "messageId", r->id);
    jw_text(w, "from", r->from);
    jw_text(w, "to", r->to);
    jw_textz(w, "deliveryStatus", r->delivered ? "Delivered" : "Failed");
    jw_textz(w, "deliveryStatusDetails", r->details);
    jw_time(w, "receivedTimestamp", r->at_us);
    jw_array(w, "deliveryAttempts");
    jw_object(w, NULL);
    jw_time(w, "timestamp", r->at_us);
    jw_int(w, "segmentsSucceeded", r->succeeded);
    jw_int(w, "segmentsFailed", (int64_t)r->segments - r->succeeded);
    jw_end(w);
    jw_end(w);
    jw_text(w, "tag", r->tag);
    jw_end(w);
}
