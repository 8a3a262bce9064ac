/*
 * metrics/filesystem - sets filesystem and fsstat
 *
 *   sample -> choose mounts -> ask them -> keep those that answered -> done
 *
 * Each set has a state of its own: their periods may differ.
 */
#include "metrics/filesystem.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "metrics/counters.h"

#define MOUNTINFO      "1/mountinfo"
#define MOUNTINFO_OURS "self/mountinfo"
#define MOUNTINFO_MAX  ((size_t)4 * MIB)

/* ---- numbers ---- */

/* count * size, held at INT64_MAX */
static uint64_t bytes(uint64_t count, uint64_t size)
{
    uint64_t product;
    if (__builtin_mul_overflow(count, size, &product) || product > INT64_MAX)
        return INT64_MAX;
    return product;
}

static uint64_t at_most(uint64_t v, uint64_t limit)
{
    return v < limit ? v : limit;
}

/* Some filesystems say that less than nothing is available when they are over-full. */
bool filesystem_usage(const struct fsprobe_answer *a, struct filesystem_usage *ret)
{
    if (a->blocks == 0 || a->block_bytes == 0)
        return false;
    uint64_t available = a->available > INT64_MAX ? 0 : a->available;
    ret->total = bytes(a->blocks, a->block_bytes);
    ret->free = at_most(bytes(a->free, a->block_bytes), ret->total);
    ret->available = at_most(bytes(available, a->block_bytes), ret->total);
    ret->used = ret->total - ret->free;
    ret->files = at_most(a->files, INT64_MAX);
    ret->free_files = at_most(a->free_files, ret->files);
    return true;
}

/* see header */
bool filesystem_used_share(const struct filesystem_usage *u, double *ret)
{
    double whole = (double)u->used + (double)u->available;
    if (whole <= 0)
        return false;
    *ret = (double)u->used / whole;
    return true;
}

/* ---- samples ---- */

/* Whether an answer is that of the mount: in a container, what is mounted on the host may not be
 * there, and the mount above it answers. */
static bool is_answer(const struct volume *one, const struct fsprobe_answer *a)
{
    return a->error == 0 &&
           (a->device == 0 || a->device == one->device || !volumes_has_own_device(one));
}

/* keeps the mounts that have answered, with their numbers */
static void collect(struct filesystem_sample *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->volumes.count; i++) {
        if (!is_answer(&s->volumes.all[i], &s->items[i].answer) ||
            !filesystem_usage(&s->items[i].answer, &s->usage[kept]))
            continue;
        s->volumes.all[kept++] = s->volumes.all[i];
    }
    s->volumes.count = kept;
}

/* every mount has answered or is left out */
static void on_answers(void *ctx)
{
    struct filesystem_sample *s = ctx;
    collect(s);
    s->done(s->done_ctx, 0);
}

/* room for an item and numbers of each mount */
static void make_room(struct filesystem_sample *s)
{
    if (s->room >= s->volumes.room)
        return;
    s->room = s->volumes.room;
    s->items = mem_resize(s->items, s->room * sizeof(*s->items));
    s->usage = mem_resize(s->usage, s->room * sizeof(*s->usage));
}

/* text of the host's mountinfo; where it cannot be read, of ours */
static int read_mountinfo(struct procfs *p, struct slice *ret)
{
    int r = procfs_read(p, PROCFS_PROC, MOUNTINFO, ret);
    return r < 0 ? procfs_read(p, PROCFS_PROC, MOUNTINFO_OURS, ret) : r;
}

/* which mounts there are; without /proc/filesystems those on devices and of known types */
static int choose(struct filesystem_sample *s, struct procfs *p)
{
    struct slice text;
    int r = read_mountinfo(p, &text);
    if (r < 0)
        return r;
    if (!s->is_ready)
        volumes_init(&s->volumes, MOUNTINFO_MAX);
    s->is_ready = true;
    r = volumes_take(&s->volumes, text);
    if (r < 0)
        return r;
    if (procfs_read(p, PROCFS_PROC, "filesystems", &text) < 0)
        text = slice_of(NULL, 0);
    return volumes_choose(&s->volumes, text);
}

/* one more sample */
static int sample(void *state, const struct set_source *source)
{
    struct filesystem_sample *s = state;
    int r = choose(s, source->procfs);
    if (r < 0) {
        s->volumes.count = 0;
        return r;
    }
    make_room(s);
    for (size_t i = 0; i < s->volumes.count; i++)
        s->items[i] = (struct fsprobe_item){.id = s->volumes.all[i].id,
                                            .may_hang = volumes_may_hang(&s->volumes.all[i]),
                                            .path = s->volumes.all[i].point};
    s->batch = (struct fsprobe_batch){.items = s->items,
                                      .count = s->volumes.count,
                                      .at_once = !s->volumes.may_hang,
                                      .done = on_answers,
                                      .ctx = s};
    s->done = source->done;
    s->done_ctx = source->done_ctx;
    if (!fsprobe_ask(source->probe, &s->batch))
        return -EINPROGRESS;
    collect(s);
    return 0;
}

/* frees what the state owns */
static void clear(void *state)
{
    struct filesystem_sample *s = state;
    volumes_clear(&s->volumes);
    mem_free(s->items);
    mem_free(s->usage);
}

/* ---- filesystem ---- */

/* one for each filesystem */
static size_t documents(const void *state)
{
    return ((const struct filesystem_sample *)state)->volumes.count;
}

