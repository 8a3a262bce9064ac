/*
 * os/reach_where - which mount a path leads to
 *
 * By its text, and where a directory on the way is a link by what that says. Only what lies here is
 * looked at for this: as soon as a path has come to a mount it is known. What was found out of a
 * directory is kept until the next look at the table of mounts, which comes with each scan.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "reach_internal.h"

#define SLOTS_MAX 64 /* helpers; what lies on further mounts is touched here */
#define CACHE     64
#define LINKS_MAX 16

/* A mount that may not answer. */
struct point {
    char *path; /* owned */
    size_t bytes;
    uint64_t id;
};

/* Where a directory leads to. */
struct known {
    char *dir; /* owned; NULL = nothing */
    int slot;
};

static struct point *points;
static size_t point_count;
static struct known cache[CACHE];

/* see reach_internal.h */
void reach_where_forget(void)
{
    for (size_t i = 0; i < CACHE; i++) {
        mem_free(cache[i].dir);
        cache[i].dir = NULL;
    }
}

/* frees the points */
static void clear_points(void)
{
    for (size_t i = 0; i < point_count; i++)
        mem_free(points[i].path);
    mem_free(points);
    points = NULL;
    point_count = 0;
}

/* the mount that a path lies on by its text, or NULL */
static const struct point *point_of(const char *path)
{
    const struct point *found = NULL;
    for (size_t i = 0; i < point_count; i++) {
        const struct point *p = &points[i];
        bool holds = strncmp(path, p->path, p->bytes) == 0 &&
                     (path[p->bytes] == '/' || path[p->bytes] == '\0');
        if (holds && (found == NULL || p->bytes >= found->bytes))
            found = p;
    }
    return found;
}

/* the slot of a mount, made if it has none; -1 = there is no room */
static int slot_of(const struct point *p)
{
    struct reach *r = &reach_now;
    int room = -1;
    for (int i = 0; i < SLOTS_MAX; i++) {
        if (r->mounts[i] == NULL)
            room = room < 0 ? i : room;
        else if (r->mounts[i]->id == p->id && strcmp(r->mounts[i]->point, p->path) == 0)
            return i;
    }
    if (room >= 0)
        r->mounts[room] = reach_mount_new(p->path, p->id);
    return room;
}

/* see header */
void reach_refresh(const struct mounts *m)
{
    struct reach *r = &reach_now;
    const char *path;
    uint64_t id;
    if (r->loop == NULL)
        return;
    clear_points();
    reach_where_forget();
    for (size_t i = 0; m != NULL && mounts_remote(m, i, &path, &id); i++) {
        points = mem_resize(points, (point_count + 1) * sizeof(*points));
        points[point_count++] = (struct point){mem_strdup(path), strlen(path), id};
    }
    for (int i = 0; i < SLOTS_MAX; i++) {
        struct reach_mount *one = r->mounts[i];
        if (one == NULL)
            continue;
        const struct point *p = point_of(one->point);
        one->present = p != NULL && p->id == one->id;
        if (!one->present && one->files == 0)
            reach_mount_free(&r->mounts[i]);
    }
    reach_reap();
}

/* see header */
void reach_start(struct loop *loop, const struct reach_hooks *hooks)
{
    reach_now = (struct reach){.loop = loop, .hooks = *hooks};
    reach_now.mounts = mem_zalloc_array(SLOTS_MAX, sizeof(struct reach_mount *));
}

/* see header */
void reach_stop(void)
{
    for (int i = 0; reach_now.loop != NULL && i < SLOTS_MAX; i++)
        if (reach_now.mounts[i] != NULL)
            reach_mount_free(&reach_now.mounts[i]);
    mem_free(reach_now.mounts);
    clear_points();
    reach_where_forget();
    reach_now = (struct reach){0};
}

/* A path on its way: the part that is gone over, without links, and the rest. */
struct way {
    char done[PATH_MAX];
    char rest[PATH_MAX];
    size_t at; /* in rest */
};

