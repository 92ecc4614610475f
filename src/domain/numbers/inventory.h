/* inventory.h - the simulated carrier's numbers: computed from a seed, so that only touched ones need rows.
 *
 * They come in areas of 10,000: +1 NPA 555 XXXX without 0100-0199 (handsets and magic numbers), 1212 (directory assistance) and
 * 4334, for every area code of the US, Canada and Puerto Rico and every toll-free one; for other countries one range for each type
 * (data/sim/ranges.csv). Which of them are sold is the catalogue's business. Pure functions: any thread. */
#pragma once
#include "domain/numbers/numbers.h"

enum { INVENTORY_NXX = 555, INVENTORY_LINES = 10000, INVENTORY_IDS = 1000 };

struct inventory_area {
    unsigned         id;                /* below INVENTORY_IDS: an area code of North America, or 1..199 elsewhere */
    uint64_t         prefix;            /* its numbers without the last four digits: 1206555 */
    char             country[3];        /* of a toll-free code of North America: US; sold in CA and PR too */
    enum number_type type;
    char             code[8];           /* as people write it: "206"; "02" */
    const char      *place, *admin, *admin_name;        /* static; may be empty */
};

/** Places in the list of areas; the i-th one. False: that place is empty. */
size_t inventory_areas(void);
bool inventory_area(size_t i, struct inventory_area *out);
/** The one that a number is in, whether or not its line is offered. */
bool inventory_area_of(uint64_t digits, struct inventory_area *out);
/** Are its numbers of this country and type? */
bool inventory_area_is(const struct inventory_area *a, struct str country, enum number_type type);
/** The area with this code. @return false: the country has none for this type */
bool inventory_area_coded(struct str country, enum number_type type, struct str code, struct inventory_area *out);

/** Is it one that the simulated carrier offers? */
bool inventory_has(uint64_t digits);
/** How many numbers of an area are offered. */
unsigned inventory_pool(unsigned id);
uint64_t inventory_digits(unsigned id, unsigned line);
/** The i-th number (0..INVENTORY_LINES-1) of an area in the seed's order, each once; 0 where one is left out. */
uint64_t inventory_at(uint64_t seed, unsigned id, unsigned i);
