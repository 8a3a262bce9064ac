#ifndef TAIL_TAIL_INTERNAL_H
#define TAIL_TAIL_INTERNAL_H

/*
 * What the files of the tail room share: one tail, its directories, its files.
 *
 *   discover.c   patterns -> directories -> candidates (paths with an inode nobody follows)
 *   adopt.c      candidates -> files, by identity
 *   content.c    the bytes of a file
 *   cutting.c    what decides where records begin and end
 *   recovery.c   what is unsure in a file after the host went down
 *   file.c       one followed file: opening, hot and idle, closing
 *   extra.c      what only some files need
 *   life.c       how long what nobody reads is remembered
 *   olddir.c     the directory of rotated files
 *   orphan.c     files that are at no matching path any more
 *   parked.c     files that cannot be read now
 *   lineage.c    files that were born at one path, and their order
 *   match.c      which registered content is a candidate's
 *   warned.c     messages once per path
 *   listing.c    the names of a directory, for a moment
 *   kin.c        whose rotated form a name may be
 *   symlink.c    links to files
 *   poll.c       directories of which events do not tell all
 *   siblings.c   what rotation did while nobody looked
 *   probe.c      whose content is in a compressed file
 *   packed.c     compressed files that a pattern matches, and their end
 *   unpacked.c   the bytes of a compressed file
 *   deleted.c    limits of deleted files
 *   fds.c        more files than file descriptors
 *   read.c       files -> bytes
 *   rewind.c     the same once more
 *   framing.c    what the bytes of a file mean
 *   joins.c      records in several lines; carry.c over several generations
 *   decoded.c    lines of container logs
 *   lines.c      bytes -> lines
 *   pass.c       lines -> batch
 *   reload.c     other inputs
 *   tail.c       life cycle, events, ticks
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/date.h"
#include "base/list.h"
#include "base/map.h"
#include "base/slab.h"
#include "base/table.h"
#include "os/charset.h"
#include "os/fs.h"
#include "os/loop.h"
#include "os/mounts.h"
#include "os/reach.h"
#include "os/watch.h"
#include "tail/content.h"
#include "tail/glob.h"
#include "tail/identity.h"
#include "tail/registry.h"
#include "tail/tail.h"

#define TAIL_TICK_MS      50
#define TAIL_QUIET_TICKS  3
#define TAIL_RECONCILE_MS 60000
#define TAIL_POLL_MS      10000 /* where events cannot be had */
#define TAIL_QUANTUM      ((size_t)256 * 1024)
#define TAIL_ROUND_BYTES  ((size_t)4 * 1024 * 1024)
#define TAIL_WATCHED      64   /* files that are looked at in a tick in which none can be read */
#define TAIL_PREBUILT     256  /* hot files whose constant parts are kept between turns */
#define TAIL_CHECK_MS     1000 /* copies and orphans */
#define TAIL_COPY_HOLD_MS 10000
#define TAIL_LIFE_MS      3600000 /* entries that nobody reads */
#define TAIL_LIFE_SOON_MS 10000   /* the same when one of them has ended */
/* times of files may lie so far behind the clock, and each other: some come from the kernel's last
 * tick */
#define TAIL_CLOCK_STEP_NS    10000000
#define TAIL_LOOK_MS          500    /* idle files beside hot ones, whose writes are not told */
#define TAIL_DELETED_QUIET_MS 30000  /* a deleted file holds disk space */
#define TAIL_RENAMED_QUIET_MS 300000 /* a renamed one may be written by who does not know */

/* One pattern of one input. */
struct pattern {
    struct glob glob;
    unsigned input;
};

/* Where one pattern stands in a directory. */
struct position {
    unsigned pattern;
    struct glob_at at;
};

struct dir {
    struct list link; /* tail's */
    struct map_node by_path;
    struct map_node by_watch;
    char *path;       /* without a trailing slash; "" is the root */
    int watch;        /* id, -1 = not watched */
    bool polled;      /* events do not tell all: looked at every TAIL_POLL_MS */
    bool wanting;     /* no watch could be had */
    bool far;         /* on a mount that may not answer: polled, not watched */
    bool has_links;   /* files are known by links that lead here */
    unsigned epoch;   /* last scan that saw it */
    unsigned hot;     /* its files that are hot */
    int64_t other_ms; /* monotonic time when a name that no pattern matches appeared in it */
    struct list files;
    struct position *positions;
    unsigned position_count;
};

