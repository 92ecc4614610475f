#include "domain/rules.h"

#include <stdio.h>

static const struct {
    const char *name, *code, *text, *next;
} rules[RULE_COUNT] = {
#define RULE_ROW(id, name, code, text, next) [id] = { name, code, text, next },
    DOMAIN_RULES(RULE_ROW)
#undef RULE_ROW
};

const char *rule_name(enum rule rule)
{
    return rules[rule].name;
}

static const char *arg_at(const char *const *args, unsigned i)
{
    for (; *args && i; i--)
        args++;
    return *args ? *args : "";
}

/* Copy `form`, putting args[d] where it says {d}; cut to fit. */
static void fill(char *dst, size_t size, const char *form, const char *const *args)
{
    size_t n = 0;
    while (*form && n + 1 < size) {
        if (form[0] == '{' && form[1] >= '0' && form[1] <= '9' && form[2] == '}') {
            n += (size_t)snprintf(dst + n, size - n, "%s", arg_at(args, (unsigned)(form[1] - '0')));
            n = n < size ? n : size - 1;
            form += 3;
        } else {
            dst[n++] = *form++;
        }
    }
    dst[n] = '\0';
}

enum err rule_fill(struct problem *why, enum err err, enum rule rule, const char *const *args)
{
    if (!why)
        return err;
    char text[sizeof why->text], next[sizeof why->suggestion];
    fill(text, sizeof text, rules[rule].text, args);
    fill(next, sizeof next, rules[rule].next, args);
    problem_set(why, err, rules[rule].code, "%s", text);
    problem_rule(why, rules[rule].name, "%s", next);
    why->retry_after_s = err == ERR_BUSY;
    return err;
}
