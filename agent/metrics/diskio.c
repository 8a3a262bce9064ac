/*
 * metrics/diskio - set diskio
 *
 * Document i < count is a disk's (partitions are dropped while sampling); the last one, from the
 * second sample on, holds the host's sums.
 */
#include "metrics/diskio.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "metrics/column.h"

#define SECTOR_BYTES 512
#define NS_PER_MS    1e6
#define PERCENT      100

/* columns behind the name */
enum column {
    READS,
    READS_MERGED,
    READ_SECTORS,
    READ_MS,
    WRITES,
    WRITES_MERGED,
    WRITE_SECTORS,
    WRITE_MS,
    IN_FLIGHT,
    BUSY_MS,
    WEIGHTED_MS,
    COLUMNS,
};

struct state {
    struct diskio_sample last, before;
    uint64_t read_bytes, write_bytes; /* of the host since the sample before */
    bool has_last;
    bool has_sums;
};

/* digits at the end of a name */
static size_t digits(struct slice name)
{
    size_t n = 0;
    while (n < name.len && isdigit((unsigned char)name.ptr[name.len - 1 - n]))
        n++;
    return n;
}

/* see header */
bool diskio_is_partition(struct slice name)
{
    size_t n = digits(name);
    if (n == 0 || n == name.len)
        return false;
    struct slice stem = slice_sub(name, 0, name.len - n);
    if (slice_ends(stem, SLICE_LIT("p")) && digits(slice_sub(stem, 0, stem.len - 1)) > 0)
        return true; /* a name that ends in a digit has a p before the number */
    bool is_lettered = slice_starts(name, SLICE_LIT("sd")) || slice_starts(name, SLICE_LIT("hd")) ||
                       slice_starts(name, SLICE_LIT("vd"));
    return (stem.len == 3 && is_lettered) ||
           (stem.len == 4 && slice_starts(name, SLICE_LIT("xvd")));
}

/* see header */
bool diskio_is_physical(const struct diskio_disk *d)
{
    static const char *const others[] = {"dm-", "md", "loop", "ram", "zram", "nbd", "sr", "fd"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (strncmp(d->name, others[i], strlen(others[i])) == 0)
            return false;
    return d->is_whole;
}

/* whether a name may stand in a row: printable, without slash */
static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] <= ' ' || name.ptr[i] == '/')
            return false;
    return name.len > 0 && name.len < DISKIO_NAME_BYTES;
}

/* bytes of sectors, held at the largest long */
static uint64_t bytes_of(uint64_t sectors)
{
    return sectors > INT64_MAX / SECTOR_BYTES ? INT64_MAX : sectors * SECTOR_BYTES;
}

/* one row; false when it is broken */
static bool take_row(struct slice line, struct diskio_disk *d)
{
    struct slice major, minor, name;
    uint64_t v[COLUMNS];
    if (!slice_next_word(&line, &major) || !slice_next_word(&line, &minor) ||
        !slice_next_word(&line, &name) || !is_name(name))
        return false;
    for (size_t i = 0; i < COLUMNS; i++)
        if (column_number(&line, &v[i]) < 0)
            return false;
    *d = (struct diskio_disk){
        .read = {v[READS], bytes_of(v[READ_SECTORS]), (uint32_t)v[READ_MS]},
        .write = {v[WRITES], bytes_of(v[WRITE_SECTORS]), (uint32_t)v[WRITE_MS]},
        .in_flight = v[IN_FLIGHT],
        .busy_ms = (uint32_t)v[BUSY_MS],
        .weighted_ms = (uint32_t)v[WEIGHTED_MS],
        .is_whole = !diskio_is_partition(name),
    };
    memcpy(d->name, name.ptr, name.len);
    return true;
}

/* room for one more */
static struct diskio_disk *next_slot(struct diskio_sample *s)
{
    if (s->count == s->room) {
        s->room = s->room == 0 ? 8 : s->room * 2;
        s->disks = mem_resize(s->disks, s->room * sizeof(*s->disks));
    }
    return &s->disks[s->count];
}

