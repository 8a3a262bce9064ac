/*
 * tail/search - one search among siblings: compressed files step by step, and its end
 *
 * A member is opened and probed, one after the other; a lost generation goes on in the member that
 * has its content, and waits there until the search is over. Then what was missed is known: it was
 * written after all that was registered before. Found and missed files are chained in the order of
 * their last write, and the files that have begun at the path meanwhile come behind them.
 *
 * Invariant: an entry that is probed is held; a search that is over is in no list.
 */
#include "search.h"

#include <limits.h>
#include <string.h>

#include "base/mem.h"

/* how long a search begins again where files cannot be read */
#define DOUBT_MS 60000

/* ---- compressed members ---- */

/* Whether a compressed file is being made of a plain one, which is read in its place. */
static bool is_in_the_making(const struct candidate *c)
{
    char path[PATH_MAX];
    struct fs_identity id;
    size_t n = (size_t)(strrchr(c->path, '.') - c->path);
    if (n >= sizeof(path))
        return false;
    memcpy(path, c->path, n);
    path[n] = '\0';
    return reach_identify_path(path, false, &id, NULL) == 0;
}

/* The generation whose file had the inode number of a member; NULL = none that is not done. */
static struct entry *entry_of(const struct search *s, const struct candidate *c)
{
    struct entry *e = registry_find_inode(s->t->registry, c->id.dev, c->id.ino);
    bool reused =
        e != NULL && e->birth_ns != 0 && c->id.birth_ns != 0 && e->birth_ns != c->id.birth_ns;
    return e == NULL || reused || e->dev != c->id.dev ? NULL : e;
}

/* Opens a member; false = there is nothing to decide, or it is no compressed file after all. */
static bool begin_member(struct search *s, struct candidate *c)
{
    if (c->id.mtime_ns < s->from_ns || is_in_the_making(c) || adopt_open(s->t, c) < 0)
        return false;
    struct entry *e = entry_of(s, c);
    c->known = e != NULL && e->file == NULL && !e->loaded && e != s->rest.entry;
    if (content_is_packed(&c->content) && !c->known) {
        probe_begin(&s->probe, s->t, c, s->rest.entry != NULL ? s->rest.entry : e);
        s->probing = true;
        s->held_ms = loop_now_ms(s->t->loop);
        s->held_bytes = c->id.size;
        return true;
    }
    content_close(&c->content);
    if (s->rest.entry != NULL)
        adopt_rest(s->t, c, s->rest.entry);
    else if (!c->known)
        (void)adopt_sibling(s->t, c, false);
    return false;
}

/* whether a file that is not whole has waited long enough */
static bool is_given_up(struct search *s, struct candidate *c)
{
    struct fs_identity id;
    int64_t now = loop_now_ms(s->t->loop);
    if (content_identify(&c->content, &id) == 0 && id.size != s->held_bytes) {
        s->held_bytes = id.size;
        s->held_ms = now;
    }
    return now - s->held_ms >= TAIL_COPY_HOLD_MS;
}

/* goes on with a lost generation, when the search is over */
static void follow_found(struct search *s, struct candidate *c, struct entry *e)
{
    adopt_packed(s->t, c, e);
    struct file *f = file_find(s->t, c->id.dev, c->id.ino);
    f->behind_search = false;
    f->found = !s->own && s->rest.entry == NULL;
}

/* A compressed file that a pattern matches, and whose content is new; unless another one has come
 * to its path since that was found out: both are looked at again. */
static void begin_own(struct tail *t, struct candidate *c)
{
    if (adopt_open(t, c) < 0)
        return;
    if (c->moved) {
        tail_scan_soon(t);
    } else if (!probe_is_known(t, c)) {
        adopt_new(t, c);
        return;
    } else {
        packed_remember(t, &c->id);
    }
    content_close(&c->content);
}

/* a decided member: the lost generation goes on in it, the living one needs it not */
static void settle(struct search *s, struct candidate *c, enum probe_result r, struct entry *e)
{
    c->dir = discover_dir_of(s->t, c->path); /* it may have gone meanwhile */
    bool only = s->rest.entry != NULL || s->unseen != NULL;
    bool other = r == PROBE_LOST && only && e != s->rest.entry;
    c->known = r == PROBE_LIVING || other ||
               (r == PROBE_NOBODYS && packed_is_read(s->t, &c->id)); /* done meanwhile */
    if (r == PROBE_LOST && !other && file_find(s->t, c->id.dev, c->id.ino) == NULL)
        follow_found(s, c, e);
    c->probed = true;
    content_close(&c->content);
    probe_end(&s->probe);
    s->probing = false;
    if (s->own && c->known)
        packed_remember(s->t, &c->id);
    else if (s->own && r != PROBE_LOST)
        begin_own(s->t, c);
}

