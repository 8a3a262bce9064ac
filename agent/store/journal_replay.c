/*
 * store/journal_replay - reading the logs of a journal that is opened
 *
 * A log is replayed up to the first record that does not verify or does not follow. How it ends is
 * judged by what stands behind that place: records of a later append prove that what is missing
 * had been synced, so it is damage; anything else is what a crash leaves of the last append.
 *
 * Invariants: r->j->sequence, current, epoch and used describe the log that was replayed last.
 *
 * What can fail: reading, which is counted and poisons.
 */
#include "store/journal_recovery.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- the report ---- */

/* adds to the text of the report */
void journal_recovery_note(struct journal_recovery *rec, const char *fmt, ...)
{
    size_t n = strlen(rec->text);
    size_t room = sizeof(rec->text) - n;
    if (n > 0 && room > 2) {
        memcpy(rec->text + n, "; ", 3);
        n += 2;
        room -= 2;
    }
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(rec->text + n, room, fmt, ap); /* cut where the report is full */
    va_end(ap);
}

/* counts a file that should have held something */
void journal_recovery_lose(struct journal_recoverer *r, const struct journal_file *f,
                           const char *why)
{
    r->rec->lost_files++;
    journal_recovery_note(r->rec, "%s: %s", f->name, why);
}

/* keeps a copy of the bytes just read */
void journal_recovery_set_aside(struct journal_recoverer *r, const struct journal_file *f)
{
    if (r->j->error != 0 || r->bytes.len == 0)
        return;
    int e = journal_file_set_aside(r->j, f, buf_slice(&r->bytes));
    if (e < 0 && e != -EEXIST)
        journal_recovery_note(r->rec, "%s could not be copied: %s", f->name, strerror(-e));
}

/* reads a file; what cannot be read must not be written either: its state may still be there */
void journal_recovery_load(struct journal_recoverer *r, const struct journal_file *f)
{
    int e = journal_file_read(r->j, f, &r->bytes);
    if (e == 0)
        return;
    journal_recovery_lose(r, f, strerror(-e));
    journal_poison(r->j, e);
}

/* whether a file is not there, or not as we make it */
bool journal_recovery_is_missing(const struct journal_file *f, const struct journal_found *found)
{
    return found->state == -ENOENT || found->state == -EMEDIUMTYPE ||
           (f->fd >= 0 && f->size < FRAME_HEADER_BYTES);
}

/* whether a file could be read; if not, that has been reported, and the journal is poisoned */
bool journal_recovery_is_known(const struct journal_found *found)
{
    return found->state == 0 || found->state == -EBADMSG || found->state == -ENODATA;
}

/* ---- the logs ---- */

/* how the log ends whose reading stopped at `at` with result `last` */
static enum journal_end judge_end(struct slice bytes, uint64_t epoch, size_t at, uint64_t sequence,
                                  int last)
{
    if (last > 0)
        return JOURNAL_END_BAD; /* a good record, but not the next one */
    switch (frame_find_later(bytes, epoch, at, sequence)) {
    case FRAME_LATER_NEXT:
        return JOURNAL_END_BAD;
    case FRAME_LATER_SAME:
        return JOURNAL_END_TORN;
    case FRAME_LATER_NONE:
        break;
    }
    /* every append writes END behind itself: a file that just ends has been cut */
    return last == 0 && at < bytes.len ? JOURNAL_END_CLEAN : JOURNAL_END_TORN;
}

/* replays what follows the sequence; if anything did, the log is current. Returns how many. */
static unsigned replay_log(struct journal_recoverer *r, unsigned slot, uint64_t epoch,
                           enum journal_end *ret_end)
{
    struct journal *j = r->j;
    unsigned count = 0;
    journal_recovery_load(r, &j->log[slot]);
    struct slice bytes = buf_slice(&r->bytes);
    size_t at = FRAME_HEADER_BYTES;
    size_t end = at;
    struct frame f;
    int last;
    while ((last = frame_next(bytes, epoch, &at, &f)) == 1 && f.sequence == j->sequence + 1) {
        end = at;
        j->sequence++;
        count++;
        r->fn(r->ctx, &f);
    }
    r->rec->records += count;
    *ret_end = judge_end(bytes, epoch, end, j->sequence, last);
    if (count > 0) {
        j->current = slot;
        j->epoch = epoch;
        j->used = end;
        if (epoch > j->epoch_max)
            j->epoch_max = epoch; /* its header was not there to tell */
    }
    return count;
}

/* counts how the log ended that has just been replayed */
static void report_end(struct journal_recoverer *r, unsigned slot, enum journal_end end)
{
    const char *name = r->j->log[slot].name;
    if (end == JOURNAL_END_TORN) {
        r->rec->torn_tails++;
        journal_recovery_note(r->rec, "%s: torn tail cut", name);
    } else if (end == JOURNAL_END_BAD) {
        r->rec->bad_middles++;
        journal_recovery_note(r->rec, "%s: damaged in the middle, records before it kept", name);
        journal_recovery_set_aside(r, &r->j->log[slot]);
        r->j->is_due = true;
    }
}

/* the log of the base: the current one, also when it is empty */
void journal_recovery_replay_own_log(struct journal_recoverer *r)
{
    struct journal *j = r->j;
    unsigned slot = j->base;
    struct journal_file *f = &j->log[slot];
    const struct journal_found *found = &r->log[slot];
    j->current = slot;
    j->used = FRAME_HEADER_BYTES;
    r->end = JOURNAL_END_CLEAN;
    if (journal_recovery_is_missing(f, found)) {
        journal_recovery_lose(r, f, "missing or empty");
        return;
    }
    if (!journal_recovery_is_known(found) || (found->state == 0 && found->header.epoch != j->epoch))
        return;
    unsigned count = replay_log(r, slot, j->epoch, &r->end);
    if (found->state == 0 || count > 0 || r->end == JOURNAL_END_BAD) {
        if (found->state != 0)
            journal_recovery_lose(r, f, "damaged header");
        report_end(r, slot, r->end);
    } else if (found->state == -EBADMSG) {
        /* the checkpoint was synced, the log not yet begun; what stands in it is of an earlier
         * life */
        r->rec->torn_tails++;
        journal_recovery_note(r->rec, "%s: unfinished header", f->name);
    }
}

/* a log that may hold more than the base knows */
void journal_recovery_join_log(struct journal_recoverer *r, unsigned slot, uint64_t after_epoch)
{
    struct journal *j = r->j;
    const struct journal_found *found = &r->log[slot];
    enum journal_end end;
    if (!journal_recovery_is_known(found) ||
        (found->state == 0 && found->header.epoch <= after_epoch))
        return;
    uint64_t epoch = found->state == 0 ? found->header.epoch : after_epoch + 1;
    unsigned count = replay_log(r, slot, epoch, &end);
    bool is_blank = found->state == -ENODATA && count == 0 && end == JOURNAL_END_CLEAN;
    if (found->state != 0 && !is_blank)
        journal_recovery_lose(r, &j->log[slot], "damaged header");
    if (count > 0) {
        r->end = end;
        j->is_due = true;
        report_end(r, slot, end);
        return;
    }
    r->must_wipe[slot] = !is_blank;
    if (end != JOURNAL_END_CLEAN && found->state == 0) {
        journal_recovery_lose(r, &j->log[slot], "continues what was lost, not replayed");
        journal_recovery_set_aside(r, &j->log[slot]);
    }
}
