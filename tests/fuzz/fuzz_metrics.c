/* rooms: base os config store bulk metrics */
/* parsers: 20 */
/*
 * Fuzzes the parsers of metrics: the first byte chooses the file, the rest is its text, cut in two
 * for a delta. Oracles: what a sample promises (parts not larger than the whole, fractions that
 * sum to 1, names that a kernel would take), and that documents are whole JSON.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_scan.h"
#include "metrics/conntrack.h"
#include "metrics/core.h"
#include "metrics/cpu.h"
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
#include "metrics/uptime.h"
#include "metrics/vmstat.h"
#include "metrics/volumes.h"
#include "metrics/wireless.h"
#include "os/netlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* aborts, so that the fuzzer keeps the input */
static void require(bool condition)
{
    if (!condition)
        abort();
}

static int on_event(void *ctx, enum json_event event, unsigned depth, struct slice text, bool cut)
{
    (void)ctx;
    (void)event;
    (void)depth;
    (void)text;
    require(!cut);
    return 0;
}

static void begin(struct json_writer *w, struct buf *out)
{
    buf_reset(out);
    json_begin(w, out);
    json_object(w);
}

/* ends a document and reads it */
static void end(struct json_writer *w, struct buf *out)
{
    json_end_object(w);
    require(json_done(w) == 0);
    struct json_scan *s = json_scan_new(4096, on_event, NULL);
    require(json_scan_feed(s, buf_slice(out)) == 0 && json_scan_finish(s) == 0);
    json_scan_free(&s);
}

static void fuzz_cpu(struct slice first, struct slice second, struct buf *out)
{
    struct cpu_sample before;
    struct cpu_sample after;
    struct cpu_usage u;
    struct json_writer w;
    if (cpu_parse(first, &before) < 0 || cpu_parse(second, &after) < 0 ||
        !cpu_delta(&before, &after, &u))
        return;
    double sum = 0;
    for (unsigned i = 0; i < CPU_STATES; i++) {
        require(u.state[i] >= 0 && u.state[i] <= 1);
        sum += u.state[i];
    }
    require(sum > 0.999999 && sum < 1.000001 && u.total >= 0 && u.total <= 1);
    begin(&w, out);
    cpu_write_host(&u, &w);
    cpu_write(&u, &w);
    end(&w, out);
}

static void fuzz_load(struct slice text, struct buf *out)
{
    struct load_sample s = {.cores = 1};
    struct json_writer w;
    if (load_parse(text, &s) < 0)
        return;
    begin(&w, out);
    load_write(&s, &w);
    end(&w, out);
}

static void fuzz_memory(struct slice text, struct buf *out)
{
    struct memory_sample s;
    struct json_writer w;
    if (memory_parse(text, &s) < 0)
        return;
    require(s.total <= INT64_MAX && s.free <= s.total && s.cached <= s.total);
    require(s.actual_free <= s.total && s.swap_total <= INT64_MAX && s.swap_free <= s.swap_total);
    begin(&w, out);
    memory_write(&s, &w);
    end(&w, out);
}

static void fuzz_network(struct slice first, struct slice second, struct buf *out)
{
    struct network_sample before = {0};
    struct network_sample after = {0};
    struct network_delta d;
    struct json_writer w;
    int r = network_parse(first, &before);
    if (network_parse(second, &after) == 0)
        require(network_delta(&before, &after, &d) == (r == 0));
    for (size_t i = 0; i < after.count; i++) {
        struct network_interface *one = &after.interfaces[i];
        size_t n = strnlen(one->name, sizeof(one->name));
        require(n > 0 && n < sizeof(one->name) && strpbrk(one->name, "/ \t") == NULL);
        require(!network_is_excluded(slice_str(one->name)));
        network_describe(first, one);
        begin(&w, out);
        network_write(one, &w);
        end(&w, out);
    }
    if (r == 0 && after.interfaces != NULL) {
        require(d.in_bytes <= INT64_MAX && d.out_bytes <= INT64_MAX);
        begin(&w, out);
        network_write_host(&d, &w);
        end(&w, out);
    }
    network_sample_clear(&before);
    network_sample_clear(&after);
}

/* a document of a set that has values */
static void write_values(const struct metric_set *set, const void *sample, struct buf *out)
{
    struct value values[VALUES_MAX] = {0};
    struct json_writer w;
    set->values(sample, 0, values);
    begin(&w, out);
    values_write(&w, set->fields, set->field_count, values);
    end(&w, out);
}

