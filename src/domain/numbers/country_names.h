/* country_names.h - what countries are called in other languages than English (data/countries/names.csv).
 *
 * Pure functions over a generated table: any thread. English names are the catalogue's. */
#pragma once
#include "base/base.h"

/** "en", then every language there are names in, ended by NULL: "de", ... "zh-Hant". */
extern const char *const country_languages[];

/** @param language  one of the list  @return NULL: English, or a country that the table lacks */
const char *country_name(const char *code, const char *language);