/* takes the next part of the rest; false = there is none, or it is too long */
static bool step(struct way *w, size_t *ret_before)
{
    size_t n = strlen(w->done);
    while (w->rest[w->at] == '/')
        w->at++;
    const char *part = w->rest + w->at;
    size_t bytes = strcspn(part, "/");
    if (bytes == 0)
        return false;
    w->at += bytes;
    *ret_before = n;
    if (bytes == 1 && part[0] == '.')
        return true;
    if (bytes == 2 && part[0] == '.' && part[1] == '.') {
        char *slash = strrchr(w->done, '/');
        if (slash != NULL)
            *slash = '\0';
        return true;
    }
    if (n + 1 + bytes >= sizeof(w->done))
        return false;
    w->done[n] = '/';
    memcpy(w->done + n + 1, part, bytes);
    w->done[n + 1 + bytes] = '\0';
    return true;
}

/* what a link says takes its place; before: length of the path of its directory */
static bool go_by(struct way *w, const char *says, size_t before)
{
    char rest[PATH_MAX];
    int n = snprintf(rest, sizeof(rest), "%s/%s", says, w->rest + w->at);
    if (n <= 0 || n >= PATH_MAX)
        return false;
    memcpy(w->rest, rest, (size_t)n + 1);
    w->at = 0;
    w->done[says[0] == '/' ? 0 : before] = '\0';
    return true;
}

/* the mount that a directory, or a path to its end, leads to, or NULL */
static const struct point *walk(const char *path)
{
    struct way w = {.at = 0};
    char says[PATH_MAX];
    size_t before = 0;
    unsigned links = 0;
    if (strlen(path) >= sizeof(w.rest))
        return NULL; /* no call takes it */
    (void)snprintf(w.rest, sizeof(w.rest), "%s", path);
    while (step(&w, &before)) {
        const struct point *p = point_of(w.done);
        if (p != NULL)
            return p;
        ssize_t n = readlink(w.done, says, sizeof(says) - 1);
        if (n < 0)
            continue; /* no link, or not there: then nothing behind it is */
        says[n] = '\0';
        if (++links > LINKS_MAX || !go_by(&w, says, before))
            return NULL;
    }
    return NULL;
}

/* see reach_internal.h */
int reach_where(const char *path, bool follow)
{
    const struct point *p;
    char dir[PATH_MAX];
    if (point_count == 0 || path[0] != '/')
        return -1;
    if ((p = point_of(path)) != NULL)
        return slot_of(p);
    if (follow) {
        p = walk(path);
        return p == NULL ? -1 : slot_of(p);
    }
    size_t n = (size_t)(strrchr(path, '/') - path);
    if (n >= sizeof(dir))
        return -1;
    memcpy(dir, path, n);
    dir[n] = '\0';
    struct known *k = &cache[hash64(dir, n) % CACHE];
    if (k->dir == NULL || strcmp(k->dir, dir) != 0) {
        mem_free(k->dir);
        k->dir = mem_strdup(dir);
        p = walk(dir);
        k->slot = p == NULL ? -1 : slot_of(p);
    }
    return k->slot;
}

/* see header */
bool reach_is_far(const char *path)
{
    return reach_where(path, true) >= 0;
}

/* see header */
bool reach_was_refused(const char *path)
{
    int slot = reach_where(path, true);
    return slot >= 0 && reach_now.mounts[slot]->refused;
}

/* see header */
bool reach_was_seen(const char *path)
{
    int slot = reach_where(path, true);
    return slot < 0 || reach_now.mounts[slot]->seen;
}

/* see header */
unsigned reach_refusals(const char *path)
{
    int slot = reach_where(path, true);
    return slot < 0 ? 0 : reach_now.mounts[slot]->refusals;
}

/* see header */
void reach_begin(void)
{
    for (int i = 0; reach_now.loop != NULL && i < SLOTS_MAX; i++)
        if (reach_now.mounts[i] != NULL)
            reach_now.mounts[i]->refused = false;
}

/* see header */
void reach_end(void)
{
    for (int i = 0; reach_now.loop != NULL && i < SLOTS_MAX; i++) {
        struct reach_mount *m = reach_now.mounts[i];
        if (m != NULL && m->answered && !m->refused)
            m->seen = true;
    }
}
