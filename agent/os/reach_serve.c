/*
 * os/reach_serve - the helper's side: one question after the other
 *
 * Any of these calls may hang for as long as the mount does. It ends by itself when the socket
 * ends, and by a signal when its parent dies.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper_internal.h"
#include "reach_internal.h"

/* What a helper has. */
struct server {
    char *shared;
    DIR *listing;           /* the one that goes on, or NULL */
    struct dirent *pending; /* a name that did not fit */
    void (*before)(const char *path);
};

/* opens without effect on what it is */
static int64_t open_place(const char *path)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* the text of a link into shared memory; its length */
static int64_t says(struct server *s, const char *path)
{
    ssize_t n = readlink(path, s->shared, PATH_MAX - 1);
    if (n < 0)
        return -errno;
    return n == PATH_MAX - 1 ? -ENAMETOOLONG : n;
}

/* adds a name; false = there is no room for it and the end */
static bool add_name(struct server *s, size_t *at, const struct dirent *d)
{
    struct reach_entry e = {.ino = d->d_ino, .length = (uint32_t)strlen(d->d_name)};
    if (REACH_SHARED - *at < 2 * sizeof(e) + e.length)
        return false;
    memcpy(s->shared + *at, &e, sizeof(e));
    memcpy(s->shared + *at + sizeof(e), d->d_name, e.length);
    *at += sizeof(e) + e.length;
    return true;
}

/* fills shared memory with names; 1 = there are more */
static int64_t list_on(struct server *s)
{
    size_t at = 0;
    struct dirent *d = s->pending;
    s->pending = NULL;
    if (s->listing == NULL)
        return -EBADF;
    errno = 0;
    for (; d != NULL || (d = readdir(s->listing)) != NULL; d = NULL) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        if (!add_name(s, &at, d)) {
            s->pending = d; /* stays until the next readdir */
            break;
        }
    }
    memset(s->shared + at, 0, sizeof(struct reach_entry));
    if (s->pending != NULL)
        return 1;
    int64_t r = -errno;
    (void)closedir(s->listing); /* read only */
    s->listing = NULL;
    return r;
}

/* begins a list */
static int64_t list(struct server *s, const char *path)
{
    if (s->listing != NULL)
        (void)closedir(s->listing); /* read only; nobody wants the rest */
    s->pending = NULL;
    s->listing = opendir(path);
    return s->listing == NULL ? -errno : list_on(s);
}

/* opens once more what is open without effect */
static int64_t reopen(int fd, struct fs_identity *ret_id)
{
    char link[64];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd); /* fits */
    return fs_open_regular(AT_FDCWD, link, true, ret_id);
}

/* one operation */
static int64_t work(struct server *s, const struct reach_question *q, struct reach_answer *a)
{
    char link[64];
    mode_t mode = 0;
    int64_t r;
    switch ((enum reach_op)q->op) {
    case REACH_IDENTIFY:
        r = fs_identify_path(AT_FDCWD, q->u.path, q->follow != 0, &a->id, &mode);
        a->mode = mode;
        return r;
    case REACH_OPEN:
        return fs_open_regular(AT_FDCWD, q->u.path, false, &a->id);
    case REACH_STAT:
        return fs_identify(q->file, &a->id);
    case REACH_READ:
        return fs_read_at(fs_system(), q->file, s->shared,
                          q->count < REACH_SHARED ? (size_t)q->count : REACH_SHARED, q->at);
    case REACH_LIST:
        return list(s, q->u.path);
    case REACH_LIST_ON:
        return list_on(s);
    case REACH_PLACE:
        return open_place(q->u.path);
    case REACH_REOPEN:
        return reopen(q->file, &a->id);
    case REACH_NAME:
        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", q->file); /* fits */
        return says(s, link);
    case REACH_SAYS:
        return says(s, q->u.path);
    case REACH_CLOSE:
        break;
    }
    return -ENOSYS;
}

/* files that nobody wants any more */
static void close_all(const struct reach_question *q, size_t bytes)
{
    for (size_t i = 0; i < q->count && (i + 1) * sizeof(q->u.closing[0]) <= bytes; i++)
        if (q->u.closing[i] > STDERR_FILENO)
            (void)close(q->u.closing[i]); /* read only */
}

/* answers until the socket ends; the exit status */
static int serve(struct server *s)
{
    const size_t fixed = offsetof(struct reach_question, u);
    for (;;) {
        struct reach_question q;
        ssize_t n = recv(STDIN_FILENO, &q, sizeof(q), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < (ssize_t)fixed)
            return n == 0 ? 0 : 1;
        bool has_path = (size_t)n > fixed && q.op != REACH_CLOSE;
        if (has_path)
            q.u.path[(size_t)n - fixed - 1] = '\0';
        if (s->before != NULL)
            s->before(has_path ? q.u.path : NULL);
        if (q.op == REACH_CLOSE) {
            close_all(&q, (size_t)n - fixed);
            continue;
        }
        struct reach_answer a = {0};
        a.result = work(s, &q, &a);
        if (send(STDIN_FILENO, &a, sizeof(a), MSG_NOSIGNAL) != (ssize_t)sizeof(a))
            return 1;
    }
}

/* see header */
int reach_serve(void (*before)(const char *path))
{
    struct server s = {.before = before};
    if (helper_detach() < 0)
        return 1;
    s.shared = mmap(NULL, REACH_SHARED, PROT_READ | PROT_WRITE, MAP_SHARED, STDOUT_FILENO, 0);
    return s.shared == MAP_FAILED ? 1 : serve(&s);
}
