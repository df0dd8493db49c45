/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_hosts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char separators[] = ", \t";

/* Reads the whole of `text` as the number of a port; 0 if it is not one. */
static unsigned read_port(const char *text, size_t length)
{
    unsigned port = 0;
    size_t i;

    for (i = 0; i < length && i < 5 && isdigit((unsigned char)text[i]); i++)
        port = port * 10 + (unsigned)(text[i] - '0');
    return i == length && port <= 65535 ? port : 0;
}

static bool has_two_colons(const char *text, size_t length)
{
    const char *first = memchr(text, ':', length);

    return first != NULL && memchr(first + 1, ':', (size_t)(text + length - first - 1)) != NULL;
}

/* The parts of one entry. */
struct entry {
    const char *name;
    size_t name_length;
    unsigned port;
};

/* Takes apart NAME, NAME:PORT, [ADDRESS] and [ADDRESS]:PORT. */
static bool take_apart(const char *text, size_t length, struct entry *entry)
{
    const char *colon = memrchr(text, ':', length);
    size_t tail = colon != NULL ? (size_t)(text + length - colon - 1) : 0;

    *entry = (struct entry){text, length, 0};
    if (text[0] == '[') {
        const char *close = memchr(text, ']', length);

        if (close == NULL || close == text + 1)
            return false;
        entry->name = text + 1;
        entry->name_length = (size_t)(close - text - 1);
        if (close + 1 == text + length)
            return true;
        if (close + 1 != colon)
            return false;
    } else if (text[0] == '/') {
        /* A colon may well be part of the path. */
        if (colon == NULL || read_port(colon + 1, tail) == 0)
            return true;
        entry->name_length = (size_t)(colon - text);
    } else {
        if (colon == NULL || has_two_colons(text, length))
            return true;
        entry->name_length = (size_t)(colon - text);
    }
    entry->port = read_port(colon + 1, tail);
    return entry->port != 0 && entry->name_length > 0;
}

/* What other programs put before a colon to name a host, and what to write here
 * instead. */
static const struct {
    const char *prefix;
    const char *advice;
} foreign[] = {
    {"inet:", "write the host alone"},
    {"tcp:", "write the host alone"},
    {"unix:", "write the path alone"},
    {"proxy:", "write the host, not a table of Postfix"},
};

/* NULL if the entry has none of them. A host may have such a name, with its port. */
static const char *advice_on_prefix(const char *text, size_t length)
{
    size_t i;

    for (i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        size_t prefix = strlen(foreign[i].prefix);

        if (length > prefix && strncasecmp(text, foreign[i].prefix, prefix) == 0 &&
            read_port(text + prefix, length - prefix) == 0)
            return foreign[i].advice;
    }
    return NULL;
}

/* Whether it may contain a password, as in "postgresql://user:password@host", perhaps cut at a
 * comma: then it is not shown. A path may contain an @. */
static bool may_hold_password(const char *text, size_t length)
{
    return text[0] != '/' &&
           (memchr(text, '@', length) != NULL || memmem(text, length, "://", 3) != NULL);
}

static bool refuse(const char *text, size_t length, const char *advice, struct reason *reason)
{
    if (may_hold_password(text, length))
        reason_set(reason, "write hosts alone, no URL and no @; the rest belongs to sql_user, "
                           "sql_passwd and sql_database");
    else if (advice != NULL)
        reason_set(reason, "\"%.*s\": %s", (int)length, text, advice);
    else
        reason_set(reason, "\"%.*s\" is not a host, host:port, [address]:port or /path",
                   (int)length, text);
    return false;
}

static char *make_label(const struct sql_host *host)
{
    bool brackets = strchr(host->name, ':') != NULL && !sql_hosts_is_path(host);
    char *label;
    int length;

    if (host->name[0] == '\0')
        return strdup("the default host");
    if (host->port == 0)
        return strdup(host->name);
    length = asprintf(&label, brackets ? "[%s]:%u" : "%s:%u", host->name, host->port);
    return length >= 0 ? label : NULL;
}

static bool add(struct sql_hosts *hosts, const struct entry *entry, struct reason *reason)
{
    struct sql_host *grown = realloc(hosts->items, (hosts->count + 1) * sizeof(*grown));
    struct sql_host *host;

    if (grown != NULL) {
        hosts->items = grown;
        host = &grown[hosts->count++];
        host->name = strndup(entry->name, entry->name_length);
        host->port = entry->port;
        host->label = host->name != NULL ? make_label(host) : NULL;
        if (host->label != NULL)
            return true;
    }
    reason_no_memory(reason);
    return false;
}

static bool read_entries(struct sql_hosts *hosts, const char *list, struct reason *reason)
{
    const struct entry otherwise = {"", 0, 0};

    for (;;) {
        struct entry entry;
        const char *advice;
        size_t length;

        list += strspn(list, separators);
        length = strcspn(list, separators);
        if (length == 0)
            break;
        advice = advice_on_prefix(list, length);
        if (advice != NULL || may_hold_password(list, length) || !take_apart(list, length, &entry))
            return refuse(list, length, advice, reason);
        if (!add(hosts, &entry, reason))
            return false;
        list += length;
    }
    return hosts->count > 0 || add(hosts, &otherwise, reason);
}

bool sql_hosts_read(struct sql_hosts *hosts, const char *list, struct reason *reason)
{
    *hosts = (struct sql_hosts){NULL, 0};
    if (read_entries(hosts, list, reason))
        return true;
    sql_hosts_free(hosts);
    return false;
}

void sql_hosts_free(struct sql_hosts *hosts)
{
    size_t i;

    for (i = 0; i < hosts->count; i++) {
        free(hosts->items[i].name);
        free(hosts->items[i].label);
    }
    free(hosts->items);
    *hosts = (struct sql_hosts){NULL, 0};
}

bool sql_hosts_is_path(const struct sql_host *host)
{
    return host->name[0] == '/';
}
