/* os/watch: one table of tests, run against each backend of this build. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/watch_internal.h"
#include "tmp_dir.h"

#if WHERRY_INOTIFY_TOOLS
/* from inotifytools.h, which only watch_tools.c may include */
extern int inotifytools_get_num_watches(void);
extern const char *inotifytools_filename_from_wd(int wd);

#define WD_MAX 1000 /* more than the descriptors of one test */
#endif

#define SEEN_MAX 64

/* one event, its name copied */
struct seen {
    enum watch_event_kind kind;
    int id;
    bool is_dir;
    char name[256];
};

struct bench {
    const struct watch_ops *ops;
    struct watch *watch;
    struct tmp_dir dir;
    struct seen seen[SEEN_MAX];
    size_t count; /* may pass SEEN_MAX */
    unsigned overflows;
    int remove_id;   /* the callback removes this one, -1: none */
    char readd[512]; /* on WATCH_DIR_GONE the callback adds this path */
    int readd_id;
};

static struct bench bench;

static void on_event(void *ctx, const struct watch_event *ev)
{
    struct bench *b = ctx;
    if (ev->kind == WATCH_OVERFLOW)
        b->overflows++;
    if (b->count < SEEN_MAX) {
        struct seen *s = &b->seen[b->count];
        *s = (struct seen){.kind = ev->kind, .id = ev->id, .is_dir = ev->is_dir};
        assert_true(ev->name.len < sizeof(s->name));
        if (ev->name.len > 0)
            memcpy(s->name, ev->name.ptr, ev->name.len);
    }
    b->count++;
    if (b->remove_id >= 0)
        watch_remove(b->watch, b->remove_id);
    if (ev->kind == WATCH_DIR_GONE && b->readd[0] != '\0')
        b->readd_id = watch_add(b->watch, b->readd);
}

static int setup(void **state)
{
    struct bench *b = &bench;
    memset(b, 0, sizeof(*b));
    b->ops = *state;
    b->remove_id = -1;
    tmp_dir_make(&b->dir);
    int error = 0;
    b->watch = watch_new_with(b->ops, on_event, b, &error);
    return b->watch != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    watch_free(&bench.watch);
    watch_free(&bench.watch); /* NULL is allowed */
    tmp_dir_remove(&bench.dir);
    return 0;
}

static const char *path_of(struct bench *b, const char *name)
{
    return tmp_dir_path(&b->dir, name);
}

/* empties the record and reads; the number of events */
static int dispatch(struct bench *b)
{
    b->count = 0;
    int r = watch_dispatch(b->watch);
    assert_true(r >= 0);
    assert_int_equal(r, b->count);
    return r;
}

static void assert_seen(const struct bench *b, size_t i, enum watch_event_kind kind, int id,
                        const char *name)
{
    assert_true(i < b->count);
    assert_int_equal(b->seen[i].kind, kind);
    assert_int_equal(b->seen[i].id, id);
    assert_string_equal(b->seen[i].name, name);
}

/* records that the library keeps; as many as directories in the raw backend. The library counts
 * names, and several of ours may be the same; it finds records by descriptor too */
static int records(struct bench *b)
{
#if WHERRY_INOTIFY_TOOLS
    if (strcmp(b->ops->name, "libinotifytools") == 0) {
        int count = 0;
        for (int wd = 1; wd < WD_MAX; wd++)
            count += inotifytools_filename_from_wd(wd)[0] != '\0';
        int names = inotifytools_get_num_watches();
        assert_in_range(names, 0, count);
        return count;
    }
#endif
    return (int)watch_count(b->watch);
}

