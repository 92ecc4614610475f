/* import_slice.c - rows of a list, checked one by one, on the thread of whoever reads the list. */
#include "base/arena.h"
#include "base/map.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/catalogue.h"
#include "domain/numbers/import_priv.h"

static const size_t LOTS_FIRST = 16, BAD_FIRST = 64;

enum err import_slice_new(struct import_slice **out, uint64_t first_line)
{
    struct import_slice *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->first_line = s->next_line = first_line;
    s->arena = arena_new();
    s->index = strmap_new();
    s->rows = calloc(IMPORT_SLICE_MOST, sizeof *s->rows);
    if (!s->arena || !s->index || !s->rows) {
        import_slice_free(s);
        return ERR_NOMEM;
    }
    *out = s;
    return ERR_NONE;
}

void import_slice_free(struct import_slice *s)
{
    if (!s)
        return;
    arena_free(s->arena);
    strmap_free(s->index);
    free(s->lots);
    free(s->rows);
    free(s->bad);
    free(s);
}

size_t import_slice_count(const struct import_slice *s)
{
    return s->n_rows + s->n_bad;
}

void import_slice_end(struct import_slice *s, uint64_t next_line)
{
    s->next_line = next_line;
}

enum err import_slice_mark(struct import_slice *s, struct str mark)
{
    if (mark.n >= sizeof s->mark)
        return ERR_SIZE;
    str_copyz(s->mark, sizeof s->mark, mark);
    return ERR_NONE;
}

/* Make room for one more in a list that doubles. */
static enum err room(void **list, size_t n, size_t *cap, size_t first, size_t size)
{
    if (n < *cap)
        return ERR_NONE;
    size_t wanted = *cap ? *cap * 2 : first;
    void *more = realloc(*list, wanted * size);
    if (!more)
        return ERR_NOMEM;
    *list = more;
    *cap = wanted;
    return ERR_NONE;
}

enum err import_bad_put(struct import_bad_list *list, const struct import_bad *bad)
{
    void *at = list->at;
    enum err err = room(&at, list->n, &list->cap, BAD_FIRST, sizeof *bad);
    list->at = at;
    if (!err)
        list->at[list->n++] = *bad;
    return err;
}

enum err import_slice_bad(struct import_slice *s, uint64_t line, enum rule rule, struct str number, struct str detail)
{
    if (import_slice_count(s) == IMPORT_SLICE_MOST)
        return ERR_SIZE;
    struct import_bad bad = { .line = line, .rule = rule };
    str_copyz(bad.number, sizeof bad.number, number);
    str_copyz(bad.detail, sizeof bad.detail, detail);
    struct import_bad_list list = { s->bad, s->n_bad, s->cap_bad };
    enum err err = import_bad_put(&list, &bad);
    s->bad = list.at;
    s->n_bad = list.n;
    s->cap_bad = list.cap;
    if (!err && s->next_line <= line)
        s->next_line = line + 1;
    return err;
}

void import_bad_problem(const struct import_bad *bad, struct problem *why)
{
    rule_problem(why, ERR_RANGE, bad->rule, bad->number, bad->detail);
}

/* -- what is wrong with a row by itself ----------------------------------------------------------------------------- */

struct checked {
    uint64_t         digits;
    char             country[3];
    enum number_type type;
    const char      *detail;            /* of the rule that was broken */
};

/* North American area codes tell toll-free and special services from the rest; elsewhere the list is believed. */
static bool type_fits(struct checked *c, const struct import_row *row)
{
    struct nanp_number na;
    c->type = row->has_type ? row->type : NUMBER_GEOGRAPHIC;
    if (!nanp_read(c->digits, &na))
        return true;
    const struct nanp_area *a = nanp_area(na.npa);
    if (!row->has_type && a && a->kind == NANP_TOLL_FREE)
        c->type = NUMBER_TOLL_FREE;
    bool geographic = c->type == NUMBER_GEOGRAPHIC, toll_free = c->type == NUMBER_TOLL_FREE;
    if (!a || nanp_is_premium(c->digits))
        return false;
    return a->kind == NANP_TOLL_FREE ? toll_free : a->kind == NANP_GEOGRAPHIC ? !toll_free : !geographic && !toll_free;
}

static bool country_fits(struct checked *c, const struct import_row *row)
{
    struct str own = str_of(e164_country(c->digits));
    str_copyz(c->country, sizeof c->country, own);
    return own.n == 2 && (!row->country.n || str_eq_nocase(row->country, own));
}

