#!/bin/sh
# kill -9 while a resource with numbers, holds and event subscriptions is being deleted: after a restart it is either all there, or it
# goes on being deleted until it is gone and leases and holds nothing. ROUNDS=6 by default, NUMBERS=1000 each.
exec "$NODE" tests/faults/crash_delete.mjs