static void append(struct bench *b, const char *name)
{
    int fd = open(path_of(b, name), O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
}

static void test_each_kind(void **state)
{
    (void)state;
    struct bench *b = &bench;
    tmp_dir_mkdir(&b->dir, "other");
    int id = watch_add(b->watch, b->dir.path);
    assert_true(id >= 0);
    assert_int_equal(watch_count(b->watch), 1);
    assert_int_equal(dispatch(b), 0);

    int fd = openat(b->dir.fd, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_CREATED, id, "f");
    assert_false(b->seen[0].is_dir);

    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_MODIFIED, id, "f");
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_MODIFIED, id, "f");
    close(fd);
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_CLOSED, id, "f");

    assert_int_equal(chmod(path_of(b, "f"), 0644), 0);
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_ATTRIB, id, "f");

    assert_int_equal(rename(path_of(b, "f"), path_of(b, "g")), 0);
    assert_int_equal(dispatch(b), 2);
    assert_seen(b, 0, WATCH_REMOVED, id, "f");
    assert_seen(b, 1, WATCH_CREATED, id, "g");
    assert_int_equal(rename(path_of(b, "g"), path_of(b, "other/g")), 0);
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_REMOVED, id, "g");

    tmp_dir_mkdir(&b->dir, "d");
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_CREATED, id, "d");
    assert_true(b->seen[0].is_dir);
    assert_int_equal(rmdir(path_of(b, "d")), 0);
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_REMOVED, id, "d");
    assert_true(b->seen[0].is_dir);

    assert_int_equal(chmod(b->dir.path, 0755), 0); /* about the directory itself: not told */
    assert_int_equal(dispatch(b), 0);
}

static void test_fd_is_pollable_and_nonblocking(void **state)
{
    (void)state;
    struct bench *b = &bench;
    assert_true(watch_add(b->watch, b->dir.path) >= 0);
    struct pollfd p = {.fd = watch_fd(b->watch), .events = POLLIN};
    assert_int_equal(poll(&p, 1, 0), 0);
    assert_true((fcntl(p.fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(p.fd, F_GETFD) & FD_CLOEXEC) != 0);
    tmp_dir_write_str(&b->dir, "f", "x");
    assert_int_equal(poll(&p, 1, 5000), 1);
    assert_int_equal(dispatch(b), 3);
    assert_int_equal(poll(&p, 1, 0), 0);
}

static void test_names_are_any_bytes(void **state)
{
    (void)state;
    struct bench *b = &bench;
    char longest[256];
    memset(longest, 'n', 255);
    longest[255] = '\0';
    const char *const names[] = {"a b", "new\nline", "\xff\xfe\x01", "%s%n", "-", "...", longest};
    int id = watch_add(b->watch, b->dir.path);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(mkdirat(b->dir.fd, names[i], 0700), 0);
        assert_int_equal(dispatch(b), 1);
        assert_seen(b, 0, WATCH_CREATED, id, names[i]);
    }
}

static void test_the_same_directory_has_one_id(void **state)
{
    (void)state;
    struct bench *b = &bench;
    tmp_dir_mkdir(&b->dir, "d");
    assert_int_equal(symlinkat("d", b->dir.fd, "link"), 0);
    int id = watch_add(b->watch, path_of(b, "d"));
    assert_true(id >= 0);
    assert_int_equal(records(b), 1);
    const char *const ways[] = {"d", "d/", "./d", "d/../d", "link"};
    for (int round = 0; round < 10; round++) {
        for (size_t i = 0; i < ARRAY_LEN(ways); i++)
            assert_int_equal(watch_add(b->watch, path_of(b, ways[i])), id);
    }
    assert_int_equal(watch_count(b->watch), 1);
    assert_int_equal(records(b), 1);
    tmp_dir_write_str(&b->dir, "d/f", "x");
    assert_int_equal(dispatch(b), 3);
    assert_seen(b, 0, WATCH_CREATED, id, "f");
    assert_seen(b, 1, WATCH_MODIFIED, id, "f");
    assert_seen(b, 2, WATCH_CLOSED, id, "f");
}

static void test_what_cannot_be_watched(void **state)
{
    (void)state;
    struct bench *b = &bench;
    tmp_dir_write_str(&b->dir, "file", "x");
    assert_int_equal(watch_add(b->watch, path_of(b, "none")), -ENOENT);
    assert_int_equal(watch_add(b->watch, path_of(b, "file")), -ENOTDIR);
    assert_int_equal(watch_add(b->watch, path_of(b, "file/x")), -ENOTDIR);
    assert_int_equal(watch_add(b->watch, ""), -ENOENT);
    tmp_dir_mkdir(&b->dir, "locked");
    assert_int_equal(chmod(path_of(b, "locked"), 0), 0);
    if (geteuid() != 0)
        assert_int_equal(watch_add(b->watch, path_of(b, "locked")), -EACCES);
    assert_int_equal(watch_count(b->watch), 0);
    assert_int_equal(records(b), 0);
}

