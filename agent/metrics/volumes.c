/*
 * metrics/volumes - which mounts are filesystems of their own
 *
 *   36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
 *   id parent device root point options (tags)* - type source options of the filesystem
 *
 * Lines are cut where they lie, in our copy; what is chosen is decoded there. A mount is hidden
 * when another one has it as parent and the same mount point. Lines that no kernel writes are
 * passed over.
 */
#include "metrics/volumes.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/mem.h"
#include "base/num.h"
#include "metrics/column.h"
#include "os/mounts.h"

#define FIRST_ROOM 16

/* without a device, or with one that is no block device, and with a size all the same */
static const char *const kept_types[] = {
    "9p",    "afs",       "bcachefs", "beegfs", "btrfs",  "ceph",   "cifs",
    "fuse",  "glusterfs", "gpfs",     "jffs2",  "lustre", "nfs",    "nfs4",
    "ncpfs", "orangefs",  "overlay",  "prl_fs", "pvfs2",  "smb3",   "smbfs",
    "ubifs", "vboxsf",    "virtiofs", "vmhgfs", "yaffs",  "yaffs2", "zfs",
};

/* images: nothing can be written to them, they are full from the beginning */
static const char *const full_types[] = {
    "cramfs", "erofs", "fuse.snapfuse", "fuse.squashfuse", "iso9660", "romfs", "squashfs", "udf",
};

/* these have a device for each subvolume, which mountinfo does not show */
static const char *const subvolume_types[] = {"btrfs", "bcachefs"};

/* see header */
void volumes_init(struct volumes *m, size_t text_max)
{
    memset(m, 0, sizeof(*m));
    buf_init(&m->text, text_max);
    buf_init(&m->options, text_max);
}

/* see header */
void volumes_clear(struct volumes *m)
{
    buf_clear(&m->text);
    buf_clear(&m->options);
    mem_free(m->all);
    m->all = NULL;
    m->count = 0;
    m->room = 0;
}

/* the options never become longer than the text, so that their buffer stays where it is */
int volumes_take(struct volumes *m, struct slice mountinfo)
{
    int r = mountinfo.len > m->text.max ? -ENOBUFS : 0;
    m->count = 0; /* what was chosen lies in the buffers */
    buf_reset(&m->text);
    buf_reset(&m->options);
    if (r == 0)
        r = buf_reserve(&m->options, mountinfo.len);
    return r < 0 ? r : buf_add_slice(&m->text, mountinfo);
}

/* ---- one line ---- */

/* whether a text is one of a table */
static bool is_one_of(struct slice s, const char *const *table, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_eq_str(s, table[i]))
            return true;
    return false;
}

/* "8:1" */
static bool take_device(struct slice text, uint64_t *ret)
{
    struct slice major;
    uint64_t a, b;
    if (!slice_next(&text, ':', &major) || num_u64(major, &a) < 0 || num_u64(text, &b) < 0 ||
        a > UINT32_MAX || b > UINT32_MAX)
        return false;
    *ret = makedev((unsigned)a, (unsigned)b);
    return true;
}

/* Cuts the next field off. The kernel escapes blanks in texts but not CR, and writes exactly one
 * space between two fields, one of which may be empty. */
static bool next_field(struct slice *line, struct slice *ret)
{
    return slice_next(line, ' ', ret);
}

/* one line, nothing decoded; false when it is none of mountinfo */
static bool take_line(struct slice line, struct volume *ret)
{
    struct slice id, parent, device, tag;
    *ret = (struct volume){0};
    if (!next_field(&line, &id) || num_u64(id, &ret->id) < 0 || !next_field(&line, &parent) ||
        num_u64(parent, &ret->parent) < 0 || !next_field(&line, &device) ||
        !take_device(device, &ret->device) || !next_field(&line, &ret->root) ||
        !next_field(&line, &ret->point) || !next_field(&line, &ret->options))
        return false;
    do {
        if (!next_field(&line, &tag))
            return false;
    } while (!slice_eq_str(tag, "-"));
    ret->same = ret->device;
    if (!next_field(&line, &ret->type) || !next_field(&line, &ret->source))
        return false;
    ret->super = line;
    return slice_starts(ret->point, SLICE_LIT("/"));
}