/* @return RULE_COUNT: it may go on. */
static enum rule row_check(const struct import_row *row, struct checked *c, char detail[48])
{
    detail[0] = '\0';
    if (e164_read(row->number, &c->digits))
        return RULE_ROW_NUMBER_INVALID;
    if (!country_fits(c, row)) {
        str_copyz(detail, 48, row->country.n ? row->country : STR("a country that is known"));
        return RULE_ROW_COUNTRY_WRONG;
    }
    if (!type_fits(c, row)) {
        str_copyz(detail, 48, str_of(number_type_in_words(c->type)));
        return RULE_ROW_TYPE_WRONG;
    }
    if (row->calling == CAP_NONE && row->sms == CAP_NONE)
        return RULE_ROW_WITHOUT_CAPABILITY;
    if (row->carrier.n >= IMPORT_CARRIER_SIZE || str_find(row->carrier, '\0') >= 0) {
        str_copyz(detail, 48, row->carrier);
        return RULE_CARRIER_UNKNOWN;
    }
    if (row->tags.n >= IMPORT_TAGS_SIZE || !utf8_valid(row->tags) || str_find(row->tags, '\0') >= 0) {
        str_copyz(detail, 48, utf8_valid(row->tags) ? row->tags : STR("?"));
        return RULE_ROW_TAGS_INVALID;
    }
    return RULE_COUNT;
}

/* -- lots ----------------------------------------------------------------------------------------------------------- */

size_t import_lot_key(char key[IMPORT_LOT_KEY_SIZE], const struct import_lot *l)
{
    char *at = key;
    memcpy(at, l->country, 2);
    at += 2;
    *at++ = (char)l->type;
    *at++ = (char)(l->calling << 4 | l->sms);
    memcpy(at, &l->cost_micro, sizeof l->cost_micro);
    at += sizeof l->cost_micro;
    str_put(&at, l->carrier);           /* each with a NUL, which neither has inside */
    str_put(&at, l->tags);
    return (size_t)(at - key);
}

static enum err lot_add(struct import_slice *s, const struct import_lot *l, struct str key, uint32_t *out)
{
    void *lots = s->lots;
    enum err err = room(&lots, s->n_lots, &s->cap_lots, LOTS_FIRST, sizeof *s->lots);
    s->lots = lots;
    if (err)
        return err;
    struct import_lot *mine = &s->lots[s->n_lots];
    *mine = *l;
    mine->carrier = arena_str(s->arena, l->carrier);
    mine->tags = arena_str(s->arena, l->tags);
    if (!mine->carrier.p || !mine->tags.p || strmap_put(s->index, key, (void *)(s->n_lots + 1)))
        return ERR_NOMEM;
    *out = (uint32_t)s->n_lots++;
    return ERR_NONE;
}

/* Neighbours in a list are mostly of the same lot. */
static enum err lot_find(struct import_slice *s, const struct import_lot *l, uint32_t *out)
{
    char key[IMPORT_LOT_KEY_SIZE];
    size_t n = import_lot_key(key, l);
    *out = s->last_lot;
    if (s->last_n == n && !memcmp(s->last_key, key, n))
        return ERR_NONE;
    size_t known = (size_t)strmap_find(s->index, (struct str){ key, n });
    *out = (uint32_t)known - 1;
    enum err err = known ? ERR_NONE : lot_add(s, l, (struct str){ key, n }, out);
    if (err)
        return err;
    memcpy(s->last_key, key, n);
    s->last_n = n;
    s->last_lot = *out;
    return ERR_NONE;
}

enum err import_slice_add(struct import_slice *s, const struct import_row *row)
{
    struct checked c = { 0 };
    char detail[48];
    if (import_slice_count(s) == IMPORT_SLICE_MOST)
        return ERR_SIZE;
    enum rule bad = row_check(row, &c, detail);
    if (bad != RULE_COUNT)
        return import_slice_bad(s, row->line, bad, row->number, str_of(detail));
    struct import_lot l = { .carrier = row->carrier, .tags = str_trim(row->tags), .type = c.type, .calling = row->calling,
                            .sms = row->sms, .cost_micro = row->cost_micro };
    memcpy(l.country, c.country, sizeof l.country);
    uint32_t lot;
    enum err err = lot_find(s, &l, &lot);
    if (err)
        return err;
    s->rows[s->n_rows++] = (struct import_slice_row){ .digits = c.digits, .line = row->line, .lot = lot };
    if (s->next_line <= row->line)
        s->next_line = row->line + 1;
    return ERR_NONE;
}
