/*
 * tail/siblings - what rotation did while nobody looked
 *
 * When a file is new at a path that is registered, or a registered path has no file, generations
 * of that path may have been renamed to names that no pattern matches, and compressed. They are
 * looked for among the siblings by identity and read from their offset to their end. Siblings
 * written after the newest registered generation (after its last record, when it is gone) were born
 * and rotated away unseen: they are read from 0, the oldest first, all before the file that is at
 * the path now.
 *
 * Plain files are decided at once, compressed ones step by step (probe.h): a search may take time.
 * Until it is over (search.c) the files that it has found wait, and so do those that begin at the
 * path.
 *
 * Siblings keep the path that they were rotated away from as their name in the registry, so that
 * the next start finds them again.
 */
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/mem.h"
#include "search.h"

/* lists of a directory that is changing */
#define GATHER_TRIES 8

/* ---- members ---- */

/* Whether a name is one to which rotation renames the path; at a path that is a compressed file's
 * own the file itself is. */
static bool is_own(const char *base, const char *name)
{
    return siblings_is(base, name) || (strcmp(base, name) == 0 && siblings_is_compressed(name));
}

/* a sibling that nobody follows */
static void add_member(void *ctx, const char *name, uint64_t ino)
{
    struct search *s = ctx;
    char path[PATH_MAX];
    struct fs_identity id;
    mode_t mode;
    const char *base = strrchr(s->path, '/') + 1;
    (void)ino; /* asked together with the rest */
    int n = snprintf(path, sizeof(path), "%s/%s", s->listed, name);
    bool own = is_own(base, name);
    bool kin = siblings_are_kin(s->path, path) && strcmp(s->path, path) != 0;
    if (n <= 0 || n >= PATH_MAX || s->count == SIBLINGS_MAX || (!own && !kin))
        return;
    int r = reach_identify_path(path, false, &id, &mode);
    tail_note_failure(s->t, r);
    if (r < 0 || !S_ISREG(mode) || file_find(s->t, id.dev, id.ino) != NULL)
        return;
    struct candidate *c = slab_get(&s->t->candidate_slab);
    c->tail = s->t;
    list_init(&c->link);
    c->path = mem_strdup(path);
    c->known_as = s->path;
    c->kin = !own;
    c->id = id;
    content_open(&c->content, -1);
    c->dir = s->dir;
    c->input = s->input;
    s->members[s->count++] = c;
}

/* oldest write first; names break ties */
static int compare(const void *a, const void *b, void *numbers_grow)
{
    const struct candidate *x = *(struct candidate *const *)a;
    const struct candidate *y = *(struct candidate *const *)b;
    if (x->id.mtime_ns != y->id.mtime_ns)
        return x->id.mtime_ns < y->id.mtime_ns ? -1 : 1;
    return siblings_compare_names(x->path, y->path, *(const bool *)numbers_grow);
}

/* Whether higher numbers are younger here, as most neighbours in time say. */
static bool do_numbers_grow(const struct search *s)
{
    int votes = 0;
    for (unsigned i = 1; i < s->count; i++) {
        const struct candidate *x = s->members[i - 1], *y = s->members[i];
        if (x->id.mtime_ns != y->id.mtime_ns)
            votes += siblings_compare_numbers(y->path, x->path) > 0 ? 1 : -1;
    }
    return votes > 0;
}

/* lists the siblings of a path; returns what tells one list from another */
static uint64_t list_members(struct search *s)
{
    char olddir[PATH_MAX];
    uint64_t sum = 0;
    search_drop_members(s);
    s->listed = s->dir->path;
    listing_each(s->t, s->dir, strrchr(s->path, '/') + 1, add_member, s);
    if (olddir_of(s->t, s->path, olddir) && strcmp(olddir, s->dir->path) != 0) {
        s->listed = olddir;
        (void)reach_list(olddir, add_member, s); /* what cannot be listed has no names */
    }
    for (unsigned i = 0; i < s->count; i++)
        sum += hash64(s->members[i]->path, strlen(s->members[i]->path)) ^
               hash64_u64(s->members[i]->id.ino);
    return sum;
}

/* Lists the siblings of a path, sorted. A name that is renamed while they are listed may be met
 * nowhere, so in a directory that is changing they are listed until they are the same twice. */
static void gather(struct search *s, struct dir *d)
{
    bool numbers_grow = false;
    uint64_t last, sum;
    s->dir = d;
    sum = list_members(s);
    for (int tries = 0; tries < GATHER_TRIES && !listing_is_settled(s->t, d); tries++) {
        last = sum;
        sum = list_members(s);
        if (sum == last)
            break;
    }
    qsort_r(s->members, s->count, sizeof(struct candidate *), compare, &numbers_grow);
    numbers_grow = do_numbers_grow(s);
    if (numbers_grow)
        qsort_r(s->members, s->count, sizeof(struct candidate *), compare, &numbers_grow);
}

