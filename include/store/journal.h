#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

/*
 * Durable state in a directory of fixed files: two logs and two checkpoint slots, preallocated,
 * zero-filled and used alternately, in place, so that a full disk does not stop offsets.
 *
 *     log.0 log.1 checkpoint.0 checkpoint.1
 *
 * Epoch e uses log.(e % 2), which continues checkpoint.(e % 2). A checkpoint is the whole state as
 * records, closed by a COUNT record; the newest complete one counts. Order of a switch to e + 1:
 * checkpoint written and synced, then the log's new header written and synced; a crash between the
 * two leaves a valid checkpoint with an empty log. Where the newest checkpoint is damaged, the
 * older one with both logs behind it gives the same state again, provided that all changes went
 * through journal_append.
 *
 * Blocking: used by the store thread (store/writer.h) and, at start, by the loop before it runs.
 *
 * After an error of a write or a sync the same file is never synced again: the journal is
 * `poisoned`; journal_renew makes new files (name.new, renamed over the old) from a checkpoint.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/err.h"
#include "os/fs.h"
#include "store/frame.h"

#define JOURNAL_LOG_BYTES        ((size_t)256 * 1024)
#define JOURNAL_CHECKPOINT_BYTES ((size_t)256 * 1024)
/* No file of the journal grows beyond this. */
#define JOURNAL_FILE_MAX ((size_t)64 * 1024 * 1024)

struct journal;

struct journal_opts {
    const struct fs *fs; /* borrowed */
    int dir;             /* borrowed fd of the directory */
    uint8_t machine_id[16];
    int64_t now_ns;          /* wall time, for headers and *.corrupt-TIME (UTC) names */
    bool read_only;          /* look only: no file is written or made, poisoned with -EROFS */
    size_t log_bytes;        /* 0 = JOURNAL_LOG_BYTES; first size of each log; multiple of 8 */
    size_t checkpoint_bytes; /* 0 = JOURNAL_CHECKPOINT_BYTES; likewise */
};

/* What recovery found; every field is a counter that health and the ledger show. */
struct journal_recovery {
    bool existed;           /* any state was found */
    bool newer_version;     /* files of a newer format: left alone, not replayed, never written */
    bool read_only;         /* no durable write is possible; the journal is poisoned */
    unsigned records;       /* replayed */
    unsigned torn_tails;    /* cut, and checkpoints that were not finished */
    unsigned bad_middles;   /* prefix kept, file copied to NAME.corrupt-TIME */
    unsigned lost_files;    /* missing, unreadable, damaged (what they held may be elsewhere) */
    uint8_t machine_id[16]; /* of the newest checkpoint or log; zero if unknown */
    char text[256];         /* one line for the log, "" when all was well */
};

/* Called for each record in order: first the checkpoint's, then the log's. */
typedef void (*journal_replay_fn)(void *ctx, const struct frame *f);

/*
 * Opens or creates the files, replays, and leaves the journal ready to append. Never fails because
 * of what the files hold; a negative errno only when not even memory can be had. Where nothing can
 * be written, the journal is made all the same, poisoned, with why in *ret_rec.
 */
int journal_open(const struct journal_opts *opts, journal_replay_fn fn, void *ctx,
                 struct journal_recovery *ret_rec, struct journal **ret_journal) MUST_CHECK;
void journal_free(struct journal **j);

/* Removes the files of a journal that is not open. */
int journal_remove(const struct fs *fs, int dir) MUST_CHECK;

/* Sequence of the last record appended or replayed. */
uint64_t journal_sequence(const struct journal *j);

/*
 * Appends records and makes them durable: one pwrite, one fdatasync. `records` holds, one after
 * the other: u8 type, u32 length, payload (see journal_pack). All or a first part of a failed
 * append may be found again by the next journal_open.
 *
 * 0. Without poisoning, nothing written: -ENOSPC (the log is full: checkpoint first; this also
 * makes journal_wants_checkpoint true), -EINVAL (not packed records), -EMSGSIZE. Any other errno
 * poisons, and is returned by every append and checkpoint until journal_renew.
 */
int journal_append(struct journal *j, struct slice records) MUST_CHECK;

/* Whether a checkpoint is due: the log is over 3/4 full, or recovery found damage that a checkpoint
 * makes good. False while poisoned. */
bool journal_wants_checkpoint(const struct journal *j);

/* Writes the whole state (packed records) as the next epoch's checkpoint and switches logs. Grows
 * the files first when the state fills half a slot or half a log, while there is space. Without
 * poisoning: -ENOSPC (a file is too small or missing, and there is no space for a larger one),
 * -EFBIG (the state passes JOURNAL_FILE_MAX), -EINVAL; the old state goes on. */
int journal_checkpoint(struct journal *j, struct slice records) MUST_CHECK;

bool journal_is_poisoned(const struct journal *j);
/* Makes new files from the whole state after poisoning. 0 = healthy again; else still poisoned, to
 * be tried again later. -EPROTONOSUPPORT: never, the files are a newer version's. */
int journal_renew(struct journal *j, struct slice records) MUST_CHECK;

/* Bytes written to disk since opening, for routers with flash. */
uint64_t journal_bytes_written(const struct journal *j);

/* Adds one record to a packed list. */
int journal_pack(struct buf *records, uint8_t type, struct slice payload) MUST_CHECK;

#endif