/* when a generation was written last, as far as is known */
static int64_t written_ns(const struct entry *e)
{
    struct fs_identity id;
    if (e->file != NULL && fds_identify(e->file, &id) == 0)
        return id.mtime_ns;
    return e->seen_ns;
}

/* The file that a member is followed as, or NULL. Its number may be another file's by now: then it
 * has gone since it was listed. */
static struct file *follower(const struct search *s, struct candidate *c)
{
    struct file *f = file_find(s->t, c->id.dev, c->id.ino);
    bool reused = f != NULL && f->entry->birth_ns != 0 && c->id.birth_ns != 0 &&
                  f->entry->birth_ns != c->id.birth_ns;
    c->moved |= reused;
    return reused ? NULL : f;
}

/* Whether a member was written after the last look at a file that was cut, and is not that file.
 * One that is younger than what is in the file now may be a copy of that, made before the next cut.
 */
static bool is_between(const struct search *s, struct candidate *c)
{
    const struct rest *rest = &s->rest;
    const struct entry *e = rest->entry;
    int64_t since = e != NULL && e->file != NULL ? written_ns(e) : rest->since_ns;
    return !c->kin && c->id.mtime_ns > since - TAIL_CLOCK_STEP_NS &&
           !(c->id.ino == rest->cut.ino && c->id.dev == rest->cut.dev) && follower(s, c) == NULL;
}

/* Whether there is nothing to find out about a member any more: the rest is found, and it is not
 * one that may have been missed. */
static bool is_over(const struct search *s, struct candidate *c)
{
    bool found = s->rest.entry != NULL && s->rest.entry->file != NULL;
    return (found || s->unseen != NULL) && !(s->rest.is_cut && is_between(s, c));
}

/* One step on. False: not decided yet; *ret_at_once = go on without a pause. */
static bool decide_next(struct search *s, bool *ret_at_once)
{
    struct candidate *c = s->members[s->next];
    struct entry *e = NULL;
    if (!s->probing && (is_over(s, c) || !siblings_is_compressed(c->path) || !begin_member(s, c)))
        return true;
    enum probe_result r = probe_step(&s->probe, &e);
    if (r == PROBE_LATER) {
        *ret_at_once = true;
        return false;
    }
    if (r == PROBE_BUSY)
        s->held_ms = loop_now_ms(s->t->loop); /* it is not the file that makes it wait */
    if (r == PROBE_BUSY || (r == PROBE_WAITS && !is_given_up(s, c)))
        return false;
    settle(s, c, r, e);
    return true;
}

/* ---- the end of a search ---- */

/* Whether nothing is known by which a lost generation could be recognised: it was never read. What
 * was written since its file was found may be it. */
static bool is_blank(const struct entry *e)
{
    return e->loaded && e->file == NULL && !e->done && e->acked.offset == 0 &&
           e->acked.head_bytes == 0;
}

/* see search.h */
int64_t search_newest_ns(const struct search *s)
{
    int64_t newest = 0, blank = INT64_MAX;
    struct registry *r = s->t->registry;
    for (struct entry *e = registry_next_at(r, s->path, NULL); e != NULL;
         e = registry_next_at(r, s->path, e)) {
        bool later = e->file != NULL && e->file->behind_search;
        if (is_blank(e) && e->seen_ns - TAIL_CLOCK_STEP_NS < blank)
            blank = e->seen_ns - TAIL_CLOCK_STEP_NS;
        if (!later && !e->unsettled && written_ns(e) > newest)
            newest = written_ns(e);
    }
    newest = newest < blank ? newest : blank;
    newest = newest < s->floor_ns ? newest : s->floor_ns;
    return newest - TAIL_CLOCK_STEP_NS;
}

/* the newest file that was followed under the path before and is not at its end */
static struct file *unread_of(const struct search *s)
{
    struct file *newest = lineage_newest(s->t, s->born_at);
    while (newest != NULL && (newest->at_end || newest->behind_search || newest->found))
        newest = newest->extra->elder;
    return newest;
}

/* makes a file the newest of its lineage, to be read after another one */
static void put_behind(const struct search *s, struct file *f, struct file *last)
{
    lineage_remove(f);
    lineage_add(f, s->born_at);
    lineage_wait(f, last);
    file_heat(f);
}

