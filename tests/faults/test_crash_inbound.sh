#!/bin/sh
# kill -9 between the parts of messages that come in from a carrier which sends the next part when the one before is answered: each
# message is told once, whole, however its parts are numbered.
exec "$NODE" tests/faults/crash_inbound.mjs