struct framing;

/* There may be many: what only those need that are read, or are not as others are, is apart. */
struct file {
    struct list in_dir;        /* its directory's */
    struct list queue;         /* tail's hot files; else t->fds.idle while it is open */
    uint64_t born_at;          /* hash of the path at which it was seen first */
    const struct extra *extra; /* never NULL; owned, or extra_none */
    struct tail *tail;
    struct entry *entry; /* the generation that is read now */
    struct dir *dir;
    int64_t grown_ms; /* monotonic time of the last new byte */
    struct content content;
    unsigned input;
    unsigned epoch;   /* last scan that saw its inode at a matching path */
    uint32_t written; /* time of its last write, as it was when asked last; us, the lower half */
    uint8_t quiet_ticks;
    bool linked : 1; /* its path is a link */
    bool framed : 1; /* what framing says is sure */
    bool at_end : 1;
    bool is_hot : 1;
    bool failed : 1;        /* could not be read and is not tried now */
    bool unread : 1;        /* was not at its end when it was closed for another */
    bool held : 1;          /* its target takes nothing now */
    bool found : 1;         /* by a search that is not over: waits for its end */
    bool behind_search : 1; /* begins at a path that is searched: waits too */
    bool told : 1;          /* of its damage */
};

/* Read as f->extra->..., changed by extra_of(f)->... */
struct extra {
    struct list link; /* tail's */
    struct file *file;
    struct file *elder;         /* the one that was born at the same path before */
    struct file *after;         /* read that one to its end first */
    unsigned waiters;           /* files that are read after it */
    struct orphan *orphan;      /* owned; at no matching path any more, else NULL */
    struct recovery *recovery;  /* owned; NULL = the host did not go down, or it is past that */
    struct parked *parked;      /* owned; could not be read last time, else NULL */
    struct framing *framing;    /* owned; NULL = plain lines of UTF-8, or not known yet */
    struct encode_file *encode; /* owned; only while hot */
    struct generation encoded;  /* the generation that encode was made for */
    uint64_t stop_at;           /* once: size at first sight, else UINT64_MAX */
    struct evidence at;         /* where the next record begins */
    uint64_t scanned_to;        /* bytes before it were searched for a line end */
    uint64_t skipped_to;        /* what is skipped before it was counted when it was read first */
};

/* All that is acknowledged was read and nothing else, and it is a file as others are. */
extern const struct extra extra_none;

/* What only a file that has left its path needs. */
struct orphan {
    struct list link; /* tail's orphans, in the order in which they became so */
    struct file *file;
    int64_t since_ms; /* monotonic */
    char *path;       /* owned; where it is now, NULL = not known */
    bool sought;      /* its directory was searched for it */
};

/* What only a file that cannot be read needs; kept until a read succeeds. */
struct parked {
    struct list link; /* tail's */
    struct file *file;
    int64_t until_ms; /* monotonic: when it is tried again */
    int64_t pause_ms;
};

/* A path that matches and whose inode nobody follows yet. */
struct candidate {
    struct list link;
    struct tail *tail;
    bool linked;              /* path is where a link at known_as leads */
    char *link_path;          /* owned; what known_as is, where that is not borrowed */
    struct map_node by_inode; /* of the scan's candidates */
    char *path;
    /* borrowed: the matching path that it was rotated away from, or that is a link to it; or NULL
     */
    const char *known_as;
    struct fs_identity id;
    struct content content; /* while it is decided */
    bool known;             /* compressed: its content is read elsewhere, or was */
    bool probed;            /* compressed: whose content it has was asked */
    bool kin;               /* sibling: of the same origin, but no rotated form of the path */
    bool beside;            /* copy: no pattern matches it */
    bool moved;             /* something else was at its path when it was opened */
    struct dir *dir;
    unsigned input;
    int64_t held_ms;        /* copy: since when it has not grown */
    uint64_t compared_to;   /* copy: bytes before it are those of its original */
    struct entry *original; /* copy: of this generation */
};

