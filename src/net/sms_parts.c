#include "net/sms_parts.h"

#include "base/map.h"
#include "base/str.h"

#include <stdio.h>

enum { KEY_SIZE = 2 * SMPP_NUMBER_SIZE + 32 };

struct piece {
    struct buf        octets;
    enum sms_alphabet alphabet;
    bool              there;
};

/* A message that waits for parts; in a list by age, all are held equally long. */
struct set {
    struct set   *older, *newer;
    int64_t       due_us;
    char          key[KEY_SIZE];
    char          from[SMPP_NUMBER_SIZE], to[SMPP_NUMBER_SIZE];
    uint64_t     *handles;
    uint8_t      *handle_of;        /* which piece each is of */
    size_t        n_handles;
    unsigned      have, total;
    uint16_t      ref;
    struct piece  piece[];
};

struct sms_joiner {
    int64_t        hold_us;
    size_t         most;
    struct strmap *sets;
    struct set    *oldest, *newest;
    struct set    *given;           /* what the last `whole` borrows from */
    struct buf     text;
};

/* -- cutting -------------------------------------------------------------------------------------------------------- */
unsigned sms_pdus(const struct sms_split *split)
{
    return split->way == SMS_PAYLOAD ? 1 : split->count;
}

static enum err fill_payload(struct smpp_pdu *pdu, uint8_t *octets, enum sms_alphabet alphabet, struct str text)
{
    struct wr w = wr_of(octets, SMS_WHOLE_OCTETS);
    enum err err = sms_text_write(&w, alphabet, text);
    pdu->sm.short_message = (struct str){ "", 0 };
    pdu->tlvs.message_payload = (struct str){ (char *)octets, wr_len(&w) };
    pdu->tlvs.has_message_payload = true;
    return err;
}

static void number_sar(struct smpp_tlvs *t, const struct sms_concat *concat)
{
    t->sar_msg_ref_num = concat->ref;
    t->sar_total_segments = concat->total;
    t->sar_segment_seqnum = concat->part;
    t->has_sar_msg_ref_num = t->has_sar_total_segments = t->has_sar_segment_seqnum = true;
}

/* What says which part it is, in front of the text or beside it. */
static void number_part(struct smpp_pdu *pdu, struct wr *w, enum sms_way way, const struct sms_concat *concat)
{
    if (way == SMS_SAR) {
        number_sar(&pdu->tlvs, concat);
        return;
    }
    if (way == SMS_UDH16)
        udh16_write(w, concat);
    else
        udh_write(w, concat);
    pdu->sm.esm_class |= ESM_UDHI;
}

enum err sms_part_fill(struct smpp_pdu *pdu, uint8_t *octets, const struct sms_split *split, struct str text, unsigned i,
                       uint16_t ref)
{
    struct wr w = wr_of(octets, SMS_SEGMENT_OCTETS);
    pdu->sm.data_coding = sms_data_coding(split->alphabet);
    if (split->count > 1 && split->way == SMS_PAYLOAD)
        return fill_payload(pdu, octets, split->alphabet, text);
    if (split->count > 1)
        number_part(pdu, &w, split->way, &(struct sms_concat){ ref, (uint8_t)split->count, (uint8_t)(i + 1) });
    struct str part = { text.p + split->part[i].at, split->part[i].n };
    enum err err = sms_text_write(&w, split->alphabet, part);
    pdu->sm.short_message = (struct str){ (char *)octets, wr_len(&w) };
    return err;
}

