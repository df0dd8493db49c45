/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/host_lookup.h"

#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "engines/errand.h"

_Static_assert(HOST_ADDRESS_SIZE >= INET6_ADDRSTRLEN + 1 + IF_NAMESIZE, "too short");

/* What a thread asks the name server. */
struct question {
    int error;  /* of getaddrinfo */
    int number; /* of errno(3), if that is EAI_SYSTEM */
    struct host_addresses found;
    char name[]; /* a copy: the caller's may be gone by then */
};

/* Adds an address, unless it is already listed: /etc/hosts may have it twice. */
static void add(struct host_addresses *found, const struct addrinfo *item)
{
    char *text = found->text[found->count];
    unsigned i;

    if (getnameinfo(item->ai_addr, item->ai_addrlen, text, sizeof(found->text[0]), NULL, 0,
                    NI_NUMERICHOST) != 0)
        return;
    for (i = 0; i < found->count; i++)
        if (strcmp(found->text[i], text) == 0)
            return;
    found->count++;
}

/* Returns the result of getaddrinfo(3). */
static int look_up(const char *name, int flags, struct host_addresses *found)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *list, *item;
    int error = getaddrinfo(name, NULL, &hints, &list);

    found->count = 0;
    if (error != 0)
        return error;
    for (item = list; item != NULL && found->count < HOST_ADDRESSES_MAX; item = item->ai_next)
        add(found, item);
    freeaddrinfo(list);
    return found->count > 0 ? 0 : EAI_NONAME;
}

static struct question *question_new(const char *name)
{
    size_t size = strlen(name) + 1;
    struct question *question = calloc(1, sizeof(*question) + size);

    if (question != NULL)
        memcpy(question->name, name, size);
    return question;
}

static void answer(void *context)
{
    struct question *question = context;

    question->error = look_up(question->name, 0, &question->found);
    question->number = errno;
}

/* Returns 0, or an error of getaddrinfo(3) with a reason. */
static int ask_name_server(const char *name, const struct deadline *deadline,
                           struct host_addresses *found, struct reason *reason)
{
    struct question *question = question_new(name);
    int error = question != NULL ? errand_run(answer, free, question, deadline) : ENOMEM;

    if (error == ETIMEDOUT) {
        reason_set(reason, "timed out waiting for the name server");
        return EAI_AGAIN; /* the thread frees the question */
    }
    if (error == EBUSY) {
        reason_set(reason, "the name server has not answered other lookups yet");
    } else if (error != 0) {
        reason_set_error(reason, error);
        reason_prefix(reason, "cannot look up the name: ");
    } else if (question->error == EAI_SYSTEM) {
        reason_set_error(reason, question->number);
        reason_prefix(reason, "cannot look up the name: ");
    } else if (question->error != 0) {
        reason_set(reason, "%s", gai_strerror(question->error));
    } else {
        *found = question->found;
    }
    error = error != 0 ? EAI_AGAIN : question->error;
    free(question);
    return error;
}

enum host_addresses_result host_lookup_find(const char *name, const struct jail *jail,
                                            const struct deadline *deadline,
                                            struct host_addresses *found, struct reason *reason)
{
    int error;

    if (look_up(name, AI_NUMERICHOST, found) == 0)
        return HOST_ADDRESSES_FOUND;
    error = ask_name_server(name, deadline, found, reason);
    if (error == 0)
        return HOST_ADDRESSES_FOUND;
    reason_append(reason, "%s", jail_hint_for_name(jail));
    return error == EAI_NONAME ? HOST_ADDRESSES_UNKNOWN : HOST_ADDRESSES_NOT_NOW;
}
