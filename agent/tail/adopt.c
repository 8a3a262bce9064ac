/*
 * tail/adopt - candidates to followed files, by identity
 *
 * Candidates are gathered during a scan and decided when it is over: whether a registered inode
 * "is nowhere" is known only then. First those whose inode number is registered, then those whose
 * content is, then what is new; before a new file is followed, what was rotated away from its path
 * unseen is.
 */
#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "probe.h"
#include "tail_internal.h"

/* undecided copies that are open at once */
#define COPIES_OPEN_MAX 64

/* key of the candidate map */
struct inode_key {
    uint64_t dev, ino;
};

/* map equality by inode */
static bool inode_is(const struct map_node *node, const void *key)
{
    const struct candidate *c = MAP_ENTRY(node, const struct candidate, by_inode);
    const struct inode_key *k = key;
    return c->id.ino == k->ino && c->id.dev == k->dev;
}

/* the undecided copy that has the inode, or NULL */
static struct candidate *held_copy(struct tail *t, const struct fs_identity *id)
{
    LIST_EACH(node, &t->copies) {
        struct candidate *c = LIST_ENTRY(node, struct candidate, link);
        bool reused = c->id.birth_ns != 0 && id->birth_ns != 0 && c->id.birth_ns != id->birth_ns;
        if (c->id.ino == id->ino && c->id.dev == id->dev && !reused)
            return c;
    }
    return NULL;
}

/* An undecided copy is at a path that matches; it may have been renamed by the next rotation: it is
 * decided where it is now. */
static void copy_met(struct candidate *c, struct dir *d, unsigned input, const char *path)
{
    if (c->beside) {
        c->beside = false;
        c->input = input;
        c->known_as = NULL;
        mem_free(c->link_path);
        c->link_path = NULL;
    }
    if (strcmp(c->path, path) == 0)
        return;
    mem_free(c->path);
    c->path = mem_strdup(path);
    c->dir = d;
}

/* ends the waiting of one */
static void copy_free(struct tail *t, struct candidate *c)
{
    t->copies_open -= c->content.fd >= 0;
    registry_unhold(c->original);
    adopt_free_candidate(c);
}

/* see header */
void adopt_add(struct tail *t, struct dir *d, unsigned input, const char *path,
               const struct fs_identity *id)
{
    struct inode_key key = {id->dev, id->ino};
    if (t->candidates_by_inode.eq == NULL)
        map_init(&t->candidates_by_inode, inode_is);
    struct candidate *held = held_copy(t, id);
    if (held != NULL)
        copy_met(held, d, input, path);
    if (held != NULL || map_find(&t->candidates_by_inode, hash64_u64(id->ino), &key) != NULL)
        return;
    struct candidate *c = slab_get(&t->candidate_slab);
    c->tail = t;
    c->path = mem_strdup(path);
    c->id = *id;
    content_open(&c->content, -1);
    c->dir = d;
    c->input = input;
    list_push_back(&t->candidates, &c->link);
    map_insert(&t->candidates_by_inode, &c->by_inode, hash64_u64(id->ino));
}

/* see header */
void adopt_add_link(struct tail *t, unsigned input, const char *link, const char *target,
                    const struct fs_identity *id)
{
    size_t before = t->candidates_by_inode.count;
    struct dir *d = discover_dir_of(t, target);
    adopt_add(t, d, input, target, id);
    if (t->candidates_by_inode.count == before)
        return; /* known by another path */
    struct candidate *c = LIST_ENTRY(t->candidates.prev, struct candidate, link);
    c->linked = true;
    c->known_as = c->link_path = mem_strdup(link);
}

/* see tail_internal.h */
void adopt_free_candidate(struct candidate *c)
{
    list_remove(&c->link);
    content_close(&c->content);
    mem_free(c->link_path);
    mem_free(c->path);
    slab_put(&c->tail->candidate_slab, c);
}

/* Whether what was found out about a candidate cannot be relied on, since something could not be
 * read: it is decided when it is found again. refusals: before that. */
static bool is_doubtful(struct tail *t, const struct candidate *c, unsigned refusals)
{
    uint64_t held;
    bool refused = reach_refusals(c->path) != refusals;
    if (!c->content.failed || refused)
        return refused;
    t->unreadable++;
    if (log_throttle_pass(&t->io_throttle, loop_now_ms(t->loop), &held))
        tail_message(t, LOG_WARN, "cannot read \"%s\", trying again later", c->path);
    return true;
}