/* -- reading -------------------------------------------------------------------------------------------------------- */
enum err sms_part_read(struct sms_part *out, const struct smpp_pdu *pdu)
{
    const struct smpp_sm *sm = &pdu->sm;
    const struct smpp_tlvs *t = &pdu->tlvs;
    struct str octets = smpp_sm_octets(pdu);
    *out = (struct sms_part){ .alphabet = sms_alphabet_of(sm->data_coding) };
    smpp_addr_number(out->from, sm->source_addr_ton, sm->source_addr);
    smpp_addr_number(out->to, sm->dest_addr_ton, sm->destination_addr);
    struct rd r = rd_of(octets.p, octets.n);
    if ((sm->esm_class & ESM_UDHI) && udh_read(&r, &out->concat))
        return ERR_SYNTAX;
    out->octets = (struct str){ (const char *)r.p, rd_left(&r) };
    if (!out->concat.total && t->has_sar_msg_ref_num && t->has_sar_total_segments && t->has_sar_segment_seqnum)
        out->concat = sms_concat_sar(t->sar_msg_ref_num, (uint8_t)t->sar_total_segments, (uint8_t)t->sar_segment_seqnum);
    return ERR_NONE;
}

/* -- joining -------------------------------------------------------------------------------------------------------- */
static void set_free(struct set *set)
{
    if (!set)
        return;
    for (unsigned i = 0; i < set->total; i++)
        buf_done(&set->piece[i].octets);
    free(set->handles);
    free(set->handle_of);
    free(set);
}

static void set_unlink(struct sms_joiner *j, struct set *set)
{
    strmap_take(j->sets, str_of(set->key));
    *(set->older ? &set->older->newer : &j->oldest) = set->newer;
    *(set->newer ? &set->newer->older : &j->newest) = set->older;
}

static struct set *set_new(struct sms_joiner *j, struct mono now, const struct sms_part *part, const char *key)
{
    unsigned total = part->concat.total ? part->concat.total : 1;
    struct set *set = calloc(1, sizeof *set + total * sizeof *set->piece);
    if (!set)
        return NULL;
    set->total = total;
    set->ref = part->concat.ref;
    set->due_us = now.us + j->hold_us;
    str_copyz(set->key, sizeof set->key, str_of(key));
    str_copyz(set->from, sizeof set->from, str_of(part->from));
    str_copyz(set->to, sizeof set->to, str_of(part->to));
    if (strmap_put(j->sets, str_of(set->key), set)) {
        set_free(set);
        return NULL;
    }
    set->older = j->newest;
    *(j->newest ? &j->newest->newer : &j->oldest) = set;
    j->newest = set;
    return set;
}

static enum err set_add(struct set *set, const struct sms_part *part)
{
    unsigned at = part->concat.total ? part->concat.part - 1u : 0;
    uint64_t *handles = realloc(set->handles, (set->n_handles + 1) * sizeof *handles);
    if (handles)
        set->handles = handles;
    uint8_t *handle_of = handles ? realloc(set->handle_of, set->n_handles + 1) : NULL;
    if (!handle_of)
        return ERR_NOMEM;
    set->handle_of = handle_of;
    struct piece *piece = &set->piece[at];
    if (!piece->there) {                    /* a part sent again adds its handle only */
        buf_puts(&piece->octets, part->octets);
        if (buf_err(&piece->octets)) {
            buf_done(&piece->octets);
            return ERR_NOMEM;
        }
        piece->there = true;
        piece->alphabet = part->alphabet;
        set->have++;
    }
    set->handle_of[set->n_handles] = (uint8_t)at;
    set->handles[set->n_handles++] = part->handle;
    return ERR_NONE;
}

/* Neighbours of one alphabet are read as one run of octets. */
static void read_text(struct buf *out, const struct set *set)
{
    scoped_buf run = { 0 };
    for (unsigned i = 0; i < set->total; i++) {
        const struct piece *piece = &set->piece[i];
        buf_puts(&run, buf_str(&piece->octets));
        bool last = i + 1 == set->total || set->piece[i + 1].alphabet != piece->alphabet || !set->piece[i + 1].there;
        if (!last)
            continue;
        out->bad = out->bad || run.bad;
        sms_text_read(out, piece->alphabet, run.p, run.n);
        buf_clear(&run);
    }
}

