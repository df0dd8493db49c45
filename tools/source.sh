# SPDX-License-Identifier: BSD-3-Clause
#
# Copies the project for ./quickstart, ./runtests and bench/run, which source this file.

# copy_files TOP DIRECTORY: copies the project's files from TOP, a repository or a release,
# without anything that was built there.
copy_files() (
    cd "$1" &&
        if git rev-parse --git-dir >/dev/null 2>&1; then
            git ls-files -z --cached --others --exclude-standard |
                while IFS= read -r -d '' file; do
                    [ ! -e "$file" ] || printf '%s\0' "$file"
                done | tar --null -T - -cf -
        else
            tar -cf - --exclude=./.git --exclude=./build-aux --exclude=./autom4te.cache --exclude=./config.status \
                --exclude=./Makefile --exclude=./bench/results --exclude=.deps --exclude='*.o' \
                --exclude='*.a' --exclude='*.so' .
        fi | tar --no-same-owner -xf - -C "$2"
)

# copy_source TOP DIRECTORY: the same into a new DIRECTORY, and generates configure.
copy_source() (
    mkdir "$2" && copy_files "$1" "$2" && cd "$2" && autoreconf -fi
)
