#ifndef TAIL_PROBE_H
#define TAIL_PROBE_H

/*
 * Whose content is in a compressed file? Its unpacked head tells which generations it may be, its
 * bytes before their offsets which one it is; on the way there it is unpacked a slice a step.
 */
#include "tail_internal.h"

/* Generations with one and the same head that are compared with a file. */
#define PROBE_ENTRIES_MAX 64

enum probe_result {
    PROBE_NOBODYS, /* no generation that is known */
    PROBE_LOST,    /* that of *ret_entry, which nobody follows */
    PROBE_LIVING,  /* that of *ret_entry, which is read elsewhere */
    PROBE_LATER,   /* not known yet: ask again at once */
    PROBE_WAITS,   /* not known yet: the file is not whole */
    PROBE_BUSY,    /* not known yet: too many others are read */
};

struct probe {
    struct tail *t;
    struct candidate *c;
    struct entry *own;                        /* counts in any case; may be NULL */
    struct entry *entries[PROBE_ENTRIES_MAX]; /* held; by ascending offset */
    unsigned count;
    unsigned next; /* to be compared */
    bool has_head; /* entries were gathered */
    int match;     /* index, -1 = none */
};

/* c: open and compressed; borrowed until probe_end. */
void probe_begin(struct probe *p, struct tail *t, struct candidate *c, struct entry *own);
enum probe_result probe_step(struct probe *p, struct entry **ret_entry);
/* The entry that a step returned may be forgotten then. */
void probe_end(struct probe *p);
/* Whether the open content is that of a generation which was minted since it was probed: 1, 0, or
 * -EBUSY = it cannot be known now. Nothing at all is known, too. */
int probe_is_known(struct tail *t, struct candidate *c);

#endif
