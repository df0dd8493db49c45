/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_endpoint_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void *sql_endpoint_table_new(void *context)
{
    const struct sql_settings *settings = context;
    const size_t count = settings->hosts.count;
    struct sql_endpoint_table *table = calloc(1, sizeof(*table) + count * sizeof(table->hosts[0]));
    size_t i;

    if (table == NULL)
        return NULL;
    pthread_mutex_init(&table->lock, NULL);
    table->count = count;
    for (i = 0; i < count; i++) {
        table->hosts[i].count = 1;
        table->hosts[i].known[0].id = ++table->last_id;
    }
    if (settings->random_order &&
        getrandom(&table->start, sizeof(table->start), GRND_NONBLOCK) != sizeof(table->start))
        table->start = (unsigned)deadline_after(0).at;
    return table;
}

void sql_endpoint_table_free(void *thing)
{
    struct sql_endpoint_table *table = thing;

    pthread_mutex_destroy(&table->lock);
    free(table);
}

struct sql_endpoint_known *sql_endpoint_table_find(struct sql_endpoint_table *table, unsigned id,
                                                   struct sql_endpoint_host **host)
{
    size_t i;
    unsigned j;

    for (i = 0; i < table->count; i++)
        for (j = 0; j < table->hosts[i].count; j++)
            if (table->hosts[i].known[j].id == id) {
                *host = &table->hosts[i];
                return &table->hosts[i].known[j];
            }
    return NULL;
}

/* An endpoint about which nothing is known yet. */
static struct sql_endpoint_known new_known(struct sql_endpoint_table *table, const char *address)
{
    struct sql_endpoint_known known = {.id = ++table->last_id};

    strcpy(known.address, address);
    return known;
}

static const struct sql_endpoint_known *find_known(const struct sql_endpoint_host *host,
                                                   const char *address)
{
    unsigned i;

    for (i = 0; host->is_looked_up && i < host->count; i++)
        if (strcmp(host->known[i].address, address) == 0)
            return &host->known[i];
    return NULL;
}

static bool is_among(const struct host_addresses *found, const char *address)
{
    unsigned i;

    for (i = 0; i < found->count; i++)
        if (strcmp(found->text[i], address) == 0)
            return true;
    return false;
}

void sql_endpoint_table_replace(struct sql_endpoint_table *table, struct sql_endpoint_host *host,
                                const struct host_addresses *found, struct sql_walk *dropped)
{
    const struct sql_endpoint_host old = *host;
    unsigned i;

    host->count = 0;
    for (i = 0; old.is_looked_up && i < old.count; i++)
        if (is_among(found, old.known[i].address))
            host->known[host->count++] = old.known[i];
        else
            dropped->asked[dropped->count++] = old.known[i].id;
    for (i = 0; i < found->count; i++)
        if (find_known(&old, found->text[i]) == NULL)
            host->known[host->count++] = new_known(table, found->text[i]);
    host->is_looked_up = true;
}
