# SPDX-License-Identifier: BSD-3-Clause
#
# Installs Debian packages for ./quickstart, ./runtests and bench/run, which source this
# file. It asks no questions, and starts no service.

# What a build of the project needs.
build_packages="gcc libc6-dev make autoconf automake pkgconf libsasl2-dev libsasl2-modules
libcrypt-dev libssl-dev libsqlite3-dev libpq-dev libmariadb-dev"

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "This needs root: run it as root, or install sudo." >&2
        return 1
    fi
}

missing_packages() {
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            printf '%s ' "$package"
    done
}

# Run as root: installs packages. Meanwhile a policy prevents services from starting
# (/usr/share/doc/init-system-helpers/README.policy-rc.d). A policy of the system stays
# unchanged; one of ours is left over from a run that was killed.
apt_without_services='
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ] || grep -q "of sasl-sqlcrypt" "$policy"; then
    trap "rm -f $policy" EXIT
    trap "exit 130" INT TERM
    printf "%s\n" "#!/bin/sh" "# of sasl-sqlcrypt, while it installs packages" "exit 101" >"$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=600 -qq update &&
    apt-get -o DPkg::Lock::Timeout=600 -qq install -y --no-install-recommends "$@"
'

# install_packages PACKAGE...
install_packages() {
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "This is not Debian or Ubuntu. Please install the equivalents of: $missing" >&2
        return 1
    fi
    echo "Installing: $missing"
    case " $missing " in
    *" postfix "*)
        # Postfix without a system-wide configuration, so that there is none to start.
        echo "postfix postfix/main_mailer_type select No configuration" |
            as_root debconf-set-selections
        ;;
    esac
    case " $missing " in
    *" slapd "*)
        # The same for slapd: otherwise it would set up an empty directory.
        echo "slapd slapd/no_configuration boolean true" | as_root debconf-set-selections
        ;;
    esac
    # Simultaneous runs wait for each other.
    output=$(mktemp) || return 1
    if as_root flock -o /run/lock/sasl-sqlcrypt-packages \
        sh -c "$apt_without_services" sh $missing >"$output" 2>&1; then
        rm -f "$output"
        return 0
    fi
    tail -n 20 "$output" >&2
    rm -f "$output"
    echo "apt-get could not install: $missing" >&2
    echo "Check the network and /etc/apt/sources.list, then run this again." >&2
    return 1
}
