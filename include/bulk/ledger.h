#ifndef BULK_LEDGER_H
#define BULK_LEDGER_H

/*
 * The ledger: where every source byte and line went, counted once, when it is encoded, since the
 * process started. One per input; the total is their sum.
 *
 *     read = acknowledged + dead-lettered + abandoned + skipped + in flight
 *
 * Each side is counted where it happens, so ledger_adds_up is a check and not an identity.
 * Documents are counted apart.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/json_write.h"

struct ledger_count {
    uint64_t bytes; /* of the source, line ends included */
    uint64_t lines;
};

/* Reasons, with their names in ledger_skip_name / ledger_abandon_name: one table each. */
enum ledger_skip {
    SKIP_EMPTY,         /* empty lines */
    SKIP_NUL,           /* runs of NUL left by a crash */
    SKIP_OVERSIZE_TAIL, /* of a line over max_bytes, what lies beyond */
    SKIP_IGNORE_OLDER,
    SKIP_START_AT,
    SKIP_FILTERED,
    SKIP_COUNT,
};

enum ledger_abandon {
    ABANDON_DELETED,   /* file gone, budget of deleted files used up */
    ABANDON_TRUNCATED, /* cut or rewritten before it was read */
    ABANDON_WINDOW,    /* compressed sibling with a window too large */
    ABANDON_CORRUPT,   /* compressed sibling that is damaged; as it is on the disk */
    ABANDON_IO,        /* the file cannot be read any more */
    ABANDON_QUEUE,     /* metrics pushed out of the full queue */
    ABANDON_SPOOL,     /* metrics dropped by the full or damaged spool */
    ABANDON_SHUTDOWN,  /* metrics that were not accepted before the end */
    ABANDON_COUNT,
};

enum ledger_document {
    DOCUMENT_ENCODED,
    DOCUMENT_CREATED,
    DOCUMENT_DUPLICATE, /* answered 409: was there already */
    DOCUMENT_DEAD,
    DOCUMENT_RESENT, /* times an item was sent again */
    DOCUMENT_TRUNCATED,
    DOCUMENT_BAD_UTF8,     /* invalid sequences replaced */
    DOCUMENT_MAYBE_REPEAT, /* may have been sent under another id before the host went down */
    DOCUMENT_PARTIAL,      /* given before their last line had come */
    DOCUMENT_UNDECODED,    /* lines that were not of their file's format */
    DOCUMENT_MOUNT_AWAY,   /* times a mount with directories of the input did not answer */
    DOCUMENT_FILE_CUT,     /* times a file was cut: what stood in no copy of it is lost unseen */
    DOCUMENT_COUNT,
};

struct ledger {
    struct ledger_count read;
    struct ledger_count acknowledged;
    struct ledger_count dead_lettered;
    struct ledger_count in_flight;
    struct ledger_count skipped[SKIP_COUNT];
    struct ledger_count abandoned[ABANDON_COUNT];
    uint64_t documents[DOCUMENT_COUNT];
};

const char *ledger_skip_name(enum ledger_skip s);
const char *ledger_abandon_name(enum ledger_abandon a);
const char *ledger_document_name(enum ledger_document d);

/* A record of that size was encoded: read and in flight. */
void ledger_read(struct ledger *l, struct ledger_count c);
/* Bytes were passed over: read and skipped. */
void ledger_skip(struct ledger *l, enum ledger_skip why, struct ledger_count c);
/* Bytes were never read and never will be: read and abandoned. */
void ledger_abandon(struct ledger *l, enum ledger_abandon why, struct ledger_count c);
/* What was in flight has been acknowledged or dead-lettered. */
void ledger_resolve(struct ledger *l, struct ledger_count acked, struct ledger_count dead);

bool ledger_adds_up(const struct ledger *l);
/* sum += l */
void ledger_sum(struct ledger *sum, const struct ledger *l);
/* One JSON object: {"read":{"bytes":..,"lines":..},"acknowledged":{..},"dead_lettered":{..},
 * "abandoned":{"bytes":..,"lines":..,"reasons":{"deleted":{..}}},"skipped":{.. the same ..},
 * "in_flight":{..},"documents":{"encoded":..}}; reasons with no bytes and no lines are left out. */
void ledger_write(const struct ledger *l, struct json_writer *w);

#endif
