/*
 * metrics/sets - the one array of metric sets
 */
#include "metrics/sets.h"

#include "base/def.h"
#include "metrics/cpu.h"
#include "metrics/load.h"
#include "metrics/memory.h"
#include "metrics/network.h"

/* see header */
const struct metric_set *const *sets_table(size_t *ret_count)
{
    static const struct metric_set *const table[] = {
        &cpu_set,
        &load_set,
        &memory_set,
        &network_set,
    };
    *ret_count = ARRAY_LEN(table);
    return table;
}
