/*
 * metrics/memory - set memory
 *
 * The kernel takes its numbers one after the other, so a part may be larger than the whole for a
 * moment: parts are cut to the whole, and differences cannot go below 0.
 */
#include "metrics/memory.h"

#include <errno.h>
#include <stdbool.h>

#include "metrics/column.h"
#include "metrics/counters.h"
#include "metrics/member.h"

enum row {
    TOTAL,
    FREE,
    AVAILABLE,
    BUFFERS,
    CACHED,
    SWAP_TOTAL,
    SWAP_FREE,
    DIRTY,
    WRITEBACK,
    SLAB,
    SLAB_RECLAIMABLE,
    HUGE_SIZE,
    HUGE_TOTAL, /* these two are numbers of pages */
    HUGE_FREE,
    ROWS
};

struct table {
    uint64_t bytes[ROWS];
    bool has[ROWS];
};

/* one line "Name:   number kB"; of rows that come twice the first counts */
static void take_line(struct slice line, struct table *t)
{
    static const char *const names[ROWS] = {
        [TOTAL] = "MemTotal:",
        [FREE] = "MemFree:",
        [AVAILABLE] = "MemAvailable:",
        [BUFFERS] = "Buffers:",
        [CACHED] = "Cached:",
        [SWAP_TOTAL] = "SwapTotal:",
        [SWAP_FREE] = "SwapFree:",
        [DIRTY] = "Dirty:",
        [WRITEBACK] = "Writeback:",
        [SLAB] = "Slab:",
        [SLAB_RECLAIMABLE] = "SReclaimable:",
        [HUGE_SIZE] = "Hugepagesize:",
        [HUGE_TOTAL] = "HugePages_Total:",
        [HUGE_FREE] = "HugePages_Free:",
    };
    struct slice word;
    uint64_t kib;
    if (!slice_next_word(&line, &word))
        return;
    for (unsigned i = 0; i < ROWS; i++) {
        if (t->has[i] || !slice_eq_str(word, names[i]))
            continue;
        if (column_number(&line, &kib) < 0 || kib > INT64_MAX / KIB)
            return;
        t->bytes[i] = i == HUGE_TOTAL || i == HUGE_FREE ? kib : kib * KIB;
        t->has[i] = true;
        return;
    }
}

/* the smaller one */
static uint64_t cut(uint64_t part, uint64_t whole)
{
    return part < whole ? part : whole;
}

/* what can be had, on a kernel that does not say; each is at most 2^63 - 1, the sum saturates */
static uint64_t guess_available(const struct table *t)
{
    uint64_t two = t->bytes[FREE] + t->bytes[BUFFERS];
    uint64_t three = two + t->bytes[CACHED];
    return three < two ? UINT64_MAX : three;
}

/* pages of the default size in bytes; 0 when that is beyond all memory */
static uint64_t huge_bytes(const struct table *t, enum row pages)
{
    uint64_t size = t->bytes[HUGE_SIZE];
    return size == 0 || t->bytes[pages] > INT64_MAX / size ? 0 : t->bytes[pages] * size;
}

/* see header */
int memory_parse(struct slice meminfo, struct memory_sample *ret)
{
    struct table t = {0};
    struct slice line;
    while (column_line(&meminfo, &line))
        take_line(line, &t);
    if (!t.has[TOTAL] || !t.has[FREE])
        return -EBADMSG;
    uint64_t available = t.has[AVAILABLE] ? t.bytes[AVAILABLE] : guess_available(&t);
    *ret = (struct memory_sample){
        .total = t.bytes[TOTAL],
        .free = cut(t.bytes[FREE], t.bytes[TOTAL]),
        .cached = cut(t.bytes[CACHED], t.bytes[TOTAL]),
        .actual_free = cut(available, t.bytes[TOTAL]),
        .swap_total = t.bytes[SWAP_TOTAL],
        .swap_free = cut(t.bytes[SWAP_FREE], t.bytes[SWAP_TOTAL]),
        .dirty = t.bytes[DIRTY],
        .writeback = t.bytes[WRITEBACK],
        .slab = t.bytes[SLAB],
        .slab_reclaimable = cut(t.bytes[SLAB_RECLAIMABLE], t.bytes[SLAB]),
        .hugepages_total = huge_bytes(&t, HUGE_TOTAL),
        .hugepages_free = cut(huge_bytes(&t, HUGE_FREE), huge_bytes(&t, HUGE_TOTAL)),
    };
    return 0;
}

