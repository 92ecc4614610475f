#!/bin/sh
# Twenty times kill -9 at random moments, while messages come in, wait for a slow SMSC, and wait for their receipts: every message
# that got its 202 reaches the SMSC and its report the webhook; the SMSC takes twice, for one death, at most the window that it had
# not answered. Prints what was lost and doubled. `make bench T=crash` does it two hundred times.
exec "$NODE" tests/faults/crash_pipeline.mjs
