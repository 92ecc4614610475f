# Both our ends of SMPP against an implementation that is not ours (npm smpp).
set -u
SMPP_PEER=${SMPP_PEER:-$(dirname "$CARTERFONE")/smpp/smpp_peer}
export SMPP_PEER
cd tests || exit 1          # where node_modules is
"$NODE" --test smpp/foreign_esme.mjs smpp/foreign_modes.mjs smpp/foreign_smsc.mjs
