#!/bin/sh
# Peers that are slow or dead, all at once, each with a backlog: an SMSC that never answers the bind, one that answers each submit_sm
# too late, one that stops reading, one that stops in the middle of a PDU; an ESME that stops reading, one that reads and answers
# nothing, beside one of the same customer that is well; webhooks that never answer, or with one octet a second. Who is well is served
# as if there were none of them, memory stays where it was, and when they are well again all that was accepted for them arrives.
exec "$NODE" tests/faults/dead_peers.mjs
