#!/bin/sh
# kill -9 between a request and its repetition: the same again has the same message id and nothing is sent twice; another message under
# that id is rejected. ROUNDS=2 by default.
exec "$NODE" tests/faults/crash_repeat.mjs
