/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines/openssl_ready.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

/* What reads certificates and keys: OpenSSL 3 keeps a list of its own for it. */
#ifdef HAVE_OPENSSL_DECODER_H

#include <openssl/decoder.h>

static void pass(OSSL_DECODER *decoder, void *nothing)
{
    (void)decoder, (void)nothing;
}

static void list_decoders(void)
{
    OSSL_DECODER_do_all_provided(NULL, pass, NULL);
}

#else

static void list_decoders(void)
{
}

#endif

void openssl_ready(void)
{
    ERR_set_mark();
    OPENSSL_init_ssl(0, NULL);
    SSL_CTX_free(SSL_CTX_new(TLS_client_method()));
    list_decoders();
    RAND_status();
    ERR_pop_to_mark();
}
