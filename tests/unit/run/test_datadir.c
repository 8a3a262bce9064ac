/*
 * run/datadir: what is made, what is kept, who is refused
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/datadir.h"
#include "tmp_dir.h"

struct fixture {
    char data[512];
    char dead[512];
    struct config config;
};

/* a configuration whose paths do not exist yet */
static void setup(struct fixture *f, const char *dir)
{
    (void)snprintf(f->data, sizeof(f->data), "%s/a/b/data", dir);
    (void)snprintf(f->dead, sizeof(f->dead), "%s/dead", dir);
    f->config = (struct config){.path_data = f->data};
    f->config.dead_letter.path = f->dead;
}

/* permission bits of path/name */
static mode_t mode_of(const char *path, const char *name)
{
    char full[1024];
    struct stat st;
    (void)snprintf(full, sizeof(full), "%s/%s", path, name);
    assert_int_equal(stat(full, &st), 0);
    return st.st_mode & 07777;
}

/* everything is made, closed to others */
static void makes_what_is_missing(void **state)
{
    struct fixture f;
    struct datadir d;
    struct err e = {0};
    struct tmp_dir tmp;
    tmp_dir_make(&tmp);
    (void)state;
    setup(&f, tmp.path);
    assert_int_equal(datadir_open(&d, &f.config, &e), 0);
    assert_int_equal(mode_of(f.data, "."), 0700);
    assert_int_equal(mode_of(f.data, "registry"), 0700);
    assert_int_equal(mode_of(f.dead, "."), 0700);
    assert_int_equal(mode_of(f.data, "agent.id"), 0600);
    assert_int_equal(strlen(d.agent_id), DATADIR_ID_CHARS);
    assert_int_equal(d.agent_id[14], '4'); /* the version of the UUID */
    datadir_close(&d);
    assert_int_equal(d.dir, -1);
    tmp_dir_remove(&tmp);
}

/* the agent's id outlives the process; one that is damaged is replaced */
static void keeps_the_id(void **state)
{
    struct fixture f;
    struct datadir d;
    char first[DATADIR_ID_CHARS + 1];
    char path[1024];
    struct tmp_dir tmp;
    tmp_dir_make(&tmp);
    (void)state;
    setup(&f, tmp.path);
    assert_int_equal(datadir_open(&d, &f.config, NULL), 0);
    memcpy(first, d.agent_id, sizeof(first));
    datadir_close(&d);
    assert_int_equal(datadir_open(&d, &f.config, NULL), 0);
    assert_string_equal(d.agent_id, first);
    datadir_close(&d);
    (void)snprintf(path, sizeof(path), "%s/agent.id", f.data);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("not an id\n", file);
    fclose(file);
    assert_int_equal(datadir_open(&d, &f.config, NULL), 0);
    assert_int_equal(strlen(d.agent_id), DATADIR_ID_CHARS);
    assert_string_not_equal(d.agent_id, first);
    datadir_close(&d);
    tmp_dir_remove(&tmp);
}

/* one instance per directory */
static void refuses_a_second_one(void **state)
{
    struct fixture f;
    struct datadir d, second;
    struct err e = {0};
    struct tmp_dir tmp;
    tmp_dir_make(&tmp);
    (void)state;
    setup(&f, tmp.path);
    assert_int_equal(datadir_open(&d, &f.config, NULL), 0);
    assert_int_equal(datadir_open(&second, &f.config, &e), -EBUSY);
    assert_non_null(strstr(e.text, f.data));
    assert_int_equal(second.dir, -1);
    datadir_close(&d);
    assert_int_equal(datadir_open(&second, &f.config, NULL), 0);
    datadir_close(&second);
    tmp_dir_remove(&tmp);
}

/* with state volatile the registry lies in memory, under a lock of its own */
static void registry_in_memory(void **state)
{
    struct fixture f;
    struct datadir d, second;
    struct err e = {0};
    char memory[512], other[512];
    struct tmp_dir tmp;
    tmp_dir_make(&tmp);
    (void)state;
    setup(&f, tmp.path);
    (void)snprintf(memory, sizeof(memory), "%s/run/wherry", tmp.path);
    (void)snprintf(other, sizeof(other), "%s/other", tmp.path);
    f.config.state = CONFIG_STATE_VOLATILE;
    f.config.path_volatile = memory;
    assert_int_equal(datadir_open_registry(&f.config, &e), -ENOENT);
    assert_int_equal(datadir_open(&d, &f.config, &e), 0);
    assert_true(d.registry >= 0 && d.saved >= 0 && d.registry != d.saved);
    assert_int_equal(mode_of(memory, "registry"), 0700);
    assert_int_equal(mode_of(f.data, "registry"), 0700);
    f.config.path_data = other;
    assert_int_equal(datadir_open(&second, &f.config, &e), -EBUSY);
    assert_non_null(strstr(e.text, memory));
    assert_int_equal(second.volatile_dir, -1);
    /* who looks finds what is in memory, else the copy */
    struct stat in_memory, found;
    assert_int_equal(fstat(d.registry, &in_memory), 0);
    f.config.path_data = f.data;
    for (int i = 0; i < 2; i++) {
        int fd = datadir_open_registry(&f.config, &e);
        assert_true(fd >= 0 && fstat(fd, &found) == 0);
        assert_int_equal(found.st_ino == in_memory.st_ino, i == 1);
        close(fd);
        fd = openat(d.registry, "log.0", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
    datadir_close(&d);
    assert_true(d.saved == -1 && d.volatile_lock == -1);
    tmp_dir_remove(&tmp);
}

/* a path that cannot be had is told with its name */
static void tells_what_is_wrong(void **state)
{
    struct fixture f;
    struct datadir d;
    struct err e = {0};
    struct tmp_dir tmp;
    tmp_dir_make(&tmp);
    (void)state;
    setup(&f, tmp.path);
    (void)snprintf(f.data, sizeof(f.data), "%s/file/data", tmp.path);
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/file", tmp.path);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(datadir_open(&d, &f.config, &e), -ENOTDIR);
    assert_non_null(strstr(e.text, "file"));
    tmp_dir_remove(&tmp);
}

/* all of them */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_what_is_missing), cmocka_unit_test(registry_in_memory),
        cmocka_unit_test(keeps_the_id),          cmocka_unit_test(refuses_a_second_one),
        cmocka_unit_test(tells_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