/* What is kept of an input: the name that its documents of one day go to. */
struct dated_name {
    bool made;
    bool is_new; /* the input came with a reload whose scan is not over */
    int32_t day;
    char name[BATCH_TARGET_MAX + 1];
};

/* The names of the directory that was listed last. */
struct listing {
    char **names; /* owned; sorted */
    size_t count;
    uint64_t dev, ino;
    int64_t mtime_ns;
    bool settled; /* valid as long as the directory has this time */
};

/* The files that are open. */
struct fds {
    unsigned limit; /* at once */
    unsigned open;
    struct list idle; /* least recently active first */
};

struct tail {
    struct loop *loop;
    struct tail_opts opts;
    struct tail_hooks hooks;
    struct feed *feed;
    struct registry *registry;
    struct watch *watch;
    struct mounts *mounts;
    struct loop_io *watch_io;
    struct loop_timer *pump_timer;
    struct loop_timer *reconcile_timer;
    struct loop_timer *poll_timer;
    struct loop_timer *life_timer;
    struct loop_timer *check_timer; /* copies and orphans, while there are any */
    struct pattern *patterns;
    unsigned pattern_count;
    struct list dirs;
    struct map dirs_by_path;
    struct map dirs_by_watch;
    unsigned dir_count;
    struct list hot;
    unsigned hot_count;
    struct fds fds;
    struct listing listing;
    struct list orphans;
    struct list parked;
    struct table files_by_birth;
    struct slab file_slab;
    struct slab extra_slab;
    struct list extras; /* those that files have */
    struct loop_timer *rest_timer;
    unsigned file_count;
    struct list candidates; /* of the scan under way */
    struct slab candidate_slab;
    struct map candidates_by_inode;
    struct list copies;   /* undecided */
    unsigned copies_open; /* of them */
    bool scan_soon;       /* with the next check: something was too new to be decided */
    struct list searches; /* among siblings, under way */
    struct loop_timer *search_timer;
    struct list packed; /* compressed files that need not be read */
    unsigned packed_count;
    unsigned unpacked_open; /* streams */
    struct list warned;     /* paths that were warned of once */
    unsigned warned_count;
    unsigned epoch;
    uint8_t life_round;       /* number of the look at entries that nobody reads */
    bool life_goes_on;        /* it is under way */
    bool life_soon;           /* the next one comes soon */
    int64_t looked_ms;        /* when idle files were looked at last */
    struct dated_name *names; /* one for each input */
    char *buffer;             /* shared by all reads; nothing is kept in it between them */
    size_t buffer_bytes;
    struct charset *charsets[CHARSET_COUNT]; /* those that inputs need */
    struct json_lines *json;                 /* one for each input */
    size_t json_count;
    struct decode_docker *docker; /* NULL = no input may need it */
    struct list joining;          /* open records */
    size_t joined_bytes;          /* their text */
    char *converted;              /* room for a line in UTF-8; NULL = not needed */
    char time[DATE_RFC3339_MS_LEN];
    bool blocked; /* no free batch */
    bool started; /* the first scan is over */
    bool stopped;
    bool finished; /* once: told */
    bool degraded;
    bool blind;        /* there is no instance of inotify */
    unsigned polled;   /* directories */
    unsigned wanting;  /* of these: for want of watches */
    unsigned far;      /* of these: on mounts that may not answer */
    int64_t polled_ms; /* when all of them were looked at last */
    int64_t far_pause_ms;
    int table_fd; /* of mounts, to be told of its changes; -1 = none */
    struct loop_io *table_io;
    struct loop_timer *table_timer;
    bool none_loaded;    /* no entry waits for its content to be found */
    unsigned unreadable; /* times a directory or a candidate could not be read */
    struct log_throttle io_throttle;
};

/* ---- discover.c ---- */
/* Walks every pattern from its root; new files end up adopted, vanished ones orphaned. */
void discover_scan(struct tail *t);
/* One event of the watch. */
void discover_event(struct tail *t, const struct watch_event *ev);
void discover_free(struct tail *t);
/* The directory that a path lies in, made if it is new. */
struct dir *discover_dir_of(struct tail *t, const char *path);
/* The input whose patterns match a whole path; -1 = none. */
int discover_input_of(const struct tail *t, const char *path);
/* Lists a directory, or looks for its one name, for every pattern that goes on there. */
void discover_look(struct tail *t, struct dir *d);
/* A directory that is only on the way of a link. */
struct dir *discover_hop(struct tail *t, const char *path);

