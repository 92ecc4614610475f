# Reads data/optout/policies.csv (which = "policies"), words.csv ("words") or texts.csv ("texts") and prints initialisers of
# domain/messages/keywords.c. Run as: awk -v which=words -f tools/csv.awk -f tools/optoutgen.awk FILE
/^#/ || /^[ \t]*$/ { next }
{ n = csv_split($0, f) }
which == "policies" {
    if (n != 6) die("a policy has six fields")
    if (f[4] !~ /^(carrier|platform|none)$/) die("handling is carrier, platform or none")
    printf "    { %s, %s, %s, OPTOUT_BY_%s, %s, %s },\n", c_text(f[1]), c_text(f[2]), c_text(f[3]), toupper(f[4]), c_text(f[5]), f[6] == "yes" ? "true" : "false"
}
which != "policies" {
    if (n != 3) die("three fields: verb, language, text")
    if (f[1] !~ /^(stop|start|help)$/) die("no such verb: " f[1])
    if (seen[f[1] " " f[2] " " f[3]]++) die("it stands twice")
    printf "    { KEYWORD_%s, %s, %s },\n", toupper(f[1]), c_text(f[2]), c_text(f[3])
}
END { if (failed) exit 1 }