/* see tail_internal.h: what it is may have changed since it was found */
int adopt_open(struct tail *t, struct candidate *c)
{
    struct fs_identity id;
    int fd = c->linked ? symlink_open(t, c->input, c->known_as, &id) : reach_open(c->path, &id);
    if (fd < 0) {
        if (fd != -ENOENT && fd != -EBUSY)
            warned_once(t, c->path, strerror(-fd));
        tail_note_failure(t, fd);
        c->moved = c->moved || fd == -ENOENT;
        return fd;
    }
    c->moved = c->moved || id.ino != c->id.ino || id.dev != c->id.dev;
    if (file_find(t, id.dev, id.ino) != NULL) {
        reach_close(fd);
        return -EEXIST;
    }
    c->id = id;
    content_open(&c->content, fd);
    if (siblings_is_compressed(c->path))
        content_unpack(&c->content, &t->unpacked_open);
    return 0;
}

/* The file whose path this was is read to its end first. What it got last may not have been told
 * yet, so it is read once more. */
static void set_order(struct file *f)
{
    if (f->extra->elder != NULL)
        file_heat(f->extra->elder);
    lineage_wait(f, f->extra->elder);
}

/* begins to read a candidate at `at` of a generation */
static struct file *follow(struct tail *t, struct candidate *c, struct entry *e,
                           const struct evidence *at)
{
    struct file *f = file_new(t, c, e, at);
    tail_message(t, LOG_DEBUG, "reading \"%s\" from offset %llu", c->path,
                 (unsigned long long)at->offset);
    f->behind_search = siblings_is_searching(t, c->known_as != NULL ? c->known_as : c->path);
    set_order(f);
    file_heat(f);
    return f;
}

/* see tail_internal.h */
struct evidence adopt_start(struct content *c)
{
    struct evidence at = {0};
    char head[SPAN_HEAD_BYTES];
    ssize_t n = content_read_at(c, head, sizeof(head), 0);
    if (n > 0) {
        at.head = hash64(head, (size_t)n);
        at.head_bytes = (uint16_t)n;
    }
    return at;
}

/* Where a file that is new to us begins, and what of it is passed over. */
static struct evidence first_position(struct tail *t, struct candidate *c)
{
    const struct tail_input *input = &t->opts.inputs[c->input];
    struct evidence at = {0};
    int64_t age_ms = (loop_wall_ns(t->loop) - c->id.mtime_ns) / 1000000;
    bool old = input->ignore_older_ms > 0 && age_ms > input->ignore_older_ms;
    bool at_start = !t->started || t->names[c->input].is_new || !reach_was_seen(c->path);
    bool at_end = input->start_at_end && at_start;
    if ((old || at_end) && !content_is_packed(&c->content) &&
        identity_evidence_of(&c->content, c->id.size, &at) == 0) {
        ledger_skip(input->ledger, old ? SKIP_IGNORE_OLDER : SKIP_START_AT,
                    (struct ledger_count){c->id.size, 0});
        return at;
    }
    return adopt_start(&c->content);
}

/* The path under which a generation is known: one that a pattern matches, so that its siblings can
 * be found again. */
static const char *name_of(const struct candidate *c)
{
    return c->known_as != NULL ? c->known_as : c->path;
}

/* a new generation */
static struct file *begin(struct tail *t, struct candidate *c, const struct evidence *at)
{
    struct entry *e =
        registry_mint(t->registry, &c->id, name_of(c), at, siblings_is_open(t, name_of(c)));
    registry_set_framing(e, cutting_of(&t->opts.inputs[c->input]));
    return follow(t, c, e, at);
}

/* where the reading of an entry had come to */
static struct evidence read_to(const struct entry *e)
{
    if (list_is_empty(&e->extra->spans))
        return e->acked;
    return LIST_ENTRY(e->extra->spans.prev, struct span, link)->evidence;
}

/* Goes on with a registered generation; under a new one where its bytes are cut otherwise now. */
static void resume(struct tail *t, struct candidate *c, struct entry *e)
{
    struct evidence at = read_to(e);
    if (e->framing != 0 && e->framing != cutting_of(&t->opts.inputs[c->input])) {
        registry_finish(e);
        (void)begin(t, c, &at);
        return;
    }
    bool same = e->indexed && e->dev == c->id.dev && e->ino == c->id.ino &&
                strcmp(e->path, name_of(c)) == 0;
    if (!same)
        registry_moved(e, &c->id, name_of(c));
    registry_seen(e);
    (void)follow(t, c, e, &at);
}

