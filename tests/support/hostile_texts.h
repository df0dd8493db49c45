/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_TESTS_HOSTILE_TEXTS_H
#define SQLCRYPT_TESTS_HOSTILE_TEXTS_H

/*
 * Names and passwords that would be something else if they were pasted into a statement.
 */

static const struct hostile {
    const char *name;
    const char *text;
} hostiles[] = {
    {"apostrophe", "o'hara"},
    {"two apostrophes", "o''hara"},
    {"always true", "x' OR '1'='1"},
    {"end of a statement", "x'; DROP TABLE users; --"},
    {"UNION", "x' UNION SELECT password FROM users WHERE name='alice' -- "
              "."},
    {"backslash", "a\\b"},
    {"backslash at the end", "x\\"},
    {"backslash and apostrophe", "\\' OR 1=1 -- ."},
    {"quotes", "a\"b`c[d]"},
    {"semicolons", ";;x;"},
    {"comments", "a/*b*/c#d--e"},
    {"percent signs", "100%s%n%"},
    {"macros", "%u%r%p%v%a%%"},
    {"wildcards", "%_%"},
    {"dollar quotes", "$$a$$b$x$"},
    {"placeholders", "?$1:a@example.com"},
    {"E-string", "E'\\047'"},
    {"not ASCII", "b\303\274rgi\360\237\224\221"},
    {"other scripts", "\317\200\316\261\317\201\316\254\316\264\316\265\316\271\316\263\316\274"
                      "\316\261\344\276\213\343\201\210"},
    {"beside the control characters", "a~\302\240b\342\200\213"},
    {"braces", "{x}${y}"},
};

#endif
