# Reads data/rules.csv and prints one line a rule: R(ENUM_NAME, "Name", "Code", "text", "next step")
# Run as: awk -f tools/csv.awk -f tools/rulesgen.awk data/rules.csv
function upper_snake(s,    out, i, c) {
    out = ""
    for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        if (c ~ /[A-Z]/ && i > 1) out = out "_"
        out = out toupper(c)
    }
    return out
}
BEGIN { print "/* Generated from data/rules.csv by tools/rulesgen.awk. */" ; print "#define DOMAIN_RULES(R) \\" }
/^#/ || /^[ \t]*$/ { next }
{
    if (csv_split($0, f) != 4) die("a rule has four fields: rule,code,text,next")
    if (f[1] !~ /^[A-Z][A-Za-z0-9]+$/) die("'" f[1] "' is no name for a rule")
    if (f[1] in seen) die("rule " f[1] " stands twice")
    if (f[3] == "" || f[4] == "") die("rule " f[1] " lacks its text or its next step")
    seen[f[1]] = 1
    printf "    R(RULE_%s, %s, %s, %s, %s) \\\n", upper_snake(f[1]), c_text(f[1]), c_text(f[2]), c_text(f[3]), c_text(f[4])
}
END { if (failed) exit 1; print "" }
