/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/mysql_greeting.h"

#include <string.h>

enum { HEADER = 4 }; /* bytes of a packet: three of its length, one of its number */

/* An error packet: 255, and a number. MariaDB's client library takes number 65535 for a progress
 * report, after which it waits for the greeting; before the greeting, it crashes on one. */
static enum mysql_greeting read_refusal(const unsigned char *bytes, size_t length)
{
    enum { NUMBER = HEADER + 1, PROGRESS = 0xffff };

    if (length < NUMBER + 2)
        return GREETING_UNFINISHED;
    return (bytes[NUMBER] | bytes[NUMBER + 1] << 8) == PROGRESS ? GREETING_UNKNOWN
                                                                : GREETING_REFUSAL;
}

/* After the number 10 come the server's version as a string, 4 bytes of its
 * thread, 8 of a challenge, one unused, and 2 of its capabilities, the lower
 * half first. */
enum mysql_greeting mysql_greeting_read(const unsigned char *bytes, size_t length)
{
    enum { VERSION_10 = 10, ERROR = 255, TO_ABILITIES = 4 + 8 + 1, SSL = 0x0800 };
    const unsigned char *nul;
    size_t packet, at;

    if (length <= HEADER)
        return GREETING_UNFINISHED;
    if (bytes[HEADER] == ERROR)
        return read_refusal(bytes, length);
    if (bytes[HEADER] != VERSION_10)
        return GREETING_UNKNOWN;
    packet = HEADER + (size_t)(bytes[0] | bytes[1] << 8 | bytes[2] << 16);
    nul = memchr(bytes + HEADER + 1, '\0', length - HEADER - 1);
    at = nul != NULL ? (size_t)(nul + 1 - bytes) + TO_ABILITIES : length;
    /* What comes after the packet is not part of it, for the library either. */
    if (at + 2 > packet)
        return GREETING_UNKNOWN;
    if (at + 2 > length)
        return length < MYSQL_GREETING_MAX ? GREETING_UNFINISHED : GREETING_UNKNOWN;
    return ((bytes[at] | bytes[at + 1] << 8) & SSL) != 0 ? GREETING_WITH_SSL : GREETING_WITHOUT_SSL;
}
