/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SQLCRYPT_SQL_PIECES_H
#define SQLCRYPT_SQL_PIECES_H

/*
 * A text with holes: what the statement of a SQL template is made of, and each
 * of its parameters.
 */

#include <stdbool.h>
#include <stddef.h>

enum piece_kind {
    PIECE_TEXT,
    PIECE_USER,
    PIECE_REALM,
    PIECE_PROPERTY,
    PIECE_ADDRESS,
    PIECE_VALUE,
    PIECE_PARAMETER
};

struct sql_piece {
    enum piece_kind kind;
    char *text; /* PIECE_TEXT: owned */
    size_t length;
};

struct sql_pieces {
    struct sql_piece *items;
    size_t count;
};

/* Frees all pieces and leaves none. */
void sql_pieces_free(struct sql_pieces *pieces);

/* Append a hole, a text, and copies of other pieces. Texts that follow each
 * other become one. Return false when out of memory. */
bool sql_pieces_add(struct sql_pieces *pieces, enum piece_kind kind);
bool sql_pieces_add_text(struct sql_pieces *pieces, const char *text, size_t length);
bool sql_pieces_append(struct sql_pieces *to, const struct sql_pieces *from);

/* Whether there is a piece of that kind. */
bool sql_pieces_have(const struct sql_pieces *pieces, enum piece_kind kind);

#endif
