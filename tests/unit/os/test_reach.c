/* os/reach: files here and on a mount that may hang, with real helper processes: this program,
 * which holds each operation while there is a file "hold" in its directory, and dies for "die". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/reach.h"
#include "tmp_dir.h"

#define LARGE ((size_t)700 * 1024)
#define NAMES 9000

/* ---- the helper ---- */

static void before(const char *path)
{
    (void)path;
    while (access("hold", F_OK) == 0)
        usleep(1000);
    if (access("die", F_OK) == 0)
        _exit(3);
}

/* ---- the bench ---- */

static struct clock_fake hands;
static struct loop *loop;
static struct tmp_dir dir;
static char messages[8][256];
static unsigned message_count, away_count, back_count, look_count;
static char health[256];

static void on_message(void *ctx, enum log_level level, const char *text)
{
    (void)ctx;
    assert_true(message_count < 8);
    assert_int_equal(level == LOG_WARN, strstr(text, "does not answer") != NULL);
    (void)snprintf(messages[message_count++], sizeof(messages[0]), "%s", text);
}

static void on_health(void *ctx, const char *why)
{
    (void)ctx;
    (void)snprintf(health, sizeof(health), "%s", why == NULL ? "" : why);
}

static void on_away(void *ctx, const char *point)
{
    (void)ctx;
    assert_string_equal(strrchr(point, '/'), "/far");
    away_count++;
}

static void on_back(void *ctx, bool look)
{
    (void)ctx;
    back_count++;
    look_count += look;
}

/* the table of mounts: PATH/far is one, with that number */
static void set_mounts(int id)
{
    char text[PATH_MAX + 128];
    int error = 0;
    int n = snprintf(text, sizeof(text), "1 0 8:1 / / rw - ext4 /dev/sda rw\n");
    if (id > 0)
        (void)snprintf(text + n, sizeof(text) - (size_t)n,
                       "%d 1 0:40 / %s/far rw - fuse.test test rw\n", id, dir.path);
    tmp_dir_write_str(&dir, "mountinfo", text);
    struct mounts *m = mounts_read(tmp_dir_path(&dir, "mountinfo"), &error);
    assert_non_null(m);
    reach_refresh(m);
    mounts_free(&m);
}

static int setup(void **state)
{
    (void)state;
    int error = 0;
    const struct reach_hooks hooks = {
        .message = on_message, .health = on_health, .away = on_away, .back = on_back};
    clock_fake_init(&hands, 1000000000, 0);
    loop = loop_new(&hands.clock, &error);
    tmp_dir_make(&dir);
    assert_int_equal(chdir(dir.path), 0);
    assert_int_equal(mkdir("far", 0700), 0);
    message_count = away_count = back_count = look_count = 0;
    health[0] = '\0';
    reach_start(loop, &hooks);
    set_mounts(40);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink("hold");
    reach_stop();
    reach_stop();
    assert_int_equal(loop_free(&loop), 0);
    tmp_dir_remove(&dir);
    return 0;
}

static char far_path[PATH_MAX];

/* dir/far/name, borrowed until the next call */
static const char *far(const char *name)
{
    (void)snprintf(far_path, sizeof(far_path), "%s/far/%s", dir.path, name);
    return far_path;
}

/* runs the loop until a condition holds */
#define WAIT(condition)                                                                            \
    do {                                                                                           \
        for (int tries = 0; !(condition); tries++) {                                               \
            assert_true(tries < 2000);                                                             \
            loop_once(loop, 10);                                                                   \
        }                                                                                          \
    } while (0)

/* ---- calls ---- */

