/*
 * tests/lib/tmp_dir - a directory of its own for one test
 *
 * Whatever fails here is the machine's fault, not the subject's: it is printed and the program
 * aborts, so callers check nothing.
 */
#include "tmp_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ends the program with the name of what failed */
static void __attribute__((noreturn)) give_up(const char *what)
{
    perror(what);
    abort();
}

/* mkdtemp and open */
void tmp_dir_make(struct tmp_dir *t)
{
    const char *base = getenv("TMPDIR");
    int n =
        snprintf(t->path, sizeof(t->path), "%s/wherry-test-XXXXXX", base != NULL ? base : "/tmp");
    if (n < 0 || (size_t)n >= sizeof(t->path) || mkdtemp(t->path) == NULL)
        give_up("mkdtemp");
    t->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (t->fd < 0)
        give_up(t->path);
}

/* removes one entry of the walk */
static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* depth first, staying on the file system */
void tmp_dir_remove(struct tmp_dir *t)
{
    (void)close(t->fd); /* read only: nothing can be lost */
    t->fd = -1;
    if (nftw(t->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
        give_up(t->path);
}

/* joins in one of eight turning buffers */
const char *tmp_dir_path(const struct tmp_dir *t, const char *name)
{
    static char paths[8][512];
    static unsigned turn;
    char *dst = paths[turn++ % ARRAY_LEN(paths)];
    int n = snprintf(dst, sizeof(paths[0]), "%s/%s", t->path, name);
    if (n < 0 || (size_t)n >= sizeof(paths[0]))
        give_up(name);
    return dst;
}

/* whole content at once */
void tmp_dir_write(const struct tmp_dir *t, const char *name, const void *p, size_t n)
{
    int fd = openat(t->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, p, n) != (ssize_t)n || close(fd) != 0)
        give_up(name);
}

/* the same for text */
void tmp_dir_write_str(const struct tmp_dir *t, const char *name, const char *text)
{
    tmp_dir_write(t, name, text, strlen(text));
}

/* one level */
void tmp_dir_mkdir(const struct tmp_dir *t, const char *name)
{
    if (mkdirat(t->fd, name, 0755) != 0)
        give_up(name);
}

/* whole content at once */
long tmp_dir_read(const struct tmp_dir *t, const char *name, char *dst, size_t max)
{
    int fd = openat(t->fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return -1;
    ssize_t n = fd < 0 ? -1 : read(fd, dst, max - 1);
    if (n < 0)
        give_up(name);
    dst[n] = '\0';
    (void)close(fd); /* read only: nothing can be lost */
    return (long)n;
}

/* walks the directory from its start */
unsigned tmp_dir_count(const struct tmp_dir *t)
{
    DIR *d = opendir(t->path);
    if (d == NULL)
        give_up(t->path);
    unsigned count = 0;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    (void)closedir(d); /* read only: nothing can be lost */
    return count;
}