/* ---- searches ---- */

/* a search under way; NULL = none */
static struct search *find_search(struct tail *t, const char *path)
{
    LIST_EACH(node, &t->searches) {
        struct search *s = LIST_ENTRY(node, struct search, link);
        if (s->rest.entry == NULL && !s->rest.is_cut && strcmp(s->path, path) == 0)
            return s;
    }
    return NULL;
}

/* one that has not looked yet; path is copied */
static struct search *search_new(struct tail *t, unsigned input, const char *path)
{
    struct search *s = mem_zalloc(sizeof(*s));
    s->t = t;
    s->input = input;
    s->path = mem_strdup(path);
    s->from_ns = INT64_MIN;
    s->floor_ns = INT64_MAX;
    s->at_start = !t->started;
    s->born_at = hash64(path, strlen(path));
    s->began_ms = loop_now_ms(t->loop);
    list_push_back(&t->searches, &s->link);
    return s;
}

/* whether there is a generation that a compressed file may be */
static bool is_any_lost(struct registry *r)
{
    for (struct entry *e = registry_next(r, NULL); e != NULL; e = registry_next(r, e))
        if (e->loaded && e->file == NULL && !e->done)
            return true;
    return false;
}

/* a plain member that is the file of a registered generation */
static void take_plain(struct search *s, struct candidate *c)
{
    if (siblings_is_compressed(c->path))
        return;
    struct file *f = adopt_sibling(s->t, c, false);
    if (f != NULL) {
        f->behind_search = false;
        f->found = true;
    }
}

/* of a search for a rest: the plain members are asked at once, the newest first */
static void begin_rest(struct search *s)
{
    struct entry *e = s->rest.entry;
    for (unsigned i = s->count; i > 0 && e->file == NULL; i--)
        if (!siblings_is_compressed(s->members[i - 1]->path))
            adopt_rest(s->t, s->members[i - 1], e);
}

/* see search.h */
void search_path(struct tail *t, unsigned input, const char *path, int64_t floor_ns)
{
    struct search *s = find_search(t, path);
    if (s != NULL) {
        s->again = true;
        return;
    }
    s = search_new(t, input, path);
    s->floor_ns = floor_ns;
    search_begin(s);
    search_step(s);
}

/* see search.h */
void search_begin(struct search *s)
{
    struct tail *t = s->t;
    s->doubts = search_doubts(s);
    gather(s, discover_dir_of(t, s->path));
    tail_message(t, LOG_DEBUG, "searching %u files beside \"%s\"%s", s->count, s->path,
                 s->rest.entry != NULL     ? " for what was cut or deleted"
                 : s->floor_ns < INT64_MAX ? " once more"
                                           : "");
    if (s->rest.entry != NULL) {
        begin_rest(s);
        return;
    }
    for (unsigned i = 0; i < s->count; i++) {
        const struct fs_identity *id = &s->members[i]->id;
        if (registry_find_inode(t->registry, id->dev, id->ino) != NULL)
            take_plain(s, s->members[i]); /* it may have been cut: tells so */
    }
    for (unsigned i = 0; i < s->count; i++)
        take_plain(s, s->members[i]); /* what is none may have been missed */
    s->from_ns = is_any_lost(t->registry) ? INT64_MIN : search_newest_ns(s);
}

/* see tail_internal.h */
void siblings_before(struct tail *t, const struct candidate *c)
{
    if (registry_next_at(t->registry, c->path, NULL) != NULL)
        search_path(t, c->input, c->path, INT64_MAX);
}

/* see search.h */
struct file *search_rest(struct tail *t, unsigned input, const char *path, const struct rest *rest)
{
    struct entry *e = rest->entry;
    struct search *s = search_new(t, input, path);
    s->rest = *rest;
    registry_hold(e);
    search_begin(s);
    struct file *last = rest->is_cut ? search_take_missed(s, e->file, false) : NULL;
    search_step(s);
    return last != NULL ? last : e->file;
}

/* see tail_internal.h */
struct file *siblings_of_cut(struct tail *t, unsigned input, const char *path, struct entry *e,
                             const struct fs_identity *cut, int64_t since_ns,
                             struct ledger_count lost)
{
    return search_rest(t, input, path,
                       &(struct rest){e, ABANDON_TRUNCATED, lost, true, *cut, since_ns});
}

/* see tail_internal.h */
bool siblings_may_hide(const struct file *f)
{
    bool blank = file_at(f)->offset == 0 && file_at(f)->head_bytes == 0;
    return blank && !content_is_packed(&f->content) &&
           (f->dir->watch < 0 || f->dir->other_ms >= f->grown_ms);
}

