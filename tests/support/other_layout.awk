# SPDX-License-Identifier: BSD-3-Clause
#
# Makes of saslplug.h one of another libsasl2, whose sasl_utils_t has other members in the
# middle, with the same version numbers: it lacks MD5 and its kin, as the next release
# will, or else has some more.

/\(\*MD5Init\)/ { inside = changed = 1 }
inside {
    if (/\(\*hmac_md5_import\)/)
        inside = 0
    next
}
/\(\*mkchal\)/ && !changed {
    print "    void (*other_members[7])(void);"
    changed = 1
}
{
    # It is no longer beside them.
    sub(/#include "/, "#include \"sasl/")
    print
}
END { exit !changed }
