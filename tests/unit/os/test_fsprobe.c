/* os/fsprobe: answers, mounts that hang, helpers that die, on a fake clock with real helper
 * processes: this program, which answers below as the paths say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fsprobe.h"
#include "tmp_dir.h"

#define ITEMS    16
#define MESSAGES 16
#define GUARD_MS 20000

/* ---- the helper ---- */

/* waits while there is such a file */
static void hang(const char *path)
{
    while (access(path, F_OK) == 0)
        usleep(1000);
}

/* PATH/hang*: waits while it is there; PATH/die*: dies; else its length in blocks */
static void answer(const char *path, struct fsprobe_answer *ret)
{
    if (strstr(path, "/hang") != NULL)
        hang(path);
    if (strstr(path, "/die") != NULL)
        _exit(3);
    if (strstr(path, "/none") != NULL)
        ret->error = -ENOENT;
    ret->block_bytes = 1;
    ret->blocks = strlen(path);
}

/* ---- the bench ---- */

static struct clock_fake hands;
static struct loop *loop;
static struct fsprobe *probe;
static struct tmp_dir dir;
static struct fsprobe_item items[ITEMS];
static struct fsprobe_batch batch;
static char paths[ITEMS][32];
static unsigned done;
static char messages[MESSAGES][256];
static unsigned message_count;

static void on_done(void *ctx)
{
    (void)ctx;
    done++;
}

static void on_message(void *ctx, enum log_level level, const char *text)
{
    (void)ctx;
    assert_true(message_count < MESSAGES);
    assert_int_equal(level == LOG_INFO, strstr(text, "answers again") != NULL);
    (void)snprintf(messages[message_count++], sizeof(messages[0]), "%s", text);
}

static int setup(void **state)
{
    (void)state;
    int error = 0;
    clock_fake_init(&hands, 1000000000, 0);
    loop = loop_new(&hands.clock, &error);
    tmp_dir_make(&dir);
    struct fsprobe_opts opts = {.prefix = dir.path, .message = on_message};
    probe = fsprobe_new(loop, &opts);
    message_count = 0;
    done = 0;
    memset(&batch, 0, sizeof(batch));
    memset(items, 0, sizeof(items));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fsprobe_free(&probe);
    assert_null(probe);
    assert_int_equal(loop_free(&loop), 0);
    while (waitpid(-1, NULL, 0) > 0) { /* each was killed: nothing is waited for in vain */
    }
    tmp_dir_remove(&dir);
    return 0;
}

/* processes that have this one as parent */
static unsigned children(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc");
    assert_non_null(d);
    struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        char name[300];
        char state;
        int parent;
        (void)snprintf(name, sizeof(name), "/proc/%s/stat", e->d_name);
        FILE *f = strspn(e->d_name, "0123456789") > 0 ? fopen(name, "re") : NULL;
        if (f == NULL)
            continue;
        if (fscanf(f, "%*d %*s %c %d", &state, &parent) == 2)
            n += parent == getpid();
        (void)fclose(f);
    }
    (void)closedir(d);
    return n;
}

static void make(const char *path)
{
    tmp_dir_write_str(&dir, path + 1, "");
}

static void unmake(const char *path)
{
    assert_int_equal(unlinkat(dir.fd, path + 1, 0), 0);
}

/* asks for paths, ended by NULL; the ids are their places */
static void ask(const char *const *wanted)
{
    batch = (struct fsprobe_batch){.items = items, .done = on_done};
    for (; wanted[batch.count] != NULL; batch.count++) {
        assert_true(batch.count < ITEMS);
        (void)snprintf(paths[batch.count], sizeof(paths[0]), "%s", wanted[batch.count]);
        items[batch.count] = (struct fsprobe_item){.id = 7, .path = slice_str(paths[batch.count])};
    }
    done = 0;
    assert_false(fsprobe_ask(probe, &batch));
    assert_int_equal(done, 0);
}

/* real time passes until the condition holds */
#define WAIT(condition)                                                                            \
    do {                                                                                           \
        int waited = 0;                                                                            \
        while (!(condition) && waited++ < GUARD_MS / 10)                                           \
            loop_once(loop, 10);                                                                   \
        assert_true(condition);                                                                    \
    } while (0)

static void pass(int64_t ms)
{
    clock_fake_advance_ms(&hands, ms);
    loop_once(loop, 0);
}

/* the errors of a batch that is done; good answers have the length of their path */
static void check(const int *errors)
{
    for (size_t i = 0; i < batch.count; i++) {
        assert_int_equal(items[i].answer.error, errors[i]);
        if (errors[i] == 0)
            assert_int_equal(items[i].answer.blocks, strlen(dir.path) + strlen(paths[i]));
    }
}

/* asks, waits and compares */
static void ask_and_check(const char *const *wanted, const int *errors)
{
    ask(wanted);
    WAIT((pass(10), done == 1)); /* helpers that are about to end are looked at again in time */
    check(errors);
}

/* ---- tests ---- */