/* Out of the map and the list; j->given keeps it while `whole` is looked at. On ERR_NOMEM it stays where it is. */
static enum err give(struct sms_joiner *j, struct set *set, struct sms_whole *whole)
{
    buf_done(&j->text);             /* a buffer that failed once would fail for ever */
    read_text(&j->text, set);
    if (buf_err(&j->text))
        return ERR_NOMEM;
    set_unlink(j, set);
    set_free(j->given);
    j->given = set;
    *whole = (struct sms_whole){ .from = str_of(set->from), .to = str_of(set->to), .text = buf_str(&j->text),
                                 .parts = set->have, .total = set->total, .handles = set->handles,
                                 .n_handles = set->n_handles, .ref = set->ref };
    return ERR_NONE;
}

enum err sms_joiner_new(struct sms_joiner **out, int64_t hold_us, size_t most)
{
    struct sms_joiner *j = calloc(1, sizeof *j);
    if (!j)
        return ERR_NOMEM;
    *j = (struct sms_joiner){ .hold_us = hold_us, .most = most, .sets = strmap_new() };
    if (!j->sets) {
        free(j);
        return ERR_NOMEM;
    }
    *out = j;
    return ERR_NONE;
}

void sms_joiner_clear(struct sms_joiner *j)
{
    while (j->oldest) {
        struct set *set = j->oldest;
        set_unlink(j, set);
        set_free(set);
    }
}

static struct sms_part part_of(const struct set *set, size_t handle)
{
    const struct piece *piece = &set->piece[set->handle_of[handle]];
    struct sms_part part = { .concat = { set->ref, (uint8_t)set->total, (uint8_t)(set->handle_of[handle] + 1) }, .alphabet = piece->alphabet,
                             .octets = buf_str(&piece->octets), .handle = set->handles[handle] };
    str_copyz(part.from, sizeof part.from, str_of(set->from));
    str_copyz(part.to, sizeof part.to, str_of(set->to));
    return part;
}

void sms_joiner_release(struct sms_joiner *j, void (*fn)(void *arg, const struct sms_part *part), void *arg)
{
    for (struct set *set = j->oldest; set; set = set->newer)
        for (size_t i = 0; i < set->n_handles; i++)
            if (set->handles[i]) {
                struct sms_part part = part_of(set, i);
                set->handles[i] = 0;
                fn(arg, &part);
            }
}

void sms_joiner_free(struct sms_joiner *j)
{
    if (!j)
        return;
    sms_joiner_clear(j);
    set_free(j->given);
    strmap_free(j->sets);
    buf_done(&j->text);
    free(j);
}

enum err sms_joiner_put(struct sms_joiner *j, struct mono now, const struct sms_part *part, struct sms_whole *whole)
{
    char key[KEY_SIZE];
    *whole = (struct sms_whole){ 0 };
    snprintf(key, sizeof key, "%s %s %u %u", part->from, part->to, part->concat.ref, part->concat.total);
    struct set *set = strmap_find(j->sets, str_of(key));
    if (!set && strmap_count(j->sets) >= j->most)
        return ERR_BUSY;
    bool fresh = !set;
    if (fresh)
        set = set_new(j, now, part, key);
    if (!set)
        return ERR_NOMEM;
    enum err err = set_add(set, part);
    if (err && fresh) {
        set_unlink(j, set);
        set_free(set);
    }
    if (err || set->have < set->total)
        return err;
    err = give(j, set, whole);
    if (err)
        set->n_handles--;           /* the part stays, its sender is told to send it again */
    return err;
}

bool sms_joiner_overdue(struct sms_joiner *j, struct mono now, struct sms_whole *whole)
{
    if (!j->oldest || j->oldest->due_us > now.us)
        return false;
    return give(j, j->oldest, whole) == ERR_NONE;
}

int64_t sms_joiner_wait_us(const struct sms_joiner *j, struct mono now)
{
    if (!j->oldest)
        return -1;
    return j->oldest->due_us > now.us ? j->oldest->due_us - now.us : 0;
}
