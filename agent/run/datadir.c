/*
 * run/datadir - what is kept on disk, opened
 *
 * The lock comes first: nothing is touched in a directory that another instance uses.
 */
#include "run/datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "os/entropy.h"
#include "os/fs.h"
#include "os/lock.h"

#define ID_FILE "agent.id"

/* nothing open */
void datadir_init(struct datadir *d)
{
    *d = (struct datadir){.dir = -1,
                          .lock = -1,
                          .registry = -1,
                          .dead_letter = -1,
                          .spool = -1,
                          .saved = -1,
                          .volatile_dir = -1,
                          .volatile_lock = -1};
}

/* a random UUID (RFC 9562 version 4) */
static void mint_id(char *dst)
{
    unsigned char b[16];
    entropy_fill(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    (void)snprintf(dst, DATADIR_ID_CHARS + 1,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
}

/* whether the text has the form of a UUID */
static bool is_id(struct slice s)
{
    if (s.len != DATADIR_ID_CHARS)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s.ptr[i] != '-' : strchr("0123456789abcdef", s.ptr[i]) == NULL)
            return false;
    }
    return true;
}

/* the kept id, or a new one; one that cannot be written is used all the same */
static void load_id(struct datadir *d)
{
    struct buf text;
    buf_init(&text, 256);
    int r = fs_read_file(fs_system(), d->dir, ID_FILE, &text);
    struct slice id = slice_trim(buf_slice(&text));
    if (r == 0 && is_id(id)) {
        memcpy(d->agent_id, id.ptr, id.len);
        d->agent_id[id.len] = '\0';
    } else {
        char line[DATADIR_ID_CHARS + 2];
        mint_id(d->agent_id);
        int n = snprintf(line, sizeof(line), "%s\n", d->agent_id);
        r = fs_replace(fs_system(), d->dir, ID_FILE, line, (size_t)n, 0600);
        if (r < 0)
            log_warn("cannot keep the agent's id: %s, a new one is used at each start",
                     strerror(-r));
    }
    buf_clear(&text);
}

/* opens path/name; *ret_fd is set on success */
static int open_below(const char *path, const char *name, int *ret_fd, struct err *e)
{
    struct buf full;
    buf_init(&full, 4096);
    int r = name == NULL ? buf_add_str(&full, path) : buf_printf(&full, "%s/%s", path, name);
    int fd = r == 0 ? fs_open_dir(buf_cstr(&full), 0700, e) : r;
    buf_clear(&full);
    if (fd < 0)
        return r < 0 ? err_set_errno(e, r, "path \"%s\"", path) : fd;
    *ret_fd = fd;
    return 0;
}

/* the directory in memory, under a lock of its own: it may be shared by mistake */
static int open_volatile(struct datadir *d, const struct config *c, struct err *e)
{
    int r = open_below(c->path_volatile, NULL, &d->volatile_dir, e);
    if (r == 0) {
        d->volatile_lock = lock_take(d->volatile_dir, "lock", e);
        r = d->volatile_lock < 0 ? err_prefix(e, "path.volatile \"%s\"", c->path_volatile) : 0;
    }
    return r == 0 ? open_below(c->path_volatile, "registry", &d->registry, e) : r;
}

/* the spool, without which the agent runs too */
static void open_spool(struct datadir *d, const struct config *c)
{
    struct err e = {0};
    if (c->spool.enabled && open_below(c->spool.path, NULL, &d->spool, &e) < 0)
        log_warn("spool: %s; metrics wait in memory only", e.text);
}

/* see header */
int datadir_open(struct datadir *d, const struct config *c, struct err *e)
{
    datadir_init(d);
    int r = open_below(c->path_data, NULL, &d->dir, e);
    if (r == 0) {
        d->lock = lock_take(d->dir, "lock", e);
        r = d->lock < 0 ? err_prefix(e, "path.data \"%s\"", c->path_data) : 0;
    }
    if (r == 0 && c->state == CONFIG_STATE_VOLATILE)
        r = open_volatile(d, c, e);
    if (r == 0)
        r = open_below(c->path_data, "registry", d->volatile_dir < 0 ? &d->registry : &d->saved, e);
    if (r == 0)
        r = open_below(c->dead_letter.path, NULL, &d->dead_letter, e);
    if (r < 0) {
        datadir_close(d);
    } else {
        load_id(d);
        open_spool(d, c);
    }
    return r;
}

/* see header */
int datadir_open_registry(const struct config *c, struct err *e)
{
    struct buf path;
    buf_init(&path, 4096);
    int r = buf_printf(&path, "%s/registry/log.0", c->path_volatile);
    bool in_memory =
        r == 0 && c->state == CONFIG_STATE_VOLATILE && access(buf_cstr(&path), F_OK) == 0;
    buf_reset(&path);
    r = buf_printf(&path, "%s/registry", in_memory ? c->path_volatile : c->path_data);
    int fd = r < 0 ? r : open(buf_cstr(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        (void)err_set_errno(e, r < 0 ? r : -errno, "open \"%s\"", buf_cstr(&path));
    buf_clear(&path);
    return fd < 0 ? e->code : fd;
}

/* see header */
void datadir_close(struct datadir *d)
{
    int fds[] = {d->spool,         d->dead_letter,  d->registry, d->saved,
                 d->volatile_lock, d->volatile_dir, d->lock,     d->dir};
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        if (fds[i] >= 0)
            (void)close(fds[i]); /* directories and a lock */
    datadir_init(d);
}