/* see header */
int diskio_parse(struct slice text, struct diskio_sample *s)
{
    struct slice line;
    size_t rows = 0;
    s->count = 0;
    while (s->count < DISKIO_DISKS_MAX && column_line(&text, &line)) {
        rows++;
        if (take_row(line, next_slot(s)))
            s->count++;
    }
    return rows > 0 ? 0 : -EBADMSG;
}

/* see header */
bool diskio_rate(const struct diskio_disk *prev, const struct diskio_disk *now, int64_t ns,
                 struct diskio_rates *ret)
{
    double ms = (double)ns / NS_PER_MS;
    if (ns <= 0 || strcmp(prev->name, now->name) != 0 || now->read.count < prev->read.count ||
        now->write.count < prev->write.count)
        return false;
    double requests = (double)(now->read.count - prev->read.count) +
                      (double)(now->write.count - prev->write.count);
    /* 32-bit differences are right over one wrap */
    double waited = (double)(uint32_t)(now->read.ms - prev->read.ms) +
                    (double)(uint32_t)(now->write.ms - prev->write.ms);
    double busy = (double)(uint32_t)(now->busy_ms - prev->busy_ms) / ms;
    ret->await_ms = requests > 0 ? waited / requests : 0;
    ret->busy = busy > 1 ? 1 : busy;
    ret->queue_size = (double)(uint32_t)(now->weighted_ms - prev->weighted_ms) / ms;
    return true;
}

/* the same disk in another sample, or NULL; mostly at the same place */
static const struct diskio_disk *find(const struct diskio_sample *s, const struct diskio_disk *d,
                                      size_t at)
{
    if (at < s->count && strcmp(s->disks[at].name, d->name) == 0)
        return &s->disks[at];
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->disks[i].name, d->name) == 0)
            return &s->disks[i];
    return NULL;
}

/* what the host's disks did; one that was set back, or is new, adds nothing this once */
static void add_up(struct state *s)
{
    s->read_bytes = s->write_bytes = 0;
    for (size_t i = 0; i < s->last.count; i++) {
        const struct diskio_disk *now = &s->last.disks[i];
        const struct diskio_disk *prev = find(&s->before, now, i);
        if (!diskio_is_physical(now) || prev == NULL || now->read.bytes < prev->read.bytes ||
            now->write.bytes < prev->write.bytes)
            continue;
        s->read_bytes += now->read.bytes - prev->read.bytes;
        s->write_bytes += now->write.bytes - prev->write.bytes;
    }
}

/* partitions have no documents, nor have the many loop and ram devices that were never used */
static bool is_of_interest(const struct diskio_disk *d)
{
    return d->is_whole && (diskio_is_physical(d) || d->read.count + d->write.count > 0);
}

/* keeps what has documents */
static void drop_others(struct diskio_sample *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++)
        if (is_of_interest(&s->disks[i]))
            s->disks[kept++] = s->disks[i];
    s->count = kept;
}

/* the sample before the last becomes the room of the new one */
static int sample(void *state, const struct set_source *source)
{
    struct state *s = state;
    struct slice text;
    struct diskio_sample now = s->before;
    int r = procfs_read(source->procfs, PROCFS_PROC, diskio_set.path, &text);
    if (r == 0)
        r = diskio_parse(text, &now);
    s->before = now; /* its room may have grown */
    if (r < 0)
        return r;
    now.mono_ns = source->mono_ns;
    drop_others(&now);
    s->before = s->last;
    s->last = now;
    s->has_sums = s->has_last;
    s->has_last = true;
    if (s->has_sums)
        add_up(s);
    return 0;
}

/* disks, then the host */
static size_t documents(const void *state)
{
    const struct state *s = state;
    return s->last.count + s->has_sums;
}

enum row {
    HOST_READ,
    HOST_WRITE,
    IO_OPS,
    IO_TIME,
    AWAIT,
    BUSY,
    QUEUE_SIZE,
    NAME,
    READ_BYTES,
    READ_COUNT,
    READ_TIME,
    WRITE_BYTES,
    WRITE_COUNT,
    WRITE_TIME,
};

