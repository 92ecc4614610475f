# Reads src/store/*.sql and prints the table of named statements.
#   -- :name message_insert            starts a statement; comment lines before SQL are dropped
#   INSERT INTO message (key, body) VALUES (?1, ?2);
# out/statements.h gets enum db_stmt { DB_MESSAGE_INSERT, ... }; out/statements.inc the texts in the same order.
function flush_one() {
    if (name == "") return
    sub(/[ \t\n;]+$/, "", text)
    gsub(/\\/, "\\\\", text); gsub(/"/, "\\\"", text); gsub(/\n/, " ", text)
    printf "    DB_%s,\n", toupper(name) > (out "/statements.h")
    printf "    [DB_%s] = { \"%s\", \"%s\" },\n", toupper(name), name, text > (out "/statements.inc")
    name = ""; text = ""
}
BEGIN {
    printf "/* Generated from src/store/ by tools/sqlgen.awk. */\n#pragma once\nenum db_stmt {\n" > (out "/statements.h")
    printf "/* Generated from src/store/ by tools/sqlgen.awk: name, SQL. */\n" > (out "/statements.inc")
}
FNR == 1 { flush_one() }
/^-- :name / {
    flush_one(); name = $3
    if (name in seen) { print FILENAME ": statement " name " stands twice" > "/dev/stderr"; bad = 1; exit 1 }
    seen[name] = 1; next
}
/^[ \t]*--/ { next }
/^[ \t]*$/ { next }
name == "" { print FILENAME ":" FNR ": SQL outside a named statement" > "/dev/stderr"; bad = 1; exit 1 }
{ text = text (text == "" ? "" : "\n") $0 }
END { if (!bad) { flush_one(); print "    DB_STATEMENTS\n};" > (out "/statements.h") } }