/* The content of e was replaced while nobody looked; what was not read of it may be in a copy. */
static void begin_anew(struct tail *t, struct candidate *c, struct entry *e,
                       enum identity_decision why)
{
    struct evidence at = {0};
    struct file *last = NULL;
    bool unsure = (e->acked.flags & EVIDENCE_UNSURE) != 0;
    if (why == IDENTITY_RECOVERED)
        at = match_newest(e);
    else if (why == IDENTITY_REGROWN)
        at = match_older(e);
    else
        at = adopt_start(&c->content);
    if (content_identify(&c->content, &c->id) < 0) /* behind the start: it may be cut meanwhile */
        c->id.mtime_ns = 0;                        /* then nothing was written before it */
    if (why == IDENTITY_REWRITTEN)
        file_tell_cut(t, c->input, c->path, e->acked.offset);
    else
        tail_message(t, LOG_INFO, "file \"%s\": %s, reading from offset %llu", c->path,
                     identity_name(why), (unsigned long long)at.offset);
    registry_hold(e);
    if (why == IDENTITY_REWRITTEN)
        life_end(t, e, true);
    else
        registry_finish(e);
    if (why == IDENTITY_REWRITTEN)
        last =
            siblings_of_cut(t, c->input, e->path, e, &c->id, e->seen_ns, (struct ledger_count){0});
    uint64_t size = c->id.size;
    struct file *f = file_find(t, c->id.dev, c->id.ino); /* that search may have found it, too */
    if (f == NULL)
        f = begin(t, c, &at);
    if (unsure)
        recovery_begin(f, size, e->sent_to);
    if (last != NULL)
        lineage_wait(f, last);
    registry_unhold(e);
}

/* Keeps a copy unread until it is decided. It stays open, since it may be renamed meanwhile; not
 * where there are many. */
static void hold(struct tail *t, struct candidate *c, struct entry *original)
{
    tail_message(t, LOG_DEBUG, "\"%s\" may be a copy of \"%s\"", c->path, original->path);
    c->original = original;
    c->held_ms = loop_now_ms(t->loop);
    c->compared_to = 0;
    registry_hold(original);
    if (original->file != NULL)
        read_note_copied(original->file, &c->content, c->id.size);
    if (siblings_is_compressed(c->path) || t->copies_open == COPIES_OPEN_MAX)
        content_close(&c->content);
    t->copies_open += c->content.fd >= 0;
    list_remove(&c->link);
    list_push_back(&t->copies, &c->link);
    if (!loop_timer_is_set(t->check_timer))
        loop_timer_set(t->check_timer, TAIL_CHECK_MS);
}

/* carries a decision out; true = the candidate is done with */
static bool carry_out(struct tail *t, struct candidate *c, struct entry *e,
                      enum identity_decision d)
{
    switch (d) {
    case IDENTITY_RESUME:
    case IDENTITY_MOVED:
        resume(t, c, e);
        return true;
    case IDENTITY_COPY:
        hold(t, c, e);
        return false;
    case IDENTITY_REWRITTEN:
    case IDENTITY_RECOVERED:
    case IDENTITY_REGROWN:
        begin_anew(t, c, e, d);
        return true;
    case IDENTITY_REUSED:
    case IDENTITY_NEW:
        break;
    }
    struct evidence at = d == IDENTITY_REUSED ? adopt_start(&c->content) : first_position(t, c);
    uint64_t size = c->id.size;
    struct file *f = begin(t, c, &at);
    if (t->opts.unclean_boot && !t->started)
        recovery_begin(f, size, 0);
    return true;
}

/* Whether a file has the inode number of an earlier one that is gone. */
static bool is_reused(struct tail *t, const struct candidate *c)
{
    struct entry *e = registry_find_inode(t->registry, c->id.dev, c->id.ino);
    return e != NULL && e->file == NULL && e->birth_ns != 0 && c->id.birth_ns != 0 &&
           e->birth_ns != c->id.birth_ns;
}

/* Whether the inode number settles what a file is; the decision and the entry are set then. A
 * reused one does not: what has it now may be a copy, or content that was known under another. */
static bool decide_by_inode(struct tail *t, struct candidate *c, struct entry **ret_entry,
                            enum identity_decision *ret)
{
    struct entry *e = registry_find_inode(t->registry, c->id.dev, c->id.ino);
    if (e == NULL || e->file != NULL)
        return false;
    *ret_entry = e;
    *ret = match_decide(e, c);
    return *ret == IDENTITY_RESUME || *ret == IDENTITY_REWRITTEN || *ret == IDENTITY_RECOVERED ||
           *ret == IDENTITY_REGROWN;
}

