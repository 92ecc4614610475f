#!/bin/sh
# kill -9 while events of inbound messages are delivered to two endpoints, five times: every event of a message that was acknowledged
# to its SMSC arrives at both, with one id; what comes twice was under way when the server died; first arrivals of a subject
# are in order. Prints what was lost and doubled. `make bench T=events_crash` does it fifty times.
exec "$NODE" tests/faults/crash_events.mjs
