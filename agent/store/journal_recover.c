/*
 * store/journal_recover - opening a journal: what to believe, what to repair
 *
 * 1. Base: the newest checkpoint whose header, records and COUNT are right; else the older one.
 *    A checkpoint counts as damaged (not merely unfinished) when its log had been begun, which
 *    happens only after it was synced.
 * 2. Its log is replayed up to the first record that does not verify or does not follow. The log
 *    of another epoch is empty; one whose header is damaged is tried with the epoch that it should
 *    have, since records verify by themselves.
 * 3. If the newer checkpoint was lost, its log is replayed behind the older one's when its first
 *    record follows: the two logs then have all that was acknowledged. Without any checkpoint the
 *    same holds for logs that begin with sequence 1.
 * 4. Repairs, before the first append: stale bytes behind the end of the log and logs that must
 *    never be joined are wiped, headers written, missing files made.
 *
 * Invariants: nothing is replayed that does not verify; what was not replayed although it was once
 * durable is counted, named in the text, and set aside in a copy where it can be.
 *
 * What can fail: every system call; the journal is then poisoned and works in memory.
 */
#include "store/journal_recovery.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "store/journal_check.h"

/* Epochs above are no work of ours; keeps the arithmetic from wrapping. */
#define EPOCH_LIMIT (UINT64_MAX / 4)
#define NS_PER_MS   1000000

/* ---- looking at the files ---- */

/* opens one file and reads its header */
static void look(struct journal_recoverer *r, struct journal_file *f, struct journal_found *found)
{
    int refused = 0;
    int e = journal_file_open(r->j, f, &refused);
    if (refused < 0)
        journal_poison(r->j, refused);
    uint8_t head[FRAME_HEADER_BYTES];
    ssize_t n = e;
    if (e == 0)
        n = fs_read_at(r->j->opts.fs, f->fd, head, sizeof(head), 0);
    if (n < 0) {
        found->state = (int)n;
        if (n != -ENOENT && n != -EMEDIUMTYPE) {
            journal_recovery_lose(r, f, strerror(-(int)n));
            journal_poison(r->j, (int)n);
        }
        return;
    }
    found->is_empty = n == 0;
    found->state = frame_header_read(slice_of((const char *)head, (size_t)n), &found->header);
    if (found->state == 0 && (found->header.kind != (uint32_t)f->kind || found->header.epoch == 0 ||
                              found->header.epoch > EPOCH_LIMIT))
        found->state = -EBADMSG;
    if (found->state == 0 && found->header.epoch > r->j->epoch_max)
        r->j->epoch_max = found->header.epoch;
    if (found->state == -EPROTONOSUPPORT)
        r->rec->newer_version = true;
}

/* all four; a file that exists but cannot be read may hold any epoch, so the next is taken from the
 * clock, far above those that count checkpoints */
static void look_at_all(struct journal_recoverer *r)
{
    struct journal *j = r->j;
    for (unsigned slot = 0; slot < 2; slot++) {
        look(r, &j->log[slot], &r->log[slot]);
        look(r, &j->checkpoint[slot], &r->checkpoint[slot]);
    }
    bool is_known = r->rec->lost_files == 0;
    uint64_t now = j->opts.now_ns > 0 ? (uint64_t)j->opts.now_ns / NS_PER_MS : 0;
    if (!is_known && j->epoch_max < now)
        j->epoch_max = now;
}

/* ---- the checkpoint ---- */

/* hands on the records of a checkpoint that is complete */
static void replay_checkpoint(struct journal_recoverer *r, uint64_t epoch)
{
    size_t at = FRAME_HEADER_BYTES;
    struct frame f;
    while (frame_next(buf_slice(&r->bytes), epoch, &at, &f) == 1 && f.type != FRAME_COUNT) {
        r->fn(r->ctx, &f);
        r->rec->records++;
    }
}

