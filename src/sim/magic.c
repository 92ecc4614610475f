#include "sim/magic.h"
#include "base/str.h"

#define MAGIC_ROW(digits_, words_, ...) { .digits = digits_, .words = words_, __VA_ARGS__ },
static const struct magic rows[] = { MAGIC(MAGIC_ROW) MAGIC_EMERGENCY(MAGIC_ROW) };

const struct magic *magic_row(size_t i)
{
    return i < ARRAY_LEN(rows) ? &rows[i] : NULL;
}

static const struct magic *row_of(struct str digits)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eqz(digits, rows[i].digits))
            return &rows[i];
    return NULL;
}

bool magic_is_emergency(struct str number)
{
    return number.n == 3 && row_of(number);
}

const struct magic *magic_of(struct str number)
{
    enum { PLAN = 2, NPA = 3, LENGTH = 12 };        /* +1 NPA 55501XX */
    if (number.n == 3)
        return row_of(number);
    if (number.n != LENGTH || !str_starts(number, STR("+1")) || !str_starts(str_from(number, PLAN + NPA), STR("55501")))
        return NULL;
    return row_of(str_from(number, LENGTH - 2));
}
