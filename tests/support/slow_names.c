/* SPDX-License-Identifier: BSD-3-Clause */

/* A name server for tests, preloaded into a program: it knows the names in .test. It does not
 * answer the program's main thread, which has logins to handle, a second question for once.test,
 * or any for never.test. */

#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef int look_up(const char *name, const char *service, const struct addrinfo *hints,
                    struct addrinfo **list);

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name);

    return length >= strlen(end) && strcmp(name + length - strlen(end), end) == 0;
}

/* No login takes that long. */
static void hang(void)
{
    sleep(60);
}

int getaddrinfo(const char *restrict name, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict list)
{
    static atomic_uint asked;
    look_up *next;
    struct addrinfo *more;
    int error;

    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
    if (name == NULL || !ends_with(name, ".test") ||
        (hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0))
        return next(name, service, hints, list);
    if (gettid() == getpid())
        hang();
    if (strcmp(name, "never.test") == 0 ||
        (strcmp(name, "once.test") == 0 && atomic_fetch_add(&asked, 1) > 0))
        hang();
    if (!ends_with(name, "several.test"))
        return next("127.0.0.1", service, hints, list);
    /* An address without a server, and then one with a server */
    error = next("127.0.0.2", service, hints, list);
    if (error == 0 && next("127.0.0.1", service, hints, &more) == 0)
        (*list)->ai_next = more;
    return error;
}