/* takes this slot's checkpoint as the base if it is good */
static void try_base(struct journal_recoverer *r, unsigned slot)
{
    struct journal *j = r->j;
    const struct journal_found *found = &r->checkpoint[slot];
    uint64_t sequence;
    if (r->has_base || found->state != 0)
        return;
    journal_recovery_load(r, &j->checkpoint[slot]);
    if (!journal_check_checkpoint(buf_slice(&r->bytes), found->header.epoch, &sequence))
        return;
    r->has_base = true;
    j->base = slot;
    j->epoch = found->header.epoch;
    j->sequence = sequence;
    memcpy(r->rec->machine_id, found->header.machine_id, sizeof(r->rec->machine_id));
    replay_checkpoint(r, j->epoch);
}

/* newest first */
static void choose_base(struct journal_recoverer *r)
{
    unsigned newer = r->checkpoint[1].state == 0 &&
                     (r->checkpoint[0].state != 0 ||
                      r->checkpoint[1].header.epoch > r->checkpoint[0].header.epoch);
    try_base(r, newer);
    try_base(r, 1 - newer);
}

/* the checkpoint beside the base: older, unfinished, or lost */
static void judge_other_checkpoint(struct journal_recoverer *r)
{
    struct journal *j = r->j;
    unsigned other = 1 - j->base;
    struct journal_file *f = &j->checkpoint[other];
    const struct journal_found *found = &r->checkpoint[other];
    const struct journal_found *log = &r->log[other];
    if (journal_recovery_is_missing(f, found)) {
        journal_recovery_lose(r, f, "missing or empty");
    } else if (!journal_recovery_is_known(found)) {
        return;
    } else if (log->state == 0 && log->header.epoch > j->epoch) {
        journal_recovery_load(r, f);
        journal_recovery_set_aside(r, f);
        journal_recovery_lose(r, f, "damaged, going on from the older checkpoint");
    } else if (found->state == -EBADMSG || (found->state == 0 && found->header.epoch > j->epoch)) {
        r->rec->torn_tails++;
        journal_recovery_note(r->rec, "%s: unfinished checkpoint ignored", f->name);
        r->is_unfinished = true;
    }
}

/* the log beside the base */
static void judge_other_log(struct journal_recoverer *r)
{
    unsigned other = 1 - r->j->base;
    const struct journal_found *found = &r->log[other];
    if (journal_recovery_is_missing(&r->j->log[other], found))
        journal_recovery_lose(r, &r->j->log[other], "missing or empty");
    else
        journal_recovery_join_log(r, other, r->j->epoch);
}

/* ---- without a checkpoint ---- */

/* sequence of the log's first record; 0 = it has none of its own epoch */
static uint64_t first_sequence(struct journal_recoverer *r, unsigned slot)
{
    struct frame f;
    size_t at = FRAME_HEADER_BYTES;
    if (r->log[slot].state != 0)
        return 0;
    journal_recovery_load(r, &r->j->log[slot]);
    int found = frame_next(buf_slice(&r->bytes), r->log[slot].header.epoch, &at, &f);
    return found == 1 ? f.sequence : 0;
}

/* whether a journal had ever been in use: an unfinished creation leaves zeros and perhaps a part of
 * the first checkpoint, but no log that has been begun */
static bool was_in_use(struct journal_recoverer *r)
{
    for (unsigned slot = 0; slot < 2; slot++) {
        const struct journal_found *log = &r->log[slot];
        const struct journal_found *checkpoint = &r->checkpoint[slot];
        bool is_written = checkpoint->state == 0 || checkpoint->state == -EBADMSG;
        if (log->state == 0 || log->state == -EBADMSG || log->is_empty || checkpoint->is_empty ||
            (is_written && log->state == -ENOENT))
            return true;
    }
    return false;
}

