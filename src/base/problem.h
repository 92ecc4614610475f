/* problem.h - what a person must be told about a refusal, filled by whoever knows and said by an edge.
 *
 * Travels beside enum err: the enum decides the status, the problem the words. By value; no ownership. */
#pragma once
#include "base/base.h"

struct problem {
    char code[64];          /* the API's error code; empty: the edge's default for the enum err */
    char text[384];
    char target[96];        /* the field or thing at fault; may be empty */
    char rule[64];          /* innererror.code: which rule (data/rules.csv); may be empty */
    char suggestion[384];   /* innererror.message: what to do instead; may be empty */
    int  retry_after_s;     /* with ERR_BUSY: 1..; else 0 */
};

/** Fill code and text, forget the rest. @return err, so that `return problem_set(why, ERR_RANGE, ...)` reads well.
 *  why may be NULL. */
enum err problem_set(struct problem *why, enum err err, const char *code, const char *format, ...) PRINTF(4, 5);
void problem_target(struct problem *why, const char *format, ...) PRINTF(2, 3);
void problem_rule(struct problem *why, const char *rule, const char *format, ...) PRINTF(3, 4);
