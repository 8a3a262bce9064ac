/*
 * metrics/sets - the one array of metric sets
 */
#include "metrics/sets.h"

#include "base/def.h"
#include "metrics/conntrack.h"
#include "metrics/core.h"
#include "metrics/cpu.h"
#include "metrics/cpufreq.h"
#include "metrics/diskio.h"
#include "metrics/filesystem.h"
#include "metrics/interface.h"
#include "metrics/kernel.h"
#include "metrics/load.h"
#include "metrics/memory.h"
#include "metrics/neighbours.h"
#include "metrics/netstat.h"
#include "metrics/network.h"
#include "metrics/pressure.h"
#include "metrics/process_summary.h"
#include "metrics/self.h"
#include "metrics/socket_summary.h"
#include "metrics/softnet.h"
#include "metrics/thermal.h"
#include "metrics/time.h"
#include "metrics/uptime.h"
#include "metrics/vmstat.h"
#include "metrics/wireless.h"

/* see header */
const struct metric_set *const *sets_table(size_t *ret_count)
{
    static const struct metric_set *const table[] = {
        &cpu_set,     &load_set,       &memory_set,   &network_set,   &pressure_set,
        &uptime_set,  &vmstat_set,     &kernel_set,   &conntrack_set, &softnet_set,
        &netstat_set, &neighbours_set, &wireless_set, &time_set,      &process_summary_set,
        &diskio_set,  &thermal_set,    &cpufreq_set,  &interface_set, &socket_summary_set,
        &self_set,    &filesystem_set, &fsstat_set,   &core_set};
    *ret_count = ARRAY_LEN(table);
    return table;
}

/* see header */
void sets_write(const struct metric_set *set, const void *state, size_t i, const struct envelope *e,
                struct json_writer *w)
{
    struct value values[VALUES_MAX] = {0};
    if (set->values == NULL) {
        envelope_host(e, w);
        if (set->write_host != NULL)
            set->write_host(state, i, w);
        json_end_object(w);
        set->write(state, i, w);
    } else {
        set->values(state, i, values);
        values_write_within(w, "agent", set->fields, set->field_count, values);
        envelope_host(e, w);
        values_write_within(w, "host", set->fields, set->field_count, values);
        json_end_object(w);
        values_write(w, set->fields, set->field_count, values);
    }
    json_end_object(w);
}
