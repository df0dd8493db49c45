/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/mail_users.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "support/sasl_program.h"

enum { SHORTEST_SECRET = 8 };

static const struct engine_fixture *fixture; /* NULL while there is no database */
static struct sql_target target;
static struct sql_host host;
static struct sql_host by_address;

static const char table[] = "CREATE TABLE users (name VARCHAR(255), realm VARCHAR(255),"
                            " address VARCHAR(511), password {text})";

void mail_users_make(const struct engine_fixture *of)
{
    fixture = of;
    target = (struct sql_target){.timeout = 60000};
    assert_true(fixture->start(&target, &host, &by_address));
    mail_users_run(table);
}

void mail_users_remove(void)
{
    if (fixture != NULL)
        fixture->stop();
    fixture = NULL;
}

void mail_users_run(const char *statements)
{
    static const char word[] = "{text}";
    char *spelt = calloc(1, 2 * strlen(statements) + 1);
    const char *at;
    bool done;

    assert_non_null(spelt);
    while ((at = strstr(statements, word)) != NULL) {
        strncat(spelt, statements, (size_t)(at - statements));
        strcat(spelt, fixture->text_type);
        statements = at + strlen(word);
    }
    strcat(spelt, statements);
    done = fixture->execute(spelt);
    free(spelt);
    assert_true(done);
}

static char *literal(const char *text)
{
    char *spelt = text != NULL ? fixture->literal(text) : strdup("NULL");

    assert_non_null(spelt);
    return spelt;
}

void mail_users_add(const char *name, const char *stored)
{
    char *address, *name_literal, *address_literal, *stored_literal, *statement;

    assert_true(asprintf(&address, "%s@example.com", name) > 0);
    name_literal = literal(name);
    address_literal = literal(address);
    stored_literal = literal(stored);
    assert_true(asprintf(&statement, "INSERT INTO users VALUES (%s, 'example.com', %s, %s)",
                         name_literal, address_literal, stored_literal) > 0);
    assert_true(fixture->execute(statement));
    if (stored != NULL && strlen(stored) >= SHORTEST_SECRET)
        program_secret(stored);
    free(address);
    free(name_literal);
    free(address_literal);
    free(stored_literal);
    free(statement);
}

char *mail_users_query(const char *statement)
{
    return fixture->query(statement);
}

char *mail_users_stored(const char *name)
{
    char *name_literal = literal(name), *statement, *stored;

    assert_true(asprintf(&statement,
                         "SELECT password FROM users WHERE name = %s AND realm = 'example.com'",
                         name_literal) > 0);
    stored = fixture->query(statement);
    free(name_literal);
    free(statement);
    return stored;
}

unsigned mail_users_count(void)
{
    char *text = fixture->query("SELECT COUNT(*) FROM users");
    unsigned long count;

    assert_non_null(text);
    count = strtoul(text, NULL, 10);
    free(text);
    return (unsigned)count;
}

const char *mail_users_host(bool tcp)
{
    static char text[500];
    const struct sql_host *which = tcp ? &by_address : &host;

    if (which->port != 0)
        snprintf(text, sizeof(text), "%s:%u", which->name, which->port);
    else
        snprintf(text, sizeof(text), "%s", which->name);
    return text;
}

const char *mail_users_configuration(const char *options)
{
    static char text[8000];
    int length = snprintf(text, sizeof(text),
                          "%s"
                          "pwcheck_method: auxprop\n"
                          "auxprop_plugin: sqlcrypt\n"
                          "mech_list: PLAIN LOGIN\n"
                          "password_format: crypt\n"
                          "password_store_scheme: MD5-CRYPT\n" /* refusals cost as much */
                          "sql_engine: %s\n"
                          "sql_hostnames: %s\n"
                          "sql_user: %s\n"
                          "sql_passwd: %s\n"
                          "sql_database: %s\n%s",
                          options, fixture->engine, mail_users_host(false), target.user,
                          target.password, target.database,
                          "sql_select: SELECT password FROM users"
                          " WHERE name = '%u' AND realm = '%r'\n"
                          "sql_insert: INSERT INTO users (name, realm, password)"
                          " VALUES ('%u', '%r', '%v')\n"
                          "sql_update: UPDATE users SET password = '%v'"
                          " WHERE name = '%u' AND realm = '%r'\n");

    assert_true(length > 0 && (size_t)length < sizeof(text));
    if (strlen(target.password) >= SHORTEST_SECRET)
        program_secret(target.password);
    return text;
}

char *mail_users_sessions(void)
{
    char *sessions = fixture->sessions();

    assert_non_null(sessions);
    return sessions;
}

bool mail_users_wait_for_no_sessions(void)
{
    const struct deadline deadline = deadline_after(20000);
    const struct timespec nap = {0, 10 * 1000 * 1000};

    for (;;) {
        char *left = mail_users_sessions();
        bool none = left[0] == '\0';

        free(left);
        if (none || deadline_remaining(&deadline) == 0)
            return none;
        nanosleep(&nap, NULL);
    }
}

void mail_users_lock(void)
{
    assert_true(fixture->lock());
}

void mail_users_unlock(void)
{
    assert_true(fixture->unlock());
}

void mail_users_fill_server(void)
{
    assert_true(fixture->fill(&target));
}

void mail_users_unfill_server(void)
{
    assert_true(fixture->unfill(&target));
}

void mail_users_end_sessions(void)
{
    assert_true(fixture->end_sessions());
    assert_true(mail_users_wait_for_no_sessions());
}
