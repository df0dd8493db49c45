/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_pieces.h"

#include <stdlib.h>
#include <string.h>

void sql_pieces_free(struct sql_pieces *pieces)
{
    size_t i;

    for (i = 0; i < pieces->count; i++)
        free(pieces->items[i].text);
    free(pieces->items);
    *pieces = (struct sql_pieces){NULL, 0};
}

bool sql_pieces_add(struct sql_pieces *pieces, enum piece_kind kind)
{
    struct sql_piece *grown = realloc(pieces->items, (pieces->count + 1) * sizeof(*grown));

    if (grown == NULL)
        return false;
    pieces->items = grown;
    grown[pieces->count++] = (struct sql_piece){kind, NULL, 0};
    return true;
}

bool sql_pieces_add_text(struct sql_pieces *pieces, const char *text, size_t length)
{
    struct sql_piece *last = pieces->count > 0 ? &pieces->items[pieces->count - 1] : NULL;
    char *grown;

    if (last == NULL || last->kind != PIECE_TEXT) {
        if (!sql_pieces_add(pieces, PIECE_TEXT))
            return false;
        last = &pieces->items[pieces->count - 1];
    }
    grown = realloc(last->text, last->length + length + 1);
    if (grown == NULL)
        return false;
    memcpy(grown + last->length, text, length);
    last->text = grown;
    last->length += length;
    grown[last->length] = '\0';
    return true;
}

bool sql_pieces_append(struct sql_pieces *to, const struct sql_pieces *from)
{
    size_t i;

    for (i = 0; i < from->count; i++) {
        const struct sql_piece *piece = &from->items[i];

        if (!(piece->kind == PIECE_TEXT ? sql_pieces_add_text(to, piece->text, piece->length)
                                        : sql_pieces_add(to, piece->kind)))
            return false;
    }
    return true;
}

bool sql_pieces_have(const struct sql_pieces *pieces, enum piece_kind kind)
{
    size_t i;

    for (i = 0; i < pieces->count; i++)
        if (pieces->items[i].kind == kind)
            return true;
    return false;
}
