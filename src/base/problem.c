#include "base/problem.h"

#include <stdarg.h>
#include <stdio.h>

enum err problem_set(struct problem *why, enum err err, const char *code, const char *format, ...)
{
    if (!why)
        return err;
    *why = (struct problem){ 0 };
    snprintf(why->code, sizeof why->code, "%s", code);
    va_list ap;
    va_start(ap, format);
    vsnprintf(why->text, sizeof why->text, format, ap);
    va_end(ap);
    return err;
}

void problem_target(struct problem *why, const char *format, ...)
{
    if (!why)
        return;
    va_list ap;
    va_start(ap, format);
    vsnprintf(why->target, sizeof why->target, format, ap);
    va_end(ap);
}

void problem_rule(struct problem *why, const char *rule, const char *format, ...)
{
    if (!why)
        return;
    snprintf(why->rule, sizeof why->rule, "%s", rule);
    va_list ap;
    va_start(ap, format);
    vsnprintf(why->suggestion, sizeof why->suggestion, format, ap);
    va_end(ap);
}