static void test_quiet(void **state)
{
    (void)state;
    struct bench *b = &bench;
    tmp_dir_write_str(&b->dir, "f", "");
    int id = watch_add(b->watch, b->dir.path);
    assert_int_equal(watch_set_quiet(b->watch, id, true), 0);
    assert_int_equal(watch_set_quiet(b->watch, id, true), 0);
    append(b, "f");
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_CLOSED, id, "f");

    assert_int_equal(watch_add(b->watch, b->dir.path), id); /* stays quiet */
    append(b, "f");
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_CLOSED, id, "f");
    tmp_dir_mkdir(&b->dir, "d"); /* structure stays */
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_CREATED, id, "d");

    assert_int_equal(watch_set_quiet(b->watch, id, false), 0);
    append(b, "f");
    assert_int_equal(dispatch(b), 2);
    assert_seen(b, 0, WATCH_MODIFIED, id, "f");
    assert_int_equal(watch_count(b->watch), 1);
    assert_int_equal(records(b), 1);
    assert_int_equal(watch_set_quiet(b->watch, id + 1000, true), -ENOENT);
}

/* IN_EXCL_UNLINK survives a change of the mask: a deleted file that is written is no news */
static void test_unlinked_files_are_silent(void **state)
{
    (void)state;
    struct bench *b = &bench;
    int id = watch_add(b->watch, b->dir.path);
    for (int round = 0; round < 2; round++) {
        int fd = openat(b->dir.fd, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(unlinkat(b->dir.fd, "f", 0), 0);
        dispatch(b);
        assert_int_equal(write(fd, "x", 1), 1);
        close(fd);
        assert_int_equal(dispatch(b), 0);
        assert_int_equal(watch_set_quiet(b->watch, id, true), 0);
        assert_int_equal(watch_set_quiet(b->watch, id, false), 0);
    }
}

static void test_quiet_after_the_path_changed_hands(void **state)
{
    (void)state;
    struct bench *b = &bench;
    tmp_dir_mkdir(&b->dir, "a");
    tmp_dir_mkdir(&b->dir, "b");
    tmp_dir_write_str(&b->dir, "b/f", "");
    int a = watch_add(b->watch, path_of(b, "a"));
    int other = watch_add(b->watch, path_of(b, "b"));
    assert_true(a != other);

    /* the path is gone */
    assert_int_equal(rename(path_of(b, "a"), path_of(b, "a.old")), 0);
    assert_int_equal(watch_set_quiet(b->watch, a, true), -ENOENT);
    /* the path is a file */
    tmp_dir_write_str(&b->dir, "a", "");
    assert_int_equal(watch_set_quiet(b->watch, a, true), -ENOENT);
    assert_int_equal(unlinkat(b->dir.fd, "a", 0), 0);
    /* the path is a directory that nobody watches: no watch of it may stay */
    tmp_dir_mkdir(&b->dir, "a");
    assert_int_equal(watch_set_quiet(b->watch, a, true), -ENOENT);
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_DIR_GONE, a, "");
    tmp_dir_write_str(&b->dir, "a/f", "");
    assert_int_equal(dispatch(b), 0);
    assert_int_equal(watch_count(b->watch), 1);
    assert_int_equal(records(b), 1);
}

static void test_quiet_of_a_path_that_is_another_watch(void **state)
{
    (void)state;
    struct bench *b = &bench;
    tmp_dir_mkdir(&b->dir, "a");
    tmp_dir_mkdir(&b->dir, "b");
    tmp_dir_write_str(&b->dir, "b/f", "");
    assert_int_equal(symlinkat("a", b->dir.fd, "link"), 0);
    int a = watch_add(b->watch, path_of(b, "link"));
    int other = watch_add(b->watch, path_of(b, "b"));
    assert_int_equal(unlinkat(b->dir.fd, "link", 0), 0);
    assert_int_equal(symlinkat("b", b->dir.fd, "link"), 0);
    assert_int_equal(watch_set_quiet(b->watch, a, true), -ENOENT);
    append(b, "b/f"); /* b is as loud as it was */
    assert_int_equal(dispatch(b), 2);
    assert_seen(b, 0, WATCH_MODIFIED, other, "f");
    tmp_dir_write_str(&b->dir, "a/g", "x"); /* and so is a */
    assert_int_equal(dispatch(b), 3);
    assert_seen(b, 1, WATCH_MODIFIED, a, "g");
}

