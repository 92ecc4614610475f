#!/bin/sh
# A disk that fails under the real server, while SMS are sent to 1 and to 10 recipients, numbers are bought, phones write and lists are
# read: full (also in the middle of a group), input and output errors, fdatasync that fails, a log that cannot be copied back. What is
# not stored is answered 503 with Retry-After, or a deliver_sm_resp that asks for it again; reads go on; with the disk well the server
# goes on, the same process; after a power cut, too, nothing that was accepted is lost. tests/faults/disk.c is the disk.
exec "$NODE" tests/faults/disk.mjs
