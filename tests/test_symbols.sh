#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A file is a module: each external symbol of an object starts with the name of its file.

number=0

# Names that others choose, and one interface that two files implement.
prefix_of() {
    case $1 in
    sql_auxprop) echo "sql_auxprop|sasl_auxprop_plug_init" ;;
    mechanisms) echo "mechanisms|sasl_server_plug_init" ;;
    pgsql | mysql | sqlite3) echo "$1|sqlcrypt_engine" ;;
    mysql_client_*) echo "mysql_client" ;;
    *) echo "$1" ;;
    esac
}

for object in common/*/*.o plugins/*/*.o; do
    name=${object##*/}
    case $name in
    tests_* | bench_*) continue ;; # built once more for a test
    esac
    name=${name##*-} # without the program that it is built for
    name=${name%.o}
    number=$((number + 1))
    strange=$(nm -g --defined-only "$object" | awk 'NF == 3 { print $3 }' |
        grep -vE "^($(prefix_of "$name"))(_|\$)" |
        grep -vE '^(__(asan|ubsan|tsan|odr|gcov|llvm|sanitizer)|___asan|_sub_)' | tr '\n' ' ')
    if [ -z "$strange" ]; then
        echo "ok $number - $object"
    else
        echo "not ok $number - $object has symbols of another name: $strange"
    fi
done
[ "$number" -gt 0 ] || echo "not ok 1 - there are no objects"
[ "$number" -gt 0 ] || number=1
echo "1..$number"
