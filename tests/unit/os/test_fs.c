/* os/fs: whole transfers, atomic replacement under every failure, careful opening. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fault_fs.h"
#include "os/fs.h"
#include "tmp_dir.h"

static struct tmp_dir dir;
static struct fault_fs ff;

static int setup(void **state)
{
    (void)state;
    tmp_dir_make(&dir);
    fault_fs_init(&ff, fs_system());
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tmp_dir_remove(&dir);
    return 0;
}

/* the whole content of a file as text */
static void assert_content(const char *name, const char *wanted)
{
    char text[256];
    assert_int_equal(tmp_dir_read(&dir, name, text, sizeof(text)), strlen(wanted));
    assert_string_equal(text, wanted);
}

/* a descriptor that is free now: nothing was leaked when it is the same again */
static int next_fd(void)
{
    int fd = dup(dir.fd);
    close(fd);
    return fd;
}

static void test_transfers_are_whole(void **state)
{
    (void)state;
    char back[16] = {0};
    int fd = openat(dir.fd, "f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ff.max_transfer = 3;
    assert_int_equal(fs_write_at(&ff.fs, fd, "0123456789", 10, 5), 0);
    assert_int_equal(fault_fs_calls_of(&ff, FAULT_PWRITE), 4);
    assert_int_equal(fault_fs_op(&ff, 3)->at, 14);
    assert_int_equal(fs_read_at(&ff.fs, fd, back, 10, 5), 10);
    assert_memory_equal(back, "0123456789", 10);
    assert_int_equal(fs_read_at(&ff.fs, fd, back, 10, 12), 3); /* the end */
    assert_int_equal(fs_read_at(&ff.fs, fd, back, 10, 100), 0);
    assert_int_equal(fs_read_at(&ff.fs, fd, back, 0, 0), 0);
    assert_int_equal(fs_write_at(&ff.fs, fd, back, 0, 0), 0);
    close(fd);
}

static void test_transfers_and_errors(void **state)
{
    (void)state;
    char back[4];
    int fd = openat(dir.fd, "f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    static const struct {
        int error;
        int wanted;
    } cases[] = {{EINTR, 0}, {EIO, -EIO}, {ENOSPC, -ENOSPC}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ff.max_transfer = 2;
        fault_fs_fail(&ff, 2, cases[i].error);
        assert_int_equal(fs_write_at(&ff.fs, fd, "abcd", 4, 0), cases[i].wanted);
        fault_fs_fail(&ff, 2, cases[i].error);
        assert_int_equal(fs_read_at(&ff.fs, fd, back, 4, 0),
                         cases[i].wanted == 0 ? 4 : cases[i].wanted);
    }
    assert_memory_equal(back, "ab", 2);
    close(fd);
    assert_int_equal(fs_write_at(fs_system(), -1, "x", 1, 0), -EBADF);
    assert_int_equal(fs_read_at(fs_system(), -1, back, 1, 0), -EBADF);
}

/* a pwrite that takes nothing */
static ssize_t take_nothing(const struct fs *fs, int fd, const void *p, size_t n, off_t at)
{
    (void)fs;
    (void)fd;
    (void)p;
    (void)n;
    (void)at;
    return 0;
}

static void test_a_write_that_takes_nothing_ends(void **state)
{
    (void)state;
    struct fs lazy = *fs_system();
    lazy.pwrite = take_nothing;
    assert_int_equal(fs_write_at(&lazy, 0, "x", 1, 0), -EIO);
}

static void test_read_file(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    tmp_dir_write_str(&dir, "ten", "0123456789");
    tmp_dir_write_str(&dir, "eleven", "0123456789a");
    tmp_dir_write_str(&dir, "empty", "");
    tmp_dir_write_str(&dir, "three", "abc");

    assert_int_equal(fs_read_file(&ff.fs, dir.fd, "ten", &b), 0);
    assert_true(slice_eq_str(buf_slice(&b), "0123456789"));
    assert_int_equal(fs_read_file(&ff.fs, dir.fd, "empty", &b), 0);
    assert_int_equal(b.len, 10);
    assert_int_equal(fs_read_file(&ff.fs, dir.fd, "three", &b), -EFBIG);
    assert_true(slice_eq_str(buf_slice(&b), "0123456789"));
    buf_reset(&b);
    assert_int_equal(fs_read_file(&ff.fs, dir.fd, "eleven", &b), -EFBIG);
    assert_int_equal(b.len, 0);
    assert_int_equal(fs_read_file(&ff.fs, dir.fd, "three", &b), 0);
    assert_int_equal(fs_read_file(&ff.fs, dir.fd, "three", &b), 0); /* appends */
    assert_true(slice_eq_str(buf_slice(&b), "abcabc"));

    assert_int_equal(fs_read_file(&ff.fs, dir.fd, "none", &b), -ENOENT);
    assert_int_equal(fs_read_file(&ff.fs, dir.fd, ".", &b), -EISDIR);
    assert_true(slice_eq_str(buf_slice(&b), "abcabc"));
    buf_clear(&b);
}

static void test_read_of_a_big_file(void **state)
{
    (void)state;
    enum { SIZE = 300000 };
    char *content = malloc(SIZE);
    for (int i = 0; i < SIZE; i++)
        content[i] = (char)('a' + i % 26);
    tmp_dir_write(&dir, "big", content, SIZE);
    struct buf b;
    buf_init(&b, SIZE_MAX);
    assert_int_equal(fs_read_file(&ff.fs, dir.fd, "big", &b), 0);
    assert_int_equal(b.len, SIZE);
    assert_memory_equal(b.ptr, content, SIZE);
    buf_clear(&b);
    free(content);
}

static void test_read_file_when_each_call_fails(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    tmp_dir_write_str(&dir, "f", "0123456789");
    assert_int_equal(buf_add_str(&b, "before"), 0);
    int fd = next_fd();
    ff.max_transfer = 4;
    ff.kinds = FAULT_BIT(FAULT_OPENAT) | FAULT_BIT(FAULT_PREAD);
    for (unsigned n = 1;; n++) {
        fault_fs_fail(&ff, n, EIO);
        int r = fs_read_file(&ff.fs, dir.fd, "f", &b);
        if (!ff.has_fired) {
            assert_int_equal(r, 0);
            assert_int_equal(n, 6); /* open; 4 + 4 + 2 bytes, the end */
            break;
        }
        assert_int_equal(r, -EIO);
        assert_true(slice_eq_str(buf_slice(&b), "before"));
    }
    assert_int_equal(next_fd(), fd);
    buf_clear(&b);
}

static void test_replace(void **state)
{
    (void)state;
    mode_t mask = umask(0);
    assert_int_equal(fs_replace(&ff.fs, dir.fd, "f", "one", 3, 0640), 0);
    umask(mask);
    assert_content("f", "one");
    struct stat st;
    assert_int_equal(fstatat(dir.fd, "f", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    ino_t first = st.st_ino;
    int keep = openat(dir.fd, "f", O_RDONLY | O_CLOEXEC);
    assert_int_equal(fs_replace(&ff.fs, dir.fd, "f", "two!", 4, 0640), 0);
    assert_content("f", "two!");
    assert_int_equal(fstatat(dir.fd, "f", &st, 0), 0);
    assert_true(st.st_ino != first); /* never written in place */
    char back[8];
    assert_int_equal(read(keep, back, sizeof(back)), 3);
    close(keep);
    assert_int_equal(fs_replace(&ff.fs, dir.fd, "f", NULL, 0, 0640), 0);
    assert_content("f", "");
    assert_int_equal(tmp_dir_count(&dir), 1);
}

/* the order is what makes it atomic */
static void test_replace_order(void **state)
{
    (void)state;
    static const enum fault_kind wanted[] = {FAULT_OPENAT, FAULT_PWRITE,   FAULT_FSYNC,
                                             FAULT_CLOSE,  FAULT_RENAMEAT, FAULT_FSYNC};
    assert_int_equal(fs_replace(&ff.fs, dir.fd, "f", "one", 3, 0600), 0);
    assert_int_equal(fault_fs_calls(&ff), ARRAY_LEN(wanted));
    for (unsigned i = 0; i < ARRAY_LEN(wanted); i++)
        assert_string_equal(fault_kind_name(fault_fs_op(&ff, i)->kind), fault_kind_name(wanted[i]));
    assert_null(fault_fs_op(&ff, ARRAY_LEN(wanted)));
    int fd = (int)fault_fs_op(&ff, 0)->result;
    assert_string_equal(fault_fs_op(&ff, 0)->name, "f.tmp");
    assert_int_equal(fault_fs_op(&ff, 2)->fd, fd);
    assert_string_equal(fault_fs_op(&ff, 4)->name, "f");
    assert_int_equal(fault_fs_op(&ff, 5)->fd, dir.fd);
}

static void test_replace_when_each_call_fails(void **state)
{
    (void)state;
    static const int errors[] = {EIO, ENOSPC, EROFS};
    int fd = next_fd();
    for (size_t e = 0; e < ARRAY_LEN(errors); e++) {
        for (unsigned n = 1;; n++) {
            tmp_dir_write_str(&dir, "f", "old");
            fault_fs_reset(&ff);
            fault_fs_fail(&ff, n, errors[e]);
            int r = fs_replace(&ff.fs, dir.fd, "f", "new", 3, 0600);
            if (!ff.has_fired) {
                assert_int_equal(r, 0);
                assert_int_equal(n, 7);
                assert_content("f", "new");
                break;
            }
            assert_int_equal(r, -errors[e]);
            assert_content("f", n == 6 ? "new" : "old"); /* 6: fsync of the directory */
            assert_int_equal(tmp_dir_count(&dir), 1);
            assert_int_equal(next_fd(), fd);
        }
    }
}

/* the process dies at each call, with writes torn: the name has the old or the new content, and
 * the next start can replace it in spite of what was left */
static void test_replace_when_the_process_dies(void **state)
{
    (void)state;
    static const char *const pieces[] = {"", "n", "ne"}; /* what a torn write leaves */
    for (size_t torn = 0; torn < ARRAY_LEN(pieces); torn++) {
        for (unsigned n = 1; n <= 6; n++) {
            tmp_dir_write_str(&dir, "f", "old");
            fault_fs_reset(&ff);
            fault_fs_crash(&ff, n, torn);
            assert_int_equal(fs_replace(&ff.fs, dir.fd, "f", "new", 3, 0600), -EIO);
            assert_true(ff.has_fired);
            assert_content("f", n == 6 ? "new" : "old");
            assert_int_equal(tmp_dir_count(&dir), n == 1 || n == 6 ? 1 : 2);
            if (n == 2)
                assert_content("f.tmp", pieces[torn]);
            fault_fs_reset(&ff);
            assert_int_equal(fs_replace(&ff.fs, dir.fd, "f", "next", 4, 0600), 0);
            assert_content("f", "next");
            assert_int_equal(tmp_dir_count(&dir), 1);
        }
    }
}

static void test_replace_does_not_follow_a_planted_temporary(void **state)
{
    (void)state;
    tmp_dir_write_str(&dir, "victim", "precious");
    assert_int_equal(symlinkat("victim", dir.fd, "f.tmp"), 0);
    assert_int_equal(fs_replace(&ff.fs, dir.fd, "f", "one", 3, 0600), 0);
    assert_content("victim", "precious");
    assert_int_equal(linkat(dir.fd, "victim", dir.fd, "f.tmp", 0), 0);
    assert_int_equal(fs_replace(&ff.fs, dir.fd, "f", "two", 3, 0600), 0);
    assert_content("victim", "precious");
    assert_content("f", "two");
    /* unlink of the leftover fails: told, nothing changed */
    assert_int_equal(linkat(dir.fd, "victim", dir.fd, "f.tmp", 0), 0);
    fault_fs_reset(&ff);
    ff.kinds = FAULT_BIT(FAULT_UNLINKAT);
    fault_fs_fail(&ff, 1, EPERM);
    assert_int_equal(fs_replace(&ff.fs, dir.fd, "f", "three", 5, 0600), -EPERM);
    assert_content("f", "two");
}

static void test_open_dir(void **state)
{
    (void)state;
    mode_t mask = umask(0);
    struct err e = {0};
    const char *path = tmp_dir_path(&dir, "a//b/./c/");
    int next = next_fd();
    int fd = fs_open_dir(path, 0750, &e);
    umask(mask);
    assert_true(fd >= 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(fsync(fd), 0); /* not O_PATH */
    struct stat st;
    assert_int_equal(fstatat(dir.fd, "a", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0750);
    assert_int_equal(mkdirat(fd, "x", 0700), 0);
    assert_int_equal(fstatat(dir.fd, "a/b/c/x", &st, 0), 0);
    close(fd);
    assert_int_equal(next_fd(), next);
    fd = fs_open_dir(path, 0700, NULL); /* exists */
    assert_true(fd >= 0);
    close(fd);

    tmp_dir_write_str(&dir, "file", "x");
    assert_int_equal(fs_open_dir(tmp_dir_path(&dir, "file"), 0700, &e), -ENOTDIR);
    assert_int_equal(e.code, -ENOTDIR);
    assert_non_null(strstr(e.text, "make directory \""));
    assert_int_equal(fs_open_dir(tmp_dir_path(&dir, "file/d"), 0700, &e), -ENOTDIR);
    assert_int_equal(fs_open_dir("/proc/none/x", 0700, &e), -ENOENT);
    assert_int_equal(fs_open_dir("", 0700, &e), -EINVAL);
    assert_int_equal(next_fd(), next);

    char cwd[1024];
    assert_non_null(getcwd(cwd, sizeof(cwd)));
    assert_int_equal(fchdir(dir.fd), 0);
    fd = fs_open_dir("rel/ative", 0700, &e);
    assert_int_equal(chdir(cwd), 0);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(fstatat(dir.fd, "rel/ative", &st, 0), 0);
    fd = fs_open_dir("/", 0700, &e);
    assert_true(fd >= 0);
    close(fd);
}

static void test_open_regular(void **state)
{
    (void)state;
    tmp_dir_write_str(&dir, "file", "12345");
    tmp_dir_mkdir(&dir, "dir");
    assert_int_equal(symlinkat("file", dir.fd, "link"), 0);
    assert_int_equal(symlinkat("dir", dir.fd, "dirlink"), 0);
    assert_int_equal(symlinkat("none", dir.fd, "dangling"), 0);
    assert_int_equal(symlinkat("loop", dir.fd, "loop"), 0);
    assert_int_equal(mkfifoat(dir.fd, "fifo", 0600), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(tmp_dir_path(&dir, "sock")) < sizeof(address.sun_path));
    memcpy(address.sun_path, tmp_dir_path(&dir, "sock"), strlen(tmp_dir_path(&dir, "sock")));
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(sock, (const struct sockaddr *)(const void *)&address, sizeof(address)),
                     0);

    static const struct {
        const char *name;
        bool follow;
        int wanted; /* 0 = opens */
    } cases[] = {
        {"file", false, 0},          {"file", true, 0},           {"link", false, -ELOOP},
        {"link", true, 0},           {"dir", false, -EISDIR},     {"dirlink", false, -ELOOP},
        {"dirlink", true, -EISDIR},  {"fifo", false, -ENXIO},     {"sock", false, -ENXIO},
        {"dangling", false, -ELOOP}, {"dangling", true, -ENOENT}, {"loop", true, -ELOOP},
        {"none", false, -ENOENT},    {"file/x", false, -ENOTDIR}, {"/dev/null", false, -ENXIO},
    };
    int next = next_fd();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fs_identity id = {.size = 77};
        int fd = fs_open_regular(dir.fd, cases[i].name, cases[i].follow, &id);
        if (fd >= 0) {
            assert_int_equal(id.size, 5);
            assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
            close(fd);
        }
        if ((fd < 0 ? fd : 0) != cases[i].wanted)
            fail_msg("case \"%s\": %d", cases[i].name, fd);
        if (fd < 0)
            assert_int_equal(id.size, 77); /* only set on success */
        assert_int_equal(next_fd(), next);
    }
    close(sock);
}

static void test_identify(void **state)
{
    (void)state;
    tmp_dir_write_str(&dir, "file", "12345");
    assert_int_equal(linkat(dir.fd, "file", dir.fd, "hard", 0), 0);
    assert_int_equal(symlinkat("file", dir.fd, "link"), 0);
    struct timespec times[2] = {{1, 0}, {1234567890, 123456789}};
    assert_int_equal(utimensat(dir.fd, "file", times, 0), 0);
    struct stat st;
    assert_int_equal(fstatat(dir.fd, "file", &st, 0), 0);
    struct fs_identity by_fd;
    struct fs_identity by_path;
    mode_t mode = 0;
    int fd = fs_open_regular(dir.fd, "hard", false, &by_fd);
    assert_true(fd >= 0);
    assert_int_equal(fs_identify(fd, &by_fd), 0);
    assert_int_equal(fs_identify_path(dir.fd, "file", false, &by_path, &mode), 0);
    assert_int_equal(by_fd.dev, st.st_dev);
    assert_int_equal(by_fd.ino, st.st_ino);
    assert_int_equal(by_fd.size, 5);
    assert_int_equal(by_fd.nlink, 2);
    assert_int_equal(by_fd.uid, geteuid());
    assert_int_equal(by_fd.mtime_ns, 1234567890123456789LL);
    assert_memory_equal(&by_fd, &by_path, sizeof(by_fd));
    assert_true(S_ISREG(mode));
    assert_int_equal(fs_identify_path(dir.fd, "link", false, &by_path, &mode), 0);
    assert_true(S_ISLNK(mode));
    assert_int_equal(fs_identify_path(dir.fd, "link", true, &by_path, NULL), 0);
    assert_int_equal(by_path.ino, st.st_ino);
    assert_int_equal(fs_identify_path(dir.fd, "none", true, &by_path, &mode), -ENOENT);
    close(fd);
    assert_int_equal(fs_identify(fd, &by_fd), -EBADF);
}

static void test_system_members(void **state)
{
    (void)state;
    const struct fs *fs = fs_system();
    int fd = fs->openat(fs, dir.fd, "f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fs->pwrite(fs, fd, "abc", 3, 0), 3);
    assert_int_equal(fs->fdatasync(fs, fd), 0);
    assert_int_equal(fs->ftruncate(fs, fd, 2), 0);
    char back[4];
    assert_int_equal(fs->pread(fs, fd, back, 4, 0), 2);
    assert_int_equal(fs->close(fs, fd), 0);
    assert_int_equal(fs->close(fs, fd), -EBADF);
    assert_int_equal(fs->fdatasync(fs, fd), -EBADF);
    assert_int_equal(fs->fsync(fs, fd), -EBADF);
    assert_int_equal(fs->ftruncate(fs, fd, 0), -EBADF);
    assert_int_equal(fs->renameat(fs, dir.fd, "f", "g"), 0);
    assert_int_equal(fs->renameat(fs, dir.fd, "f", "g"), -ENOENT);
    assert_int_equal(fs->unlinkat(fs, dir.fd, "g"), 0);
    assert_int_equal(fs->unlinkat(fs, dir.fd, "g"), -ENOENT);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_transfers_are_whole),
        TEST(test_transfers_and_errors),
        TEST(test_a_write_that_takes_nothing_ends),
        TEST(test_read_file),
        TEST(test_read_of_a_big_file),
        TEST(test_read_file_when_each_call_fails),
        TEST(test_replace),
        TEST(test_replace_order),
        TEST(test_replace_when_each_call_fails),
        TEST(test_replace_when_the_process_dies),
        TEST(test_replace_does_not_follow_a_planted_temporary),
        TEST(test_open_dir),
        TEST(test_open_regular),
        TEST(test_identify),
        TEST(test_system_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
