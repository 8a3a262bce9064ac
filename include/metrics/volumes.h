#ifndef METRICS_VOLUMES_H
#define METRICS_VOLUMES_H

/*
 * Which mounts are filesystems of their own that can fill up, from mountinfo
 * (Documentation/filesystems/proc.rst, 3.5). Left out are
 *   - what has no device, but for network, FUSE and flash filesystems, zfs and the like,
 *   - what is always full: images that cannot be written (squashfs, iso9660),
 *   - what lies below /proc, /sys and /dev, and single files that containers get below /etc, /lib,
 *   - mounts that another one at the same place hides,
 *   - all mounts of one filesystem but one: the one of its root directory, then the one with the
 *     shortest mount point. An overlay is the same filesystem as its upper directory.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/slice.h"

/* More are not looked at. */
#define VOLUMES_MAX 1024

/* Longer mount points are left out, the others cut. */
#define VOLUMES_POINT_MAX   1024
#define VOLUMES_OPTIONS_MAX 1024
#define VOLUMES_SOURCE_MAX  512
#define VOLUMES_TYPE_MAX    64

/* Texts may hold any byte, the mount point any but NUL. Decoded, but for root and super. */
struct volume {
    uint64_t id, parent;
    uint64_t device; /* as st_dev */
    uint64_t same;   /* the device whose filesystem it is: of an overlay that of its upper layer */
    struct slice root, point, type, source;
    struct slice options; /* as in /proc/mounts: those of the mount, then the filesystem's */
    struct slice super;   /* the filesystem's */
};

/* The texts are slices of the buffers. Zeroed but for the limits: volumes_init. Room is kept. */
struct volumes {
    struct buf text;
    struct buf options;
    struct volume *all; /* owned */
    size_t count;
    size_t room;
    bool may_hang; /* one of the whole table, chosen or not */
};

/* text_max: the largest mountinfo. */
void volumes_init(struct volumes *m, size_t text_max);
void volumes_clear(struct volumes *m);

/* Copies a mountinfo. 0; -ENOBUFS, -ENOMEM: nothing has changed. */
int volumes_take(struct volumes *m, struct slice mountinfo) MUST_CHECK;

/* Chooses from what was taken; filesystems: text of /proc/filesystems, empty when it is not known.
 * 0, or -EBADMSG when nothing that was taken is a line of mountinfo. */
int volumes_choose(struct volumes *m, struct slice filesystems) MUST_CHECK;

/* Whether somebody else than this kernel answers for it: a server, a FUSE daemon, a host. */
bool volumes_may_hang(const struct volume *one);

/* Whether the type's mounts have devices of their own, so that the one that stat(2) tells is the
 * one of mountinfo: not where there are subvolumes. */
bool volumes_has_own_device(const struct volume *one);

#endif