/* The files that begin at the path since the search has begun are the newest ones. */
static void release(const struct search *s, struct file *last)
{
    struct file *behind[SEARCH_BEHIND_MAX];
    unsigned n = 0;
    for (struct file *f = lineage_newest(s->t, s->born_at); f != NULL; f = f->extra->elder)
        if (f->behind_search && n < SEARCH_BEHIND_MAX)
            behind[n++] = f;
    while (n > 0) {
        struct file *f = behind[--n];
        f->behind_search = false;
        put_behind(s, f, last);
        last = f;
    }
}

/* the file that is at the path, if the search has begun at the start of the agent */
static struct file *present_of(const struct search *s)
{
    struct file *f = s->at_start ? lineage_newest(s->t, s->born_at) : NULL;
    while (f != NULL && f->behind_search)
        f = f->extra->elder;
    return f;
}

/* The file that a member is followed as, also if it was missed; NULL = it is not. */
static struct file *file_of(struct search *s, struct candidate *c, int64_t newest)
{
    struct file *f = follower(s, c);
    bool made = siblings_is_compressed(c->path) && is_in_the_making(c);
    c->dir = discover_dir_of(s->t, c->path);
    if (f == NULL && c->id.mtime_ns > newest && !c->known && !c->kin && !made)
        f = adopt_sibling(s->t, c, true);
    if (f != NULL)
        f->found = f->behind_search = false;
    return f;
}

/* What was found and what was missed is chained in the order of the last write. */
static void chain(struct search *s, int64_t newest)
{
    struct file *present = present_of(s);
    struct file *last = present != NULL ? present->extra->after : unread_of(s);
    for (unsigned i = 0; i < s->count; i++) {
        struct file *file = file_of(s, s->members[i], newest);
        if (file == NULL || file == last || file == present)
            continue;
        put_behind(s, file, last);
        last = file;
    }
    if (present != NULL && last != present->extra->after)
        put_behind(s, present, last);
    release(s, present != NULL ? present : last);
}

/* no entry of the path is looked for again; they are kept until they are forgotten by age */
static void set_looked_for(struct tail *t, const char *path)
{
    for (struct entry *e = registry_next_at(t->registry, path, NULL); e != NULL;
         e = registry_next_at(t->registry, path, e))
        e->loaded = false;
}

/* see search.h */
struct file *search_take_missed(struct search *s, struct file *last, bool compressed)
{
    for (unsigned i = 0; i < s->count; i++) {
        struct candidate *c = s->members[i];
        if (siblings_is_compressed(c->path) != compressed || c->known || !is_between(s, c) ||
            (compressed && is_in_the_making(c)))
            continue;
        c->dir = discover_dir_of(s->t, c->path);
        struct file *file = adopt_sibling(s->t, c, true);
        if (file == NULL || file == last)
            continue;
        lineage_wait(file, last);
        last = file;
    }
    return last;
}

/* Whether a file that was taken for new begins with what was only seen of one that was cut: it is
 * the copy, which was found before the cut was. */
static bool is_read_elsewhere(const struct search *s)
{
    struct fs_identity id;
    const struct entry *cut = s->rest.entry;
    struct entry *e = cut->acked.offset > 0 ? NULL : registry_next(s->t->registry, NULL);
    for (; e != NULL; e = registry_next(s->t->registry, e))
        if (e->file != NULL && siblings_are_kin(e->path, s->path) && fds_open(e->file) == 0 &&
            content_identify(&e->file->content, &id) == 0 &&
            identity_evidence_holds(&e->file->content, id.size, &cut->acked))
            return true;
    return false;
}

/* what nobody can read any more */
static void end_rest(struct search *s)
{
    const struct rest *rest = &s->rest;
    if (rest->entry->file == NULL && rest->lost.bytes > 0 && !is_read_elsewhere(s))
        ledger_abandon(s->t->opts.inputs[s->input].ledger, rest->why, rest->lost);
    if (rest->entry->file == NULL && rest->why == ABANDON_DELETED)
        registry_finish(rest->entry);
    registry_unhold(rest->entry);
}

/* see search.h */
void search_drop_members(struct search *s)
{
    for (unsigned i = 0; i < s->count; i++)
        adopt_free_candidate(s->members[i]);
    s->count = 0;
}

/* see search.h */
void search_free(struct search *s)
{
    if (s->probing)
        probe_end(&s->probe);
    list_remove(&s->link);
    search_drop_members(s);
    mem_free(s->path);
    mem_free(s);
}

/* no search is under way that could tell more of a generation */
static void settle_entry(struct entry *e)
{
    registry_set_unsettled(e, false);
    if (e->file == NULL || !(e->file->behind_search || e->file->found))
        return;
    e->file->behind_search = e->file->found = false;
    file_heat(e->file);
}

