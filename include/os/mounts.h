#ifndef OS_MOUNTS_H
#define OS_MOUNTS_H

/*
 * Which file system holds a path, from /proc/self/mountinfo (proc(5)), never by touching it: a dead
 * network mount would hang whoever asks it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/def.h"
#include "base/slice.h"

enum mount_kind {
    MOUNT_LOCAL,  /* inotify tells what happens */
    MOUNT_SILENT, /* inotify may tell less: overlay */
    MOUNT_REMOTE, /* others write too, and calls may take long: network, FUSE */
};

/* What a type of file system is, as mountinfo names it: "ext4", "nfs4", "fuse.sshfs". */
enum mount_kind mount_kind_of(struct slice type);

struct mounts;

/* Reads the table: of `path`, NULL = that of this process. NULL with a negative errno in
 * *ret_error. */
struct mounts *mounts_read(const char *path, int *ret_error);
void mounts_free(struct mounts **m);

/* The kind of the mount that holds an absolute path ("" is the root). Symlinks are not resolved. */
enum mount_kind mounts_kind(const struct mounts *m, const char *path);
/* The number that mountinfo gives to the mount that holds a path: another one when another file
 * system is mounted there; 0 = none. */
uint64_t mounts_id(const struct mounts *m, const char *path);

/* The i-th mount of kind MOUNT_REMOTE, but for one of the root; false = there are no more. The
 * point is borrowed. */
bool mounts_remote(const struct mounts *m, size_t i, const char **ret_point, uint64_t *ret_id);

#endif