static void test_remove(void **state)
{
    (void)state;
    struct bench *b = &bench;
    int id = watch_add(b->watch, b->dir.path);
    tmp_dir_write_str(&b->dir, "f", "x"); /* three events wait */
    watch_remove(b->watch, id);
    watch_remove(b->watch, id);
    watch_remove(b->watch, -1);
    watch_remove(b->watch, 12345);
    assert_int_equal(watch_count(b->watch), 0);
    assert_int_equal(records(b), 0);
    tmp_dir_write_str(&b->dir, "g", "x");
    assert_int_equal(dispatch(b), 0);
    int again = watch_add(b->watch, b->dir.path);
    assert_true(again >= 0 && again != id);
    tmp_dir_mkdir(&b->dir, "d");
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_CREATED, again, "d");
}

static void test_remove_inside_the_callback(void **state)
{
    (void)state;
    struct bench *b = &bench;
    int id = watch_add(b->watch, b->dir.path);
    tmp_dir_write_str(&b->dir, "f", "x"); /* three events in one read */
    b->remove_id = id;
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_CREATED, id, "f");
    assert_int_equal(watch_count(b->watch), 0);
}

static void test_removed_directories_leave_nothing(void **state)
{
    (void)state;
    struct bench *b = &bench;
    /* whatever the library would print goes here */
    int stderr_copy = dup(STDERR_FILENO);
    int sink = openat(b->dir.fd, "stderr", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(stderr_copy >= 0 && dup2(sink, STDERR_FILENO) >= 0);
    for (int round = 0; round < 100; round++) {
        tmp_dir_mkdir(&b->dir, "pod");
        int id = watch_add(b->watch, path_of(b, "pod"));
        assert_true(id >= 0);
        assert_int_equal(rmdir(path_of(b, "pod")), 0);
        if (round % 2 == 0) {
            assert_int_equal(dispatch(b), 1);
            assert_seen(b, 0, WATCH_DIR_GONE, id, "");
        } else {
            watch_remove(b->watch, id); /* before we know */
            assert_int_equal(dispatch(b), 0);
        }
    }
    dup2(stderr_copy, STDERR_FILENO);
    close(stderr_copy);
    off_t printed = lseek(sink, 0, SEEK_END);
    close(sink);
    assert_int_equal(printed, 0);
    assert_int_equal(watch_count(b->watch), 0);
    assert_int_equal(records(b), 0);
}

static void test_moved_directory_is_gone(void **state)
{
    (void)state;
    struct bench *b = &bench;
    tmp_dir_mkdir(&b->dir, "a");
    int old = watch_add(b->watch, path_of(b, "a"));
    assert_int_equal(rename(path_of(b, "a"), path_of(b, "b")), 0);
    tmp_dir_mkdir(&b->dir, "a");
    int new = watch_add(b->watch, path_of(b, "a")); /* before we know */
    assert_true(new >= 0 && new != old);
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_DIR_GONE, old, "");
    assert_int_equal(watch_count(b->watch), 1);
    assert_int_equal(records(b), 1);
    tmp_dir_write_str(&b->dir, "b/f", "x");
    assert_int_equal(dispatch(b), 0);
    tmp_dir_mkdir(&b->dir, "a/d");
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_CREATED, new, "d");
    watch_remove(b->watch, new);
    assert_int_equal(records(b), 0);
}

static void test_add_again_inside_gone(void **state)
{
    (void)state;
    struct bench *b = &bench;
    tmp_dir_mkdir(&b->dir, "a");
    int old = watch_add(b->watch, path_of(b, "a"));
    assert_int_equal(rename(path_of(b, "a"), path_of(b, "b")), 0);
    snprintf(b->readd, sizeof(b->readd), "%s", path_of(b, "b"));
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_DIR_GONE, old, "");
    assert_true(b->readd_id >= 0 && b->readd_id != old);
    tmp_dir_mkdir(&b->dir, "b/d");
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_CREATED, b->readd_id, "d");
}

static void test_names_changing_hands_many_times(void **state)
{
    (void)state;
    struct bench *b = &bench;
    char name[16];
    int ids[20];
    for (int i = 0; i < 20; i++) { /* each directory has the same path when it is added */
        tmp_dir_mkdir(&b->dir, "a");
        ids[i] = watch_add(b->watch, path_of(b, "a"));
        snprintf(name, sizeof(name), "old.%d", i);
        assert_int_equal(rename(path_of(b, "a"), path_of(b, name)), 0);
        for (int k = 0; k < i; k++)
            assert_true(ids[k] != ids[i]);
    }
    assert_int_equal(records(b), 20);
    for (int i = 0; i < 20; i += 2) /* half are removed by hand, half by their event */
        watch_remove(b->watch, ids[i]);
    assert_int_equal(records(b), 10);
    assert_int_equal(dispatch(b), 10);
    for (size_t i = 0; i < 10; i++)
        assert_seen(b, i, WATCH_DIR_GONE, ids[2 * i + 1], "");
    assert_int_equal(records(b), 0);
}

