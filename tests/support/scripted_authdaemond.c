/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/scripted_authdaemond.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <sasl/sasl.h>
#include <sasl/saslutil.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/sqlite_table.h"

static struct {
    char path[108];
    const char *user, *password;
    int listener;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    unsigned questions;
    char question[9000];
} daemon_ = {.listener = -1, .lock = PTHREAD_MUTEX_INITIALIZER};

/* A question is complete once as many bytes have arrived as it says. */
static bool is_whole(const char *question)
{
    const char *auth = strstr(question, "AUTH ");
    const char *newline = auth != NULL ? strchr(auth, '\n') : NULL;

    return newline != NULL && strlen(newline + 1) >= strtoul(auth + 5, NULL, 10);
}

static void read_question(int connection, char *question, size_t size)
{
    size_t length = 0;
    ssize_t count = 1;

    question[0] = '\0';
    while (count > 0 && length + 1 < size && !is_whole(question)) {
        count = recv(connection, question + length, size - 1 - length, 0);
        length += count > 0 ? (size_t)count : 0;
        question[length] = '\0';
    }
}

static bool is_password_right(const char *user, const char *password)
{
    return strcmp(user, daemon_.user) == 0 && strcmp(password, daemon_.password) == 0;
}

/* `response` is the name, a blank, and the digest in hexadecimal digits. */
static bool is_response_right(const EVP_MD *method, const char *encoded_challenge,
                              const char *encoded_response)
{
    char challenge[1000], response[2000], want[2000];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length, digest_length, i;
    size_t at;

    if (sasl_decode64(encoded_challenge, (unsigned)strlen(encoded_challenge), challenge,
                      sizeof(challenge), &length) != SASL_OK)
        return false;
    HMAC(method, daemon_.password, (int)strlen(daemon_.password), (unsigned char *)challenge,
         length, digest, &digest_length);
    at = (size_t)snprintf(want, sizeof(want), "%s ", daemon_.user);
    for (i = 0; i < digest_length; i++)
        snprintf(want + at + 2 * i, 3, "%02x", digest[i]);
    return sasl_decode64(encoded_response, (unsigned)strlen(encoded_response), response,
                         sizeof(response), &length) == SASL_OK &&
           length == strlen(want) && memcmp(response, want, length) == 0;
}

static bool is_right(char *question)
{
    char *at = strstr(question, "AUTH "), *lines[5];
    size_t i;

    for (i = 0; i < 5; i++) {
        lines[i] = at != NULL ? strsep(&at, "\n") : NULL;
        if (lines[i] == NULL)
            return false;
    }
    if (strcmp(lines[2], "login") == 0)
        return is_password_right(lines[3], lines[4]);
    if (strcmp(lines[2], "cram-md5") == 0)
        return is_response_right(EVP_md5(), lines[3], lines[4]);
    if (strcmp(lines[2], "cram-sha1") == 0)
        return is_response_right(EVP_sha1(), lines[3], lines[4]);
    return strcmp(lines[2], "cram-sha256") == 0 &&
           is_response_right(EVP_sha256(), lines[3], lines[4]);
}

static void serve(int connection)
{
    static const char account[] = "UID=1000\nGID=1000\nHOME=/home/ann.\nADDRESS=ann\n"
                                  "PASSWD2=stored\nOPTIONS=group=sales\n.\n";
    static const char refused[] = "FAIL\n";
    char question[sizeof(daemon_.question)];
    const char *answer;

    read_question(connection, question, sizeof(question));
    pthread_mutex_lock(&daemon_.lock);
    daemon_.questions++;
    strcpy(daemon_.question, question);
    pthread_mutex_unlock(&daemon_.lock);
    answer = is_right(question) ? account : refused;
    send(connection, answer, strlen(answer), MSG_NOSIGNAL);
}

static void *run(void *context)
{
    int connection;

    (void)context;
    while ((connection = accept(daemon_.listener, NULL, NULL)) >= 0) {
        serve(connection);
        close(connection);
    }
    return NULL;
}

void authdaemond_start(const char *user, const char *password)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    assert_true(snprintf(daemon_.path, sizeof(daemon_.path), "%s/authdaemond", folder()) <
                (int)sizeof(address.sun_path));
    strcpy(address.sun_path, daemon_.path);
    daemon_.user = user;
    daemon_.password = password;
    daemon_.questions = 0;
    daemon_.question[0] = '\0';
    daemon_.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(daemon_.listener >= 0);
    assert_int_equal(bind(daemon_.listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(daemon_.listener, 20), 0);
    assert_int_equal(pthread_create(&daemon_.thread, NULL, run, NULL), 0);
}

const char *authdaemond_path(void)
{
    return daemon_.path;
}

void authdaemond_stop(void)
{
    if (daemon_.listener < 0)
        return;
    shutdown(daemon_.listener, SHUT_RDWR);
    pthread_join(daemon_.thread, NULL);
    close(daemon_.listener);
    unlink(daemon_.path);
    daemon_.listener = -1;
}

unsigned authdaemond_questions(void)
{
    unsigned questions;

    pthread_mutex_lock(&daemon_.lock);
    questions = daemon_.questions;
    pthread_mutex_unlock(&daemon_.lock);
    return questions;
}

const char *authdaemond_question(void)
{
    static char copy[sizeof(daemon_.question)];

    pthread_mutex_lock(&daemon_.lock);
    strcpy(copy, daemon_.question);
    pthread_mutex_unlock(&daemon_.lock);
    return copy;
}