static void test_answers(void **state)
{
    (void)state;
    const char *const three[] = {"/", "/abc", "/none", NULL};
    for (int i = 0; i < 3; i++)
        ask_and_check(three, (int[]){0, 0, -ENOENT});
    assert_int_equal(children(), 1);
    assert_int_equal(message_count, 0);
    batch.count = 0;
    assert_true(fsprobe_ask(probe, &batch));
}

/* batches that come together are done in turn */
static void test_two_batches(void **state)
{
    (void)state;
    const char *const two[] = {"/a", "/bc", NULL};
    struct fsprobe_item one = {.path = SLICE_LIT("/x")};
    struct fsprobe_batch other = {.items = &one, .count = 1, .done = on_done};
    ask(two);
    assert_false(fsprobe_ask(probe, &other));
    WAIT(done == 2);
    check((int[]){0, 0});
    assert_int_equal(one.answer.blocks, strlen(dir.path) + 2);
    assert_int_equal(children(), 1);
}

static void test_idle_helper_ends(void **state)
{
    (void)state;
    const char *const one[] = {"/a", NULL};
    ask_and_check(one, (int[]){0});
    pass(900); /* a little has passed since the answer */
    assert_int_equal(children(), 1);
    WAIT((pass(100), children() == 0));
    ask_and_check(one, (int[]){0});
    assert_int_equal(children(), 1);
}

/* waits until the helper has begun with a path that hangs, which only time tells, and lets the
 * deadline pass */
static void pass_deadline(int64_t ms)
{
    for (int i = 0; i < 3; i++)
        loop_once(loop, 10);
    assert_int_equal(done, 0);
    pass(ms);
}

static void test_hanging_mount(void **state)
{
    (void)state;
    const char *const three[] = {"/a", "/hang", "/b", NULL};
    const char *const others[] = {"/a", "/b", NULL};
    char expected[400];
    make("/hang");
    ask_and_check(others, (int[]){0, 0});
    ask(three);
    WAIT(batch.next == 1);
    pass_deadline(2999);
    assert_int_equal(message_count, 0);
    pass(1);
    WAIT(done == 1);
    check((int[]){0, -ETIMEDOUT, 0});
    (void)snprintf(expected, sizeof(expected),
                   "mount point %s/hang does not answer: left out until it does", dir.path);
    assert_int_equal(message_count, 1);
    assert_string_equal(messages[0], expected);
    for (int i = 0; i < 3; i++) {
        ask_and_check(three, (int[]){0, -EAGAIN, 0});
        pass(60000);
    }
    assert_int_equal(message_count, 1);
    unmake("/hang");
    WAIT(message_count == 2);
    (void)snprintf(expected, sizeof(expected), "mount point %s/hang answers again", dir.path);
    assert_string_equal(messages[1], expected);
    ask_and_check(three, (int[]){0, 0, 0});
    WAIT((pass(100), children() == 1));
}

/* another mount at the same place is asked */
static void test_new_mount_at_the_place(void **state)
{
    (void)state;
    const char *const one[] = {"/hang", NULL};
    make("/hang");
    ask(one);
    pass_deadline(13000);
    WAIT(done == 1);
    check((int[]){-ETIMEDOUT});
    ask(one);
    items[0].id = 8;
    pass_deadline(13000);
    WAIT(done == 1);
    check((int[]){-ETIMEDOUT});
    assert_int_equal(message_count, 2);
    assert_int_equal(children(), 2);
}

/* a first answer may take longer: the helper has to start */
static void test_slow_start(void **state)
{
    (void)state;
    const char *const one[] = {"/hang", NULL};
    make("/hang");
    ask(one);
    pass_deadline(12999);
    assert_int_equal(done, 0);
    unmake("/hang");
    WAIT(done == 1);
    check((int[]){0});
    assert_int_equal(message_count, 0);
}

/* more mounts hang than helpers may: the last helper is killed, its mount tried again later */
static void test_many_hang(void **state)
{
    (void)state;
    const char *const five[] = {"/hang1", "/hang2", "/hang3", "/hang4", "/hang5", "/a", NULL};
    for (int i = 0; i < 5; i++)
        make(five[i]);
    ask(five);
    for (size_t i = 0; i < 5; i++) {
        WAIT((pass(10), batch.next == i && children() == (i < 4 ? i + 1 : 4)));
        pass_deadline(13000);
    }
    WAIT((pass(10), done == 1));
    const int first[] = {-ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT, 0};
    check(first);
    assert_int_equal(message_count, 5);
    for (int i = 0; i < 3; i++)
        ask_and_check(five, (int[]){-EAGAIN, -EAGAIN, -EAGAIN, -EAGAIN, -EAGAIN, 0});
    assert_int_equal(children(), 4);
    for (int i = 0; i < 5; i++)
        unmake(five[i]);
    WAIT(message_count == 8);
    ask_and_check(five, (int[]){0, 0, 0, -EAGAIN, -EAGAIN, 0});
    pass(600000);
    ask_and_check(five, (int[]){0, 0, 0, 0, 0, 0});
    assert_int_equal(message_count, 10);
}