enum row {
    AVAILABLE,
    DEVICE,
    FILES,
    FREE,
    FREE_FILES,
    POINT,
    OPTIONS,
    TOTAL,
    TYPE,
    USED,
    USED_SHARE,
};

/* document of one filesystem */
static void values(const void *state, size_t i, struct value *v)
{
    const struct filesystem_sample *s = state;
    const struct volume *one = &s->volumes.all[i];
    const struct filesystem_usage *u = &s->usage[i];
    double share;
    v[AVAILABLE] = value_long(u->available);
    v[DEVICE] = value_text(one->source);
    if (u->files > 0) {
        v[FILES] = value_long(u->files);
        v[FREE_FILES] = value_long(u->free_files);
    }
    v[FREE] = value_long(u->free);
    v[POINT] = value_text(one->point);
    v[OPTIONS] = value_text(one->options);
    v[TOTAL] = value_long(u->total);
    v[TYPE] = value_text(one->type);
    v[USED] = value_long(u->used);
    if (filesystem_used_share(u, &share))
        v[USED_SHARE] = value_real(share);
}

/* clang-format off */
#define BYTES(name, text)                                                                          \
    FIELD_ROW_LONG("system.filesystem." name, FIELD_BYTE, FIELD_GAUGE, false, text)
/* clang-format on */

static const struct field fields[] = {
    BYTES("available", "Bytes that users who are not root can still write."),
    FIELD_ROW_KEYWORD("system.filesystem.device_name", false,
                      "What is mounted: a device, or what a network filesystem calls it."),
    FIELD_ROW_LONG("system.filesystem.files", FIELD_NO_UNIT, FIELD_GAUGE, true,
                   "Inodes: how many files there can be."),
    BYTES("free", "Bytes that are not used, with those that are kept for root."),
    FIELD_ROW_LONG("system.filesystem.free_files", FIELD_NO_UNIT, FIELD_GAUGE, true,
                   "Inodes that are not used."),
    FIELD_ROW_KEYWORD("system.filesystem.mount_point", false, "Where it is mounted."),
    FIELD_ROW_KEYWORD("system.filesystem.options", false,
                      "Options of the mount and of the filesystem."),
    BYTES("total", "Size of the filesystem."),
    FIELD_ROW_KEYWORD("system.filesystem.type", false, "Type of the filesystem."),
    BYTES("used.bytes", "Bytes that are used: total without free."),
    FIELD_ROW_PCT("system.filesystem.used.pct", true,
                  "Used bytes, as a fraction of used and available ones, as df shows it."),
};

const struct metric_set filesystem_set = {
    .name = "filesystem",
    .which = CONFIG_SET_FILESYSTEM,
    .root = PROCFS_PROC,
    .path = MOUNTINFO,
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct filesystem_sample),
    .sample = sample,
    .documents = documents,
    .values = values,
    .clear = clear,
};

/* ---- fsstat ---- */

enum sum_row { SUM_COUNT, SUM_FILES, SUM_FREE, SUM_TOTAL, SUM_USED };

/* a + b, held at INT64_MAX; both are not above it */
static uint64_t plus(uint64_t a, uint64_t b)
{
    return at_most(a + b, INT64_MAX);
}

/* the only document: the sums over all filesystems */
static void sum_values(const void *state, size_t i, struct value *v)
{
    const struct filesystem_sample *s = state;
    struct filesystem_usage sum = {0};
    (void)i;
    for (size_t k = 0; k < s->volumes.count; k++) {
        sum.files = plus(sum.files, s->usage[k].files);
        sum.free = plus(sum.free, s->usage[k].free);
        sum.total = plus(sum.total, s->usage[k].total);
        sum.used = plus(sum.used, s->usage[k].used);
    }
    v[SUM_COUNT] = value_long(s->volumes.count);
    v[SUM_FILES] = value_long(sum.files);
    v[SUM_FREE] = value_long(sum.free);
    v[SUM_TOTAL] = value_long(sum.total);
    v[SUM_USED] = value_long(sum.used);
}

static const struct field sum_fields[] = {
    FIELD_ROW_LONG("system.fsstat.count", FIELD_NO_UNIT, FIELD_GAUGE, false,
                   "Filesystems, each counted once."),
    FIELD_ROW_LONG("system.fsstat.total_files", FIELD_NO_UNIT, FIELD_GAUGE, false,
                   "Inodes of all of them."),
    FIELD_ROW_LONG("system.fsstat.total_size.free", FIELD_BYTE, FIELD_GAUGE, false,
                   "Bytes that are not used."),
    FIELD_ROW_LONG("system.fsstat.total_size.total", FIELD_BYTE, FIELD_GAUGE, false,
                   "Size of all of them."),
    FIELD_ROW_LONG("system.fsstat.total_size.used", FIELD_BYTE, FIELD_GAUGE, false,
                   "Bytes that are used."),
};

const struct metric_set fsstat_set = {
    .name = "fsstat",
    .which = CONFIG_SET_FSSTAT,
    .root = PROCFS_PROC,
    .path = MOUNTINFO,
    .fields = sum_fields,
    .field_count = ARRAY_LEN(sum_fields),
    .state_bytes = sizeof(struct filesystem_sample),
    .sample = sample,
    .documents = counters_one_document,
    .values = sum_values,
    .clear = clear,
};