static void fuzz_pressure(struct slice first, struct slice second, struct buf *out)
{
    struct pressure_sample s = {0};
    if (pressure_parse(first, s.lines[PRESSURE_CPU]) < 0 &&
        pressure_parse(second, s.lines[PRESSURE_IO]) < 0)
        return;
    for (unsigned i = 0; i < PRESSURE_WINDOWS; i++)
        require(s.lines[PRESSURE_CPU][PRESSURE_SOME].average[i] <= 1);
    write_values(&pressure_set, &s, out);
}

static void fuzz_uptime(struct slice text, struct buf *out)
{
    struct uptime_sample s;
    if (uptime_parse(text, &s) == 0)
        write_values(&uptime_set, &s, out);
}

static void fuzz_vmstat(struct slice text, struct buf *out)
{
    struct vmstat_sample s;
    if (vmstat_parse(text, &s) == 0)
        write_values(&vmstat_set, &s, out);
}

static void fuzz_kernel(struct slice first, struct slice second, struct buf *out)
{
    struct kernel_sample s = {0};
    kernel_parse_files(first, &s);
    require(kernel_parse_stat(second, &s) < 0 || s.counters[KERNEL_SWITCHES].is_set);
    write_values(&kernel_set, &s, out);
}

static void fuzz_conntrack(struct slice text, struct buf *out)
{
    struct conntrack_sample s = {0};
    conntrack_parse_stat(text, &s);
    require(!s.counters[CONNTRACK_ENTRIES].is_set && !s.counters[CONNTRACK_MAX].is_set);
    write_values(&conntrack_set, &s, out);
}

static void fuzz_softnet(struct slice text, struct buf *out)
{
    struct softnet_sample s;
    if (softnet_parse(text, &s) == 0)
        write_values(&softnet_set, &s, out);
}

static void fuzz_netstat(struct slice first, struct slice second)
{
    struct netstat_sample before = {0};
    struct netstat_sample after = {0};
    double share;
    if (netstat_parse(first, &before) == 0 && netstat_parse(second, &after) == 0 &&
        netstat_retransmits(&before, &after, &share))
        require(share >= 0);
}

static void fuzz_neighbours(struct slice text, struct buf *out)
{
    struct neighbours_sample s = {0};
    if (neighbours_parse(text, &s) < 0)
        return;
    require(s.counters[NEIGHBOURS_COMPLETE].n <= s.counters[NEIGHBOURS_COUNT].n);
    write_values(&neighbours_set, &s, out);
}

static void fuzz_wireless(struct slice text, struct buf *out)
{
    static struct wireless_sample s;
    if (wireless_parse(text, &s) < 0)
        return;
    require(s.count <= WIRELESS_INTERFACES_MAX);
    for (size_t i = 0; i < s.count; i++) {
        size_t n = strnlen(s.interfaces[i].name, WIRELESS_NAME_BYTES);
        require(n > 0 && n < WIRELESS_NAME_BYTES);
    }
    if (s.count > 0)
        write_values(&wireless_set, &s, out);
}

/* a mountinfo and a list of types; the sizes are bytes of the list */
static void fuzz_filesystem(struct slice first, struct slice second, struct buf *out)
{
    struct filesystem_sample s = {0};
    struct filesystem_usage usage = {0};
    struct fsprobe_answer answer = {.block_bytes = 1};
    volumes_init(&s.volumes, MIB);
    memcpy(&answer, first.ptr, first.len < sizeof(answer) ? first.len : sizeof(answer));
    if (filesystem_usage(&answer, &usage)) {
        require(usage.total <= INT64_MAX && usage.free <= usage.total);
        require(usage.available <= usage.total && usage.used == usage.total - usage.free);
        require(usage.files <= INT64_MAX && usage.free_files <= usage.files);
    }
    s.usage = &usage;
    require(volumes_take(&s.volumes, second) == 0);
    if (volumes_choose(&s.volumes, first) < 0)
        s.volumes.count = 0;
    for (size_t i = 0; i < s.volumes.count; i++) {
        const struct volume *one = &s.volumes.all[i];
        require(one->point.len > 0 && one->point.len <= VOLUMES_POINT_MAX);
        require(one->point.ptr[0] == '/' && memchr(one->point.ptr, 0, one->point.len) == NULL);
        require(one->options.len <= VOLUMES_OPTIONS_MAX && one->source.len <= VOLUMES_SOURCE_MAX);
        require(one->type.len <= VOLUMES_TYPE_MAX);
    }
    if (s.volumes.count > 0)
        write_values(&filesystem_set, &s, out);
    volumes_clear(&s.volumes);
}