/* whether the kernel says of a type that it needs no device */
static bool is_nodev(struct slice filesystems, struct slice type)
{
    struct slice line, word, name;
    while (column_line(&filesystems, &line))
        if (slice_next_word(&line, &word) && slice_eq_str(word, "nodev") &&
            slice_next_word(&line, &name) && slice_eq(name, type))
            return true;
    return false;
}

/* whether a path is a directory or lies in it; dir: without a slash at the end, "" = the root */
static bool is_below(struct slice path, struct slice dir)
{
    return slice_starts(path, dir) && (path.len == dir.len || path.ptr[dir.len] == '/');
}

/* a mount point as a directory for is_below */
static struct slice as_dir(struct slice point)
{
    return slice_eq_str(point, "/") ? slice_sub(point, 0, 0) : point;
}

/* whether it is the mount of a part of its filesystem */
static bool is_part(const struct volume *one)
{
    return !slice_eq_str(one->root, "/");
}

/* whether files lie there that somebody wants to know the room for */
static bool is_place(const struct volume *one)
{
    struct slice p = one->point;
    if (p.len > VOLUMES_POINT_MAX || is_below(p, SLICE_LIT("/proc")) ||
        is_below(p, SLICE_LIT("/sys")) || is_below(p, SLICE_LIT("/dev")))
        return false;
    return !is_part(one) || !(is_below(p, SLICE_LIT("/etc")) || is_below(p, SLICE_LIT("/lib")));
}

/* value of a filesystem's option, empty when it has none of that name; name: "upperdir=" */
static struct slice option_of(const struct volume *one, struct slice name)
{
    struct slice rest = one->super;
    struct slice option;
    while (slice_next(&rest, ',', &option))
        if (slice_starts(option, name))
            return slice_sub(option, name.len, option.len);
    return slice_of(NULL, 0);
}

/* whether it is a type that can fill up */
static bool is_filesystem(const struct volume *one, struct slice filesystems)
{
    struct slice type = one->type;
    if (type.len > VOLUMES_TYPE_MAX || is_one_of(type, full_types, ARRAY_LEN(full_types)))
        return false;
    if (slice_eq_str(type, "overlay") && !slice_eq_str(one->point, "/") &&
        option_of(one, SLICE_LIT("upperdir=")).len == 0)
        return false; /* nothing can be written */
    if (slice_starts(type, SLICE_LIT("fuse.")) ||
        is_one_of(type, kept_types, ARRAY_LEN(kept_types)))
        return true;
    return slice_starts(one->source, SLICE_LIT("/")) && !is_nodev(filesystems, type);
}

/* ---- all of them ---- */

/* one more; false when there is no room */
static bool add(struct volumes *m, const struct volume *one)
{
    if (m->count == VOLUMES_MAX)
        return false;
    if (m->count == m->room) {
        m->room = m->room == 0 ? FIRST_ROOM : 2 * m->room;
        m->all = mem_resize(m->all, m->room * sizeof(*m->all));
    }
    m->all[m->count++] = *one;
    return true;
}

/* takes out one, the others keep their order */
static void drop(struct volumes *m, size_t i)
{
    m->count--;
    memmove(&m->all[i], &m->all[i + 1], (m->count - i) * sizeof(*m->all));
}

/* mounts over which another one lies */
static void drop_hidden(struct volumes *m)
{
    struct slice rest = buf_slice(&m->text);
    struct slice line;
    struct volume one;
    while (column_line(&rest, &line)) {
        if (!take_line(line, &one))
            continue;
        for (size_t i = 0; i < m->count; i++) {
            const struct volume *under = &m->all[i];
            if (one.parent == under->id && one.id != under->id &&
                slice_eq(one.point, under->point)) {
                drop(m, i);
                break;
            }
        }
    }
}

/* An overlay has the room of its upper layer: it is the same as the chosen mount that holds that.
 * In a container that is no path of ours, and the overlay at the root is its own. */
static void resolve_overlays(struct volumes *m)
{
    for (size_t i = 0; i < m->count; i++) {
        struct volume *one = &m->all[i];
        if (!slice_eq_str(one->type, "overlay"))
            continue;
        struct slice upper = option_of(one, SLICE_LIT("upperdir="));
        const struct volume *holder = one;
        size_t longest = 0;
        for (size_t k = 0; k < m->count; k++) {
            if (upper.len > 0 && is_below(upper, as_dir(m->all[k].point)) &&
                m->all[k].point.len > longest) {
                holder = &m->all[k];
                longest = holder->point.len;
            }
        }
        one->same = holder->same;
    }
}

