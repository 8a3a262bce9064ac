/* tail/content: compressed files by offset: forwards, a little back, from the start again, far
 * away; how they end; how many are open at a time. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "tail/content.h"
#include "tail/unpacked.h"
#include "tail_test.h"
#include "tmp_dir.h"

#define BYTES ((size_t)1500 * 1000)

static struct {
    struct tmp_dir dir;
    char *text;
    unsigned open;
} bench;

static int setup(void **state)
{
    (void)state;
    unsigned seed = 7;
    tmp_dir_make(&bench.dir);
    bench.text = test_malloc(BYTES);
    for (size_t i = 0; i < BYTES; i++) {
        seed = seed * 1103515245 + 12345;
        bench.text[i] = i % 80 == 79 ? '\n' : (char)('a' + (seed >> 16) % 16);
    }
    bench.open = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_free(bench.text);
    tmp_dir_remove(&bench.dir);
    assert_int_equal(bench.open, 0);
    return 0;
}

/* appends the text as a member to file "f"; returns the size of the file */
static uint64_t write_member(void)
{
    struct stat st;
    gzFile f = gzopen(tmp_dir_path(&bench.dir, "f"), "ab1");
    assert_non_null(f);
    assert_int_equal(gzwrite(f, bench.text, (unsigned)BYTES), BYTES);
    assert_int_equal(gzclose(f), Z_OK);
    assert_int_equal(stat(tmp_dir_path(&bench.dir, "f"), &st), 0);
    return (uint64_t)st.st_size;
}

/* opens file "f" */
static struct content open_file(void)
{
    struct content c;
    content_open(&c, open(tmp_dir_path(&bench.dir, "f"), O_RDONLY | O_CLOEXEC));
    assert_true(c.fd >= 0);
    content_unpack(&c, &bench.open);
    assert_true(content_is_packed(&c));
    return c;
}

/* reads, as often as it takes; returns what the last call returned */
static ssize_t read_on(struct content *c, char *p, size_t n, uint64_t at, unsigned *ret_calls)
{
    ssize_t r;
    *ret_calls = 0;
    do {
        r = content_read_at(c, p, n, at);
        (*ret_calls)++;
    } while (r == -EAGAIN);
    return r;
}

static void by_offset(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t at, n, expected;
        unsigned calls_min, calls_max;
    } steps[] = {
        {"head", 0, 1024, 1024, 1, 1},
        {"on", 1000, 200000, 200000, 1, 1},
        {"a little back", 200900, 1000, 1000, 1, 1},
        {"within what is kept", 201000, 100, 100, 1, 1},
        {"far on", 1400000, 64, 64, 4, 8},
        {"the end", 1400000, 200000, 100000, 1, 1},
        {"behind the end", 1600000, 10, 0, 1, 2},
        {"from the start again", 10, 50, 50, 1, 1},
        {"the last byte", BYTES - 1, 10, 1, 4, 8},
    };
    (void)write_member();
    struct content c = open_file();
    char *p = test_malloc(BYTES);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        unsigned calls;
        ssize_t r = read_on(&c, p, steps[i].n, steps[i].at, &calls);
        CHECK(steps[i].name, r == (ssize_t)steps[i].expected);
        CHECK(steps[i].name, memcmp(p, bench.text + (r > 0 ? steps[i].at : 0), (size_t)r) == 0);
        CHECK(steps[i].name, calls >= steps[i].calls_min && calls <= steps[i].calls_max);
    }
    assert_int_equal(content_end(&c), CONTENT_WHOLE);
    assert_false(content_has_changed(&c, 0));
    content_rest(&c);
    assert_int_equal(bench.open, 0);
    assert_false(content_has_changed(&c, 0));
    test_free(p);
    content_close(&c);
}

/* another member that comes later is read on */
static void grows(void **state)
{
    (void)state;
    char p[100];
    unsigned calls;
    (void)write_member();
    struct content c = open_file();
    assert_int_equal(read_on(&c, p, sizeof(p), BYTES, &calls), 0);
    assert_int_equal(content_end(&c), CONTENT_WHOLE);
    (void)write_member();
    assert_true(content_has_changed(&c, BYTES));
    assert_int_equal(read_on(&c, p, sizeof(p), BYTES, &calls), sizeof(p));
    assert_memory_equal(p, bench.text, sizeof(p));
    content_close(&c);
}

/* what is cut off in the midst is open-ended until it is given up, or goes on */
static void not_whole(void **state)
{
    (void)state;
    unsigned calls;
    size_t size = (size_t)write_member();
    char *packed = test_malloc(size);
    char *p = test_malloc(BYTES);
    int fd = open(tmp_dir_path(&bench.dir, "f"), O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, packed, size, 0), size);
    assert_int_equal(ftruncate(fd, (off_t)size / 2), 0);
    struct content c = open_file();
    ssize_t n = read_on(&c, p, BYTES, 0, &calls);
    assert_true(n > 100000 && n < (ssize_t)BYTES);
    assert_memory_equal(p, bench.text, (size_t)n);
    assert_int_equal(content_end(&c), CONTENT_OPEN);
    assert_false(content_has_changed(&c, 0));
    assert_int_equal(pwrite(fd, packed, size, 0), size);
    assert_true(content_has_changed(&c, 0));
    assert_int_equal(read_on(&c, p, BYTES, (uint64_t)n, &calls), (ssize_t)BYTES - n);
    assert_int_equal(content_end(&c), CONTENT_WHOLE);
    content_rest(&c);
    assert_int_equal(ftruncate(fd, (off_t)size / 2), 0);
    assert_true(read_on(&c, p, BYTES, 0, &calls) == n);
    content_give_up(&c);
    assert_int_equal(content_end(&c), CONTENT_CORRUPT);
    content_close(&c);
    (void)close(fd);
    test_free(packed);
    test_free(p);
}

/* what stands before the damage is read */
static void damaged(void **state)
{
    (void)state;
    unsigned calls;
    uint64_t size = write_member();
    char *p = test_malloc(BYTES);
    int fd = open(tmp_dir_path(&bench.dir, "f"), O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, (off_t)size / 2), 8);
    struct content c = open_file();
    ssize_t n = read_on(&c, p, BYTES, 0, &calls);
    assert_true(n > 100000 && n < (ssize_t)BYTES);
    assert_memory_equal(p, bench.text, 100000);
    assert_int_equal(content_end(&c), CONTENT_CORRUPT);
    assert_true(content_useless(&c) > size / 4 && content_useless(&c) < size);
    assert_int_equal(read_on(&c, p, 10, (uint64_t)n, &calls), 0);
    content_close(&c);
    (void)close(fd);
    test_free(p);
}

/* so many streams at a time; one that rests makes room */
static void streams_are_limited(void **state)
{
    (void)state;
    struct content c[UNPACKED_OPEN_MAX + 1];
    char p[10];
    (void)write_member();
    for (unsigned i = 0; i <= UNPACKED_OPEN_MAX; i++) {
        c[i] = open_file();
        assert_int_equal(content_read_at(&c[i], p, sizeof(p), 0),
                         i < UNPACKED_OPEN_MAX ? (ssize_t)sizeof(p) : -EBUSY);
    }
    content_rest(&c[0]);
    assert_int_equal(content_read_at(&c[UNPACKED_OPEN_MAX], p, sizeof(p), 5), sizeof(p));
    assert_memory_equal(p, bench.text + 5, sizeof(p));
    for (unsigned i = 0; i <= UNPACKED_OPEN_MAX; i++)
        content_close(&c[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(by_offset), TEST(grows), TEST(not_whole), TEST(damaged),
                                       TEST(streams_are_limited)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
