/* sim_ports.h - the simulated networks on ports that are free, for `serve` and for `sim` alone. Thread: the starter's. */
#pragma once
#include "base/problem.h"

struct settings;
struct sim;
struct sim_conf;

/** Make them on the hosts and ports of the settings; the rest of conf is the caller's. Default ports in use move on
 *  together to the next free ones, which is logged; given ones do not move.
 *  @return as sim_new(): ERR_CONFLICT (a given port is in use, or too many are), ERR_IO, ERR_NOMEM */
MUST_USE enum err sim_new_on_ports(struct sim **out, const struct settings *s, struct sim_conf *conf, struct problem *why);