/* whether a is the better of two mounts of one filesystem */
static bool is_better(const struct volume *a, const struct volume *b)
{
    if (is_part(a) != is_part(b))
        return is_part(b);
    return a->point.len < b->point.len;
}

/* all but one of each filesystem */
static void drop_doubles(struct volumes *m)
{
    for (size_t i = 0; i < m->count; i++) {
        for (size_t k = i + 1; k < m->count;) {
            if (m->all[i].same != m->all[k].same) {
                k++;
                continue;
            }
            if (is_better(&m->all[k], &m->all[i]))
                m->all[i] = m->all[k];
            drop(m, k);
        }
    }
}

/* ---- texts ---- */

/* value of three octal digits behind a backslash, or -1 */
static int octal(const char *p, size_t len)
{
    if (len < 4 || p[0] != '\\' || p[1] < '0' || p[1] > '3' || p[2] < '0' || p[2] > '7' ||
        p[3] < '0' || p[3] > '7')
        return -1;
    return (p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0');
}

/* octal escapes (\040) in place: the bytes are our copy's */
static void decode(struct slice *s)
{
    char *bytes = (char *)(uintptr_t)s->ptr;
    size_t n = 0;
    for (size_t i = 0; i < s->len; n++) {
        int c = octal(bytes + i, s->len - i);
        bytes[n] = c < 0 ? bytes[i] : (char)c;
        i += c < 0 ? 1 : 4;
    }
    s->len = n;
}

/* not more than max bytes of a list */
static struct slice cut_list(struct slice s, size_t max)
{
    if (s.len > max)
        s = slice_sub(s, 0, slice_rfind(slice_sub(s, 0, max), ','));
    return s;
}

/* "rw,relatime" and "ro,errors=continue" to "ro,relatime,errors=continue": as in /proc/mounts */
static void join_options(struct volumes *m, struct volume *one)
{
    struct slice mine = one->options;
    struct slice super = one->super;
    struct slice a, b;
    size_t start = m->options.len;
    if (!slice_next(&mine, ',', &a) || !slice_next(&super, ',', &b))
        return;
    bool read_only = slice_eq_str(a, "ro") || slice_eq_str(b, "ro");
    int r = buf_add_slice(&m->options, read_only ? SLICE_LIT("ro") : a);
    if (r == 0 && mine.len > 0)
        r = buf_add_byte(&m->options, ',');
    if (r == 0)
        r = buf_add_slice(&m->options, mine);
    if (r == 0 && super.len > 0)
        r = buf_add_byte(&m->options, ',');
    if (r == 0)
        r = buf_add_slice(&m->options, super);
    if (r < 0)
        return; /* no kernel writes options that do not fit */
    one->options = slice_of(m->options.ptr + start, m->options.len - start);
}

/* decodes and cuts the texts; false when the mount cannot be named */
static bool finish(struct volumes *m, struct volume *one)
{
    join_options(m, one);
    decode(&one->point);
    decode(&one->source);
    decode(&one->options);
    one->options = cut_list(one->options, VOLUMES_OPTIONS_MAX);
    one->source = slice_sub(one->source, 0, VOLUMES_SOURCE_MAX);
    return slice_find(one->point, '\0') == one->point.len;
}

/* see header */
int volumes_choose(struct volumes *m, struct slice filesystems)
{
    struct slice rest = buf_slice(&m->text);
    struct slice line;
    struct volume one;
    bool any = false;
    m->count = 0;
    m->may_hang = false;
    while (column_line(&rest, &line)) {
        if (!take_line(line, &one))
            continue;
        any = true;
        m->may_hang |= volumes_may_hang(&one);
        if (is_place(&one) && is_filesystem(&one, filesystems) && !add(m, &one)) {
            m->may_hang = true; /* the rest is not looked at */
            break;
        }
    }
    if (!any)
        return -EBADMSG;
    drop_hidden(m);
    resolve_overlays(m);
    drop_doubles(m);
    for (size_t i = 0; i < m->count;) {
        if (finish(m, &m->all[i]))
            i++;
        else
            drop(m, i);
    }
    return 0;
}

/* see header */
bool volumes_may_hang(const struct volume *one)
{
    return mount_kind_of(one->type) == MOUNT_REMOTE;
}

/* see header */
bool volumes_has_own_device(const struct volume *one)
{
    return !is_one_of(one->type, subvolume_types, ARRAY_LEN(subvolume_types));
}
