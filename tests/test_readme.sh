#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Every file that README names exists.

source=${srcdir:-.}
number=0

for file in $(grep -oE '\b(plugins|common|tests|tools|man|bench|sasl2-conf-examples)/[a-z0-9_./-]*[a-z0-9]' \
    "$source/README" | sort -u); do
    number=$((number + 1))
    if [ -e "$source/$file" ]; then
        echo "ok $number - $file"
    else
        echo "not ok $number - README names $file, which does not exist"
    fi
done

# In the folder that was named before it
for file in $(grep -oE '(^|[ (])[a-z0-9_]+\.[ch]\b' "$source/README" | tr -d ' (' | sort -u); do
    number=$((number + 1))
    if ls "$source"/plugins/*/"$file" "$source"/common/*/"$file" "$source"/bench/"$file" 2>/dev/null |
        grep -q .; then
        echo "ok $number - $file"
    else
        echo "not ok $number - README names $file, which does not exist"
    fi
done
if [ "$number" -eq 0 ]; then
    echo "not ok 1 - README names no file"
    number=1
fi
echo "1..$number"