/* A file system that was unmounted and mounted again may have another device number. The file of
 * the time before, which nothing leads to any more, is given up for the one that has its content
 * now, once there is nothing more to read in it. */
static void give_up_former(struct tail *t, struct candidate *c)
{
    struct entry *e = registry_find_inode(t->registry, c->id.dev, c->id.ino);
    struct file *f = e == NULL ? NULL : e->file;
    if (f == NULL || e->dev == c->id.dev || (!f->at_end && f->extra->parked == NULL))
        return;
    struct evidence at = read_to(e);
    if (strcmp(e->path, name_of(c)) == 0 && identity_evidence_holds(&c->content, c->id.size, &at))
        file_free(f);
}

/* candidates whose inode number is registered; the others stay in the list */
static void adopt_registered(struct tail *t, struct candidate *c)
{
    enum identity_decision d;
    struct entry *e = NULL;
    unsigned refusals = reach_refusals(c->path);
    if (registry_find_inode(t->registry, c->id.dev, c->id.ino) == NULL)
        return;
    if (adopt_open(t, c) < 0) {
        adopt_free_candidate(c);
        return;
    }
    give_up_former(t, c);
    bool settled = decide_by_inode(t, c, &e, &d);
    if (is_doubtful(t, c, refusals)) {
        adopt_free_candidate(c);
        return;
    }
    if (!settled) {
        content_close(&c->content); /* the number is a coincidence: decided with the rest */
        return;
    }
    (void)carry_out(t, c, e, d); /* no copy: it always takes the file */
    adopt_free_candidate(c);
}

/* candidates whose content is registered under another inode */
static void adopt_moved(struct tail *t, struct candidate *c)
{
    enum identity_decision d;
    unsigned refusals = reach_refusals(c->path);
    if (adopt_open(t, c) < 0) {
        adopt_free_candidate(c);
        return;
    }
    struct entry *e = match_find(t, c, &d);
    if (is_doubtful(t, c, refusals))
        adopt_free_candidate(c);
    else if (e == NULL)
        content_close(&c->content);
    else if (carry_out(t, c, e, d))
        adopt_free_candidate(c);
}

/* what is new */
static void adopt_fresh(struct tail *t, struct candidate *c)
{
    unsigned refusals = reach_refusals(c->path);
    siblings_before(t, c);
    c->moved = false;
    int r = adopt_open(t, c);
    if (c->moved) /* what is there now was compared with nothing */
        tail_scan_soon(t);
    else if (r == 0 && !is_doubtful(t, c, refusals)) /* no copy: it takes the file */
        (void)carry_out(t, c, NULL, is_reused(t, c) ? IDENTITY_REUSED : IDENTITY_NEW);
    adopt_free_candidate(c);
}

/* see tail_internal.h */
void adopt_all(struct tail *t)
{
    LIST_EACH(node, &t->candidates) {
        struct candidate *c = LIST_ENTRY(node, struct candidate, link);
        map_remove(&t->candidates_by_inode, &c->by_inode);
        if (siblings_is_compressed(c->path) && packed_takes(t, c))
            continue;
        adopt_registered(t, c);
    }
    LIST_EACH(node, &t->candidates)
        adopt_moved(t, LIST_ENTRY(node, struct candidate, link));
    LIST_EACH(node, &t->candidates)
        adopt_fresh(t, LIST_ENTRY(node, struct candidate, link));
    slab_trim(&t->candidate_slab);
}

/* What a sibling is: a loaded generation goes on, other content under a known number is a new one.
 * Returns the entry to act on; NULL with IDENTITY_NEW = unknown, with IDENTITY_RESUME = known and
 * read already. */
static struct entry *decide_sibling(struct tail *t, struct candidate *c,
                                    enum identity_decision *ret)
{
    struct entry *e = NULL;
    if (decide_by_inode(t, c, &e, ret))
        return *ret == IDENTITY_RESUME && !e->loaded ? NULL : e;
    e = match_find(t, c, ret);
    if (e == NULL)
        *ret = IDENTITY_NEW;
    return e;
}

/* Keeps a sibling that may be a copy of a generation, or one that was missed; it stays the
 * caller's. */