/* ---- adopt.c ---- */
/* Takes over a path whose inode nobody follows; decided by adopt_all. */
void adopt_add(struct tail *t, struct dir *d, unsigned input, const char *path,
               const struct fs_identity *id);
/* The same for a link to a file. */
void adopt_add_link(struct tail *t, unsigned input, const char *link, const char *target,
                    const struct fs_identity *id);
void adopt_all(struct tail *t);
/* Opens a candidate. -EEXIST: it is followed by now. */
int adopt_open(struct tail *t, struct candidate *c) MUST_CHECK;
/* Frees one that is in no map. */
void adopt_free_candidate(struct candidate *c);
/* Goes on with the generation that is the content of an open candidate, by evidence; the candidate
 * stays the caller's. */
void adopt_packed(struct tail *t, struct candidate *c, struct entry *e);
/* The same for content that is new. */
void adopt_new(struct tail *t, struct candidate *c);
/* Decides one sibling, which stays the caller's: goes on with the loaded generation whose content
 * it is, or reads it as a new one if `missed`. NULL = neither. */
struct file *adopt_sibling(struct tail *t, struct candidate *c, bool missed);
/* Looks again at undecided copies; cut: a generation that has lost its file just now, or NULL. */
void adopt_check_copies(struct tail *t, struct entry *cut);
/* The start of a content; a head that is there already is evidence before anything is read. */
struct evidence adopt_start(struct content *c);
void adopt_free(struct tail *t);
/* Reads on in the candidate's file where the reading of an entry had come to, if its content goes
 * on there; the candidate stays the caller's. */
void adopt_rest(struct tail *t, struct candidate *c, struct entry *e);

/* The inputs are others: copies that no input matches any more are forgotten. */
void adopt_refit(struct tail *t);

/* ---- siblings.c ---- */
/* A file that is new at its path: what was rotated away from that path unseen (while the agent was
 * down, or between two looks) is followed before it. */
void siblings_before(struct tail *t, const struct candidate *c);
/* After the first scan: the same for registered paths at which there is no file now. */
void siblings_find(struct tail *t);
/* After that: what no search is under way for is settled, and nothing waits for it. */
void siblings_settle(struct tail *t);
/* The content of an entry was cut off its file, which is at a path: goes on with it in a copy that
 * was made before (copytruncate), if there is one, and reads what was written there and cut off
 * later than that, or than since_ns (wall time), unseen; cut: that file now. What is lost is
 * counted if there is none. Returns the file that is read last; NULL = there is none, or it is not
 * known yet. */
struct file *siblings_of_cut(struct tail *t, unsigned input, const char *path, struct entry *e,
                             const struct fs_identity *cut, int64_t since_ns,
                             struct ledger_count lost);
/* Whether a file may have had content that nobody has seen: as long as nothing is known by which
 * its content could be told from another one, some may be written and cut off without a trace in
 * it. */
bool siblings_may_hide(const struct file *f);
/* Looks for such content; the file is read after it. True: it was empty, so that only what comes
 * from now on may be hidden; else what it holds now may be gone before its head is known. */
bool siblings_unseen(struct file *f);
/* A deleted file was given up: goes on with its generation in a sibling, else what is lost is
 * counted. */
void siblings_of_deleted(struct tail *t, unsigned input, struct entry *e, struct ledger_count lost);
/* Decides a compressed file that a pattern matches; the candidate is taken. */
void siblings_decide(struct tail *t, struct candidate *c);
/* An unlinked file is at its end: whether its generation lives on in a compressed sibling. Its
 * entry has moved there then. */
bool siblings_inherit(struct file *f);
/* Whether what was rotated away from a path is not known yet. */
bool siblings_is_searching(struct tail *t, const char *path);
/* Whether anything that was rotated away from a path may not be known yet: a restart would have to
 * look for it again. While the tail starts, that is so of every registered path. */
bool siblings_is_open(struct tail *t, const char *path);
/* Searches under way go on. */
void siblings_search_on(struct tail *t);
/* The inputs are others. */
void siblings_refit(struct tail *t);
void siblings_free(struct tail *t);

