#!/bin/sh
# kill -9 during 1,000 concurrent POST /sms: after a restart every message that got its 202 has reached an SMSC in another
# process, and its delivery report the webhook; each segment that reached it is charged once.
# Prints what was sent, accepted, received, lost and doubled.
exec "$NODE" tests/faults/crash.mjs
