/* SPDX-License-Identifier: BSD-3-Clause */
#include "mechanisms/authdaemond_check.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "authdaemond/authdaemond.h"
#include "authdaemond/authdaemond_options.h"
#include "base/secret.h"
#include "glue/sasl_glue.h"

struct authdaemond_check {
    struct authdaemond daemon; /* its strings are those below */
    char *path;
    char *require_options;
    char *service; /* NULL means that of the connection */
    unsigned timeout;
    bool send_remote_ip;
    struct reason why_broken; /* "" if it is not broken */
};

static bool copy_options(struct authdaemond_check *check, const struct options *options)
{
    return options_copy(options, OPTION_AUTHDAEMOND_PATH, &check->path) &&
           options_copy(options, OPTION_AUTHDAEMOND_REQUIRE_OPTIONS, &check->require_options) &&
           options_copy(options, OPTION_AUTHDAEMOND_SERVICE, &check->service);
}

static void read_options(struct authdaemond_check *check, const struct options *options)
{
    options_seconds(options, OPTION_AUTHDAEMOND_TIMEOUT, &check->timeout, &check->why_broken);
    check->send_remote_ip = options_on(options, OPTION_AUTHDAEMOND_SEND_REMOTE_IP);
    if (!authdaemond_options_valid(check->require_options))
        options_refuse(OPTION_AUTHDAEMOND_REQUIRE_OPTIONS, check->require_options,
                       &check->why_broken, "must be a list of NAME=VALUE entries");
    if (strlen(check->path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        reason_set(&check->why_broken, "%s: too long for a socket: %s",
                   options_name(OPTION_AUTHDAEMOND_PATH), check->path);
    if (check->service != NULL && strpbrk(check->service, "\r\n") != NULL)
        reason_set(&check->why_broken, "%s contains a line break",
                   options_name(OPTION_AUTHDAEMOND_SERVICE));
    check->daemon.path = check->path;
    check->daemon.require_options = check->require_options;
    jail_note_root(&check->daemon.jail);
}

struct authdaemond_check *authdaemond_check_new(const sasl_utils_t *utils, struct reason *reason)
{
    const struct options options = sasl_glue_options(utils);
    struct authdaemond_check *check = calloc(1, sizeof(*check));

    if (check == NULL || !copy_options(check, &options)) {
        authdaemond_check_free(check);
        return NULL;
    }
    read_options(check, &options);
    *reason = check->why_broken;
    return check;
}

void authdaemond_check_free(struct authdaemond_check *check)
{
    if (check == NULL)
        return;
    free(check->path);
    free(check->require_options);
    free(check->service);
    free(check);
}

static enum verdict ask(const struct authdaemond_check *check, const sasl_server_params_t *sparams,
                        const char *type, struct bytes first, struct bytes second,
                        struct reason *reason)
{
    const struct deadline deadline = deadline_after(check->timeout);
    char *address = check->send_remote_ip ? sasl_glue_client_address(sparams) : NULL;
    const struct authdaemond_question question = {
        .service = check->service != NULL ? check->service : sparams->service,
        .type = type,
        .remote_ip = address,
        .lines = {first, second},
    };
    enum verdict verdict;

    if (check->why_broken.text[0] != '\0') {
        *reason = check->why_broken;
        verdict = VERDICT_UNAVAILABLE;
    } else {
        verdict = authdaemond_ask(&check->daemon, &question, &deadline, reason);
    }
    free(address);
    return verdict;
}

enum verdict authdaemond_check_password(const struct authdaemond_check *check,
                                        const sasl_server_params_t *sparams, const char *user,
                                        struct bytes password, struct reason *reason)
{
    return ask(check, sparams, "login", bytes_of(user), password, reason);
}

/* `text` in base64, from malloc(3); NULL when out of memory. */
static char *encode(const sasl_server_params_t *sparams, const char *text)
{
    unsigned length = (unsigned)strlen(text), size = length / 3 * 4 + 8;
    char *encoded = malloc(size);

    if (encoded != NULL &&
        sparams->utils->encode64(text, length, encoded, size, &length) != SASL_OK) {
        free(encoded);
        encoded = NULL;
    }
    return encoded;
}

enum verdict authdaemond_check_cram(const struct authdaemond_check *check,
                                    const sasl_server_params_t *sparams, const char *user,
                                    const struct cram_response *response, struct reason *reason)
{
    enum verdict verdict = VERDICT_NO_MEMORY;
    char *challenge = encode(sparams, response->challenge);
    char *answer = NULL, *encoded_answer = NULL;

    reason_no_memory(reason);
    if (asprintf(&answer, "%s %s", user, response->digest) < 0)
        answer = NULL;
    if (answer != NULL)
        encoded_answer = encode(sparams, answer);
    if (challenge != NULL && encoded_answer != NULL)
        verdict = ask(check, sparams, response->type, bytes_of(challenge), bytes_of(encoded_answer),
                      reason);
    free(challenge);
    secret_free_string(answer);
    secret_free_string(encoded_answer);
    return verdict;
}
