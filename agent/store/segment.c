/*
 * store/segment - files of frames that are numbered, in one directory
 *
 * What can fail: reading the directory.
 */
#include "store/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"

enum {
    DIGITS = 10,
    SEGMENTS_MAX = 1024 * 1024,
};

/* see header */
void segment_name(char *dst, const struct segment_kind *kind, uint64_t number)
{
    (void)snprintf(dst, SEGMENT_NAME_BYTES, "%s%0*llu%s", kind->prefix, DIGITS,
                   (unsigned long long)number, kind->suffix); /* fits: numbers have a limit */
}

/* closes; what counts was synced before */
void segment_close(const struct fs *fs, int *fd)
{
    if (*fd >= 0)
        (void)fs->close(fs, *fd); /* see above */
    *fd = -1;
}

/* whether a name is a segment's */
static bool parse_name(struct slice name, const struct segment_kind *kind, uint64_t *ret_number)
{
    size_t before = strlen(kind->prefix);
    return name.len == before + DIGITS + strlen(kind->suffix) &&
           slice_starts(name, slice_str(kind->prefix)) &&
           slice_ends(name, slice_str(kind->suffix)) &&
           num_u64(slice_sub(name, before, DIGITS), ret_number) == 0 && *ret_number > 0;
}

/* ascending */
static int compare_numbers(const void *a, const void *b)
{
    uint64_t x;
    uint64_t y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

/* adds one directory entry if it is a segment */
static int add_entry(struct segment_list *list, const struct segment_kind *kind, int dir,
                     const char *name)
{
    uint64_t number;
    struct stat st;
    if (!parse_name(slice_str(name), kind, &number))
        return 0;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return 0; /* just gone, or none of ours */
    list->bytes += (uint64_t)st.st_size;
    list->count++;
    return buf_add(&list->bytes_of_numbers, &number, sizeof(number));
}

/* reads the directory through an fd of its own */
static int read_names(int dir, const struct segment_kind *kind, struct segment_list *list)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    DIR *stream = fdopendir(fd);
    if (stream == NULL) {
        int e = -errno;
        (void)close(fd); /* nothing was written through it */
        return e;
    }
    int r = 0;
    while (r == 0) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (entry == NULL) {
            r = -errno;
            break;
        }
        r = add_entry(list, kind, dir, entry->d_name);
    }
    (void)closedir(stream); /* nothing was written through it */
    return r;
}

/* all segments, sorted */
int segment_list_read(int dir, const struct segment_kind *kind, struct segment_list *ret_list)
{
    *ret_list = (struct segment_list){0};
    buf_init(&ret_list->bytes_of_numbers, SEGMENTS_MAX * sizeof(uint64_t));
    int r = read_names(dir, kind, ret_list);
    if (r < 0)
        return r;
    ret_list->numbers = (uint64_t *)(void *)ret_list->bytes_of_numbers.ptr;
    if (ret_list->count > 0)
        qsort(ret_list->numbers, ret_list->count, sizeof(uint64_t), compare_numbers);
    return 0;
}

/* frees */
void segment_list_clear(struct segment_list *list)
{
    buf_clear(&list->bytes_of_numbers);
    list->numbers = NULL;
    list->count = 0;
}
