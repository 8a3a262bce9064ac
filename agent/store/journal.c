/*
 * store/journal - durable state in four files: append, checkpoint, renew
 *
 * An append is one pwrite of its records with END behind them, then one fdatasync. A checkpoint
 * goes into the slot that the state on disk does not rest on, then the log of that slot begins a
 * new life with a new epoch.
 *
 *     healthy --append, checkpoint fail--> poisoned --journal_renew--> healthy
 *     journal_open --newer version--> locked (poisoned for good)
 *
 * Invariants:
 * 1. The slot `base` holds a complete, synced checkpoint and is not written; a checkpoint goes to
 *    the other one.
 * 2. Every attempt to write a checkpoint has an epoch of its own, above all that were found or
 *    tried. The COUNT record's checksum covers the whole checkpoint, so that parts of two attempts
 *    never pass for one.
 * 3. Log records carry sequences without a gap; the first follows the sequence named in the
 *    checkpoint. journal_renew leaves a gap, since what the owner changed while the journal was
 *    poisoned is in no log.
 * 4. Behind the END of the current log no record of its epoch with a higher sequence stands
 *    (recovery wipes what a torn append left), and a failed append is the last one into its file.
 *    So a record that was never acknowledged cannot come back to life behind a later append that
 *    happens to end where it begins.
 *
 * What can fail: every write. An error of a write or a sync poisons; what is on disk then is still
 * a valid state. Lack of space for a larger file does not poison: the old files go on.
 */
#include "store/journal.h"

#include <errno.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "store/journal_internal.h"

enum {
    END_BYTES = 8,
    SCRATCH_KEPT = 64 * 1024, /* more than this is given back after use */
};

/* closes and frees */
void journal_free(struct journal **j)
{
    if (*j == NULL)
        return;
    for (unsigned slot = 0; slot < 2; slot++) {
        journal_file_close(*j, &(*j)->log[slot]);
        journal_file_close(*j, &(*j)->checkpoint[slot]);
    }
    buf_clear(&(*j)->scratch);
    mem_free(*j);
    *j = NULL;
}

/* last record */
uint64_t journal_sequence(const struct journal *j)
{
    return j->sequence;
}

/* the log is nearly full, or recovery asked for one */
bool journal_wants_checkpoint(const struct journal *j)
{
    return j->error == 0 && (j->is_due || j->used > j->log[j->current].size / 4 * 3);
}

/* an error that has not been cured */
bool journal_is_poisoned(const struct journal *j)
{
    return j->error != 0;
}

/* since opening */
uint64_t journal_bytes_written(const struct journal *j)
{
    return j->written;
}

/* type, length, payload: all or nothing */
int journal_pack(struct buf *records, uint8_t type, struct slice payload)
{
    size_t before = records->len;
    int r = frame_put_u8(records, type);
    if (r == 0)
        r = frame_put_bytes(records, payload);
    if (r < 0)
        buf_cut(records, before);
    return r;
}

/* empties the scratch buffer, keeping a usual amount of memory */
static void reset_scratch(struct journal *j)
{
    if (j->scratch.cap > SCRATCH_KEPT)
        buf_clear(&j->scratch);
    buf_reset(&j->scratch);
}

/* packed records to frames with the sequences after `sequence` in scratch */
static int add_frames(struct journal *j, uint64_t epoch, uint64_t sequence, struct slice records,
                      uint64_t *ret_count)
{
    uint64_t count = 0;
    while (records.len > 0) {
        struct frame f = {.opens = count == 0};
        if (!frame_get_u8(&records, &f.type) || !frame_get_bytes(&records, &f.payload))
            return -EINVAL;
        f.sequence = sequence + ++count;
        int r = frame_add(&j->scratch, epoch, &f);
        if (r < 0)
            return r;
    }
    *ret_count = count;
    return 0;
}

/* the frames in scratch to the end of the log */
static int write_log(struct journal *j, uint64_t count)
{
    struct journal_file *log = &j->log[j->current];
    size_t n = j->scratch.len;
    if (n + END_BYTES > log->size - j->used) {
        j->is_due = true;
        return -ENOSPC;
    }
    int r = frame_add_end(&j->scratch);
    if (r < 0)
        return r;
    r = journal_file_write(j, log, j->scratch.ptr, j->scratch.len, j->used);
    j->sequence += count; /* also after a failure: they may stand on the disk */
    if (r == 0)
        j->used += n;
    return r;
}

/* one write, one sync */
int journal_append(struct journal *j, struct slice records)
{
    if (j->error != 0)
        return j->error;
    if (records.len == 0)
        return 0;
    uint64_t count;
    int r = add_frames(j, j->epoch, j->sequence, records, &count);
    if (r == 0)
        r = write_log(j, count);
    else if (r == -ENOBUFS)
        r = -ENOSPC; /* more than any log can hold: a matter for a checkpoint as well */
    reset_scratch(j);
    return r;
}

/* never the slot of the base */
uint64_t journal_next_epoch(const struct journal *j)
{
    uint64_t epoch = j->epoch_max + 1;
    return epoch % 2 == j->base ? epoch + 1 : epoch;
}

/* the header of one of our files */
static int add_header(struct journal *j, enum frame_kind kind, uint64_t epoch)
{
    struct frame_header h = {
        .version = FRAME_VERSION,
        .kind = kind,
        .epoch = epoch,
        .created_ns = j->opts.now_ns,
    };
    memcpy(h.machine_id, j->opts.machine_id, sizeof(h.machine_id));
    uint8_t bytes[FRAME_HEADER_BYTES];
    frame_header_write(bytes, &h);
    return buf_add(&j->scratch, bytes, sizeof(bytes));
}

