/* tail: more lost generations in compressed files than are unpacked at once */
#include <unistd.h>

#include "bench.h"

static struct bench bench;

static int setup(void **state)
{
    (void)state;
    bench_init(&bench);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_end(&bench);
    return 0;
}

#define LOGS 12

/* what makes a file known by its content */
#define LONG                                                                                       \
    "a line that is long enough to be evidence of the content of a file, and of no other one"

/* one of the logs, with an ending */
static const char *nth(int i, const char *ending)
{
    static char name[32];
    (void)snprintf(name, sizeof(name), "app%02d.log%s", i, ending);
    return name;
}

/* Each path has a generation that goes on in a compressed file and one that was missed in another:
 * the files that wait for the end of their search leave the streams to it. */
static void many_searches(void **state)
{
    (void)state;
    struct bench *b = &bench;
    char text[3][256];
    bench_pattern(b, 0, "app??.log");
    for (int i = 0; i < LOGS; i++) {
        (void)snprintf(text[0], sizeof(text[0]), "%d: " LONG "\n", i);
        append(b, nth(i, ""), text[0]);
        set_age(b, nth(i, ""), 9000);
    }
    bench_start(b);
    UNTIL(b, b->doc_count == LOGS);
    bench_stop(b, true);
    for (int i = 0; i < LOGS; i++) {
        (void)snprintf(text[0], sizeof(text[0]), "%d: " LONG "\nmore\n", i);
        (void)snprintf(text[1], sizeof(text[1]), "missed by %d: " LONG "\n", i);
        (void)snprintf(text[2], sizeof(text[2]), "new in %d: " LONG "\n", i);
        unlink_log(b, nth(i, ""));
        put_packed(b, nth(i, ".2.gz"), text[0], 6000);
        put_packed(b, nth(i, ".1.gz"), text[1], 3000);
        append(b, nth(i, ""), text[2]);
    }
    bench_start(b);
    UNTIL(b, b->doc_count == (size_t)LOGS * 4);
    bench_pass(b, 20000);
    assert_int_equal(b->doc_count, LOGS * 4);
}

/* A compressed file that is found before its first byte was written is no copy. */
static void found_empty(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app00.log*");
    append(b, "app00.log", LONG "\n" LONG "\n");
    set_age(b, "app00.log", 9000);
    bench_start(b);
    UNTIL(b, b->doc_count == 2);
    append(b, "app00.log.1.gz", "");
    bench_pass(b, 1000);
    put_packed(b, "app00.log.1.gz", LONG "\n" LONG "\n", 9000);
    bench_pass(b, 30000);
    assert_int_equal(b->doc_count, 2);
    bench_restart(b, true);
    bench_pass(b, 30000);
    assert_int_equal(b->doc_count, 2);
}

/* A line that is long, but not too long, and begins where one step of unpacking does not reach from
 * the start of the file, is not in the first bytes that are read whole. */
static void long_line_far_behind(void **state)
{
    (void)state;
    enum { LINE = 300, LINES = 1666, TALL = 60000 };
    struct bench *b = &bench;
    char *text = mem_zalloc(LINE * LINES + TALL + 64), *p = text;
    bench_pattern(b, 0, "app.log*");
    b->inputs[0].unpack = true;
    b->batch_bytes = 2 * MIB; /* nothing is blocked */
    for (int i = 0; i < LINES; i++)
        p += sprintf(p, "%0*d\n", LINE - 1, i);
    memset(p, 'x', TALL);
    (void)sprintf(p + TALL, "\nlast\n");
    put_packed(b, "app.log.1.gz", text, 3000);
    bench_start(b);
    UNTIL(b, b->doc_count == LINES + 2);
    assert_int_equal(b->docs[LINES].message_bytes, TALL);
    assert_string_equal(b->docs[LINES + 1].message, "last");
    mem_free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(many_searches),
        TEST(found_empty),
        TEST(long_line_far_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
