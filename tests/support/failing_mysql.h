/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FAILING_MYSQL_H
#define FAILING_MYSQL_H

/*
 * Calls of MariaDB Connector/C, and of other functions that the driver needs, that are made to
 * fail or to return something else, by the linker's --wrap.
 */

#include <errmsg.h>
#include <mysql.h>
#include <netdb.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "engines/errand.h"
#include "support/failing.h"
#include "support/unit.h"

/* Ends the connection of the session, in both directions. */
static inline void cut(MYSQL *mysql)
{
    shutdown((int)mysql_get_socket(mysql), SHUT_RDWR);
}

MYSQL *__real_mysql_init(MYSQL *mysql);
MYSQL *__wrap_mysql_init(MYSQL *mysql);
MYSQL_STMT *__real_mysql_stmt_init(MYSQL *mysql);
MYSQL_STMT *__wrap_mysql_stmt_init(MYSQL *mysql);
my_bool __real_mysql_stmt_bind_param(MYSQL_STMT *statement, MYSQL_BIND *binds);
my_bool __wrap_mysql_stmt_bind_param(MYSQL_STMT *statement, MYSQL_BIND *binds);
int __real_mysql_stmt_fetch_column(MYSQL_STMT *statement, MYSQL_BIND *bind, unsigned column,
                                   unsigned long offset);
int __wrap_mysql_stmt_fetch_column(MYSQL_STMT *statement, MYSQL_BIND *bind, unsigned column,
                                   unsigned long offset);
int __real_mysql_stmt_execute(MYSQL_STMT *statement);
int __wrap_mysql_stmt_execute(MYSQL_STMT *statement);
int __real_mysql_stmt_prepare(MYSQL_STMT *statement, const char *text, unsigned long length);
int __wrap_mysql_stmt_prepare(MYSQL_STMT *statement, const char *text, unsigned long length);
int __real_mysql_real_query(MYSQL *mysql, const char *text, unsigned long length);
int __wrap_mysql_real_query(MYSQL *mysql, const char *text, unsigned long length);
MYSQL *__real_mysql_real_connect(MYSQL *mysql, const char *host, const char *user,
                                 const char *password, const char *database, unsigned port,
                                 const char *path, unsigned long flags);
MYSQL *__wrap_mysql_real_connect(MYSQL *mysql, const char *host, const char *user,
                                 const char *password, const char *database, unsigned port,
                                 const char *path, unsigned long flags);
my_bool __real_mysql_more_results(MYSQL *mysql);
my_bool __wrap_mysql_more_results(MYSQL *mysql);
const char *__real_mysql_get_ssl_cipher(MYSQL *mysql);
const char *__wrap_mysql_get_ssl_cipher(MYSQL *mysql);
my_bool __wrap_mariadb_get_infov(MYSQL *mysql, enum mariadb_value value, void *result);
my_bool __real_mysql_stmt_free_result(MYSQL_STMT *statement);
my_bool __wrap_mysql_stmt_free_result(MYSQL_STMT *statement);
int __real_poll(struct pollfd *wanted, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *wanted, nfds_t count, int timeout);
int __wrap___poll_chk(struct pollfd *wanted, nfds_t count, int timeout, size_t size);
int __real_errand_run(void (*run)(void *), void (*discard)(void *), void *context,
                      const struct deadline *deadline);
int __wrap_errand_run(void (*run)(void *), void (*discard)(void *), void *context,
                      const struct deadline *deadline);
int __real_CRYPTO_get_ex_new_index(int class, long argument, void *pointer, CRYPTO_EX_new *make,
                                   CRYPTO_EX_dup *copy, CRYPTO_EX_free *discard);
int __wrap_CRYPTO_get_ex_new_index(int class, long argument, void *pointer, CRYPTO_EX_new *make,
                                   CRYPTO_EX_dup *copy, CRYPTO_EX_free *discard);
int __real_pthread_setspecific(pthread_key_t key, const void *value);
int __wrap_pthread_setspecific(pthread_key_t key, const void *value);
int __real_pthread_key_create(pthread_key_t *key, void (*destroy)(void *));
int __wrap_pthread_key_create(pthread_key_t *key, void (*destroy)(void *));
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);
int __real_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **list);
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **list);

MYSQL *__wrap_mysql_init(MYSQL *mysql)
{
    return fails_call("mysql_init") ? NULL : __real_mysql_init(mysql);
}

MYSQL_STMT *__wrap_mysql_stmt_init(MYSQL *mysql)
{
    return fails_call("mysql_stmt_init") ? NULL : __real_mysql_stmt_init(mysql);
}

/* In the library's own words. */
static inline void lack_memory(MYSQL_STMT *statement)
{
    statement->last_errno = CR_OUT_OF_MEMORY;
    strcpy(statement->sqlstate, "HY000");
    strcpy(statement->last_error, "Client run out of memory");
}

my_bool __wrap_mysql_stmt_bind_param(MYSQL_STMT *statement, MYSQL_BIND *binds)
{
    if (!fails_call("mysql_stmt_bind_param"))
        return __real_mysql_stmt_bind_param(statement, binds);
    lack_memory(statement);
    return 1;
}

int __wrap_mysql_stmt_fetch_column(MYSQL_STMT *statement, MYSQL_BIND *bind, unsigned column,
                                   unsigned long offset)
{
    if (!fails_call("mysql_stmt_fetch_column"))
        return __real_mysql_stmt_fetch_column(statement, bind, column, offset);
    lack_memory(statement);
    return 1;
}

