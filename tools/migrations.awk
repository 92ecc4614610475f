# Reads src/store/migrations/NNNN_name.sql in order and prints the table of migrations: number, name, text.
# A number is taken by whoever lands it first; numbers are 1, 2, 3, ... with no gap and no double.
function quoted(s,    i, c, q) {
    q = ""
    for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        q = q (c == "\\" ? "\\\\" : c == "\"" ? "\\\"" : c)
    }
    return "\"" q "\\n\""
}
function fail(text) {
    print text > "/dev/stderr"; bad = 1; exit 1
}
BEGIN { print "/* Generated from src/store/migrations/ by tools/migrations.awk. */"; expected = 0 }
FNR == 1 {
    file = FILENAME; sub(/.*\//, "", file)
    if (file !~ /^[0-9][0-9][0-9][0-9]_[a-z][a-z0-9_]*\.sql$/) fail(FILENAME ": the name must be NNNN_name.sql")
    number = substr(file, 1, 4) + 0
    if (number != ++expected)
        fail(FILENAME ": the next migration is number " expected " (take the next free one and rename the file)")
    name = substr(file, 6); sub(/\.sql$/, "", name)
    if (number > 1) print "    },"
    printf "    { %d, \"%s\",\n", number, name
}
{ print "        " quoted($0) }
END { if (!bad) print "    }," }