/* ---- sibling_names.c ---- */
/* Whether `name` is a rotated form of the file called `base`. */
bool siblings_is(const char *base, const char *name);
/* Whether the name says that the content is compressed. */
bool siblings_is_compressed(const char *name);
/* What all names begin with that may be rotated forms of one origin: so many bytes. */
size_t siblings_stem(const char *name);
/* Whether both may be rotated forms of one name, in one directory. */
bool siblings_are_kin(const char *a, const char *b);
/* Order of the numbers in two rotated names; 0 = equal, or not both have one. */
int siblings_compare_numbers(const char *a, const char *b);
/* Order of age, as far as names tell: < 0 = a is the older. */
int siblings_compare_names(const char *a, const char *b, bool numbers_grow);

/* ---- packed.c ---- */
/* A compressed file that a pattern matches: whether it is done with (or to be decided, or not to be
 * read at all). False: it is no compressed file. */
bool packed_takes(struct tail *t, struct candidate *c);
/* It need not be looked at again as long as it stays as it is. */
void packed_remember(struct tail *t, const struct fs_identity *id);
/* Whether its generation was read, here or in the file that it was made of. */
bool packed_is_read(struct tail *t, const struct fs_identity *id);
/* The file is at what is its end now. True: it stays hot, since its stream is unfinished. Tells of
 * one that is damaged. */
bool packed_waits(struct file *f);
void packed_free(struct tail *t);

/* ---- file.c ---- */
/* Starts to follow the candidate's open content, which is taken. at: where reading begins. */
struct file *file_new(struct tail *t, struct candidate *c, struct entry *entry,
                      const struct evidence *at);
/* Gives up following; the entry stays. */
void file_free(struct file *f);
struct file *file_find(struct tail *t, uint64_t dev, uint64_t ino);
/* There may be something to read. A file that could not be read waits for file_retry. */
void file_heat(struct file *f);
void file_retry(struct file *f);
/* Nothing came for some ticks. */
void file_cool(struct file *f);
/* Heats the idle files of a directory that have grown. */
void file_look(struct dir *d);
/* It is in another directory now. */
void file_set_dir(struct file *f, struct dir *d);
/* The content was replaced: a new generation from 0 on, behind the rest of the old one if a copy of
 * that is found. */
void file_restart(struct file *f);
/* Counts and tells that the content of a path was replaced in place: nobody can know what was in it
 * that was not read. */
void file_tell_cut(struct tail *t, unsigned input, const char *path, uint64_t offset);

/* ---- rewind.c ---- */
/* As the unread of a span's owner. */
bool rewind_span(struct entry *e, struct span *s, bool commit);

/* ---- extra.c ---- */
void extra_init(struct tail *t);
void extra_free(struct tail *t);
/* A new file is read from there on. */
void extra_begin(struct file *f, const struct evidence *at);
/* A file goes: it has nothing any more that another one knows of. */
void extra_drop(struct file *f);
/* To be changed; made if it has none of its own. */
struct extra *extra_of(struct file *f);
/* The prebuilt parts of its documents are not needed now. */
void extra_drop_encode(struct file *f);
/* A file has cooled: after a while what it needs no more is given back. */
void extra_rest_soon(struct tail *t);
/* Where its next record begins. */
static inline const struct evidence *file_at(const struct file *f)
{
    return f->extra == &extra_none ? &f->entry->acked : &f->extra->at;
}
/* Bytes before it were searched for a line end. */
static inline uint64_t file_scanned_to(const struct file *f)
{
    return f->extra == &extra_none ? f->entry->acked.offset : f->extra->scanned_to;
}

/* ---- orphan.c ---- */
/* At no matching path any more: followed to its end. */
void orphan_add(struct file *f);
/* It is at one again, or gone. */
void orphan_remove(struct file *f);
/* Looks at orphans: what grew, what is over. */
void orphan_check(struct tail *t);

