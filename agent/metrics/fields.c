/*
 * metrics/fields - the table of all fields
 *
 * Rows are sorted by name in byte order, for field_find. Types, units and kinds are Metricbeat's;
 * every scaled_float holds two or three decimals, the documents have four.
 */
#include "metrics/fields.h"

#include "base/def.h"
#include "config/config.h"

#define CPU     CONFIG_METRICS_CPU
#define LOAD    CONFIG_METRICS_LOAD
#define MEMORY  CONFIG_METRICS_MEMORY
#define NETWORK CONFIG_METRICS_NETWORK
#define ALL     (CPU | LOAD | MEMORY | NETWORK)

static const struct field table[] = {
    {"@timestamp", ALL, FIELD_DATE, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "When the sample was taken."},
    {"agent.id", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Id of this agent, kept in path.data."},
    {"agent.name", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Name of the host that the agent runs on."},
    {"agent.type", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false, "Always wherry."},
    {"agent.version", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Version of the agent."},
    {"data_stream.dataset", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "system.<set>."},
    {"data_stream.namespace", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Option namespace."},
    {"data_stream.type", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Always metrics."},
    {"ecs.version", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Version of the Elastic Common Schema that the document follows."},
    {"event.dataset", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "system.<set>."},
    {"event.duration", ALL, FIELD_LONG, 0, FIELD_NANOS, FIELD_NO_METRIC, false,
     "Time that the sample took."},
    {"event.module", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Always system."},
    {"host.architecture", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, true,
     "Machine type that the kernel tells."},
    {"host.cpu.usage", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Fraction of all processors' time that was used since the last sample: "
     "system.cpu.total.norm.pct."},
    {"host.hostname", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Host name that the kernel tells."},
    {"host.id", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, true,
     "Machine id of /etc/machine-id."},
    {"host.name", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Name of the host."},
    {"host.network.egress.bytes", NETWORK, FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Bytes that the host sent since the last sample, on its lowest network layer."},
    {"host.network.egress.packets", NETWORK, FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Packets that the host sent since the last sample, on its lowest network layer."},
    {"host.network.ingress.bytes", NETWORK, FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Bytes that the host received since the last sample, on its lowest network layer."},
    {"host.network.ingress.packets", NETWORK, FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Packets that the host received since the last sample, on its lowest network layer."},
    {"host.os.codename", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, true,
     "Code name of the distribution's release."},
    {"host.os.family", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, true,
     "Family of the distribution: debian, redhat, suse."},
    {"host.os.kernel", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, true,
     "Release of the kernel."},
    {"host.os.name", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, true,
     "Name of the distribution."},
    {"host.os.platform", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, true,
     "Id of the distribution."},
    {"host.os.type", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false, "Always linux."},
    {"host.os.version", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, true,
     "Version of the distribution."},
    {"metricset.name", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Name of the set."},
    {"metricset.period", ALL, FIELD_LONG, 0, FIELD_MS, FIELD_NO_METRIC, false,
     "Time between two samples."},
    {"service.type", ALL, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Always system."},
    {"system.cpu.cores", CPU, FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Processors that are online."},
    {"system.cpu.idle.norm.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by nothing, as a fraction of all processors'."},
    {"system.cpu.idle.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by nothing, as a fraction of one processor's."},
    {"system.cpu.iowait.norm.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by nothing while input or output was waited for, as a fraction of all "
     "processors'."},
    {"system.cpu.iowait.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by nothing while input or output was waited for, as a fraction of one "
     "processor's."},
    {"system.cpu.irq.norm.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by hardware interrupts, as a fraction of all processors'."},
    {"system.cpu.irq.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by hardware interrupts, as a fraction of one processor's."},
    {"system.cpu.nice.norm.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by programs of low priority, as a fraction of all processors'."},
    {"system.cpu.nice.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by programs of low priority, as a fraction of one processor's."},
    {"system.cpu.softirq.norm.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE,
     false, "Time used by software interrupts, as a fraction of all processors'."},
    {"system.cpu.softirq.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by software interrupts, as a fraction of one processor's."},
    {"system.cpu.steal.norm.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by other guests of the hypervisor, as a fraction of all processors'."},
    {"system.cpu.steal.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by other guests of the hypervisor, as a fraction of one processor's."},
    {"system.cpu.system.norm.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by the kernel, as a fraction of all processors'."},
    {"system.cpu.system.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by the kernel, as a fraction of one processor's."},
    {"system.cpu.total.norm.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by anything but idle and iowait, as a fraction of all processors'."},
    {"system.cpu.total.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by anything but idle and iowait, as a fraction of one processor's."},
    {"system.cpu.user.norm.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by programs, guests included, as a fraction of all processors'."},
    {"system.cpu.user.pct", CPU, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by programs, guests included, as a fraction of one processor's."},
    {"system.load.1", LOAD, FIELD_SCALED_FLOAT, 100, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Load average of the last minute."},
    {"system.load.15", LOAD, FIELD_SCALED_FLOAT, 100, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Load average of the last 15 minutes."},
    {"system.load.5", LOAD, FIELD_SCALED_FLOAT, 100, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Load average of the last 5 minutes."},
    {"system.load.cores", LOAD, FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Processors that are online."},
    {"system.load.norm.1", LOAD, FIELD_SCALED_FLOAT, 100, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Load average of the last minute, divided by the processors."},
    {"system.load.norm.15", LOAD, FIELD_SCALED_FLOAT, 100, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Load average of the last 15 minutes, divided by the processors."},
    {"system.load.norm.5", LOAD, FIELD_SCALED_FLOAT, 100, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Load average of the last 5 minutes, divided by the processors."},
    {"system.memory.actual.free", MEMORY, FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Memory that programs can get without swapping: MemAvailable, or free + buffers + cached "
     "where the kernel does not tell it."},
    {"system.memory.actual.used.bytes", MEMORY, FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Memory that programs cannot get: total - actual.free."},
    {"system.memory.actual.used.pct", MEMORY, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE,
     false, "Memory that programs cannot get, as a fraction of the total."},
    {"system.memory.cached", MEMORY, FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Memory of the page cache."},
    {"system.memory.free", MEMORY, FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Memory that nothing uses, not even a cache."},
    {"system.memory.swap.free", MEMORY, FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Swap space that is free."},
    {"system.memory.swap.total", MEMORY, FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Swap space."},
    {"system.memory.swap.used.bytes", MEMORY, FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Swap space in use."},
    {"system.memory.swap.used.pct", MEMORY, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE,
     false, "Swap space in use, as a fraction of the total."},
    {"system.memory.total", MEMORY, FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false, "Main memory."},
    {"system.memory.used.bytes", MEMORY, FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Memory in use, caches included: total - free."},
    {"system.memory.used.pct", MEMORY, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Memory in use, caches included, as a fraction of the total."},
    {"system.network.in.bytes", NETWORK, FIELD_LONG, 0, FIELD_BYTE, FIELD_COUNTER, false,
     "Bytes received since the interface came up."},
    {"system.network.in.dropped", NETWORK, FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_COUNTER, false,
     "Packets that came in and were dropped."},
    {"system.network.in.errors", NETWORK, FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_COUNTER, false,
     "Errors while packets were received."},
    {"system.network.in.packets", NETWORK, FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_COUNTER, false,
     "Packets received since the interface came up."},
    {"system.network.name", NETWORK, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Name of the interface."},
    {"system.network.out.bytes", NETWORK, FIELD_LONG, 0, FIELD_BYTE, FIELD_COUNTER, false,
     "Bytes sent since the interface came up."},
    {"system.network.out.dropped", NETWORK, FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_COUNTER, false,
     "Packets to be sent that were dropped."},
    {"system.network.out.errors", NETWORK, FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_COUNTER, false,
     "Errors while packets were sent."},
    {"system.network.out.packets", NETWORK, FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_COUNTER, false,
     "Packets sent since the interface came up."},
};

/* see header */
const struct field *field_table(size_t *ret_count)
{
    *ret_count = ARRAY_LEN(table);
    return table;
}

/* binary search */
const struct field *field_find(struct slice name)
{
    size_t from = 0;
    size_t to = ARRAY_LEN(table);
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = slice_cmp(name, slice_str(table[middle].name));
        if (order == 0)
            return &table[middle];
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

/* see header */
const char *field_type_name(enum field_type t)
{
    static const char *const names[] = {
        [FIELD_DATE] = "date",
        [FIELD_KEYWORD] = "keyword",
        [FIELD_LONG] = "long",
        [FIELD_SCALED_FLOAT] = "scaled_float",
    };
    return names[t];
}

/* see header */
const char *field_unit_name(enum field_unit u)
{
    static const char *const names[] = {
        [FIELD_NO_UNIT] = "", [FIELD_PERCENT] = "percent", [FIELD_BYTE] = "byte",
        [FIELD_MS] = "ms",    [FIELD_NANOS] = "nanos",
    };
    return names[u];
}

/* see header */
const char *field_kind_name(enum field_kind k)
{
    static const char *const names[] = {
        [FIELD_NO_METRIC] = "",
        [FIELD_GAUGE] = "gauge",
        [FIELD_COUNTER] = "counter",
    };
    return names[k];
}