/* see tail_internal.h */
bool siblings_unseen(struct file *f)
{
    struct fs_identity id;
    if (content_identify(&f->content, &id) < 0)
        return false;
    struct search *s = search_new(f->tail, f->input, f->entry->path);
    s->rest = (struct rest){.is_cut = true, .cut = id, .since_ns = f->entry->seen_ns};
    s->unseen = f->entry;
    registry_hold(s->unseen);
    registry_set_unsettled(s->unseen, true);
    f->behind_search = true;
    s->doubts = search_doubts(s);
    gather(s, discover_dir_of(f->tail, s->path));
    lineage_wait(f, search_take_missed(s, f->extra->after, false));
    search_step(s);
    return id.size == 0;
}

/* see tail_internal.h */
void siblings_of_deleted(struct tail *t, unsigned input, struct entry *e, struct ledger_count lost)
{
    (void)search_rest(t, input, e->path, &(struct rest){e, ABANDON_DELETED, lost});
}

/* see tail_internal.h */
void siblings_decide(struct tail *t, struct candidate *c)
{
    struct search *s = search_new(t, c->input, c->path);
    s->own = true;
    s->members[s->count++] = c;
    search_step(s);
}

/* see tail_internal.h */
bool siblings_is_searching(struct tail *t, const char *path)
{
    struct search *s = list_is_empty(&t->searches) ? NULL : find_search(t, path);
    return s != NULL && !s->own;
}

/* see tail_internal.h; what is minted while the tail starts bounds no search that follows */
bool siblings_is_open(struct tail *t, const char *path)
{
    if (!t->started && registry_next_at(t->registry, path, NULL) != NULL)
        return true;
    LIST_EACH(node, &t->searches) {
        const struct search *s = LIST_ENTRY(node, struct search, link);
        if (!s->own && strcmp(s->path, path) == 0)
            return true;
    }
    return false;
}

/* see tail_internal.h */
void siblings_search_on(struct tail *t)
{
    LIST_EACH(node, &t->searches)
        search_step(LIST_ENTRY(node, struct search, link));
}

/* see tail_internal.h */
void siblings_refit(struct tail *t)
{
    LIST_EACH(node, &t->searches) {
        struct search *s = LIST_ENTRY(node, struct search, link);
        struct entry *held = s->rest.entry != NULL ? s->rest.entry : s->unseen;
        int input = discover_input_of(t, s->path);
        if (input < 0) {
            search_free(s);
            if (held != NULL)
                registry_unhold(held);
            continue;
        }
        s->input = (unsigned)input;
        for (unsigned i = 0; i < s->count; i++)
            s->members[i]->input = s->input;
    }
}

/* see tail_internal.h */
void siblings_free(struct tail *t)
{
    LIST_EACH(node, &t->searches) {
        struct search *s = LIST_ENTRY(node, struct search, link);
        struct entry *held = s->rest.entry != NULL ? s->rest.entry : s->unseen;
        search_free(s);
        if (held != NULL)
            registry_unhold(held);
    }
}

/* Whether a member has the head of an entry, and was written last at the same time. */
static bool is_heir(struct search *s, struct candidate *c, const struct entry *e, int64_t mtime_ns)
{
    struct evidence head = e->acked;
    head.offset = 0;
    if (!siblings_is_compressed(c->path) || c->id.mtime_ns != mtime_ns || adopt_open(s->t, c) < 0)
        return false;
    bool same =
        content_is_packed(&c->content) && identity_evidence_holds(&c->content, UINT64_MAX, &head);
    content_close(&c->content);
    return same;
}

/* see tail_internal.h */
bool siblings_inherit(struct file *f)
{
    struct fs_identity id;
    struct candidate *heir = NULL;
    struct search *s = search_new(f->tail, f->input, f->entry->path);
    if (fds_identify(f, &id) == 0)
        gather(s, discover_dir_of(f->tail, s->path));
    for (unsigned i = 0; i < s->count && heir == NULL; i++)
        if (is_heir(s, s->members[i], f->entry, id.mtime_ns))
            heir = s->members[i];
    if (heir != NULL)
        registry_moved(f->entry, &heir->id, s->path);
    search_free(s);
    return heir != NULL;
}

/* whether an entry's generation was not found at any matching path */
static bool is_lost(const struct entry *e)
{
    return e->loaded && e->file == NULL && !e->done && e->path[0] == '/';
}

/* see tail_internal.h */
void siblings_find(struct tail *t)
{
    struct entry *e = registry_next(t->registry, NULL);
    while (e != NULL) {
        int input = is_lost(e) ? discover_input_of(t, e->path) : -1;
        bool searched = input >= 0 && find_search(t, e->path) != NULL;
        if (input >= 0 && !searched) {
            search_path(t, (unsigned)input, e->path, INT64_MAX);
            e = registry_next(t->registry, NULL);
            continue;
        }
        e->loaded = e->loaded && searched;
        e = registry_next(t->registry, e);
    }
}
