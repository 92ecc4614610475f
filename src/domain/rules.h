/* rules.h - every rule that may refuse something, by name: one list for API, CLI, log and docs (data/rules.csv).
 *
 * Pure functions: any thread. Texts are static; {0}, {1} ... in them are filled from the arguments. */
#pragma once
#include "base/problem.h"

#include "domain/rules.inc"     /* DOMAIN_RULES(R): enum, name, code, text, next step; built from data/rules.csv */

#define RULE_ENUM(id, name, code, text, next) id,
enum rule { DOMAIN_RULES(RULE_ENUM) RULE_COUNT };
#undef RULE_ENUM

const char *rule_name(enum rule rule);

/** Fill code, text, rule and suggestion; with ERR_BUSY the next try is in a second, unless the caller knows better.
 *  Arguments are C strings.
 *      return rule_problem(why, ERR_FORBIDDEN, RULE_SUBSCRIPTION_NOT_ACTIVE, s->name);
 *  @param why  may be NULL  @return err */
#define rule_problem(why, err, rule, ...) \
    rule_fill((why), (err), (rule), (const char *const[]){ "", ##__VA_ARGS__, NULL } + 1)
/** @param args  ends in NULL; an absent one leaves its place empty */
enum err rule_fill(struct problem *why, enum err err, enum rule rule, const char *const *args);