/* keeps copies of what cannot be used */
static void set_all_aside(struct journal_recoverer *r)
{
    for (unsigned slot = 0; slot < 2; slot++) {
        struct journal_file *files[] = {&r->j->checkpoint[slot], &r->j->log[slot]};
        for (size_t i = 0; i < ARRAY_LEN(files); i++) {
            if (files[i]->fd < 0)
                continue;
            journal_recovery_load(r, files[i]);
            journal_recovery_set_aside(r, files[i]);
        }
    }
}

/* all four files new: zeros, then the first checkpoint, then its log */
static void create(struct journal_recoverer *r)
{
    struct journal *j = r->j;
    uint64_t epoch = journal_next_epoch(j);
    unsigned slot = epoch % 2;
    int e = j->error;
    for (unsigned i = 0; i < 2 && e == 0; i++) {
        e = journal_file_make(j, &j->checkpoint[i], j->opts.checkpoint_bytes);
        if (e == 0)
            e = journal_file_make(j, &j->log[i], j->opts.log_bytes);
    }
    if (e == 0)
        e = journal_build_checkpoint(j, epoch, (struct slice){0});
    if (e == 0)
        e = journal_file_write(j, &j->checkpoint[slot], j->scratch.ptr, j->scratch.len, 0);
    if (e == 0)
        e = journal_start_log(j, slot, epoch);
    j->epoch_max = epoch;
    if (e == 0)
        j->base = slot;
    else
        journal_poison(j, e);
}

/* logs that begin with sequence 1 hold everything; else there is nothing to build on */
static void recover_without_base(struct journal_recoverer *r)
{
    struct journal *j = r->j;
    if (!was_in_use(r)) {
        create(r);
        return;
    }
    r->rec->existed = true;
    for (unsigned slot = 0; slot < 2; slot++)
        journal_recovery_lose(r, &j->checkpoint[slot], "no usable checkpoint");
    unsigned older = r->log[0].state != 0 ||
                     (r->log[1].state == 0 && r->log[1].header.epoch < r->log[0].header.epoch);
    if (first_sequence(r, older) == 1) {
        j->base = 1 - older;
        memcpy(r->rec->machine_id, r->log[older].header.machine_id, sizeof(r->rec->machine_id));
        journal_recovery_join_log(r, older, 0);
        journal_recovery_join_log(r, 1 - older, r->log[older].header.epoch);
        j->base = 1 - j->current; /* the next checkpoint goes beside the log that is in use */
        return;
    }
    journal_recovery_note(r->rec, "starting anew");
    set_all_aside(r);
    create(r);
}

/* ---- repairs ---- */

/* makes what is missing */
static int make_missing(struct journal_recoverer *r, unsigned slot)
{
    struct journal *j = r->j;
    struct journal_file *log = &j->log[slot];
    struct journal_file *checkpoint = &j->checkpoint[slot];
    int e = 0;
    bool is_used = slot == j->current && j->used > FRAME_HEADER_BYTES;
    if (log->size < FRAME_HEADER_BYTES * 2 && !is_used) {
        e = journal_file_make(j, log, j->opts.log_bytes);
        r->log[slot].state = -ENODATA;
    }
    if (e == 0 && slot != j->base && (checkpoint->fd < 0 || checkpoint->size < FRAME_HEADER_BYTES))
        e = journal_file_make(j, checkpoint, j->opts.checkpoint_bytes);
    return e;
}

/* takes the header of an unfinished checkpoint away, so that it is reported once */
static int repair_checkpoint(struct journal_recoverer *r)
{
    static const char zeros[FRAME_HEADER_BYTES];
    struct journal_file *f = &r->j->checkpoint[1 - r->j->base];
    if (!r->is_unfinished)
        return 0;
    return journal_file_write(r->j, f, zeros, f->size < sizeof(zeros) ? f->size : sizeof(zeros), 0);
}