static void hold_sibling(struct tail *t, const struct candidate *sibling, struct entry *original)
{
    struct candidate *c = slab_get(&t->candidate_slab);
    *c = *sibling;
    list_init(&c->link);
    c->path = mem_strdup(sibling->path);
    c->known_as = c->link_path = mem_strdup(sibling->known_as);
    c->beside = true;
    hold(t, c, original);
}

/* Whether an open compressed file need not be read, or cannot be told yet: it is looked at again
 * then, since another one is at its path or too many are being read. */
static bool is_taken(struct tail *t, struct candidate *c)
{
    int known = c->probed && !c->moved ? probe_is_known(t, c) : 1;
    c->moved |= !c->probed || known < 0;
    return known != 0;
}

/* see tail_internal.h */
struct file *adopt_sibling(struct tail *t, struct candidate *c, bool missed)
{
    enum identity_decision d = IDENTITY_NEW;
    unsigned refusals = reach_refusals(c->path);
    if (held_copy(t, &c->id) != NULL || adopt_open(t, c) < 0)
        return NULL;
    bool packed = content_is_packed(&c->content); /* decided by the search */
    if (packed && missed && is_taken(t, c)) {
        content_close(&c->content);
        return NULL;
    }
    struct entry *e = packed ? NULL : decide_sibling(t, c, &d);
    if (is_doubtful(t, c, refusals)) {
        content_close(&c->content);
    } else if (d == IDENTITY_COPY && missed && !siblings_is_compressed(c->path)) {
        hold_sibling(t, c, e);
        content_open(&c->content, -1); /* it is the held one's */
    } else if (e != NULL && d != IDENTITY_COPY) {
        (void)carry_out(t, c, e, d); /* no copy: it always takes the file */
    } else if (missed && d == IDENTITY_NEW) {
        struct evidence at = adopt_start(&c->content);
        (void)begin(t, c, &at);
    } else {
        content_close(&c->content);
    }
    return file_find(t, c->id.dev, c->id.ino);
}

/* The original was truncated: the copy is the old generation, and its unread rest is read here. */
static void take_over(struct tail *t, struct candidate *c)
{
    struct entry *e = c->original;
    struct evidence at = read_to(e);
    registry_moved(e, &c->id, name_of(c));
    (void)follow(t, c, e, &at);
}

/* see tail_internal.h */
void adopt_packed(struct tail *t, struct candidate *c, struct entry *e)
{
    if (t->opts.unclean_boot)
        begin_anew(t, c, e, IDENTITY_RECOVERED);
    else
        resume(t, c, e);
}

/* see tail_internal.h */
void adopt_new(struct tail *t, struct candidate *c)
{
    (void)carry_out(t, c, NULL, IDENTITY_NEW); /* no copy: it always takes the file */
}

/* see tail_internal.h */
void adopt_rest(struct tail *t, struct candidate *c, struct entry *e)
{
    struct evidence at = read_to(e);
    if (adopt_open(t, c) < 0)
        return;
    bool tells = at.head_bytes >= IDENTITY_MOVED_HEAD_BYTES ||
                 c->id.mtime_ns >= e->seen_ns - TAIL_CLOCK_STEP_NS; /* or the time does */
    c->original = e;
    if (tells && identity_evidence_holds(&c->content, c->id.size, &at))
        take_over(t, c);
    else
        content_close(&c->content);
}

/* whether a file that is shorter than what it should be a copy of may still grow into one */
static bool may_grow_into(struct candidate *c, const struct evidence *original)
{
    struct evidence own;
    if (c->id.size >= original->offset || c->id.size < original->head_bytes)
        return c->id.size < original->offset;
    return identity_evidence_of(&c->content, original->head_bytes, &own) == 0 &&
           own.head == original->head;
}

/* A file that is no copy of its original may be one of what was written there since. True: it is
 * held for that one now. */
static bool hold_for_other(struct tail *t, struct candidate *c)
{
    enum identity_decision d;
    struct entry *former = c->original;
    struct entry *e = match_find(t, c, &d);
    if (e == NULL || e == former || d != IDENTITY_COPY)
        return false;
    hold(t, c, e);
    registry_unhold(former);
    return true;
}

/* A copy that was empty when it was found may be one of any generation: this one was just cut off
 * its file. */
static void try_cut(struct candidate *c, struct entry *cut)
{
    struct entry *former = c->original;
    struct evidence at = read_to(cut);
    if (cut == former || cut->file != NULL ||
        !identity_evidence_holds(&c->content, c->id.size, &at))
        return;
    c->original = cut;
    registry_hold(cut);
    registry_unhold(former);
}

