#!/bin/sh
# Makes data/nanp/zones.csv, by hand, when its source changes: sh tools/zones_make.sh map_data.txt
# The source has a line a prefix, "1208|America/Boise&America/Denver", the longer ones exceptions to the shorter: a zone counts as
# many times as there are prefixes that name it, an area code's own line 500 times.
sed -n '1,/^[0-9]/{/^#/p;}' data/nanp/zones.csv
awk -F'|' '
/^1[2-9][0-9][0-9]/ {
    npa = substr($1, 2, 3); n = split($2, zone, "&")
    for (i = 1; i <= n; i++) {
        if (!((npa, zone[i]) in count)) order[npa] = order[npa] " " zone[i]
        count[npa, zone[i]] += length($1) == 4 ? 500 : 1
    }
}
END {
    for (npa in order) {
        n = split(order[npa], zone, " "); list = ""
        for (i = 1; i <= n; i++) if (n == 1 || count[npa, zone[i]] > 1) list = list (list == "" ? "" : " ") zone[i]
        print npa "," list
    }
}' "$1" | sort
