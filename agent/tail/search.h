#ifndef TAIL_SEARCH_H
#define TAIL_SEARCH_H

/*
 * A search for what became of the generations of one path: siblings.c begins it and lists the
 * members, search.c decides the compressed ones and ends it.
 */
#include "probe.h"

/* siblings of one path that are looked at */
#define SIBLINGS_MAX 1024
/* files that begin at one path while it is searched */
#define SEARCH_BEHIND_MAX 64

/* What is unread of a generation, and what that is if nobody has it. */
struct rest {
    struct entry *entry;
    enum ledger_abandon why;
    struct ledger_count lost;
    bool is_cut;            /* its file was cut: more may have been missed since */
    struct fs_identity cut; /* that file now */
    int64_t since_ns;
};

/* One path and what stands beside it. */
struct search {
    struct list link; /* tail's, while it takes time */
    struct tail *t;
    struct rest rest;     /* looks only for what is unread of its entry; else that is NULL */
    struct entry *unseen; /* held; looks for what was in its file before its first bytes; or NULL */
    char *path;           /* owned */
    struct dir *dir;      /* of the path */
    const char *listed;   /* borrowed: the directory whose names are taken */
    bool at_start;        /* what is followed under the path is at the path */
    uint64_t born_at;     /* its hash */
    unsigned input;
    unsigned count;
    unsigned next;    /* compressed member to be decided */
    bool probing;     /* it is open and `probe` is under way */
    bool own;         /* of one compressed file that a pattern matches */
    bool again;       /* something is new at the path: look once more */
    unsigned doubts;  /* search_doubts when it began */
    int64_t began_ms; /* for the first time */
    int64_t again_ms; /* it begins again then; 0 = it is under way */
    int64_t from_ns;  /* compressed members written before are of no use */
    int64_t floor_ns; /* what was written later is missed, whatever else is known by now */
    int64_t held_ms;  /* since when the member that is decided waits */
    uint64_t held_bytes;
    struct probe probe;
    struct candidate *members[SIBLINGS_MAX];
};

/* Goes on until it is over or has to wait; it is freed when it is over. */
void search_step(struct search *s);
/* When the newest generation of the path that was registered before was written last: what was
 * written later and is not registered was missed. */
int64_t search_newest_ns(const struct search *s);
/* What was written since a file was cut, and cut off too, each to be read after the one before it;
 * compressed members when they are decided. Returns the last of them, `last` if there is none. */
struct file *search_take_missed(struct search *s, struct file *last, bool compressed);
/* Lists the members, decides the plain ones. */
void search_begin(struct search *s);
/* Changes when something that a search may need could not be read. */
unsigned search_doubts(const struct search *s);
/* Gives back the members. */
void search_drop_members(struct search *s);
/* Gives up a search. */
void search_free(struct search *s);
/* Begins to search a path; plain files are decided at once. floor_ns: of a search that this one
 * takes the place of, else INT64_MAX. */
void search_path(struct tail *t, unsigned input, const char *path, int64_t floor_ns);
/* Begins to search beside a path for what is unread of rest->entry. Returns the file that is read
 * last; NULL = there is none, or it is not known yet. */
struct file *search_rest(struct tail *t, unsigned input, const char *path, const struct rest *rest);
/* What was rotated away from a path is known, unless another search for it is under way, or may
 * follow since the tail is just starting: nothing waits for that any more. */
void search_settle(struct tail *t, const char *path);
/* Whether a member was renamed or removed since it was listed: another look is needed. */
bool search_has_moved(const struct search *s);

#endif
