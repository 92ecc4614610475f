#!/bin/sh
# The folder is the layer: fail on an #include "..." that points up or sideways (ARCHITECTURE.md, "Layers").
# base < {store, codec} < domain < edge < main;  codec < net < {edge, sim};  domain never net; sim never domain/store/edge.
find src -name '*.[ch]' | sort | xargs awk '
BEGIN {
    may["base"] = "base"; may["store"] = "base store"; may["codec"] = "base codec"
    may["domain"] = "base store codec domain"; may["net"] = "base codec net"
    may["edge"] = "base codec store domain net edge"; may["sim"] = "base codec net sim"
    may["main"] = "base store codec domain net edge sim main"
}
/^#include "/ {
    split(FILENAME, from, "/"); path = $2; gsub(/"/, "", path); split(path, to, "/")
    ok = 0; n = split(may[from[2]], list, " ")
    for (i = 1; i <= n; i++) if (list[i] == to[1]) ok = 1
    # within one layer: codecs do not know each other, nor do edges (edge/api may be reached by nobody but itself)
    if (ok && from[2] == to[1] && (to[1] == "codec" || to[1] == "edge") && from[3] != to[2] && to[3] != "") ok = 0
    if (path !~ /\//) ok = 0
    if (!ok) { print FILENAME ":" FNR ": " from[2] " may not include " path; bad = 1 }
}
END { exit bad }' && echo "layers: every include points down"
