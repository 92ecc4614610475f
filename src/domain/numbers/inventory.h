/* inventory.h - the simulated carrier's numbers: computed from a seed, so that only touched ones need rows.
 *
 * +1 NPA 555 XXXX without 0100-0199 (handsets and magic numbers), 1212 (directory assistance) and 4334, in every
 * geographic area code of the US and in every toll-free one. Pure functions: any thread. */
#pragma once
#include "domain/numbers/numbers.h"

enum { INVENTORY_NXX = 555, INVENTORY_LINES = 10000, INVENTORY_POOL = INVENTORY_LINES - 102 };

/** Is it one that the simulated carrier offers? */
bool inventory_has(uint64_t digits);
/** The i-th number (0..INVENTORY_LINES-1) of an area code in the seed's order, each once; 0 where one is left out. */
uint64_t inventory_at(uint64_t seed, unsigned npa, unsigned i);