static long max_queued(void)
{
    FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
    assert_non_null(f);
    char line[32];
    assert_non_null(fgets(line, sizeof(line), f));
    fclose(f);
    return strtol(line, NULL, 10);
}

static void test_overflow(void **state)
{
    (void)state;
    struct bench *b = &bench;
    long wanted = max_queued();
    assert_in_range(wanted, 1, 1000000);
    int id = watch_add(b->watch, b->dir.path);
    for (long i = 0; i < wanted / 2 + 10; i++) { /* two events each, none merged */
        assert_int_equal(mkdirat(b->dir.fd, "d", 0700), 0);
        assert_int_equal(unlinkat(b->dir.fd, "d", AT_REMOVEDIR), 0);
    }
    long total = 0;
    size_t last;
    do { /* a call is bounded, the fd stays readable */
        last = (size_t)dispatch(b);
        total += (long)last;
    } while (last > 0);
    assert_int_equal(total, wanted + 1);
    assert_int_equal(b->overflows, 1);
    tmp_dir_mkdir(&b->dir, "after");
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_CREATED, id, "after");
}

/* one event in the kernel's layout */
static size_t put_event(char *dst, int wd, uint32_t mask, const char *name, uint32_t padded)
{
    struct inotify_event ev = {.wd = wd, .mask = mask, .len = padded};
    memcpy(dst, &ev, sizeof(ev));
    memset(dst + sizeof(ev), 0, padded);
    memcpy(dst + sizeof(ev), name, strlen(name));
    return sizeof(ev) + padded;
}

static void test_decode(void **state)
{
    (void)state;
    struct bench *b = &bench;
    int id = watch_add(b->watch, b->dir.path);
    char p[256];
    size_t n = put_event(p, id, IN_CREATE, "ab", 16);
    n += put_event(p + n, id, IN_MODIFY, "abcdefgh", 8); /* no NUL at the end */
    n += put_event(p + n, -1, IN_Q_OVERFLOW, "", 0);
    n += put_event(p + n, id + 7, IN_CREATE, "x", 16); /* unknown */
    n += put_event(p + n, id, IN_OPEN, "x", 16);       /* not asked for */
    assert_int_equal(watch_decode(b->watch, p, n), 3);
    assert_seen(b, 0, WATCH_CREATED, id, "ab");
    assert_seen(b, 1, WATCH_MODIFIED, id, "abcdefgh");
    assert_seen(b, 2, WATCH_OVERFLOW, -1, "");

    n = put_event(p, id, IN_CREATE, "ab", 16);
    for (size_t cut = 1; cut < n; cut++)
        assert_int_equal(watch_decode(b->watch, p, cut), -EBADMSG);
    assert_int_equal(watch_decode(b->watch, p, 0), 0);

    struct inotify_event huge = {.wd = id, .mask = IN_CREATE, .len = UINT32_MAX};
    memcpy(p, &huge, sizeof(huge));
    assert_int_equal(watch_decode(b->watch, p, sizeof(p)), -EBADMSG);
}

static void test_decode_of_ends(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t masks[3];
    } cases[] = {
        {"unmount", {IN_UNMOUNT, IN_IGNORED, 0}},
        {"delete", {IN_DELETE_SELF, IN_IGNORED, 0}},
        {"move, then delete", {IN_MOVE_SELF, IN_DELETE_SELF, IN_IGNORED}},
        {"ignored alone", {IN_IGNORED, 0, 0}},
    };
    struct bench *b = &bench;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int id = watch_add(b->watch, b->dir.path);
        char p[128];
        size_t n = 0;
        for (size_t k = 0; k < 3 && cases[i].masks[k] != 0; k++)
            n += put_event(p + n, id, cases[i].masks[k], "", 0);
        b->count = 0;
        int r = watch_decode(b->watch, p, n);
        if (r != 1)
            fail_msg("case \"%s\": %d events", cases[i].name, r);
        assert_seen(b, 0, WATCH_DIR_GONE, id, "");
        assert_int_equal(watch_count(b->watch), 0);
        assert_int_equal(records(b), 0);
        assert_int_equal(dispatch(b), 0);
    }
}

