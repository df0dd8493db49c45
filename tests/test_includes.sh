#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Dependencies point down only: this says which room may include the headers of which.
# For each room, it lists the rooms that the room may see, or single files of a room.

source=${srcdir:-.}
rooms=$(cd "$source" && ls -d common/*/ plugins/*/ | sed 's/\/$//' | grep -vx 'plugins/sqlcrypt' | tr '\n' ' ')
number=0

# Every spelling counts that a compiler takes. Our own headers are in quotes, and named by the
# room, with no way around it.

# include_check ROOM "HEADER OR ROOM..." "PATTERN OF SYSTEM HEADERS": if a file of the room,
# a folder, includes anything else, that is a dependency that points up or sideways.
include_check() {
    room=$1
    number=$((number + 1))
    allowed="${room##*/} $2"
    wrong=$(
        grep -HE '^[[:space:]]*(#|%:)[[:space:]]*(include|import)' "$source/$room"/*.[ch] |
            sed -E 's/^.*\/([^/]*:)[^a-z]*[a-z_]+[[:space:]]*/\1 /' |
            awk -v allowed="$allowed" -v rooms="$rooms" -v forbidden="$3" '
                BEGIN {
                    n = split(allowed, names, " "); for (i = 1; i <= n; i++) may[names[i]] = 1
                    n = split(rooms, paths, " ")
                    for (i = 1; i <= n; i++) { sub(/.*\//, "", paths[i]); ours[paths[i]] = 1 }
                }
                {
                    quoted = $2 ~ /^"[^"]+"/; angled = $2 ~ /^<[^>]+>/
                    header = substr($2, 2); sub(/[>"].*/, "", header)
                    folder = header; sub(/\/.*/, "", folder)
                }
                (!quoted && !angled) || header ~ /(^|\/)\.\.?\// ||
                (quoted && !(header in may) && !(folder in may)) ||
                (angled && (folder in ours || header ~ "^(.*/)?(" forbidden ")")) { print $1, $2 }'
    )
    if [ ! -d "$source/$room" ]; then
        echo "not ok $number - there is no $room"
    elif [ -z "$wrong" ]; then
        echo "ok $number - $room sees $2"
    else
        echo "not ok $number - $room sees $2 alone"
        echo "$wrong" | sed 's/^/# /'
    fi
}

sasl='sasl/'
databases='libpq-fe|mysql|mariadb|sqlite3'

include_check common/base "" "$sasl|$databases|openssl/|crypt[.]h"
include_check common/password "base" "$sasl|$databases"
include_check common/sql "base" "$sasl|$databases|crypt[.]h"
include_check common/authdaemond "base" "$sasl|$databases|crypt[.]h"
include_check plugins/engines \
    "base sql/sql_engine.h sql/sql_hosts.h sql/host_addresses.h" "$sasl|crypt[.]h"
include_check plugins/glue "base password sql" "$databases|crypt[.]h"
include_check plugins/auxprop "glue base password sql" "$databases|crypt[.]h"
include_check plugins/mechanisms "glue base password authdaemond" "$databases|crypt[.]h"

# A new room needs a line here.
number=$((number + 1))
checked="common/authdaemond common/base common/password common/sql plugins/auxprop plugins/engines plugins/glue plugins/mechanisms "
if [ "$rooms" = "$checked" ]; then
    echo "ok $number - these are all rooms"
else
    echo "not ok $number - all rooms are checked"
    echo "# rooms: $rooms"
fi

# Options are read by their rows in common/base/options.c: nobody else asks the host.
number=$((number + 1))
readers=$(cd "$source" && grep -lE '>[[:space:]]*getopt' common/*/*.[ch] plugins/*/*.[ch] | tr '\n' ' ')
if [ "$readers" = "plugins/glue/sasl_glue.c " ]; then
    echo "ok $number - options are read in one place"
else
    echo "not ok $number - options are read in $readers"
fi

# A header includes what its own declarations need. The headers of a driver that was not
# built may lack those of the database.
for header in "$source"/common/*/*.h "$source"/plugins/*/*.h; do
    name=${header#"$source"/}
    case $name in
    */engines/mysql_*) [ -e plugins/sqlcrypt/mysql.so ] || continue ;;
    */engines/pgsql_*) [ -e plugins/sqlcrypt/pgsql.so ] || continue ;;
    esac
    number=$((number + 1))
    if message=$(echo "#include \"$header\"" | $TEST_COMPILER -fsyntax-only -x c - 2>&1); then
        echo "ok $number - $name compiles alone"
    else
        echo "not ok $number - $name compiles alone"
        echo "$message" | sed 's/^/# /'
    fi
done
echo "1..$number"
