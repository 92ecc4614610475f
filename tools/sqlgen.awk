# Reads src/store/*.sql and prints the table of named statements.
#   -- :name message_insert            starts a statement; comment lines before SQL are dropped
#   INSERT INTO message (key, body) VALUES (?1, ?2);
# out/statements.h gets enum db_stmt { DB_MESSAGE_INSERT, ... }; out/statements.inc names, texts and the highest ?N,
# in the same order.
function quoted(s,    i, c, q) {
    q = ""
    for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        q = q (c == "\\" ? "\\\\" : c == "\"" ? "\\\"" : c == "\n" ? "\\n" : c)
    }
    return "\"" q "\""
}
function highest_param(s,    n, top) {
    top = 0
    while (match(s, /\?[0-9]+/)) {
        n = substr(s, RSTART + 1, RLENGTH - 1) + 0
        if (n > top) top = n
        s = substr(s, RSTART + RLENGTH)
    }
    return top
}
function fail(text) {
    print text > "/dev/stderr"; bad = 1; exit 1
}
function flush_one() {
    if (name == "") return
    if (text == "") fail("statement " name " has no SQL")
    if (text ~ /\?([^0-9]|$)/) fail("statement " name ": parameters are ?1, ?2, ...")
    sub(/[ \t\n;]+$/, "", text)
    printf "    DB_%s,\n", toupper(name) > (out "/statements.h")
    printf "    [DB_%s] = { \"%s\", %s, %d },\n", toupper(name), name, quoted(text), highest_param(text) \
        > (out "/statements.inc")
    name = ""; text = ""
}
BEGIN {
    printf "/* Generated from src/store/ by tools/sqlgen.awk. */\n#pragma once\nenum db_stmt {\n" > (out "/statements.h")
    printf "/* Generated from src/store/ by tools/sqlgen.awk: name, SQL, parameters. */\n" > (out "/statements.inc")
}
FNR == 1 { flush_one() }
/^-- :name / {
    flush_one(); name = $3
    if (name !~ /^[a-z][a-z0-9_]*$/) fail(FILENAME ":" FNR ": a statement's name is lower case: " name)
    if (name in seen) fail(FILENAME ":" FNR ": statement " name " stands twice")
    seen[name] = 1; next
}
/^[ \t]*--/ { next }
/^[ \t]*$/ { next }
name == "" { fail(FILENAME ":" FNR ": SQL outside a named statement") }
{ text = text (text == "" ? "" : "\n") $0 }
END { if (!bad) { flush_one(); print "    DB_STATEMENTS\n};" > (out "/statements.h") } }
