# csv_split(line, field): RFC 4180 into field[1..n]; answers n. Quoted fields may hold commas and doubled quotes.
function csv_split(line, field,    n, c, i, quoted, text) {
    n = 0; text = ""; quoted = 0
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        if (quoted) {
            if (c != "\"") text = text c
            else if (substr(line, i + 1, 1) == "\"") { text = text c; i++ }
            else quoted = 0
        } else if (c == "\"") quoted = 1
        else if (c == ",") { field[++n] = text; text = "" }
        else text = text c
    }
    field[++n] = text
    return n
}
# A C string literal, or NULL-safe empty.
function c_text(s) {
    gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s)
    return "\"" s "\""
}
function die(words) {
    print FILENAME ":" FNR ": " words > "/dev/stderr"; failed = 1; exit 1
}
