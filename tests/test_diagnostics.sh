#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The log lines in DIAGNOSTICS of the manual are those of the sources. Italics in the
# manual stand for what a line fills in, and "\&" for the seam of two texts.

source=${srcdir:-.}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# The sources on one line, each string literal in one piece and as the log shows it.
cat "$source"/common/*/*.[ch] "$source"/plugins/*/*.[ch] | tr '\n' ' ' |
    sed 's/"[[:space:]]*"//g; s/\\"/"/g; s/%%/%/g' >"$work/sources"

# Prints "HEADING<tab>FRAGMENT" for each fragment of each heading.
fragments() {
    awk '
        function show(text) {
            gsub(/\\\(dq/, "\"", text)
            gsub(/\\-/, "-", text)
            gsub(/^[ :;,(]+|[ :;,(]+$/, "", text)
            if (text ~ /[a-z][a-z][a-z]/)
                print heading "\t" text
        }
        # The next argument of a macro, which is taken off the line.
        function argument(   end) {
            sub(/^ +/, "", line)
            quoted = substr(line, 1, 1) == "\""
            if (quoted)
                line = substr(line, 2)
            end = index(line, quoted ? "\"" : " ")
            taken = end > 0 ? substr(line, 1, end - 1) : line
            line = end > 0 ? substr(line, end + 1) : ""
            return taken
        }
        /^\.SH/ { wanted = $2 == "DIAGNOSTICS" }
        wanted && follows && /^\.B / {
            heading = substr($0, 4)
            count = split(heading, parts, /\\&|\\fI[^\\]*\\fP/)
            for (i = 1; i <= count; i++)
                show(parts[i])
        }
        wanted && follows && /^\.(BI|IB) / {
            heading = line = substr($0, 5)
            for (bold = /^\.BI/; line != ""; bold = !bold) {
                text = argument()
                if (bold)
                    show(text)
            }
        }
        { follows = /^\.T[PQ]$/ }
    ' "$source/man/sqlcrypt.5"
}

number=0
fragments >"$work/fragments"
while IFS='	' read -r heading fragment; do
    number=$((number + 1))
    if grep -qF -- "$fragment" "$work/sources"; then
        echo "ok $number - $fragment"
    else
        echo "not ok $number - DIAGNOSTICS has \"$heading\", but no source has \"$fragment\""
    fi
done <"$work/fragments"
if [ "$number" -lt 50 ]; then
    number=$((number + 1))
    echo "not ok $number - DIAGNOSTICS has log lines"
fi
echo "1..$number"
