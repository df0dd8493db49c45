#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Each shared object exports one symbol, and maps no database client that it
# does not need. None has thread-local storage: the C library allocates it at the
# first use, and ends the process if there is no memory.

plugins=$TEST_PLUGINS
number=0

check() {
    number=$((number + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        echo "# want: $3"
        echo "# got:  $2"
    fi
}

exports() { nm -D --defined-only "$1" | awk '{ print $3 }' | tr '\n' ' '; }
clients() { objdump -p "$1" | awk '/NEEDED/ { print $2 }' | grep -cE 'sqlite|libpq|mysql|maria'; }
stays_in_memory() { readelf -d "$1" | grep -c NODELETE; }
thread_local_storage() { objdump -p "$1" | grep -cE '^ +TLS '; }
needs_exec_stack() { objdump -p "$1" | grep -A1 STACK | grep -c 'flags .*x'; }

check "libsqlcrypt.so exports its entry point alone" \
    "$(exports "$plugins/libsqlcrypt.so")" "sasl_auxprop_plug_init "
check "libpwverify.so exports its entry point alone" \
    "$(exports "$plugins/libpwverify.so")" "sasl_server_plug_init "
check "libsqlcrypt.so needs no database client" "$(clients "$plugins/libsqlcrypt.so")" 0
check "libpwverify.so needs no database client" "$(clients "$plugins/libpwverify.so")" 0
for object in "$plugins"/libsqlcrypt.so "$plugins"/libpwverify.so "$plugins"/sqlcrypt/*.so; do
    [ -e "$object" ] || continue
    name=${object##*/}
    check "$name has no thread-local storage" "$(thread_local_storage "$object")" 0
    check "$name needs no executable stack" "$(needs_exec_stack "$object")" 0
    case $object in
    */sqlcrypt/*)
        check "$name exports its table alone" "$(exports "$object")" "sqlcrypt_engine "
        check "$name stays in memory, with what its library keeps" "$(stays_in_memory "$object")" 1
        check "$name needs one database client" "$(clients "$object")" 1
        ;;
    esac
done
echo "1..$number"