static void test_one_after_the_other(void **state)
{
    (void)state;
    struct bench *b = &bench;
    assert_true(watch_add(b->watch, b->dir.path) >= 0);
    for (int i = 0; i < 3; i++) {
        watch_free(&b->watch);
        assert_null(b->watch);
        int error = 0;
        b->watch = watch_new_with(b->ops, on_event, b, &error);
        assert_non_null(b->watch);
        assert_int_equal(watch_count(b->watch), 0);
        int id = watch_add(b->watch, b->dir.path);
        assert_int_equal(watch_add(b->watch, b->dir.path), id);
        char name[16];
        snprintf(name, sizeof(name), "d%d", i);
        tmp_dir_mkdir(&b->dir, name);
        assert_int_equal(dispatch(b), 1);
        assert_seen(b, 0, WATCH_CREATED, id, name);
    }
}

#if WHERRY_INOTIFY_TOOLS
static void test_the_library_has_one_instance(void **state)
{
    (void)state;
    struct bench *b = &bench;
    int error = 0;
    assert_null(watch_new_with(watch_tools_ops(), on_event, b, &error));
    assert_int_equal(error, -EBUSY);
    int id = watch_add(b->watch, b->dir.path); /* the first is unharmed */
    tmp_dir_mkdir(&b->dir, "d");
    assert_int_equal(dispatch(b), 1);
    assert_seen(b, 0, WATCH_CREATED, id, "d");
    /* a raw one beside it is its own */
    struct watch *raw = watch_new_with(watch_raw_ops(), on_event, b, &error);
    assert_non_null(raw);
    assert_int_not_equal(watch_fd(raw), watch_fd(b->watch));
    watch_free(&raw);
}
#endif

static void test_default_backend(void **state)
{
    (void)state;
#if WHERRY_INOTIFY_TOOLS
    assert_string_equal(watch_backend(), "libinotifytools");
#else
    assert_string_equal(watch_backend(), "inotify");
#endif
    int error = 0;
    struct watch *w = watch_new(on_event, NULL, &error);
    assert_non_null(w);
    watch_free(&w);
}

#define TEST(f)                                                                                    \
    {                                                                                              \
        .name = #f, .test_func = f, .setup_func = setup, .teardown_func = teardown                 \
    }

static const struct CMUnitTest each_backend[] = {
    TEST(test_each_kind),
    TEST(test_fd_is_pollable_and_nonblocking),
    TEST(test_names_are_any_bytes),
    TEST(test_the_same_directory_has_one_id),
    TEST(test_what_cannot_be_watched),
    TEST(test_quiet),
    TEST(test_unlinked_files_are_silent),
    TEST(test_quiet_after_the_path_changed_hands),
    TEST(test_quiet_of_a_path_that_is_another_watch),
    TEST(test_remove),
    TEST(test_remove_inside_the_callback),
    TEST(test_removed_directories_leave_nothing),
    TEST(test_moved_directory_is_gone),
    TEST(test_add_again_inside_gone),
    TEST(test_names_changing_hands_many_times),
    TEST(test_overflow),
    TEST(test_decode),
    TEST(test_decode_of_ends),
    TEST(test_one_after_the_other),
};

int main(void)
{
    const struct watch_ops *const backends[] = {
        watch_raw_ops(),
#if WHERRY_INOTIFY_TOOLS
        watch_tools_ops(),
#endif
    };
    static struct watch_ops copies[ARRAY_LEN(backends)]; /* cmocka's state is not const */
    static char names[ARRAY_LEN(backends)][ARRAY_LEN(each_backend)][96];
    struct CMUnitTest tests[ARRAY_LEN(backends) * ARRAY_LEN(each_backend) + 2];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
        copies[i] = *backends[i];
        for (size_t k = 0; k < ARRAY_LEN(each_backend); k++) {
            snprintf(names[i][k], sizeof(names[i][k]), "%s: %s", backends[i]->name,
                     each_backend[k].name);
            tests[n] = each_backend[k];
            tests[n].name = names[i][k];
            tests[n++].initial_state = &copies[i];
        }
    }
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_default_backend);
#if WHERRY_INOTIFY_TOOLS
    tests[n] = (struct CMUnitTest)TEST(test_the_library_has_one_instance);
    tests[n++].initial_state = &copies[1];
#endif
    return _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
}
