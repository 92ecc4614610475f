#!/bin/sh
# Malformed input at each edge (HTTP, TLS, JSON, SMPP both ways, SIP, RTP, webhooks, YAML): the answer says what is wrong, the
# server goes on, and in the end it stops with 0 and nothing said by a sanitizer.
exec "$NODE" tests/faults/malformed.mjs
