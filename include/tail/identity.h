#ifndef TAIL_IDENTITY_H
#define TAIL_IDENTITY_H

/*
 * Whose content is this? The decision is a pure function over facts; the facts are gathered by
 * identity_probe from the content. Size alone, time alone, inode alone never decide.
 *
 * Evidence of an entry holds for a file when the file is at least as long as the entry's offset,
 * the hash of its head over the stored length agrees, and the anchor agrees. A stored head of
 * 0 bytes is no evidence.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bulk/span.h"
#include "tail/content.h"

/* A moved file is recognised only by a head of at least this many bytes. */
#define IDENTITY_MOVED_HEAD_BYTES 64

enum identity_decision {
    IDENTITY_NEW,       /* unknown content: new generation, position by start_at */
    IDENTITY_REUSED,    /* another file under the same inode number: new generation at 0 */
    IDENTITY_RESUME,    /* same file: go on at the saved offset */
    IDENTITY_MOVED,     /* same content under another inode: go on, same generation */
    IDENTITY_COPY,      /* same content while the original lives: undecided, not read */
    IDENTITY_REWRITTEN, /* truncated or rewritten: new generation at 0 */
    IDENTITY_RECOVERED, /* after an unclean boot the evidence holds: new generation there */
    IDENTITY_REGROWN,   /* after an unclean boot an older anchor agrees: new generation there */
};

struct identity_facts {
    bool same_inode;       /* the entry has this file's inode number */
    bool births_differ;    /* both birth times are known, and differ */
    bool evidence;         /* of the entry's newest offset */
    bool older_evidence;   /* of the entry's older anchor */
    uint16_t head_bytes;   /* stored with the entry */
    bool registered_lives; /* the entry's own inode is still there */
    bool unclean_boot;     /* another boot id and no clean stop */
};

enum identity_decision identity_decide(const struct identity_facts *f);
const char *identity_name(enum identity_decision d);

/* Whether the evidence holds for the content of that size; false when it cannot be read. */
bool identity_evidence_holds(struct content *c, uint64_t size, const struct evidence *e);

/* Evidence at offset `at` of the content, read from it. -EIO when the file is shorter. */
int identity_evidence_of(struct content *c, uint64_t at, struct evidence *ret);

#endif