static void fuzz_diskio(struct slice first, struct slice second)
{
    struct diskio_sample before = {0};
    struct diskio_sample after = {0};
    struct diskio_rates rates;
    if (diskio_parse(first, &before) == 0 && diskio_parse(second, &after) == 0 &&
        before.count > 0 && after.count > 0 &&
        diskio_rate(&before.disks[0], &after.disks[0], 1000000000, &rates))
        require(rates.busy >= 0 && rates.busy <= 1 && rates.await_ms >= 0);
    for (size_t i = 0; i < after.count; i++)
        require(strnlen(after.disks[i].name, DISKIO_NAME_BYTES) < DISKIO_NAME_BYTES);
    diskio_sample_clear(&before);
    diskio_sample_clear(&after);
}

static void fuzz_processes(struct slice first, struct slice second, struct buf *out)
{
    struct process_summary_sample s = {0};
    process_summary_threads(first, &s);
    require(process_summary_state(second) < PROCESS_STATES);
    s.count[process_summary_state(second)]++;
    write_values(&process_summary_set, &s, out);
}

static void fuzz_thermal(struct slice first, struct slice second)
{
    char name[64];
    enum thermal_kind kind;
    struct slice stem;
    int64_t reading;
    (void)snprintf(name, sizeof(name), "%.*s", (int)(first.len < 63 ? first.len : 63), first.ptr);
    if (thermal_kind_of(name, &kind, &stem))
        require(stem.len > 0 && stem.len < strlen(name));
    if (thermal_parse(second, &reading) == 0)
        require(reading <= INT64_C(1000000000000) && reading >= -INT64_C(1000000000000));
}

static void on_netlink(void *ctx, uint16_t type, struct slice payload)
{
    struct interface_link l;
    (void)type;
    if (interface_parse(payload, &l))
        require(strnlen(l.name, INTERFACE_NAME_BYTES) < INTERFACE_NAME_BYTES && l.index > 0);
    socket_summary_count(payload, ctx);
}

static void fuzz_sockets(struct slice first, struct slice second, struct buf *out)
{
    struct socket_summary_sample s = {0};
    int r;
    socket_summary_parse(first, &s);
    (void)netlink_split(second, on_netlink, &s, &r);
    on_netlink(&s, 0, second);
    write_values(&socket_summary_set, &s, out);
}

static void fuzz_self(struct slice text)
{
    struct self_sample s = {0};
    self_parse(text, &s);
}

static void fuzz_core(struct slice text)
{
    struct core_sample s = {0};
    require((core_parse(text, &s) == 0) == (s.count > 0));
    core_sample_clear(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 16384)
        return 0;
    /* memory of its own size: a read behind the slice is seen */
    size_t half = (size - 1) / 2;
    char *texts[2] = {malloc(half + 1), malloc(size - half)};
    require(texts[0] != NULL && texts[1] != NULL);
    memcpy(texts[0], data + 1, half);
    memcpy(texts[1], data + 1 + half, size - 1 - half);
    struct slice first = slice_of(texts[0], half);
    struct slice second = slice_of(texts[1], size - 1 - half);
    struct buf out;
    buf_init(&out, MIB);
    switch ((uint8_t)(data[0] - '0') % 20) {
    case 0:
        fuzz_cpu(first, second, &out);
        break;
    case 1:
        fuzz_load(second, &out);
        break;
    case 2:
        fuzz_memory(second, &out);
        break;
    case 3:
        fuzz_network(first, second, &out);
        break;
    case 4:
        fuzz_pressure(first, second, &out);
        break;
    case 5:
        fuzz_uptime(second, &out);
        break;
    case 6:
        fuzz_vmstat(second, &out);
        break;
    case 7:
        fuzz_kernel(first, second, &out);
        break;
    case 8:
        fuzz_conntrack(second, &out);
        break;
    case 9:
        fuzz_softnet(second, &out);
        break;
    case 10:
        fuzz_netstat(first, second);
        break;
    case 11:
        fuzz_neighbours(second, &out);
        break;
    case 12:
        fuzz_filesystem(first, second, &out);
        break;
    case 13:
        fuzz_wireless(second, &out);
        break;
    case 14:
        fuzz_diskio(first, second);
        break;
    case 15:
        fuzz_processes(first, second, &out);
        break;
    case 16:
        fuzz_thermal(first, second);
        break;
    case 17:
        fuzz_sockets(first, second, &out);
        break;
    case 18:
        fuzz_self(second);
        break;
    default:
        fuzz_core(second);
        break;
    }
    buf_clear(&out);
    free(texts[0]);
    free(texts[1]);
    return 0;
}