/* makes the current log what its header says, with nothing behind its end */
static int repair_log(struct journal_recoverer *r)
{
    struct journal *j = r->j;
    const struct journal_found *found = &r->log[j->current];
    struct journal_file *f = &j->log[j->current];
    int e = 0;
    if (r->end != JOURNAL_END_CLEAN)
        e = journal_file_wipe(j, f, j->used);
    if (e == 0 && (found->state != 0 || found->header.epoch != j->epoch))
        e = journal_write_log_header(j, j->current, j->epoch, j->used == FRAME_HEADER_BYTES);
    if (f->size < j->opts.log_bytes)
        j->is_due = true; /* someone has cut it: the next checkpoint makes it anew */
    return e;
}

/* everything that must be on disk before the first append */
static void repair(struct journal_recoverer *r)
{
    struct journal *j = r->j;
    int e = j->error;
    for (unsigned slot = 0; slot < 2 && e == 0; slot++) {
        e = make_missing(r, slot);
        if (e == 0 && r->must_wipe[slot])
            e = journal_file_wipe(j, &j->log[slot], 0);
    }
    if (e == 0)
        e = repair_checkpoint(r);
    if (e == 0)
        e = repair_log(r);
    if (e < 0)
        journal_poison(j, e);
}

/* ---- opening ---- */

/* an empty journal in memory */
static struct journal *new_journal(const struct journal_opts *opts)
{
    struct journal *j = mem_zalloc(sizeof(*j));
    j->opts = *opts;
    if (j->opts.log_bytes == 0)
        j->opts.log_bytes = JOURNAL_LOG_BYTES;
    if (j->opts.checkpoint_bytes == 0)
        j->opts.checkpoint_bytes = JOURNAL_CHECKPOINT_BYTES;
    buf_init(&j->scratch, JOURNAL_FILE_MAX);
    j->log[0] = (struct journal_file){.name = "log.0", .kind = FRAME_KIND_LOG, .fd = -1};
    j->log[1] = (struct journal_file){.name = "log.1", .kind = FRAME_KIND_LOG, .fd = -1};
    j->checkpoint[0] =
        (struct journal_file){.name = "checkpoint.0", .kind = FRAME_KIND_CHECKPOINT, .fd = -1};
    j->checkpoint[1] =
        (struct journal_file){.name = "checkpoint.1", .kind = FRAME_KIND_CHECKPOINT, .fd = -1};
    return j;
}

/* from what the files hold to a journal that is ready */
static void recover(struct journal_recoverer *r)
{
    struct journal *j = r->j;
    choose_base(r);
    if (!r->has_base) {
        recover_without_base(r);
    } else {
        r->rec->existed = true;
        judge_other_checkpoint(r);
        journal_recovery_replay_own_log(r);
        judge_other_log(r);
    }
    if (r->has_base || r->rec->records > 0)
        repair(r);
    buf_clear(&r->bytes);
    if (j->scratch.cap > 0)
        buf_clear(&j->scratch);
}

/* opens, replays, repairs */
int journal_open(const struct journal_opts *opts, journal_replay_fn fn, void *ctx,
                 struct journal_recovery *ret_rec, struct journal **ret_journal)
{
    struct journal *j = new_journal(opts);
    struct journal_recoverer r = {.j = j, .rec = ret_rec, .fn = fn, .ctx = ctx};
    *ret_rec = (struct journal_recovery){0};
    buf_init(&r.bytes, JOURNAL_FILE_MAX);
    if (opts->read_only)
        journal_poison(j, -EROFS);
    look_at_all(&r);
    if (ret_rec->newer_version) {
        j->is_locked = true;
        journal_poison(j, -EPROTONOSUPPORT);
        ret_rec->existed = true;
        journal_recovery_note(ret_rec,
                              "written by a newer version, left alone; state is kept in memory");
    } else {
        recover(&r);
        if (j->error != 0 && !opts->read_only)
            journal_recovery_note(ret_rec, "no durable write: %s", strerror(-j->error));
    }
    ret_rec->read_only = j->error != 0;
    *ret_journal = j;
    return 0;
}
