/* os/mounts: which kind of file system a path lies on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/mounts.h"
#include "tmp_dir.h"

static const char table[] =
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "30 22 0:40 / /srv/logs rw - nfs4 host:/logs rw,addr=1.2.3.4\n"
    "31 30 0:41 / /srv/logs/local rw - tmpfs tmpfs rw\n"
    "32 22 0:42 / /mnt/with\\040space rw shared:3 master:1 - fuse.sshfs me@host: rw\n"
    "33 22 0:43 / /merged rw - overlay overlay rw,lowerdir=/a\n"
    "34 22 0:44 / /covered rw - nfs old rw\n"
    "35 34 0:45 / /covered rw - ext4 /dev/sdb rw\n"
    "36 22 0:46 / /dir rw - fuse /dev/fuse rw\n"
    "nonsense\n"
    "37 22 0:47 / /short\n"
    "38 22 0:48 / /end\\04 rw - fusectl none rw";

static void kinds(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum mount_kind kind;
    } cases[] = {
        {"", MOUNT_LOCAL},
        {"/var/log", MOUNT_LOCAL},
        {"/srv", MOUNT_LOCAL},
        {"/srv/logs", MOUNT_REMOTE},
        {"/srv/logs/a/b", MOUNT_REMOTE},
        {"/srv/logs2", MOUNT_LOCAL},
        {"/srv/logs/local/x", MOUNT_LOCAL},
        {"/mnt/with space", MOUNT_REMOTE},
        {"/mnt/with", MOUNT_LOCAL},
        {"/merged/app", MOUNT_SILENT},
        {"/covered/x", MOUNT_LOCAL},
        {"/dir", MOUNT_REMOTE},
        {"/directory", MOUNT_LOCAL},
        {"/short/x", MOUNT_LOCAL},
        {"/end\\04", MOUNT_LOCAL},
    };
    struct tmp_dir dir;
    int error = 0;
    tmp_dir_make(&dir);
    int fd = openat(dir.fd, "mountinfo", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, table, sizeof(table) - 1), sizeof(table) - 1);
    close(fd);
    struct mounts *m = mounts_read(tmp_dir_path(&dir, "mountinfo"), &error);
    assert_non_null(m);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (mounts_kind(m, cases[i].path) != cases[i].kind)
            fail_msg("\"%s\": %d", cases[i].path, (int)mounts_kind(m, cases[i].path));
    mounts_free(&m);
    mounts_free(&m);
    assert_null(mounts_read(tmp_dir_path(&dir, "none"), &error));
    assert_int_equal(error, -ENOENT);
    tmp_dir_remove(&dir);
}

/* that of this process can be read */
static void own(void **state)
{
    (void)state;
    int error = 0;
    struct mounts *m = mounts_read(NULL, &error);
    assert_non_null(m);
    assert_int_equal(mounts_kind(m, "/proc/self"), MOUNT_LOCAL);
    mounts_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kinds), cmocka_unit_test(own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
