#ifndef STORE_JOURNAL_INTERNAL_H
#define STORE_JOURNAL_INTERNAL_H

/* What journal.c, journal_file.c and journal_recover.c share. */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/frame.h"
#include "store/journal.h"

/* One of the four files. */
struct journal_file {
    const char *name;
    enum frame_kind kind;
    int fd;      /* -1: missing, or never to be used again */
    size_t size; /* usable bytes, a multiple of 8; 0 without fd */
};

struct journal {
    struct journal_opts opts; /* sizes filled in */
    struct journal_file log[2];
    struct journal_file checkpoint[2];
    unsigned base;    /* slot of the checkpoint that the state on disk rests on: not overwritten */
    unsigned current; /* slot of the log that appends go to */
    uint64_t epoch;   /* of the current log */
    uint64_t epoch_max; /* highest that was ever tried or found */
    uint64_t sequence;
    size_t used;    /* bytes of the current log before its END */
    int error;      /* why the journal is poisoned; 0 = healthy */
    bool is_locked; /* files of a newer version: never written */
    bool is_due;    /* a checkpoint is wanted, however full the log is */
    uint64_t written;
    struct buf scratch; /* frames on their way to the disk */
};

/* ---- one file (journal_file.c) ---- */

/* From now on nothing is written or synced but by journal_renew. Keeps the first reason. */
void journal_poison(struct journal *j, int error);
/* Opens an existing file, for reading only where writing is refused (then *ret_refused gets the
 * reason). 0 or negative errno; -EMEDIUMTYPE: not a regular file. */
int journal_file_open(struct journal *j, struct journal_file *f, int *ret_refused) MUST_CHECK;
void journal_file_close(struct journal *j, struct journal_file *f);
/* Reads the file whole into *out (emptied first). After an error *out holds what stands before the
 * bad place. */
int journal_file_read(struct journal *j, const struct journal_file *f, struct buf *out) MUST_CHECK;
/* Puts a new zero-filled file of `size` bytes in the place of f. A failure before the name is
 * taken changes nothing; a failure to make the name durable poisons. */
int journal_file_make(struct journal *j, struct journal_file *f, size_t size) MUST_CHECK;
/* Writes and syncs in place. A failure poisons. */
int journal_file_write(struct journal *j, struct journal_file *f, const void *p, size_t n,
                       size_t at) MUST_CHECK;
/* The same with zeros from `at` to the end of the file. */
int journal_file_wipe(struct journal *j, struct journal_file *f, size_t at) MUST_CHECK;
/* Writes bytes to a new file NAME.corrupt-TIME, cut at a limit. */
int journal_file_set_aside(struct journal *j, const struct journal_file *f,
                           struct slice bytes) MUST_CHECK;

/* ---- epochs (journal.c) ---- */

/* The lowest epoch above every known one whose slot is not the base. */
uint64_t journal_next_epoch(const struct journal *j);
/* Fills the scratch buffer with a checkpoint of packed records. */
int journal_build_checkpoint(struct journal *j, uint64_t epoch, struct slice records) MUST_CHECK;
/* Writes a log's header (and END behind it when the log is to be empty). */
int journal_write_log_header(struct journal *j, unsigned slot, uint64_t epoch,
                             bool is_empty) MUST_CHECK;
/* Makes an empty log current. */
int journal_start_log(struct journal *j, unsigned slot, uint64_t epoch) MUST_CHECK;

#endif
