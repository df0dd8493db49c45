#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The installed objects have all the hardening that configure found the compiler and the
# linker to support. Where the builder's own flags decide, they are not checked.

plugins=$TEST_PLUGINS
number=0

# check NAME COMMAND...: passes if the command does.
check() {
    number=$((number + 1))
    name=$1
    shift
    if "$@"; then echo "ok $number - $name"; else echo "not ok $number - $name"; fi
}

skip() {
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

# check_unless PATTERN WHY NAME COMMAND...: skipped in builds with such flags.
check_unless() {
    pattern=$1 why=$2
    shift 2
    if expr " $TEST_FLAGS " : ".*$pattern" >/dev/null; then skip "$1" "$why"; else check "$@"; fi
}

program_header() { readelf -lW "$1" | grep -q "$2"; }
no_executable_stack() { readelf -lW "$1" | grep 'GNU_STACK' | grep -qv 'RWE'; }
binds_now() { readelf -dW "$1" | grep -qE 'BIND_NOW|FLAGS_1.*NOW'; }
imports() { nm -D --undefined-only "$1" | grep -qE "$2"; }
no_writable_code() { ! readelf -lW "$1" | grep 'LOAD' | grep -q 'RWE'; }
chosen() { case " $TEST_HARDENING " in *" $1"*) true ;; *) false ;; esac; }

# Marks where an indirect jump may land.
landing_pad() {
    address=$(nm -D --defined-only "$1" | awk -v name="$2" '$3 ~ "^" name { print "0x" $1 }')
    objdump -d --start-address="$address" --stop-address="$((address + 16))" "$1" |
        grep -qE 'endbr64|bti|paciasp'
}

check_unless 'stack-protector' "the builder's flags settle it" \
    "configure takes the stack protector" chosen -fstack-protector-strong
check_unless '\(_FORTIFY_SOURCE\|-fsanitize\|-O0\)' "the builder's flags settle it" \
    "configure takes _FORTIFY_SOURCE" chosen -D_FORTIFY_SOURCE=

for object in "$plugins"/libsqlcrypt.so "$plugins"/libpwverify.so "$plugins"/sqlcrypt/*.so; do
    [ -e "$object" ] || continue
    file=${object##*/}
    check "$file: relocations are read-only" program_header "$object" GNU_RELRO
    check "$file: all symbols are bound at load" binds_now "$object"
    check "$file: the stack is not executable" no_executable_stack "$object"
    check "$file: no code can be written to" no_writable_code "$object"
    if chosen -fstack-protector-strong; then
        check_unless 'no-stack-protector' "the builder's flags say so" \
            "$file: the stack is protected" imports "$object" '__stack_chk_fail'
    fi
    if chosen -D_FORTIFY_SOURCE=; then
        check "$file: calls of libc are checked" imports "$object" '_chk(@|$)'
    fi
done

entry() {
    check_unless 'cf-protection\|branch-protection' "the builder's flags settle it" \
        "$1: indirect jumps land where they may" landing_pad "$plugins/$1" "$2"
}
case $(uname -m) in
x86_64 | aarch64)
    entry libsqlcrypt.so sasl_auxprop_plug_init
    entry libpwverify.so sasl_server_plug_init
    ;;
esac
echo "1..$number"
