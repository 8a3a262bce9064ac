/*
 * tail/match - which registered content is a candidate's?
 *
 * The facts about one entry and one open file are gathered here for identity_decide. Under another
 * inode a candidate may be a file that nobody follows now, or, by its name, a copy of one that is
 * followed: those are looked up by the paths that its name can come from.
 */
#include <string.h>

#include "tail_internal.h"

/* how much of a copy is compared in one look */
#define COMPARE_BYTES 16384
#define COMPARE_STEPS 256

/* the evidence of an entry's older anchor */
struct evidence match_older(const struct entry *e)
{
    struct evidence older = e->acked;
    older.offset = e->older.offset;
    older.anchor = e->older.hash;
    older.flags = 0;
    older.ahead = older.other = 0;
    return older;
}

/* The evidence of an entry's saved offset, for a new generation: what was taken ahead of it may be
 * something else by now. */
struct evidence match_newest(const struct entry *e)
{
    struct evidence newest = e->acked;
    newest.flags = newest.ahead == 0 ? newest.flags & EVIDENCE_IN_OVERSIZE : 0;
    newest.ahead = newest.other = 0;
    return newest;
}

/* the facts about one entry and one open file */
static struct identity_facts gather(const struct entry *e, struct candidate *c)
{
    struct evidence older = match_older(e);
    return (struct identity_facts){
        .same_inode = e->ino == c->id.ino && e->dev == c->id.dev,
        .births_differ = e->birth_ns != 0 && c->id.birth_ns != 0 && e->birth_ns != c->id.birth_ns,
        .evidence = identity_evidence_holds(&c->content, c->id.size, &e->acked),
        .older_evidence = identity_evidence_holds(&c->content, c->id.size, &older),
        .head_bytes = e->acked.head_bytes,
        .registered_lives = e->file != NULL,
        .unclean_boot = (e->acked.flags & EVIDENCE_UNSURE) != 0,
    };
}

/* The registered number on another device is the same file only by evidence (device numbers change
 * over a reboot), else a coincidence. */
enum identity_decision match_decide(const struct entry *e, struct candidate *c)
{
    struct identity_facts facts = gather(e, c);
    if (e->ino == c->id.ino && e->dev != c->id.dev && !facts.births_differ && facts.evidence)
        facts.same_inode = true;
    return identity_decide(&facts);
}

/* Whether an entry may have a copy: it is read now, or has lost its file, and the candidate's name
 * is a rotated form of its own. */
static bool may_have_copy(const struct tail *t, const struct entry *e, const struct candidate *c)
{
    bool lost = e->file == NULL && e->ended && e->ino == 0;
    return !e->done && (e->file != NULL || lost) && olddir_is_beside(t, e->path, c->path);
}

/* Whether a file may become a copy of a generation that is read now: it is no longer, and the same
 * as far as it goes. An empty one may; there is nothing to read in it anyway. */
bool match_may_be_copy(const struct tail *t, const struct entry *e, struct candidate *c)
{
    struct fs_identity id;
    struct evidence own, original;
    if (e->file == NULL || fds_open(e->file) < 0 || content_identify(&e->file->content, &id) < 0 ||
        c->id.size > id.size)
        return false;
    if (c->id.size == 0)
        return id.size > 0 && !t->opts.once;
    return identity_evidence_of(&c->content, c->id.size, &own) == 0 &&
           identity_evidence_of(&e->file->content, c->id.size, &original) == 0 &&
           own.head == original.head && own.anchor == original.anchor;
}

/* whether a file still holds what was read of it */
static bool is_itself(struct file *f)
{
    struct fs_identity id;
    return content_identify(&f->content, &id) == 0 &&
           identity_evidence_holds(&f->content, id.size, file_at(f));
}

/* see tail_internal.h */
bool match_compare(struct candidate *c)
{
    char own[COMPARE_BYTES], original[COMPARE_BYTES];
    struct file *f = c->original->file;
    if (f == NULL || fds_open(f) < 0 || content_is_packed(&f->content))
        return true;
    for (unsigned i = 0; i < COMPARE_STEPS; i++) {
        ssize_t m = content_read_at(&c->content, own, sizeof(own), c->compared_to);
        ssize_t n = content_read_at(&f->content, original, sizeof(original), c->compared_to);
        ssize_t both = m < n ? m : n;
        if (both <= 0)
            return true;
        if (memcmp(own, original, (size_t)both) != 0)
            return !is_itself(f); /* it was cut, which is still to be noticed */
        c->compared_to += (uint64_t)both;
    }
    return true;
}

/* What a candidate is compared with, and what came of it. */
struct comparison {
    struct tail *t;
    struct candidate *c;
    struct entry *entry; /* NULL = nothing found */
    enum identity_decision decision;
};

/* compares with one entry; true = it is this one's content */
static bool compare(struct comparison *x, struct entry *e)
{
    enum identity_decision d =
        match_may_be_copy(x->t, e, x->c) ? IDENTITY_COPY : match_decide(e, x->c);
    if (d != IDENTITY_MOVED && d != IDENTITY_COPY && d != IDENTITY_RECOVERED)
        return false;
    x->entry = e;
    x->decision = d;
    return true;
}

/* compares with what may have copies at a path */
static bool compare_beside(void *ctx, const char *base)
{
    struct comparison *x = ctx;
    for (struct entry *e = registry_next_at(x->t->registry, base, NULL); e != NULL;
         e = registry_next_at(x->t->registry, base, e))
        if (may_have_copy(x->t, e, x->c) && compare(x, e))
            return true;
    return false;
}

/* compares with all that nobody follows and that may be anywhere */
static void compare_loaded(struct comparison *x)
{
    bool any = false;
    for (struct entry *e = registry_next(x->t->registry, NULL); e != NULL;
         e = registry_next(x->t->registry, e)) {
        if (e->done || e->file != NULL || !e->loaded)
            continue;
        any = true;
        if (compare(x, e))
            return;
    }
    x->t->none_loaded = !any;
}

/* The entry whose content this is under another inode: one that nobody follows, or, for a rotated
 * name, the living one that it may be a copy of. NULL = none. */
struct entry *match_find(struct tail *t, struct candidate *c, enum identity_decision *ret)
{
    struct comparison x = {.t = t, .c = c};
    kin_bases(c->path, compare_beside, &x);
    if (x.entry == NULL && c->known_as != NULL)
        (void)compare_beside(&x, c->known_as); /* it may be in another directory */
    if (x.entry == NULL && !t->none_loaded)
        compare_loaded(&x);
    if (x.entry != NULL)
        *ret = x.decision;
    return x.entry;
}
