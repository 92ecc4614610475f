#include "domain/messages/receipt_ids.h"
#include "base/str.h"

#include <stdio.h>

enum { AGREE = 20 };
typedef unsigned __int128 wide;

size_t receipt_id_canonical(char dst[RECEIPT_ID_SIZE], struct str id)
{
    while (id.n > 1 && id.p[0] == '0')
        id = str_from(id, 1);
    if (id.n > RECEIPT_ID_SIZE - 1)
        id.n = RECEIPT_ID_SIZE - 1;
    for (size_t i = 0; i < id.n; i++)
        dst[i] = id.p[i] >= 'A' && id.p[i] <= 'Z' ? (char)(id.p[i] | 0x20) : id.p[i];
    dst[id.n] = '\0';
    return id.n;
}

/* @return ERR_SYNTAX: no number of this base, or it does not fit */
static enum err number_read(struct str id, unsigned base, wide *out)
{
    wide v = 0;
    for (size_t i = 0; i < id.n; i++) {
        int digit = hex_digit(id.p[i]);
        if (digit < 0 || (unsigned)digit >= base || v > (~(wide)0 - (unsigned)digit) / base)
            return ERR_SYNTAX;
        v = v * base + (unsigned)digit;
    }
    *out = v;
    return id.n ? ERR_NONE : ERR_SYNTAX;
}

static void number_write(char dst[RECEIPT_ID_SIZE], wide v, unsigned base)
{
    char digits[RECEIPT_ID_SIZE];
    size_t n = 0;
    do {
        digits[n++] = "0123456789abcdef"[(unsigned)(v % base)];
        v /= base;
    } while (v);
    for (size_t i = 0; i < n; i++)
        dst[i] = digits[n - 1 - i];
    dst[n] = '\0';
}

static enum err other_base(char dst[RECEIPT_ID_SIZE], struct str id, unsigned from, unsigned to)
{
    wide v;
    enum err err = number_read(id, from, &v);
    if (!err)
        number_write(dst, v, to);
    return err;
}

enum err receipt_id_read(char dst[RECEIPT_ID_SIZE], struct str receipt, enum carrier_id_form form)
{
    if (form == CARRIER_ID_HEX_DEC)
        return other_base(dst, receipt, 10, 16);
    if (form == CARRIER_ID_DEC_HEX)
        return other_base(dst, receipt, 16, 10);
    receipt_id_canonical(dst, receipt);
    return ERR_NONE;
}

enum err receipt_id_write(char dst[RECEIPT_ID_SIZE], struct str answer, enum carrier_id_form form)
{
    if (form == CARRIER_ID_HEX_DEC)
        return other_base(dst, answer, 16, 10);
    if (form == CARRIER_ID_DEC_HEX)
        return other_base(dst, answer, 10, 16);
    receipt_id_canonical(dst, answer);
    return ERR_NONE;
}

/* -- learning ---------------------------------------------------------------------------------------------------------- */

void id_learner_init(struct id_learner *l, enum carrier_id_form told)
{
    *l = (struct id_learner){ .told = told, .form = told };
}

void id_learner_saw(struct id_learner *l, enum carrier_id_form form)
{
    if (l->told != CARRIER_ID_AUTO)
        return;
    l->agree = form == l->last ? l->agree + 1 : 1;
    l->last = form;
    if (l->agree >= AGREE)
        l->form = form;
}

const char *id_form_word(enum carrier_id_form form)
{
#define FORM_WORD(name, word) word,
    static const char *const words[] = { CARRIER_ID_FORMS(FORM_WORD) };
#undef FORM_WORD
    return words[form];
}