/* ---- fds.c ---- */
void fds_init(struct tail *t);
/* Opens the file's content if it is closed. -ENOENT: it cannot be found any more (fds_lost). */
int fds_open(struct file *f) MUST_CHECK;
/* The content of a new file is open. */
void fds_took(struct file *f);
/* It has been read, or is idle now: it may be closed when others need to be open. */
void fds_rest(struct file *f);
void fds_close(struct file *f);
/* It failed: closes it if it can be opened again. */
void fds_let_go(struct file *f);
/* Of an open or closed file. */
int fds_identify(struct file *f, struct fs_identity *ret_id) MUST_CHECK;
bool fds_has_changed(struct file *f, uint64_t seen);
/* Whether it was written since this was asked last, by the time of its last write: new content may
 * have the old size. */
bool fds_was_written(struct file *f, const struct fs_identity *id);
/* Whether its path leads to it, or cannot be asked now. */
bool fds_is_at_path(const struct file *f);
/* Gives up a file that went away while it was closed; its generation is looked for from now on. */
void fds_lost(struct file *f);

/* ---- match.c ---- */
/* The evidence of an entry's older anchor. */
struct evidence match_newest(const struct entry *e);
struct evidence match_older(const struct entry *e);
/* What an open candidate is to one entry. */
enum identity_decision match_decide(const struct entry *e, struct candidate *c);
/* Compares some more bytes of a copy with its original, while that lives. False: they differ. */
bool match_compare(struct candidate *c);
/* Whether it may become a copy of a generation that is read now. */
bool match_may_be_copy(const struct tail *t, const struct entry *e, struct candidate *c);
/* The entry whose content this is under another inode; NULL = none. */
struct entry *match_find(struct tail *t, struct candidate *c, enum identity_decision *ret);

/* ---- warned.c ---- */
/* A message once per path. */
void warned_once(struct tail *t, const char *path, const char *why);
void warned_free(struct tail *t);

/* ---- listing.c ---- */
/* Calls fn with each name in a directory that may be a rotated form of `base`, and some others; the
 * inode numbers are not known (0). */
void listing_each(struct tail *t, const struct dir *d, const char *base, reach_name_fn fn,
                  void *ctx);
/* Whether the names were read when the directory had not changed for a while, nor has since. */
bool listing_is_settled(struct tail *t, const struct dir *d);
/* Gives the names back. */
void listing_free(struct tail *t);

/* ---- kin.c ---- */
/* Calls fn with each path that the path may be a rotated form of, and with some that it is not;
 * until fn returns true. */
typedef bool (*kin_fn)(void *ctx, const char *base);
void kin_bases(const char *path, kin_fn fn, void *ctx);

/* ---- symlink.c ---- */
/* What the link at a path leads to, if it is a regular file within the roots of the input; the
 * directories on the way are watched. -ENOENT: nothing, -EPERM: told once why not. target: of
 * PATH_MAX bytes. */
int symlink_resolve(struct tail *t, unsigned input, const char *path, struct fs_identity *ret_id,
                    char *target) MUST_CHECK;
/* Opens the regular file that a path leads to, checking again; as fs_open_regular. */
int symlink_open(struct tail *t, unsigned input, const char *path,
                 struct fs_identity *ret_id) MUST_CHECK;

/* ---- poll.c ---- */
void poll_start(struct tail *t);
/* A directory is met by a scan: watched, or polled where that is not enough. */
void poll_watch(struct tail *t, struct dir *d);
/* Its watch is given back. */
void poll_unwatch(struct tail *t, struct dir *d, bool alive);
/* It goes. */
void poll_forget(struct tail *t, struct dir *d);
/* Reads the table of mounts anew. */
void poll_begin_scan(struct tail *t);
/* What lies on a mount that did not answer to the scan is not gone. */
void poll_keep_refused(struct tail *t);
/* Looks at the directories that are polled. */
void poll_look(struct tail *t);
/* Sets the timer of the next look at polled directories, if there are any. */
void poll_schedule(struct tail *t);
void poll_free(struct tail *t);

/* ---- parked.c ---- */
/* It could not be read: not now again. */
void parked_add(struct file *f);
/* It was read, or goes. */
void parked_remove(struct file *f);
/* Tries those whose time has come. */
void parked_check(struct tail *t);