/* Whether nobody has written to a copy as one writes to a log: its last write lies before its
 * birth, so it came by `cp -p` or its like. */
static bool is_backup(const struct candidate *c)
{
    return c->id.birth_ns != 0 && c->id.mtime_ns < c->id.birth_ns;
}

/* Where reading begins in a backup: what it holds was read in its original. */
static struct evidence behind_backup(struct tail *t, struct candidate *c)
{
    struct evidence at = {0};
    if (identity_evidence_of(&c->content, c->id.size, &at) < 0)
        return first_position(t, c);
    tail_message(t, LOG_INFO, "\"%s\" is a backup of \"%s\", only what is added to it is read",
                 c->path, c->original->path);
    return at;
}

/* What an undecided copy is now. False: it is over, since it is read or was renamed while it was
 * not open; then its new name is still to be told. */
static bool look_again(struct tail *t, struct candidate *c)
{
    struct fs_identity before = c->id;
    bool open = c->content.fd >= 0;
    t->copies_open -= open;
    if (open)
        return content_identify(&c->content, &c->id) == 0 &&
               file_find(t, c->id.dev, c->id.ino) == NULL;
    if (adopt_open(t, c) < 0)
        return false;
    return c->id.ino == before.ino && c->id.dev == before.dev;
}

/* goes on waiting */
static void hold_on(struct tail *t, struct candidate *c)
{
    if (t->copies_open == COPIES_OPEN_MAX)
        content_close(&c->content);
    t->copies_open += c->content.fd >= 0;
}

/* It is no copy, or nobody knows for too long. One that no pattern matches is read only if it is
 * sure to be something else, or has nothing yet. */
static void decide_own(struct tail *t, struct candidate *c, bool alike)
{
    if (c->beside && alike && c->id.size > 0)
        return;
    bool backup = alike && is_backup(c);
    struct evidence at = backup      ? behind_backup(t, c)
                         : c->beside ? adopt_start(&c->content)
                                     : first_position(t, c);
    (void)begin(t, c, &at);
}

/* one undecided copy; cut: a generation that has lost its file just now, or NULL. True = decided */
static bool check_copy(struct tail *t, struct candidate *c, struct entry *cut)
{
    uint64_t size = c->id.size;
    unsigned refusals = reach_refusals(c->path);
    if (!look_again(t, c))
        return reach_refusals(c->path) == refusals;
    if (cut != NULL)
        try_cut(c, cut);
    struct entry *e = c->original;
    struct evidence at = read_to(e);
    bool same = identity_evidence_holds(&c->content, c->id.size, &at);
    if (same && e->ended && e->file == NULL) {
        take_over(t, c);
        return true;
    }
    if (size != c->id.size)
        c->held_ms = loop_now_ms(t->loop);
    bool alike = (same || match_may_be_copy(t, e, c)) && match_compare(c);
    bool open_question = alike || (e->file == NULL && may_grow_into(c, &at));
    if (is_doubtful(t, c, refusals)) {
        content_close(&c->content);
        return false;
    }
    if (open_question && loop_now_ms(t->loop) - c->held_ms < TAIL_COPY_HOLD_MS) {
        hold_on(t, c);
        return false;
    }
    if (!open_question && hold_for_other(t, c))
        return false;
    decide_own(t, c, alike);
    return true;
}

/* see header */
void adopt_check_copies(struct tail *t, struct entry *cut)
{
    LIST_EACH(node, &t->copies) {
        struct candidate *c = LIST_ENTRY(node, struct candidate, link);
        struct entry *original = c->original;
        if (siblings_is_compressed(c->path) && packed_takes(t, c)) {
            registry_unhold(original); /* it was found before its first byte was written */
            continue;
        }
        if (!check_copy(t, c, cut))
            continue;
        original = c->original;
        adopt_free_candidate(c);
        registry_unhold(original);
    }
}

/* see tail_internal.h */
void adopt_refit(struct tail *t)
{
    LIST_EACH(node, &t->copies) {
        struct candidate *c = LIST_ENTRY(node, struct candidate, link);
        int input = discover_input_of(t, c->beside ? c->known_as : c->path);
        if (input >= 0) {
            c->input = (unsigned)input;
            continue;
        }
        copy_free(t, c);
    }
}

/* see header */
void adopt_free(struct tail *t)
{
    LIST_EACH(node, &t->copies) {
        copy_free(t, LIST_ENTRY(node, struct candidate, link));
    }
    map_clear(&t->candidates_by_inode);
}
