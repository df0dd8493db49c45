/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/per_process.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/fork_mark.h"

struct owned_thing {
    struct fork_mark owner;
    void *thing;
};

static struct owned_thing *make(const struct per_process *holder)
{
    struct owned_thing *owned = malloc(sizeof(*owned));

    if (owned == NULL)
        return NULL;
    owned->thing = holder->make(holder->context);
    if (owned->thing == NULL) {
        free(owned);
        return NULL;
    }
    fork_mark_set(&owned->owner);
    return owned;
}

static void *take_out(struct owned_thing *owned)
{
    void *thing = owned->thing;

    fork_mark_free(&owned->owner);
    free(owned);
    return thing;
}

void *per_process_get(struct per_process *holder)
{
    struct owned_thing *owned = atomic_load(&holder->current), *fresh;

    if (owned != NULL && fork_mark_holds(&owned->owner))
        return owned->thing;
    fresh = make(holder);
    if (fresh == NULL)
        return NULL;
    if (atomic_compare_exchange_strong(&holder->current, &owned, fresh))
        return fresh->thing;
    /* Another thread was faster. */
    holder->discard(take_out(fresh));
    return owned->thing;
}

void *per_process_release(struct per_process *holder)
{
    struct owned_thing *owned = atomic_exchange(&holder->current, NULL);

    return owned != NULL && fork_mark_holds(&owned->owner) ? take_out(owned) : NULL;
}