/* header, records, COUNT */
int journal_build_checkpoint(struct journal *j, uint64_t epoch, struct slice records)
{
    buf_reset(&j->scratch);
    uint64_t count;
    int r = add_header(j, FRAME_KIND_CHECKPOINT, epoch);
    if (r == 0)
        r = add_frames(j, epoch, 0, records, &count);
    if (r < 0)
        return r == -ENOBUFS ? -EFBIG : r;
    struct buf payload;
    buf_init(&payload, 64);
    r = frame_put_u64(&payload, count);
    if (r == 0)
        r = frame_put_u64(&payload, j->sequence);
    if (r == 0)
        r = frame_put_u32(&payload, crc32c(0, j->scratch.ptr, j->scratch.len));
    if (r == 0) {
        struct frame f = {
            .sequence = count + 1, .type = FRAME_COUNT, .payload = buf_slice(&payload)};
        r = frame_add(&j->scratch, epoch, &f);
    }
    buf_clear(&payload);
    return r == -ENOBUFS ? -EFBIG : r;
}

/* the first bytes of a log, in place */
int journal_write_log_header(struct journal *j, unsigned slot, uint64_t epoch, bool is_empty)
{
    buf_reset(&j->scratch);
    int r = add_header(j, FRAME_KIND_LOG, epoch);
    if (r == 0 && is_empty)
        r = frame_add_end(&j->scratch);
    if (r == 0)
        r = journal_file_write(j, &j->log[slot], j->scratch.ptr, j->scratch.len, 0);
    reset_scratch(j);
    return r;
}

/* a new life */
int journal_start_log(struct journal *j, unsigned slot, uint64_t epoch)
{
    int r = journal_write_log_header(j, slot, epoch, true);
    if (r < 0)
        return r;
    j->current = slot;
    j->epoch = epoch;
    j->used = FRAME_HEADER_BYTES;
    j->is_due = false;
    return 0;
}

/* size of a file that `need` bytes fill at most by half, as far as the limit allows */
static size_t wanted_size(size_t size, size_t smallest, size_t need)
{
    if (size < smallest)
        size = smallest;
    while (need > size / 2 && size < JOURNAL_FILE_MAX)
        size = size < JOURNAL_FILE_MAX / 2 ? size * 2 : JOURNAL_FILE_MAX;
    return size;
}

/* grows or makes a file whose content is not needed; without space the one that is there stays */
static int ensure_file(struct journal *j, struct journal_file *f, size_t size)
{
    if (f->fd >= 0 && f->size >= size)
        return 0;
    bool was_healthy = j->error == 0;
    int r = journal_file_make(j, f, size);
    if (r < 0 && f->fd >= 0 && was_healthy && j->error == 0)
        return 0;
    return r;
}

/* the checkpoint in scratch, durable; then it is the base */
static int write_checkpoint(struct journal *j, unsigned slot)
{
    struct journal_file *f = &j->checkpoint[slot];
    int r = ensure_file(j, f, wanted_size(f->size, j->opts.checkpoint_bytes, j->scratch.len));
    if (r < 0)
        return r;
    if (j->scratch.len > f->size)
        return f->size == JOURNAL_FILE_MAX ? -EFBIG : -ENOSPC;
    r = journal_file_write(j, f, j->scratch.ptr, j->scratch.len, 0);
    if (r == 0)
        j->base = slot;
    return r;
}

/* a log for a state of `need` bytes */
static int ensure_log(struct journal *j, unsigned slot, size_t need)
{
    struct journal_file *f = &j->log[slot];
    return ensure_file(j, f, wanted_size(f->size, j->opts.log_bytes, need));
}

/* the next epoch, in place */
int journal_checkpoint(struct journal *j, struct slice records)
{
    if (j->error != 0)
        return j->error;
    uint64_t epoch = journal_next_epoch(j);
    unsigned slot = epoch % 2;
    int r = journal_build_checkpoint(j, epoch, records);
    /* After recovery from the older checkpoint the current log may be in this slot: it is needed
     * until the checkpoint is durable, and keeps its size. */
    if (r == 0 && slot != j->current)
        r = ensure_log(j, slot, j->scratch.len);
    if (r == 0) {
        j->epoch_max = epoch;
        r = write_checkpoint(j, slot);
    }
    reset_scratch(j);
    return r < 0 ? r : journal_start_log(j, slot, epoch);
}

/* makes the files of the next epoch; those that the disk has still stay its state till then */
static int write_new_files(struct journal *j, struct slice records)
{
    uint64_t epoch = journal_next_epoch(j);
    unsigned slot = epoch % 2;
    int r = journal_build_checkpoint(j, epoch, records);
    size_t need = j->scratch.len;
    if (r == 0) {
        j->epoch_max = epoch;
        r = write_checkpoint(j, slot);
    }
    if (r == 0)
        r = ensure_log(j, slot, need);
    return r < 0 ? r : journal_start_log(j, slot, epoch);
}

/* gives up all old fds, makes new files */
int journal_renew(struct journal *j, struct slice records)
{
    if (j->is_locked)
        return -EPROTONOSUPPORT;
    for (unsigned slot = 0; slot < 2; slot++) {
        journal_file_close(j, &j->log[slot]);
        journal_file_close(j, &j->checkpoint[slot]);
    }
    journal_poison(j, -EIO); /* until all is done; a first reason stays */
    j->sequence++;           /* the gap of invariant 3 */
    int r = write_new_files(j, records);
    reset_scratch(j);
    if (r < 0)
        return r;
    j->error = 0;
    /* The other slot's files are made while there is space; if not, the next checkpoint tries. */
    unsigned other = 1 - j->base;
    if (journal_file_make(j, &j->log[other], j->opts.log_bytes) == 0 &&
        journal_file_make(j, &j->checkpoint[other], j->opts.checkpoint_bytes) == 0)
        return 0;
    return j->error;
}
