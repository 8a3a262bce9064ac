/*
 * os/mounts - which file system holds a path
 *
 * The longest mount point that the path begins with holds it; of two at one place the later one,
 * which covers the other. The types are those that the kernel calls by name: everything behind FUSE
 * is "fuse" or "fuse.NAME".
 *
 * Failures: errno of opening and reading; a table beyond its limit is refused. Lines that are not
 * understood are passed over.
 */
#include "os/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/slice.h"
#include "os/fs.h"

#define TABLE_MAX ((size_t)4 * MIB)
#define POINT_AT  4 /* field of the mount point, from 0 */

struct mount {
    char *point; /* owned; unescaped, "" is the root */
    size_t bytes;
    uint64_t id;
    enum mount_kind kind;
};

struct mounts {
    struct mount *all;
    size_t count;
};

/* see header */
enum mount_kind mount_kind_of(struct slice type)
{
    static const char *const remote[] = {
        "9p",       "afs",       "beegfs", "ceph",   "cifs",  "coda",   "fuse",     "fuseblk",
        "gfs2",     "glusterfs", "gpfs",   "lustre", "ncpfs", "nfs",    "nfs4",     "ocfs2",
        "orangefs", "prl_fs",    "pvfs2",  "smb3",   "smbfs", "vboxsf", "virtiofs", "vmhgfs"};
    for (size_t i = 0; i < ARRAY_LEN(remote); i++)
        if (slice_eq_str(type, remote[i]))
            return MOUNT_REMOTE;
    if (type.len > 5 && memcmp(type.ptr, "fuse.", 5) == 0)
        return MOUNT_REMOTE;
    return slice_eq_str(type, "overlay") ? MOUNT_SILENT : MOUNT_LOCAL;
}

/* three octal digits behind a backslash are one character */
static char *unescape(struct slice s, size_t *ret_bytes)
{
    char *text = mem_zalloc(s.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned c = (unsigned char)s.ptr[i];
        if (c == '\\' && s.len - i > 3) {
            c = 0;
            for (size_t k = 1; k <= 3; k++)
                c = c * 8 + ((unsigned char)s.ptr[i + k] & 7);
            i += 3;
        }
        text[n++] = (char)c;
    }
    if (n == 1 && text[0] == '/')
        n = 0;
    text[n] = '\0';
    *ret_bytes = n;
    return text;
}

/* one line: "36 35 98:0 /root /point options optional... - type source options" */
static void add_line(struct mounts *m, struct slice line)
{
    struct slice field, point = {0}, type = {0};
    bool behind = false;
    uint64_t id = 0;
    for (unsigned i = 0; slice_next(&line, ' ', &field); i++) {
        if (i == 0 && num_u64(field, &id) < 0)
            return;
        if (i == POINT_AT)
            point = field;
        if (behind) {
            type = field;
            break;
        }
        behind = i > POINT_AT && slice_eq_str(field, "-");
    }
    if (type.len == 0)
        return;
    if ((m->count & (m->count - 1)) == 0)
        m->all = mem_resize(m->all, (m->count == 0 ? 1 : m->count * 2) * sizeof(*m->all));
    struct mount *one = &m->all[m->count++];
    one->point = unescape(point, &one->bytes);
    one->id = id;
    one->kind = mount_kind_of(type);
}

/* see header */
struct mounts *mounts_read(const char *path, int *ret_error)
{
    struct buf text;
    struct slice line;
    buf_init(&text, TABLE_MAX);
    int r =
        fs_read_file(fs_system(), AT_FDCWD, path == NULL ? "/proc/self/mountinfo" : path, &text);
    if (r < 0) {
        buf_clear(&text);
        *ret_error = r;
        return NULL;
    }
    struct mounts *m = mem_zalloc(sizeof(*m));
    struct slice rest = slice_of(text.ptr, text.len);
    while (slice_next(&rest, '\n', &line))
        add_line(m, line);
    buf_clear(&text);
    return m;
}

/* see header */
void mounts_free(struct mounts **m)
{
    if (*m == NULL)
        return;
    for (size_t i = 0; i < (*m)->count; i++)
        mem_free((*m)->all[i].point);
    mem_free((*m)->all);
    mem_free(*m);
    *m = NULL;
}

/* the mount that holds a path, or NULL */
static const struct mount *find(const struct mounts *m, const char *path)
{
    const struct mount *found = NULL;
    for (size_t i = 0; i < m->count; i++) {
        const struct mount *one = &m->all[i];
        bool holds = strncmp(path, one->point, one->bytes) == 0 &&
                     (path[one->bytes] == '/' || path[one->bytes] == '\0');
        if (holds && (found == NULL || one->bytes >= found->bytes))
            found = one;
    }
    return found;
}

/* see header */
enum mount_kind mounts_kind(const struct mounts *m, const char *path)
{
    const struct mount *one = find(m, path);
    return one == NULL ? MOUNT_LOCAL : one->kind;
}

/* see header */
uint64_t mounts_id(const struct mounts *m, const char *path)
{
    const struct mount *one = find(m, path);
    return one == NULL ? 0 : one->id;
}

/* see header */
bool mounts_remote(const struct mounts *m, size_t i, const char **ret_point, uint64_t *ret_id)
{
    for (size_t k = 0; k < m->count; k++) {
        const struct mount *one = &m->all[k];
        if (one->kind != MOUNT_REMOTE || one->bytes == 0 || find(m, one->point) != one || i-- > 0)
            continue; /* a covered one is nowhere */
        *ret_point = one->point;
        *ret_id = one->id;
        return true;
    }
    return false;
}