static void test_files(void **state)
{
    (void)state;
    struct fs_identity id, opened, again, direct;
    mode_t mode;
    char *large = malloc(LARGE), *got = malloc(LARGE);
    char name[PATH_MAX];
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (char)(i * 7 + i / 1000);
    tmp_dir_write(&dir, "far/a.log", large, LARGE);
    assert_int_equal(fs_identify_path(AT_FDCWD, far("a.log"), false, &direct, NULL), 0);
    assert_int_equal(reach_identify_path(far("a.log"), false, &id, &mode), 0);
    assert_memory_equal(&id, &direct, sizeof(id));
    assert_true(S_ISREG(mode));
    int fd = reach_open(far("a.log"), &opened);
    assert_true(fd > 1 << 20); /* no fd of this process */
    assert_memory_equal(&opened, &direct, sizeof(id));
    assert_int_equal(reach_identify(fd, &again), 0);
    assert_memory_equal(&again, &direct, sizeof(id));
    assert_int_equal(reach_read_at(fd, got, LARGE, 0), LARGE);
    assert_memory_equal(got, large, LARGE);
    assert_int_equal(reach_read_at(fd, got, LARGE, LARGE - 5), 5);
    assert_memory_equal(got, large + LARGE - 5, 5);
    assert_int_equal(reach_read_at(fd, got, 10, LARGE), 0);
    assert_int_equal(renameat(dir.fd, "far/a.log", dir.fd, "far/b.log"), 0);
    assert_int_equal(reach_name(fd, name), 0);
    assert_string_equal(name, far("b.log"));
    reach_close(fd);
    assert_int_equal(reach_identify(fd, &again), -EBADF); /* closed before it was asked */
    free(large);
    free(got);
}

static void test_failures(void **state)
{
    (void)state;
    struct fs_identity id;
    char says[PATH_MAX], long_path[PATH_MAX + 200];
    assert_int_equal(mkdir("far/d", 0700), 0);
    assert_int_equal(mkfifo("far/fifo", 0600), 0);
    assert_int_equal(symlink("d", "far/link"), 0);
    assert_int_equal(reach_identify_path(far("none"), false, &id, NULL), -ENOENT);
    assert_int_equal(reach_open(far("none"), &id), -ENOENT);
    assert_int_equal(reach_open(far("d"), &id), -EISDIR);
    assert_int_equal(reach_open(far("fifo"), &id), -ENXIO);
    assert_int_equal(reach_open(far("link"), &id), -ELOOP);
    assert_int_equal(reach_link(far("link"), says), 0);
    assert_string_equal(says, "d");
    assert_int_equal(reach_link(far("d"), says), -EINVAL);
    assert_int_equal(reach_place(far("none"), says), -ENOENT);
    int n = snprintf(long_path, sizeof(long_path), "%s/far/", dir.path);
    memset(long_path + n, 'x', sizeof(long_path) - (size_t)n);
    long_path[sizeof(long_path) - 1] = '\0';
    assert_int_equal(reach_identify_path(long_path, false, &id, NULL), -ENAMETOOLONG);
    assert_int_equal(reach_refusals(far("d")), 0);
}

/* what a list has told */
static unsigned long names, sum;

static void on_name(void *ctx, const char *name, uint64_t ino)
{
    struct fs_identity id;
    assert_int_not_equal(ino, 0);
    names++;
    sum += strtoul(name, NULL, 10);
    if (ctx != NULL) { /* another question in the midst */
        assert_int_equal(reach_identify_path(far(name), false, &id, NULL), 0);
        assert_int_equal(id.ino, ino);
    }
}

static void test_lists(void **state)
{
    (void)state;
    char name[200];
    for (int i = 1; i <= NAMES; i++) {
        (void)snprintf(name, sizeof(name), "far/%d-%0100d", i, 0);
        tmp_dir_write_str(&dir, name, "");
    }
    names = sum = 0;
    assert_int_equal(reach_list(far(""), on_name, &dir), 0);
    assert_int_equal(names, NAMES);
    assert_int_equal(sum, (unsigned long)NAMES * (NAMES + 1) / 2);
    assert_int_equal(reach_list(far("none"), on_name, NULL), -ENOENT);
    names = 0;
    assert_int_equal(reach_list(dir.path, on_name, NULL), 0); /* here */
    assert_int_equal(names, 2);
    assert_int_equal(reach_list("", on_name, NULL), 0); /* the root */
}