/* see search.h */
void search_settle(struct tail *t, const char *path)
{
    if (siblings_is_open(t, path))
        return;
    for (struct entry *e = registry_next_at(t->registry, path, NULL); e != NULL;
         e = registry_next_at(t->registry, path, e))
        settle_entry(e);
}

/* see tail_internal.h */
void siblings_settle(struct tail *t)
{
    struct entry *e = NULL;
    while ((e = registry_next(t->registry, e)) != NULL)
        if (!siblings_is_open(t, e->path))
            settle_entry(e);
}

/* see search.h */
bool search_has_moved(const struct search *s)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->members[i]->moved)
            return true;
    return false;
}

/* what is left of a search that is over */
static char *take_path(struct search *s)
{
    char *path = s->path;
    s->path = NULL;
    return path;
}

/* see search.h */
unsigned search_doubts(const struct search *s)
{
    return reach_refusals(s->path) + s->t->unreadable;
}

/* Whether something could not be read meanwhile, so that the search has to begin again: for as long
 * as its mount does not answer, or for a while where reading fails. */
static bool is_in_doubt(struct search *s)
{
    struct tail *t = s->t;
    int64_t now = loop_now_ms(t->loop);
    if (s->own || search_doubts(s) == s->doubts)
        return false;
    if (!reach_was_refused(s->path) && now - s->began_ms > DOUBT_MS) {
        tail_message(t, LOG_WARN, "what was rotated away from \"%s\" cannot be read", s->path);
        return false;
    }
    s->again_ms = now + TAIL_CHECK_MS;
    loop_timer_set(t->search_timer, TAIL_CHECK_MS);
    return true;
}

/* Whether a search that has to begin again has to wait; it has begun again else. */
static bool is_resting(struct search *s)
{
    if (s->again_ms == 0)
        return false;
    if (loop_now_ms(s->t->loop) < s->again_ms) {
        if (!loop_timer_is_set(s->t->search_timer))
            loop_timer_set(s->t->search_timer, TAIL_CHECK_MS);
        return true;
    }
    if (s->probing)
        probe_end(&s->probe);
    s->probing = false;
    search_drop_members(s);
    s->next = 0;
    s->again_ms = 0;
    search_begin(s);
    return false;
}

/* A search for the rest of an entry is over; one that has to look once more does so. */
static void finish_rest(struct search *s)
{
    struct tail *t = s->t;
    struct rest rest = s->rest;
    unsigned input = s->input;
    if (rest.is_cut)
        (void)search_take_missed(s, rest.entry->file, true);
    bool again = search_has_moved(s);
    if (!again)
        end_rest(s);
    char *path = take_path(s);
    search_free(s);
    if (again) {
        (void)search_rest(t, input, path, &rest);
        registry_unhold(rest.entry);
    } else {
        search_settle(t, path);
    }
    mem_free(path);
}

/* The same for what was in a file before its first bytes. */
static void finish_unseen(struct search *s)
{
    struct tail *t = s->t;
    struct entry *e = s->unseen;
    if (e->file != NULL)
        lineage_wait(e->file, search_take_missed(s, e->file->extra->after, true));
    bool again = search_has_moved(s);
    char *path = take_path(s);
    search_free(s);
    if (again && e->file != NULL)
        (void)siblings_unseen(e->file); /* it asks again while nothing is known of it */
    else
        search_settle(t, path);
    registry_unhold(e);
    mem_free(path);
}

/* The same for a path. */
static void finish_path(struct search *s)
{
    struct tail *t = s->t;
    int64_t newest = search_newest_ns(s);
    unsigned input = s->input;
    chain(s, newest);
    if (is_in_doubt(s))
        return;
    bool again = s->again || search_has_moved(s);
    if (!again)
        set_looked_for(t, s->path);
    char *path = take_path(s);
    search_free(s);
    if (again)
        search_path(t, input, path, newest);
    else
        search_settle(t, path);
    mem_free(path);
}

/* everything is decided */
static void finish(struct search *s)
{
    if (s->rest.entry != NULL)
        finish_rest(s);
    else if (s->unseen != NULL)
        finish_unseen(s);
    else if (s->own)
        search_free(s);
    else
        finish_path(s);
}

/* see search.h */
void search_step(struct search *s)
{
    struct tail *t = s->t;
    bool at_once = false;
    if (is_resting(s))
        return;
    while (s->next < s->count) {
        if (decide_next(s, &at_once)) {
            s->next++;
            continue;
        }
        loop_timer_set(t->search_timer, at_once ? 0 : TAIL_TICK_MS);
        return;
    }
    if (!is_in_doubt(s))
        finish(s);
}
