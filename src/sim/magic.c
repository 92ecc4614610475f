#include "sim/magic.h"
#include "base/str.h"

#define MAGIC_ROW(digits_, words_, ...) { .digits = digits_, .words = words_, __VA_ARGS__ },
static const struct magic rows[] = { MAGIC(MAGIC_ROW) };

const struct magic *magic_row(size_t i)
{
    return i < ARRAY_LEN(rows) ? &rows[i] : NULL;
}

const struct magic *magic_of(struct str number)
{
    enum { PLAN = 2, NPA = 3, LENGTH = 12 };        /* +1 NPA 55501XX */
    if (number.n != LENGTH || !str_starts(number, STR("+1")) || !str_starts(str_from(number, PLAN + NPA), STR("55501")))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eqz(str_from(number, LENGTH - 2), rows[i].digits))
            return &rows[i];
    return NULL;
}
