/* settings_priv.h - what settings.c (values, flags, environment) and settings_yaml.c (the file) share. */
#pragma once
#include "main/settings.h"

struct setting;

/** The setting of this name ('-' and '_' alike) that `who` understands. @return NULL with `why` naming the nearest */
const struct setting *setting_find(struct str name, enum settings_for who, struct problem *why);

/** Set one from text, weighing it by the kind of the setting. A list is replaced by the first value of a source and
 *  grows with the next ones: `first` says which this is.
 *  @param where  "--sip", "CARTERFONE_SIP", "site.yaml:3: sip": stands in front of every complaint */
MUST_USE enum err setting_put(struct settings *s, const struct setting *setting, struct str value, bool first,
                              const char *where, struct problem *why);

/** Does it take several values? */
bool setting_is_list(const struct setting *setting);

/** Apply a YAML text to *s. Errors as settings_read_yaml(). */
MUST_USE enum err settings_apply_yaml(struct settings *s, enum settings_for who, struct str text, const char *name,
                                      struct problem *why);