/* How many statements the server should have forgotten when they are run. */
static unsigned forgotten;

int __wrap_mysql_stmt_execute(MYSQL_STMT *statement)
{
    if (fails_call("cut before mysql_stmt_execute"))
        cut(statement->mysql);
    if (forgotten > 0) {
        forgotten--;
        statement->stmt_id += 1000;
    }
    return __real_mysql_stmt_execute(statement);
}

int __wrap_mysql_stmt_prepare(MYSQL_STMT *statement, const char *text, unsigned long length)
{
    if (fails_call("cut before mysql_stmt_prepare"))
        cut(statement->mysql);
    return __real_mysql_stmt_prepare(statement, text, length);
}

/* What is asked instead of whether the server is read-only, if anything. */
static const char *other_question;

int __wrap_mysql_real_query(MYSQL *mysql, const char *text, unsigned long length)
{
    if (fails_call("cut before mysql_real_query"))
        cut(mysql);
    if (other_question != NULL &&
        (strstr(text, "read_only") != NULL || strcmp(text, "COMMIT") == 0))
        return __real_mysql_real_query(mysql, other_question, strlen(other_question));
    return __real_mysql_real_query(mysql, text, length);
}

MYSQL *__wrap_mysql_real_connect(MYSQL *mysql, const char *host, const char *user,
                                 const char *password, const char *database, unsigned port,
                                 const char *path, unsigned long flags)
{
    if (fails_call("late mysql_real_connect"))
        poll(NULL, 0, 2 * SHORT_TIME);
    return __real_mysql_real_connect(mysql, host, user, password, database, port, path, flags);
}

my_bool __wrap_mysql_more_results(MYSQL *mysql)
{
    return fails_call("mysql_more_results") ? 1 : __real_mysql_more_results(mysql);
}

const char *__wrap_mysql_get_ssl_cipher(MYSQL *mysql)
{
    return fails_call("mysql_get_ssl_cipher") ? NULL : __real_mysql_get_ssl_cipher(mysql);
}

my_bool __wrap_mysql_stmt_free_result(MYSQL_STMT *statement)
{
    if (!fails_call("mysql_stmt_free_result"))
        return __real_mysql_stmt_free_result(statement);
    lack_memory(statement);
    return 1;
}

/* But not a call that only waits for time to pass. */
int __wrap_poll(struct pollfd *wanted, nfds_t count, int timeout)
{
    if (count == 0 || !fails_call("poll"))
        return __real_poll(wanted, count, timeout);
    errno = ENOMEM;
    return -1;
}

/* What poll(2) is to a compiler that checks sizes. */
int __wrap___poll_chk(struct pollfd *wanted, nfds_t count, int timeout, size_t size)
{
    (void)size;
    return __wrap_poll(wanted, count, timeout);
}

int __wrap_errand_run(void (*run)(void *), void (*discard)(void *), void *context,
                      const struct deadline *deadline)
{
    return fails_call("errand_run") ? EBUSY : __real_errand_run(run, discard, context, deadline);
}

int __wrap_CRYPTO_get_ex_new_index(int class, long argument, void *pointer, CRYPTO_EX_new *make,
                                   CRYPTO_EX_dup *copy, CRYPTO_EX_free *discard)
{
    return fails_call("CRYPTO_get_ex_new_index")
               ? -1
               : __real_CRYPTO_get_ex_new_index(class, argument, pointer, make, copy, discard);
}

int __wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
    return fails_call("pthread_setspecific") ? ENOMEM : __real_pthread_setspecific(key, value);
}

int __wrap_pthread_key_create(pthread_key_t *key, void (*destroy)(void *))
{
    return fails_call("pthread_key_create") ? EAGAIN : __real_pthread_key_create(key, destroy);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context)
{
    return fails_call("pthread_create") ? EAGAIN
                                        : __real_pthread_create(thread, attributes, run, context);
}

/* The library version to pretend, if set. */
static size_t library_version;
static const char *library_tls;

/* Replaces the library's own function, which takes any number of arguments. */
my_bool __wrap_mariadb_get_infov(MYSQL *mysql, enum mariadb_value value, void *result)
{
    if (value == MARIADB_CLIENT_VERSION_ID && library_version != 0)
        *(size_t *)result = library_version;
    else if (value == MARIADB_TLS_LIBRARY && library_tls != NULL)
        *(const char **)result = library_tls[0] != '\0' ? library_tls : NULL;
    else
        return mariadb_get_info(mysql, value, result);
    return 0;
}

/* Names in .test stand for this machine; "two.test" has two addresses. */
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                       struct addrinfo **list)
{
    const bool has_two = strcmp(name, "two.test") == 0;
    struct addrinfo *more;
    int error;

    if (strstr(name, ".test") == NULL && strcmp(name, "localhost") != 0)
        return __real_getaddrinfo(name, service, hints, list);
    if ((hints->ai_flags & AI_NUMERICHOST) != 0)
        return EAI_NONAME;
    error = __real_getaddrinfo(has_two ? "127.0.0.2" : "127.0.0.1", service, hints, list);
    if (error == 0 && has_two && __real_getaddrinfo("127.0.0.1", service, hints, &more) == 0)
        (*list)->ai_next = more;
    return error;
}

#endif