/* ---- lineage.c ---- */
void lineage_init(struct tail *t);
/* The file that was first seen last at a path, by the path's hash; f->elder leads on. NULL. */
struct file *lineage_newest(struct tail *t, uint64_t born_at);
/* Makes a file that is in no lineage the newest of one. */
void lineage_add(struct file *f, uint64_t born_at);
void lineage_remove(struct file *f);
/* f is read when `other` is at its end (NULL = at once). Nothing changes where `other` waits for f.
 */
void lineage_wait(struct file *f, struct file *other);
/* Nobody waits for a file that goes. */
void lineage_release(struct file *gone);

/* ---- life.c ---- */
/* Looks at entries that nobody reads, some directories a round: what is over is forgotten. */
void life_check(struct tail *t);
/* Nobody reads an entry any more, and it is at its end; lost: its file is gone, or holds something
 * else. Forgotten soon unless a sibling holds its content. */
void life_end(struct tail *t, struct entry *e, bool lost);

/* ---- olddir.c ---- */
/* The directory to which the input of a path has its rotated files moved; ret has PATH_MAX bytes.
 * False: none. */
bool olddir_of(const struct tail *t, const char *path, char *ret);
/* Whether `name` is a rotated form of `path`, beside it or in its olddir. */
bool olddir_is_beside(const struct tail *t, const char *path, const char *name);

/* ---- cutting.c ---- */
/* Hash of the options that cut an input's bytes into records; never 0. */
uint32_t cutting_of(const struct tail_input *input);

/* ---- recovery.c ---- */
/* The host went down before the file was found with that size; bytes before sent_to may have been
 * sent under another generation. */
void recovery_begin(struct file *f, uint64_t size, uint64_t sent_to);
void recovery_end(struct file *f);
/* It is read up to an offset: over when nothing is unsure any more. */
void recovery_passed(struct file *f, uint64_t offset);
/* Whether what begins at an offset may be a repeat. */
bool recovery_may_repeat(const struct file *f, uint64_t offset);
/* Whether NUL bytes there may be padding that a crash left. */
bool recovery_may_be_padding(const struct file *f, uint64_t offset);

/* ---- deleted.c ---- */
/* Gives up deleted files that are over the limits of their input. */
void deleted_limit(struct tail *t);

/* ---- read.c ---- */
enum read_result {
    READ_END,     /* nothing more now */
    READ_MORE,    /* the quantum is used up */
    READ_BLOCKED, /* no free batch */
    READ_HELD,    /* a free batch, but not for its target */
    READ_FAILED,  /* the file cannot be read */
};
/* Reads about one quantum. ret_bytes: how far the file was consumed. */
enum read_result read_some(struct file *f, uint64_t *ret_bytes);
/* What must not be missed of a file that has to wait for its turn: its head, since until that is
 * known the file may be compressed and is to be known again; and that it was cut. */
void read_watch(struct file *f);
/* A file of which nothing is known yet was the same as a copy of `size` bytes: what it began with,
 * should it be cut before it is looked at. */
void read_note_copied(struct file *f, struct content *copy, uint64_t size);
/* Gives the unfinished last line as it is. False: blocked. */
bool read_flush_partial(struct file *f);

/* ---- reload.c ---- */
/* Parses the patterns of inputs; what was parsed is the caller's also when one is wrong. */
int reload_patterns(const struct tail_input *inputs, size_t count, struct pattern **ret,
                    unsigned *ret_count, struct err *e) MUST_CHECK;
void reload_patterns_free(struct pattern *patterns, unsigned count);
/* Makes room for the longest line of the inputs. */
void reload_buffer(struct tail *t);

/* ---- tail.c ---- */
const struct tail_input *tail_input_of(const struct file *f);
/* Bytes of the longest record of an input. */
size_t tail_text_max(const struct tail_input *input);
/* The index of an input whose names are dated, on a day; borrowed until the next call for it. */
const char *tail_index_of(struct tail *t, unsigned input, int32_t day);
void tail_message(struct tail *t, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Counts an error that says that a disk, a server or a connection fails. */
void tail_note_failure(struct tail *t, int error);
/* Runs the pump with the next round. */
void tail_pump_soon(struct tail *t);
/* Scans with the next check. */
void tail_scan_soon(struct tail *t);
/* Takes the events that wait, in the midst of a round. */
void tail_catch_up(struct tail *t);

#endif