static void test_places(void **state)
{
    (void)state;
    struct fs_identity id;
    char real[PATH_MAX], byte;
    tmp_dir_write_str(&dir, "far/a.log", "x");
    assert_int_equal(symlink(far("a.log"), "link"), 0);
    int place = reach_place(tmp_dir_path(&dir, "link"), real);
    assert_true(place > 1 << 20);
    assert_string_equal(real, far("a.log"));
    int fd = reach_open_place(place, &id);
    assert_true(fd > 1 << 20);
    assert_int_equal(reach_read_at(fd, &byte, 1, 0), 1);
    assert_int_equal(byte, 'x');
    reach_close(place);
    reach_close(fd);
    place = reach_place(tmp_dir_path(&dir, "mountinfo"), real); /* here */
    assert_true(place >= 0 && place < 1 << 20);
    fd = reach_open_place(place, &id);
    assert_true(fd >= 0 && fd < 1 << 20);
    reach_close(place);
    reach_close(fd);
}

/* ---- which mount ---- */

static void test_ways(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool is_far;
    } cases[] = {
        {"far", true},    {"far/a", true},   {"farther", false}, {"here/a", false},
        {"abs/a", true},  {"rel/a", true},   {"up/a", true},     {"twice/a", true},
        {"back/a", true}, {"loop/a", false}, {"none/a", false},  {"here/../far/a", true},
    };
    assert_int_equal(mkdir("here", 0700), 0);
    assert_int_equal(symlink(far(""), "abs"), 0);
    assert_int_equal(symlink("far", "rel"), 0);
    assert_int_equal(symlink("here/../far", "up"), 0);
    assert_int_equal(symlink("./rel", "twice"), 0);
    assert_int_equal(symlink("far/../here", "back"), 0); /* has been there on the way */
    assert_int_equal(symlink("loop", "loop"), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (reach_is_far(tmp_dir_path(&dir, cases[i].path)) != cases[i].is_far)
            fail_msg("%s", cases[i].path);
    }
    set_mounts(0);
    assert_false(reach_is_far(far("a")));
    assert_false(reach_is_far(tmp_dir_path(&dir, "rel/a")));
}

/* ---- mounts that hang ---- */

static void test_hanging(void **state)
{
    (void)state;
    struct fs_identity id;
    tmp_dir_write_str(&dir, "far/a.log", "x");
    reach_begin();
    assert_false(reach_was_seen(far("a.log")));
    assert_int_equal(reach_identify_path(far("a.log"), false, &id, NULL), 0);
    reach_end();
    assert_true(reach_was_seen(far("a.log")));
    int fd = reach_open(far("a.log"), &id);
    tmp_dir_write_str(&dir, "hold", "");
    reach_begin();
    int64_t began = clock_mono_ms(clock_system());
    assert_int_equal(reach_identify_path(far("a.log"), false, &id, NULL), -EBUSY);
    int64_t took = clock_mono_ms(clock_system()) - began;
    assert_true(took >= REACH_PATIENCE_MS && took < REACH_PATIENCE_MS + 2000);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(reach_open(far("b.log"), &id), -EBUSY);
        assert_int_equal(reach_identify(fd, &id), -EBUSY);
    }
    assert_true(clock_mono_ms(clock_system()) - began < 2 * REACH_PATIENCE_MS + 2000);
    assert_true(reach_was_refused(far("c")));
    assert_int_equal(reach_refusals(far("c")), 201);
    assert_int_equal(reach_refusals(dir.path), 0);
    reach_close(fd); /* nobody waits for that */
    clock_fake_advance_ms(&hands, REACH_AWAY_MS);
    WAIT(away_count == 1);
    assert_non_null(strstr(health, "/far does not answer"));
    assert_int_equal(unlink("hold"), 0);
    WAIT(message_count == 2);
    assert_non_null(strstr(messages[1], "/far answers again"));
    assert_string_equal(health, "");
    assert_int_equal(back_count, 0);
    assert_int_equal(reach_identify_path(far("a.log"), false, &id, NULL), -EBUSY); /* left alone */
    clock_fake_advance_ms(&hands, 10 * (int64_t)(REACH_PATIENCE_MS + 2000));
    WAIT(back_count > 0);
    assert_int_equal(look_count, back_count);
    for (int i = 0; i < 1000 && reach_identify_path(far("a.log"), false, &id, NULL) < 0; i++)
        usleep(10000);
    assert_int_equal(reach_identify_path(far("a.log"), false, &id, NULL), 0);
    reach_begin();
    assert_false(reach_was_refused(far("c")));
}

