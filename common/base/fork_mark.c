/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/fork_mark.h"

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BYTES = 1 }; /* of a page */

#ifdef MADV_WIPEONFORK
static bool keep_from_children(void *page)
{
    return madvise(page, BYTES, MADV_WIPEONFORK) == 0;
}
#else
static bool keep_from_children(void *page)
{
    (void)page;
    return false;
}
#endif

static unsigned char *page_for_this_process(void)
{
    void *page = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return NULL;
    if (keep_from_children(page))
        return page;
    munmap(page, BYTES);
    return NULL;
}

void fork_mark_set(struct fork_mark *mark)
{
    mark->page = page_for_this_process();
    mark->pid = getpid();
    if (mark->page != NULL)
        *mark->page = 1;
}

bool fork_mark_holds(const struct fork_mark *mark)
{
    return mark->page != NULL ? *mark->page == 1 : mark->pid == getpid();
}

void fork_mark_free(struct fork_mark *mark)
{
    if (mark->page != NULL)
        munmap(mark->page, BYTES);
    mark->page = NULL;
}
