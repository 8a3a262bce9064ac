/*
 * os/procfs - rooted reader of /proc and /sys
 *
 * Three roots are fixed at birth; a read joins root and path, opens, and reads to the end into one
 * buffer that only grows (up to its limit), so a collector that runs every ten seconds allocates
 * nothing after its first round. read(2) and not pread: some files of /sys refuse an offset.
 *
 * Failures are errno values of open and read, and -EFBIG.
 */
#include "os/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define PATH_LIMIT ((size_t)4096)
#define FIRST_READ ((size_t)4096)

/* the network of the first process is the host's; our own may be a container's */
#define NET      "net/"
#define NET_HOST "1/net/"

struct procfs {
    char *roots[PROCFS_ETC + 1];
    bool is_host;    /* /proc is another one's: its network is that of its first process */
    struct buf path; /* of the current read, reused */
    struct buf text; /* of the last read, reused */
};

/* the two strings as one, returned to caller */
static char *join(const char *a, const char *b)
{
    struct slice first = slice_str(a);
    struct slice second = slice_str(b);
    char *s = mem_zalloc(first.len + second.len + 1);
    for (size_t i = 0; i < first.len; i++)
        s[i] = first.ptr[i];
    for (size_t i = 0; i < second.len; i++)
        s[first.len + i] = second.ptr[i];
    return s;
}

/* whether there is such a file */
static bool exists(const struct procfs *p, enum procfs_root root, const char *path)
{
    char *base = join(p->roots[root], "/");
    char *whole = join(base, path);
    bool found = access(whole, F_OK) == 0;
    mem_free(base);
    mem_free(whole);
    return found;
}

/* what stands between root and path; *path goes on behind it */
static const char *between(const struct procfs *p, enum procfs_root root, const char **path)
{
    if (!p->is_host || root != PROCFS_PROC || strncmp(*path, NET, strlen(NET)) != 0)
        return "";
    *path += strlen(NET);
    return NET_HOST;
}

/* overrides win over hostfs */
struct procfs *procfs_new(const char *hostfs, const char *proc, const char *sys, size_t max)
{
    struct procfs *p = mem_zalloc(sizeof(*p));
    p->roots[PROCFS_PROC] = proc != NULL ? mem_strdup(proc) : join(hostfs, "/proc");
    p->roots[PROCFS_SYS] = sys != NULL ? mem_strdup(sys) : join(hostfs, "/sys");
    p->roots[PROCFS_ETC] = join(hostfs, "/etc");
    buf_init(&p->path, PATH_LIMIT);
    buf_init(&p->text, max);
    p->is_host = (hostfs[0] != '\0' || proc != NULL) && exists(p, PROCFS_PROC, NET_HOST "dev");
    return p;
}

/* roots and buffers */
void procfs_free(struct procfs **p)
{
    if (*p == NULL)
        return;
    for (size_t i = 0; i < ARRAY_LEN((*p)->roots); i++)
        mem_free((*p)->roots[i]);
    buf_clear(&(*p)->path);
    buf_clear(&(*p)->text);
    mem_free(*p);
    *p = NULL;
}

/* open, repeated after a signal */
static int open_file(const char *path)
{
    int fd;
    do {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    } while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
}

/* one read, repeated after a signal */
static ssize_t read_some(int fd, void *dst, size_t n)
{
    ssize_t r;
    do {
        r = read(fd, dst, n);
    } while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r;
}

/* grows by doubling, so that a big file costs few reads; one byte beyond the limit is -EFBIG */
static int read_all(int fd, struct buf *out)
{
    for (;;) {
        if (out->len == out->max) {
            char byte;
            ssize_t more = read_some(fd, &byte, 1);
            return more > 0 ? -EFBIG : (int)more;
        }
        size_t want = out->cap > out->len ? out->cap - out->len : out->len + FIRST_READ;
        if (want > out->max - out->len)
            want = out->max - out->len;
        int r = buf_reserve(out, want);
        if (r < 0)
            return r;
        ssize_t n = read_some(fd, out->ptr + out->len, want);
        if (n <= 0)
            return (int)n;
        out->len += (size_t)n;
    }
}

/* opens a file of a root */
static int open_path(struct procfs *p, enum procfs_root root, const char *path)
{
    const char *middle = between(p, root, &path);
    buf_reset(&p->path);
    if (buf_printf(&p->path, "%s/%s%s", p->roots[root], middle, path) < 0)
        return -ENAMETOOLONG;
    return open_file(buf_cstr(&p->path));
}

/* the buffer of the last read is overwritten */
int procfs_read(struct procfs *p, enum procfs_root root, const char *path, struct slice *ret_text)
{
    int fd = open_path(p, root, path);
    if (fd < 0)
        return fd;
    buf_reset(&p->text);
    int r = read_all(fd, &p->text);
    (void)close(fd); /* read only: nothing can be lost */
    if (r < 0)
        return r;
    *ret_text = buf_slice(&p->text);
    return 0;
}

/* see header */
int procfs_read_once(struct procfs *p, enum procfs_root root, const char *path,
                     struct slice *ret_text)
{
    int fd = open_path(p, root, path);
    if (fd < 0)
        return fd;
    buf_reset(&p->text);
    ssize_t n = buf_reserve(&p->text, PROCFS_ONCE_BYTES);
    if (n == 0)
        n = read_some(fd, p->text.ptr, PROCFS_ONCE_BYTES);
    (void)close(fd); /* read only: nothing can be lost */
    if (n < 0)
        return (int)n;
    p->text.len = (size_t)n;
    *ret_text = buf_slice(&p->text);
    return 0;
}

/* see header */
int procfs_list(struct procfs *p, enum procfs_root root, const char *path,
                bool (*each)(void *ctx, const char *name), void *ctx)
{
    char *whole = procfs_path(p, root, path);
    DIR *stream = opendir(whole);
    int error = -errno;
    const struct dirent *entry;
    mem_free(whole);
    if (stream == NULL)
        return error;
    while ((entry = readdir(stream)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            !each(ctx, entry->d_name))
            break;
    (void)closedir(stream);
    return 0;
}

/* root, slash, path */
char *procfs_path(const struct procfs *p, enum procfs_root root, const char *path)
{
    const char *middle = between(p, root, &path);
    char *base = join(p->roots[root], "/");
    char *start = join(base, middle);
    char *whole = join(start, path);
    mem_free(base);
    mem_free(start);
    return whole;
}