static void test_late_reads(void **state)
{
    (void)state;
    struct fs_identity id;
    char byte[2];
    tmp_dir_write_str(&dir, "far/a.log", "xy");
    int fd = reach_open(far("a.log"), &id);
    tmp_dir_write_str(&dir, "hold", "");
    reach_hurry(true);
    assert_int_equal(reach_read_at(fd, byte, 2, 0), -EBUSY);
    assert_int_equal(reach_read_at(fd, byte, 2, 0), -EBUSY);
    assert_false(reach_was_refused(far("a.log"))); /* reads in a hurry are asked again anyway */
    assert_int_equal(unlink("hold"), 0);
    WAIT(back_count == 1);
    assert_int_equal(look_count, 0);
    tmp_dir_write_str(&dir, "hold", "");
    assert_int_equal(reach_read_at(fd, byte, 2, 0), 2); /* kept: the helper is not asked */
    assert_memory_equal(byte, "xy", 2);
    assert_int_equal(reach_read_at(fd, byte, 2, 0), -EBUSY); /* once */
    reach_hurry(false);
    assert_int_equal(unlink("hold"), 0);
    assert_int_equal(reach_read_at(fd, byte, 2, 0), 2);
}

/* ---- helpers that end ---- */

static void test_dying_helper(void **state)
{
    (void)state;
    struct fs_identity id;
    tmp_dir_write_str(&dir, "far/a.log", "x");
    int fd = reach_open(far("a.log"), &id);
    tmp_dir_write_str(&dir, "die", "");
    assert_int_equal(reach_identify(fd, &id), -ESTALE);
    assert_int_equal(unlink("die"), 0);
    assert_int_equal(reach_identify(fd, &id), -ESTALE); /* the next helper has not got it */
    int again = reach_open(far("a.log"), &id);
    assert_true(again > 0 && again != fd);
    assert_int_equal(reach_identify(fd, &id), -ESTALE);
    assert_int_equal(reach_identify(again, &id), 0);
    reach_close(fd);
    assert_int_equal(reach_identify(again, &id), 0);
}

static void test_mount_that_is_gone(void **state)
{
    (void)state;
    struct fs_identity id;
    char byte;
    tmp_dir_write_str(&dir, "far/a.log", "x");
    int fd = reach_open(far("a.log"), &id);
    set_mounts(41); /* another one at the place */
    int other = reach_open(far("a.log"), &id);
    assert_true(other > 0 && other != fd);
    assert_int_equal(reach_read_at(fd, &byte, 1, 0), 1); /* as long as it is open */
    reach_close(fd);
    set_mounts(41);
    assert_int_equal(reach_read_at(fd, &byte, 1, 0), -ESTALE);
    assert_int_equal(reach_read_at(other, &byte, 1, 0), 1);
    tmp_dir_write_str(&dir, "hold", "");
    assert_int_equal(reach_identify(other, &id), -EBUSY);
    reach_close(other);
    set_mounts(0);                      /* hangs, and is gone: its helper is killed */
    fd = reach_open(far("a.log"), &id); /* here */
    assert_true(fd >= 0 && fd < 1 << 20);
    reach_close(fd);
}

static void test_not_started(void **state)
{
    (void)state;
    struct fs_identity id;
    reach_stop();
    tmp_dir_write_str(&dir, "far/a.log", "x");
    set_mounts(40);
    assert_false(reach_is_far(far("a.log")));
    int fd = reach_open(far("a.log"), &id);
    assert_true(fd >= 0 && fd < 1 << 20);
    reach_close(fd);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], REACH_COMMAND) == 0)
        return reach_serve(before);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(test_places, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hanging, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late_reads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dying_helper, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mount_that_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_started, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