/* rates of one disk, when it was there before */
static void add_rates(const struct state *s, size_t i, struct value *v)
{
    struct diskio_rates rates;
    const struct diskio_disk *now = &s->last.disks[i];
    const struct diskio_disk *prev = s->has_sums ? find(&s->before, now, i) : NULL;
    if (prev == NULL || !diskio_rate(prev, now, s->last.mono_ns - s->before.mono_ns, &rates))
        return;
    v[AWAIT] = value_real(rates.await_ms);
    v[BUSY] = value_real(rates.busy * PERCENT);
    v[QUEUE_SIZE] = value_real(rates.queue_size);
}

/* a disk, or the host */
static void values(const void *state, size_t i, struct value *v)
{
    const struct state *s = state;
    if (i == s->last.count) {
        v[HOST_READ] = value_long(s->read_bytes);
        v[HOST_WRITE] = value_long(s->write_bytes);
        return;
    }
    const struct diskio_disk *d = &s->last.disks[i];
    v[IO_OPS] = value_long(d->in_flight);
    v[IO_TIME] = value_long(d->busy_ms);
    v[NAME] = value_text(slice_str(d->name));
    v[READ_BYTES] = value_long(d->read.bytes);
    v[READ_COUNT] = value_long(d->read.count);
    v[READ_TIME] = value_long(d->read.ms);
    v[WRITE_BYTES] = value_long(d->write.bytes);
    v[WRITE_COUNT] = value_long(d->write.count);
    v[WRITE_TIME] = value_long(d->write.ms);
    add_rates(s, i, v);
}

/* see header */
void diskio_sample_clear(struct diskio_sample *s)
{
    mem_free(s->disks);
    *s = (struct diskio_sample){0};
}

/* both samples */
static void clear(void *state)
{
    struct state *s = state;
    diskio_sample_clear(&s->last);
    diskio_sample_clear(&s->before);
}

static const struct field fields[] = {
    FIELD_ROW_LONG("host.disk.read.bytes", FIELD_BYTE, FIELD_GAUGE, true,
                   "Bytes that the host read from its disks since the last sample."),
    FIELD_ROW_LONG("host.disk.write.bytes", FIELD_BYTE, FIELD_GAUGE, true,
                   "Bytes that the host wrote to its disks since the last sample."),
    FIELD_ROW_LONG("system.diskio.io.ops", FIELD_NO_UNIT, FIELD_GAUGE, true,
                   "Requests that are on their way."),
    FIELD_ROW_LONG("system.diskio.io.time", FIELD_MS, FIELD_COUNTER, true,
                   "Time in which the disk was busy."),
    FIELD_ROW_REAL("system.diskio.iostat.await", 1000, FIELD_MS, true,
                   "Time that a request took since the last sample, on average."),
    FIELD_ROW_REAL("system.diskio.iostat.busy", 1000, FIELD_NO_UNIT, true,
                   "Time since the last sample in which the disk was busy, in percent (0 to 100)."),
    FIELD_ROW_REAL("system.diskio.iostat.queue.avg_size", 1000, FIELD_NO_UNIT, true,
                   "Requests that were on their way since the last sample, on average."),
    FIELD_ROW_KEYWORD("system.diskio.name", true, "Name of the disk."),
    FIELD_ROW_LONG("system.diskio.read.bytes", FIELD_BYTE, FIELD_COUNTER, true, "Bytes read."),
    FIELD_ROW_LONG("system.diskio.read.count", FIELD_NO_UNIT, FIELD_COUNTER, true,
                   "Reads that were completed."),
    FIELD_ROW_LONG("system.diskio.read.time", FIELD_MS, FIELD_COUNTER, true,
                   "Time that all reads took together."),
    FIELD_ROW_LONG("system.diskio.write.bytes", FIELD_BYTE, FIELD_COUNTER, true, "Bytes written."),
    FIELD_ROW_LONG("system.diskio.write.count", FIELD_NO_UNIT, FIELD_COUNTER, true,
                   "Writes that were completed."),
    FIELD_ROW_LONG("system.diskio.write.time", FIELD_MS, FIELD_COUNTER, true,
                   "Time that all writes took together."),
};

const struct metric_set diskio_set = {
    .name = "diskio",
    .which = CONFIG_SET_DISKIO,
    .root = PROCFS_PROC,
    .path = "diskstats",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct state),
    .sample = sample,
    .documents = documents,
    .values = values,
    .clear = clear,
};
