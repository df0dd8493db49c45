#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Prints known_answers.h: stored texts that other implementations than the
# libcrypt of this system have made. Run it only to add rows:
#
#     sh tests/support/known_answers.sh >tests/support/known_answers.h
#
# It needs openssl(1) and Python 3 with passlib 1.7, whose own ("builtin") code
# is chosen wherever passlib could also ask the system's crypt(3).
set -eu

row() { # macro name password stored
    case $4 in '' | *'$') echo "$0: nothing for $2" >&2 && exit 1 ;; esac
    printf '%s("%s", "%s", "%s")\n' "$1" "$2" "$3" "$4"
}

passlib() { # hash-name password keyword=value...
    python3 - "$@" <<'EOF'
import ast, sys, passlib.hash
name, password, *settings = sys.argv[1:]
scheme = getattr(passlib.hash, name)
backend = {"bigcrypt": None, "nthash": None, "sun_md5_crypt": None, "scrypt": "stdlib"}.get(name, "builtin")
if backend:
    scheme.set_backend(backend)
settings = dict(item.split("=", 1) for item in settings)
for key in ("rounds", "block_size", "parallelism", "bare_salt"):
    if key in settings:
        settings[key] = ast.literal_eval(settings[key])
if "salt" in settings and name == "scrypt":
    settings["salt"] = settings["salt"].encode()
print(scheme.using(**settings).hash(password) if settings else scheme.hash(password))
EOF
}
export PASSLIB_BUILTIN_BCRYPT=enabled

cat <<'EOF'
/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Made by known_answers.sh, which says how; do not edit.
 *
 * One macro per row, with a name, the password and the stored text:
 * KNOWN_CRYPT for crypt(3), KNOWN_DES for the traditional method of it,
 * KNOWN_MD5 for the digest in hexadecimal digits.
 */

/* clang-format off */

EOF

# --- openssl passwd: its own code for the MD5 and SHA-2 methods
long='correct horse battery staple'
row KNOWN_CRYPT 'MD5' "$long" "$(openssl passwd -1 -salt 'saltsalt' "$long")"
row KNOWN_CRYPT 'MD5, short salt' "$long" "$(openssl passwd -1 -salt 'ab' "$long")"
row KNOWN_CRYPT 'MD5, UTF-8' 'pässwörd' "$(openssl passwd -1 -salt 'x./9' 'pässwörd')"
row KNOWN_CRYPT 'SHA-256' "$long" "$(openssl passwd -5 -salt 'saltstring' "$long")"
row KNOWN_CRYPT 'SHA-256, rounds' "$long" \
    "$(openssl passwd -5 -salt 'rounds=1400$anotherlongsalts' "$long")"
row KNOWN_CRYPT 'SHA-512' "$long" "$(openssl passwd -6 -salt 'saltstring' "$long")"
row KNOWN_CRYPT 'SHA-512, rounds' "$long" \
    "$(openssl passwd -6 -salt 'rounds=1400$anotherlongsalts' "$long")"
row KNOWN_CRYPT 'SHA-512, UTF-8' 'pässwörd' "$(openssl passwd -6 -salt 'rounds=1000$a' 'pässwörd')"

# --- passlib: methods that openssl does not have
row KNOWN_DES 'DES' 'Tr0ub4d' "$(passlib des_crypt 'Tr0ub4d' salt=ab)"
row KNOWN_DES 'DES, eight characters' 'Tr0ub4d!' "$(passlib des_crypt 'Tr0ub4d!' salt=./)"
row KNOWN_DES 'DES, more than it looks at' 'Tr0ub4d!' "$(passlib des_crypt 'Tr0ub4d!and3' salt=z9)"
row KNOWN_CRYPT 'DES of many blocks' "$long" "$(passlib bigcrypt "$long" salt=ab)"
row KNOWN_CRYPT 'BSDi' "$long" "$(passlib bsdi_crypt "$long" salt=k/.A rounds=123)"
row KNOWN_CRYPT 'SHA-1' "$long" "$(passlib sha1_crypt "$long" salt=iVdJqfSE rounds=480)"
row KNOWN_CRYPT 'Sun MD5' "$long" "$(passlib sun_md5_crypt "$long" salt=RPgLF6IJ rounds=0)"
row KNOWN_CRYPT 'Sun MD5, rounds' "$long" "$(passlib sun_md5_crypt "$long" salt=GUBv0xjJ rounds=904)"
row KNOWN_CRYPT 'NT' "$long" "\$3\$\$$(passlib nthash "$long")"
row KNOWN_CRYPT 'bcrypt, 2a' "$long" "$(passlib bcrypt "$long" ident=2a rounds=4 salt=abcdefghijklmnopqrstuu)"
row KNOWN_CRYPT 'bcrypt, 2b' "$long" "$(passlib bcrypt "$long" ident=2b rounds=4 salt=abcdefghijklmnopqrstuu)"
row KNOWN_CRYPT 'bcrypt, 2y' "$long" "$(passlib bcrypt "$long" ident=2y rounds=4 salt=abcdefghijklmnopqrstuu)"
row KNOWN_CRYPT 'bcrypt, UTF-8' 'pässwörd' "$(passlib bcrypt 'pässwörd' ident=2b rounds=5 salt=./ABCDEFGHIJKLMNOPQRSu)"
row KNOWN_CRYPT 'scrypt' "$long" "$(passlib scrypt "$long" ident='$7$' rounds=6 block_size=8 parallelism=1 salt=SodiumChloride)"

# --- published: crypt_blowfish, wrapper.c
row KNOWN_CRYPT 'bcrypt, published 2a' 'U*U*U' '$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a'
row KNOWN_CRYPT 'bcrypt, published 2y' '\377\377\243' '$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e'
# --- published: yescrypt, TESTS-OK
row KNOWN_CRYPT 'scrypt, published' 'pleaseletmein' '$7$06..../....SodiumChloride$ENlyo6fGw4PCcDBOFepfSZjFUnVatHzCcW55.ZGz3B0'
row KNOWN_CRYPT 'yescrypt' 'pleaseletmein' '$y$j//$LdJMENpBABJJ3hIHjB1B$U8a2MaK.yesqWySK8Owk6PWeWmp/XuagMbpP45q1/q1'
row KNOWN_CRYPT 'yescrypt, parallel' 'pleaseletmein' '$y$j1../$LdJMENpBABJJ3hIHjB1Bi.$L8OQFc8mxJPd7CpUFgkS7KqJM2I9jGXu3BdqX2D.647'
row KNOWN_CRYPT 'yescrypt, short salt' 'pleaseletmein' '$y$j2..1$LdJME/$iLEt6kuTwHch6XdCxtTHfsQzYwWFmpUwgl6Ax8RH4d1'
# --- published: libxcrypt, test-crypt-gost-yescrypt.c, by those who designed it
row KNOWN_CRYPT 'gost-yescrypt' 'pleaseletmein' '$gy$j9T$.......$yPMvF1AQ4HzCxBqCADRRM4wpsh9sOAHRICpnl3b0ey9'

# --- openssl dgst: RFC 1321, section A.5, and a text of UTF-8
for text in 'a' 'message digest' 'pässwörd' "$long"; do
    row KNOWN_MD5 "digest of $text" "$text" "$(printf %s "$text" | openssl dgst -md5 -r | cut -d' ' -f1)"
done