/* the last helper is kept for mounts that do not hang */
static void test_last_helper_is_kept(void **state)
{
    (void)state;
    const char *const five[] = {"/hang1", "/hang2", "/hang3", "/hang4", "/net", "/a", NULL};
    for (int i = 0; i < 4; i++)
        make(five[i]);
    ask(five);
    for (size_t i = 0; i < 5; i++)
        items[i].may_hang = true;
    for (size_t i = 0; i < 3; i++) {
        WAIT((pass(10), batch.next == i && children() == i + 1));
        pass_deadline(13000);
    }
    WAIT((pass(10), done == 1));
    check((int[]){-ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT, -EAGAIN, -EAGAIN, 0});
    assert_int_equal(message_count, 4);
    assert_non_null(strstr(messages[3], "too many mounts do not answer"));
    for (int i = 0; i < 4; i++)
        unmake(five[i]);
    WAIT(message_count == 7);
    ask(five);
    for (size_t i = 0; i < 5; i++)
        items[i].may_hang = true;
    WAIT((pass(10), done == 1));
    check((int[]){0, 0, 0, 0, 0, 0});
    assert_int_equal(message_count, 7);
}

/* a helper that dies loses one answer; one that never answered is not tried for every mount */
static void test_dying_helper(void **state)
{
    (void)state;
    const char *const first[] = {"/die", "/a", "/b", NULL};
    const char *const middle[] = {"/a", "/die", "/b", NULL};
    ask_and_check(first, (int[]){-EIO, -EIO, -EIO});
    ask_and_check(middle, (int[]){0, -EIO, 0});
    assert_int_equal(message_count, 0);
}

/* a helper that was killed while it was idle is replaced */
static void test_killed_while_idle(void **state)
{
    (void)state;
    const char *const one[] = {"/a", NULL};
    const char *const dying[] = {"/a", "/die", NULL};
    ask_and_check(one, (int[]){0});
    ask_and_check(dying, (int[]){0, -EIO});
    ask_and_check(one, (int[]){0});
}

static void test_long_path(void **state)
{
    (void)state;
    static char path[5000];
    struct fsprobe_item two[] = {{.path = SLICE_LIT("/a")}, {.path = {path, sizeof(path)}}};
    memset(path, 'x', sizeof(path));
    batch = (struct fsprobe_batch){.items = two, .count = 2, .done = on_done};
    assert_false(fsprobe_ask(probe, &batch));
    WAIT(done == 1);
    assert_int_equal(two[0].answer.error, 0);
    assert_int_equal(two[1].answer.error, -ENAMETOOLONG);
}

/* freed while a helper hangs and a batch waits: nobody is called, nothing is left */
static void test_freed_while_it_hangs(void **state)
{
    (void)state;
    const char *const two[] = {"/hang", "/a", NULL};
    make("/hang");
    ask(two);
    pass_deadline(1);
    fsprobe_free(&probe);
    for (int i = 0; i < 3; i++)
        loop_once(loop, 0);
    assert_int_equal(done, 0);
}

static void answer_now(struct slice path, struct fsprobe_answer *ret)
{
    ret->blocks = path.len;
}

static void test_answers_at_once(void **state)
{
    (void)state;
    const struct fsprobe_opts opts = {.prefix = "", .answer = answer_now};
    struct fsprobe *p = fsprobe_new(NULL, &opts);
    struct fsprobe_item one = {.path = SLICE_LIT("/xy")};
    struct fsprobe_batch b = {.items = &one, .count = 1};
    assert_true(fsprobe_ask(p, &b));
    assert_int_equal(one.answer.blocks, 3);
    fsprobe_free(&p);
    fsprobe_free(&p);
}

/* where nothing may hang: the kernel's own answers, and no process */
static void test_asked_here(void **state)
{
    (void)state;
    static char path[5000];
    struct fsprobe_item three[] = {
        {.path = SLICE_LIT("/")}, {.path = SLICE_LIT("/none")}, {.path = {path, sizeof(path)}}};
    struct fsprobe_batch b = {.items = three, .count = 3, .at_once = true, .done = on_done};
    struct stat st;
    memset(path, 'x', sizeof(path));
    assert_true(fsprobe_ask(probe, &b));
    assert_int_equal(three[0].answer.error, 0);
    assert_true(three[0].answer.blocks > 0);
    assert_int_equal(fstat(dir.fd, &st), 0);
    assert_int_equal(three[0].answer.device, st.st_dev);
    assert_int_equal(three[1].answer.error, -ENOENT);
    assert_int_equal(three[2].answer.error, -ENAMETOOLONG);
    loop_once(loop, 0);
    assert_int_equal(children(), 0);
    assert_int_equal(done, 0);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], FSPROBE_COMMAND) == 0)
        return fsprobe_serve(answer);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_batches, setup, teardown),
        cmocka_unit_test_setup_teardown(test_idle_helper_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hanging_mount, setup, teardown),
        cmocka_unit_test_setup_teardown(test_new_mount_at_the_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_start, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_hang, setup, teardown),
        cmocka_unit_test_setup_teardown(test_last_helper_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dying_helper, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed_while_idle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_path, setup, teardown),
        cmocka_unit_test_setup_teardown(test_freed_while_it_hangs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_asked_here, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answers_at_once, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