/* "used":{"bytes":..,"pct":..} */
static void write_used(struct json_writer *w, uint64_t total, uint64_t free)
{
    uint64_t used = total - free;
    member_object(w, "used");
    member_long(w, "bytes", used);
    member_real(w, "pct", total == 0 ? 0 : (double)used / (double)total);
    json_end_object(w);
}

/* see header */
void memory_write(const struct memory_sample *s, struct json_writer *w)
{
    member_object(w, "system");
    member_object(w, "memory");
    member_long(w, "total", s->total);
    member_long(w, "free", s->free);
    member_long(w, "cached", s->cached);
    write_used(w, s->total, s->free);
    member_object(w, "actual");
    member_long(w, "free", s->actual_free);
    write_used(w, s->total, s->actual_free);
    json_end_object(w);
    member_object(w, "dirty");
    member_long(w, "bytes", s->dirty);
    json_end_object(w);
    member_object(w, "hugepages");
    member_long(w, "total", s->hugepages_total);
    member_long(w, "free", s->hugepages_free);
    write_used(w, s->hugepages_total, s->hugepages_free);
    json_end_object(w);
    member_object(w, "slab");
    member_long(w, "bytes", s->slab);
    member_object(w, "reclaimable");
    member_long(w, "bytes", s->slab_reclaimable);
    json_end_object(w);
    json_end_object(w);
    member_object(w, "writeback");
    member_long(w, "bytes", s->writeback);
    json_end_object(w);
    member_object(w, "swap");
    member_long(w, "total", s->swap_total);
    member_long(w, "free", s->swap_free);
    write_used(w, s->swap_total, s->swap_free);
    json_end_object(w);
    json_end_object(w);
    json_end_object(w);
}

/* one more sample */
static int sample(void *state, const struct set_source *source)
{
    struct slice text;
    int r = procfs_read(source->procfs, PROCFS_PROC, memory_set.path, &text);
    return r < 0 ? r : memory_parse(text, state);
}

/* the only document */
static void write_body(const void *state, size_t i, struct json_writer *w)
{
    (void)i;
    memory_write(state, w);
}

static const struct field fields[] = {
    {"system.memory.actual.free", FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Memory that programs can get without swapping: MemAvailable, or free + buffers + cached "
     "where the kernel does not tell it."},
    {"system.memory.actual.used.bytes", FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Memory that programs cannot get: total - actual.free."},
    {"system.memory.actual.used.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Memory that programs cannot get, as a fraction of the total."},
    {"system.memory.cached", FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Memory of the page cache."},
    FIELD_ROW_LONG("system.memory.dirty.bytes", FIELD_BYTE, FIELD_GAUGE, false,
                   "Memory that waits to be written to disks."),
    {"system.memory.free", FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Memory that nothing uses, not even a cache."},
    FIELD_ROW_LONG("system.memory.hugepages.free", FIELD_BYTE, FIELD_GAUGE, false,
                   "Free huge pages of the default size, in bytes."),
    FIELD_ROW_LONG("system.memory.hugepages.total", FIELD_BYTE, FIELD_GAUGE, false,
                   "Huge pages of the default size, in bytes."),
    FIELD_ROW_LONG("system.memory.hugepages.used.bytes", FIELD_BYTE, FIELD_GAUGE, false,
                   "Huge pages of the default size in use."),
    FIELD_ROW_PCT("system.memory.hugepages.used.pct", false,
                  "Huge pages of the default size in use, as a fraction of the total."),
    FIELD_ROW_LONG("system.memory.slab.bytes", FIELD_BYTE, FIELD_GAUGE, false,
                   "Memory of the kernel's own objects."),
    FIELD_ROW_LONG("system.memory.slab.reclaimable.bytes", FIELD_BYTE, FIELD_GAUGE, false,
                   "Memory of the kernel's own objects that it can give back."),
    {"system.memory.swap.free", FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Swap space that is free."},
    {"system.memory.swap.total", FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false, "Swap space."},
    {"system.memory.swap.used.bytes", FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Swap space in use."},
    {"system.memory.swap.used.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Swap space in use, as a fraction of the total."},
    {"system.memory.total", FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false, "Main memory."},
    {"system.memory.used.bytes", FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Memory in use, caches included: total - free."},
    {"system.memory.used.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Memory in use, caches included, as a fraction of the total."},
    FIELD_ROW_LONG("system.memory.writeback.bytes", FIELD_BYTE, FIELD_GAUGE, false,
                   "Memory that is being written to disks."),
};

const struct metric_set memory_set = {
    .name = "memory",
    .which = CONFIG_SET_MEMORY,
    .root = PROCFS_PROC,
    .path = "meminfo",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct memory_sample),
    .sample = sample,
    .documents = counters_one_document,
    .write = write_body,
};
