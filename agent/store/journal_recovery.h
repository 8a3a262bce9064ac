#ifndef STORE_JOURNAL_RECOVERY_H
#define STORE_JOURNAL_RECOVERY_H

/* What journal_recover.c (which files to believe, repairs) and journal_replay.c (reading the logs)
 * share while a journal is opened. */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/def.h"
#include "store/frame.h"
#include "store/journal.h"
#include "store/journal_internal.h"

/* what was found in one file */
struct journal_found {
    int state; /* of the header: as frame_header_read, -ENOENT, or why it cannot be read */
    struct frame_header header;
    bool is_empty; /* no byte in it */
};

enum journal_end { JOURNAL_END_CLEAN, JOURNAL_END_TORN, JOURNAL_END_BAD };

struct journal_recoverer {
    struct journal *j;
    struct journal_recovery *rec;
    journal_replay_fn fn;
    void *ctx;
    struct journal_found log[2];
    struct journal_found checkpoint[2];
    struct buf bytes; /* of the file that is being looked at */
    bool has_base;
    enum journal_end end; /* of the current log */
    bool must_wipe[2];    /* logs that must never be joined */
    bool is_unfinished;   /* the checkpoint beside the base */
};

/* Adds to the text of the report. */
void journal_recovery_note(struct journal_recovery *rec, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Counts a file that should have held something. */
void journal_recovery_lose(struct journal_recoverer *r, const struct journal_file *f,
                           const char *why);
/* Reads a file into r->bytes. What cannot be read is counted, and poisons: it must not be written
 * either, its state may still be there. */
void journal_recovery_load(struct journal_recoverer *r, const struct journal_file *f);
/* Keeps a copy of the bytes just read. */
void journal_recovery_set_aside(struct journal_recoverer *r, const struct journal_file *f);
/* Whether a file is not there, or not as we make it. */
bool journal_recovery_is_missing(const struct journal_file *f, const struct journal_found *found);
/* Whether a file could be read; if not, that has been reported. */
bool journal_recovery_is_known(const struct journal_found *found);

/* Replays the log of the base; it is current then, also when it is empty. */
void journal_recovery_replay_own_log(struct journal_recoverer *r);
/* Replays a log that may hold more than the base knows, if it follows; else it is to be wiped. */
void journal_recovery_join_log(struct journal_recoverer *r, unsigned slot, uint64_t after_epoch);

#endif
