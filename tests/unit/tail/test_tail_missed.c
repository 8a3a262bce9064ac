/* tail: what rotation does in the moments between two looks, while others are decided. */
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

/* lines that take a search several steps to unpack */
#define WIDE       15000
#define WIDE_LINES 120
#define WIDE_BYTES (WIDE_LINES * WIDE + 4096)

/* what makes a file known by its content */
#define LONG                                                                                       \
    "a line that is long enough to be evidence of the content of a file, and of no other one"

/* how many documents have a message */
static unsigned count(const struct bench *b, const char *message)
{
    unsigned n = 0;
    for (size_t i = 0; i < b->doc_count; i++)
        n += strcmp(b->docs[i].message, message) == 0;
    return n;
}

/* how many generations are registered */
static unsigned entries(const struct bench *b)
{
    unsigned n = 0;
    for (struct entry *e = registry_next(b->registry, NULL); e != NULL;
         e = registry_next(b->registry, e))
        n++;
    return n;
}

/* Cut when no more than half a line of it was seen: the copy has the whole one, nothing is lost. */
static void half_a_line_goes_on_in_the_copy(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log");
    append(b, "app.log", "half a");
    set_age(b, "app.log", 0);
    bench_start(b);
    bench_pass(b, 500);
    append(b, "app.log", " line\n");
    copy(b, "app.log", "app.log.1", SIZE_MAX);
    set_age(b, "app.log.1", 0);
    cut(b, "app.log", 0);
    append(b, "app.log", "new\n");
    EXPECT(b, "half a line|new|");
    assert_int_equal(b->ledgers[0].abandoned[ABANDON_TRUNCATED].bytes, 0);
}

/* The same where the copy matches and was taken for new before the cut was noticed. */
static void half_a_line_in_a_copy_that_is_new(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app*.log");
    append(b, "app.log", "half a");
    set_age(b, "app.log", 0);
    bench_start(b);
    bench_pass(b, 500);
    append(b, "app.log", " line\n");
    copy(b, "app.log", "app-1.log", SIZE_MAX);
    set_age(b, "app-1.log", 0);
    cut(b, "app.log", 0);
    bench_pass(b, 200);
    append(b, "app.log", "new\n");
    EXPECT(b, "half a line|new|");
    assert_int_equal(b->ledgers[0].abandoned[ABANDON_TRUNCATED].bytes, 0);
}

/* What was read of a log under one name is known in its compressed form under another, also when
 * that is decided after the search for its path is over: more streams than are open at once. */
static void known_after_the_search_for_its_path(void **state)
{
    (void)state;
    struct bench *b = &bench;
    char text[LOGS][256], name[32], to[32];
    bench_pattern(b, 0, "app*.log*");
    b->inputs[0].unpack = true;
    for (int i = 0; i < LOGS; i++) {
        (void)snprintf(name, sizeof(name), "app%02d.log.1", i);
        (void)snprintf(text[i], sizeof(text[i]), "%d: " LONG "\n", i);
        append(b, name, text[i]);
        set_age(b, name, 9000);
    }
    bench_start(b);
    UNTIL(b, b->doc_count == LOGS);
    bench_stop(b, true);
    for (int i = 0; i < LOGS; i++) {
        (void)snprintf(name, sizeof(name), "app%02d.log.1", i);
        (void)snprintf(to, sizeof(to), "app%02d.log.2.gz", i);
        unlink_log(b, name);
        put_packed(b, to, text[i], 9000);
    }
    bench_start(b);
    bench_pass(b, 30000);
    assert_int_equal(b->doc_count, LOGS);
}

/* The next rotation renames what is searched, and what is not opened yet is found again. */
static void renamed_while_it_is_searched(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log");
    append(b, "app.log", LONG "\n");
    set_age(b, "app.log", 9000);
    bench_start(b);
    UNTIL(b, b->doc_count == 1);
    bench_stop(b, true);
    unlink_log(b, "app.log");
    put_packed(b, "app.log.4.gz", LONG "\nrest\n", 8000);
    put_packed(b, "app.log.3.gz", "first missed: " LONG "\n", 6000);
    put_packed(b, "app.log.2.gz", "second missed: " LONG "\n", 5000);
    append(b, "app.log.1", "third missed: " LONG "\n");
    set_age(b, "app.log.1", 4000);
    append(b, "app.log", "now\n");
    bench_start(b); /* the members are listed, none of the compressed ones is decided */
    move(b, "app.log.4.gz", "app.log.5.gz");
    move(b, "app.log.3.gz", "app.log.4.gz");
    move(b, "app.log.2.gz", "app.log.3.gz");
    put_packed(b, "app.log.2.gz", "third missed: " LONG "\n", 4000);
    unlink_log(b, "app.log.1");
    bench_pass(b, 3000);
    assert_int_equal(count(b, "rest"), 1);
    assert_int_equal(count(b, "first missed: " LONG), 1);
    assert_int_equal(count(b, "second missed: " LONG), 1);
    assert_int_equal(count(b, "third missed: " LONG), 1);
    assert_int_equal(count(b, "now"), 1);
    assert_int_equal(b->doc_count, 6);
    bench_restart(b, true);
    bench_pass(b, 3000);
    assert_int_equal(b->doc_count, 6);
}

/* More compressed ones were missed than are unpacked at a time, and some hold nothing: none is
 * taken for one that cannot be read, and what follows does not wait. */
static void more_than_are_unpacked_at_a_time(void **state)
{
    (void)state;
    struct bench *b = &bench;
    char name[32], text[LOGS][256];
    bench_pattern(b, 0, "app.log");
    append(b, "app.log", "last seen: " LONG "\n");
    set_age(b, "app.log", 90000);
    bench_start(b);
    UNTIL(b, b->doc_count == 1);
    bench_stop(b, true);
    unlink_log(b, "app.log");
    put_packed(b, "app.log.40.gz", "last seen: " LONG "\n", 90000);
    for (int i = 0; i < LOGS; i++) {
        (void)snprintf(name, sizeof(name), "app.log.%d.gz", LOGS - i);
        (void)snprintf(text[i], sizeof(text[i]), "%d: " LONG, i);
        bool empty = i % 4 == 3;
        put_packed(b, name, empty ? "" : text[i], 60000 - i * 1000);
    }
    append(b, "app.log", "now\n");
    bench_start(b);
    bench_pass(b, 3000);
    for (int i = 0; i < LOGS; i++)
        assert_int_equal(count(b, text[i]), i % 4 == 3 ? 0 : 1);
    assert_int_equal(count(b, "now"), 1);
    assert_int_equal(b->tail->unreadable, 0);
    unsigned before = entries(b);
    size_t docs = b->doc_count;
    for (int i = 0; i < 2; i++) { /* nor does the registry grow with each start */
        bench_restart(b, true);
        bench_pass(b, 3000);
        assert_int_equal(entries(b), before);
        assert_int_equal(b->doc_count, docs);
    }
}

/* A missed one is compressed at any moment of the search. */
static void compressed_while_it_is_searched(void **state)
{
    for (int turns = 0; turns < 8; turns++) {
        struct bench *b = &bench;
        bench_pattern(b, 0, "app.log");
        append(b, "app.log", LONG "\n");
        set_age(b, "app.log", 9000);
        bench_start(b);
        UNTIL(b, b->doc_count == 1);
        bench_stop(b, true);
        unlink_log(b, "app.log");
        put_packed(b, "app.log-02.gz", LONG "\nrest\n", 8000);
        put_packed(b, "app.log-03.gz", "first missed: " LONG "\n", 6000);
        append(b, "app.log-04", "second missed: " LONG "\n");
        set_age(b, "app.log-04", 5000);
        append(b, "app.log-05", "third missed: " LONG "\n");
        set_age(b, "app.log-05", 4000);
        append(b, "app.log", "now\n");
        bench_start(b);
        for (int i = 0; i < turns; i++)
            bench_turn(b, 2);
        put_packed(b, "app.log-04.gz", "second missed: " LONG "\n", 5000);
        unlink_log(b, "app.log-04");
        bench_pass(b, 3000);
        assert_int_equal(count(b, "rest"), 1);
        assert_int_equal(count(b, "first missed: " LONG), 1);
        assert_int_equal(count(b, "second missed: " LONG), 1);
        assert_int_equal(count(b, "third missed: " LONG), 1);
        assert_int_equal(b->doc_count, 6);
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
    }
}

/* Killed at any moment of a search: what is registered of it by then hides nothing that is older.
 */
static void killed_while_it_is_searched(void **state)
{
    for (int turns = 0; turns < 8; turns++) {
        struct bench *b = &bench;
        bench_pattern(b, 0, "app.log");
        append(b, "app.log", LONG "\n");
        set_age(b, "app.log", 9000);
        bench_start(b);
        UNTIL(b, b->doc_count == 1);
        bench_stop(b, true);
        unlink_log(b, "app.log");
        put_packed(b, "app.log.3.gz", LONG "\nrest\n", 8000);
        append(b, "app.log.2", "first missed: " LONG "\n");
        set_age(b, "app.log.2", 6000);
        put_packed(b, "app.log.1.gz", "second missed: " LONG "\n", 5000);
        append(b, "app.log", "now: " LONG "\n");
        set_age(b, "app.log", 1000);
        bench_start(b);
        for (int i = 0; i < turns; i++)
            bench_turn(b, 2);
        bench_restart(b, false);
        bench_pass(b, 3000);
        assert_int_equal(count(b, "rest"), 1);
        assert_int_equal(count(b, "first missed: " LONG), 1);
        assert_int_equal(count(b, "second missed: " LONG), 1);
        assert_int_equal(count(b, "now: " LONG), 1);
        assert_int_equal(b->doc_count, 5);
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
    }
}

/* Killed at any moment of a search that takes several steps, and the file at its path is written,
 * copied and cut twice before the next start: what that one finds of these lives hides none of
 * those missed before. */
static void cut_after_a_search_was_killed(void **state)
{
    static char known[WIDE_LINES * WIDE + 256];
    for (int turns = 0; turns < 8; turns++) {
        struct bench *b = &bench;
        size_t n = (size_t)snprintf(known, sizeof(known), LONG "\n");
        for (int i = 0; i < WIDE_LINES; i++, n += WIDE)
            (void)snprintf(known + n, sizeof(known) - n, "%*d\n", WIDE - 1, i);
        bench_pattern(b, 0, "app.log");
        append(b, "app.log", known);
        set_age(b, "app.log", 9000);
        bench_start(b);
        UNTIL(b, b->doc_count == 1 + WIDE_LINES);
        bench_stop(b, true);
        unlink_log(b, "app.log");
        (void)snprintf(known + n, sizeof(known) - n, "rest\n");
        put_packed(b, "app.log-02.gz", known, 8000);
        put_packed(b, "app.log-03.gz", "first missed: " LONG "\n", 7000);
        put_packed(b, "app.log-04.gz", "second missed: " LONG "\n", 6000);
        append(b, "app.log", "third missed: " LONG "\n");
        set_age(b, "app.log", 5500);
        bench_start(b);
        for (int i = 0; i < turns; i++)
            bench_turn(b, 2);
        bench_stop(b, false);
        clock_fake_advance_ms(&b->clock, 6000);
        append(b, "app.log", "more\n");
        copy(b, "app.log", "app.log-05", SIZE_MAX);
        set_age(b, "app.log-05", 5000);
        rewrite(b, "app.log", "fourth missed: " LONG "\n");
        copy(b, "app.log", "app.log-06", SIZE_MAX);
        set_age(b, "app.log-06", 4000);
        rewrite(b, "app.log", "now\n");
        set_age(b, "app.log", 3000);
        bench_start(b);
        bench_pass(b, 5000);
        assert_int_equal(count(b, "rest"), 1);
        assert_int_equal(count(b, "first missed: " LONG), 1);
        assert_int_equal(count(b, "second missed: " LONG), 1);
        assert_int_equal(count(b, "third missed: " LONG), 1);
        assert_int_equal(count(b, "more"), 1);
        assert_int_equal(count(b, "fourth missed: " LONG), 1);
        assert_int_equal(count(b, "now"), 1);
        assert_int_equal(b->doc_count, WIDE_LINES + 8);
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
    }
}

/* what begins as others do, and is so long that it takes steps to tell them apart */
static const char *wide_text(char text[WIDE_BYTES], int first, const char *rest)
{
    size_t n = 0;
    for (int i = 0; i < 12; i++)
        n += (size_t)snprintf(text + n, WIDE_BYTES - n, LONG "\n");
    for (int i = 0; i < WIDE_LINES; i++, n += WIDE)
        (void)snprintf(text + n, WIDE_BYTES - n, "%*d\n", WIDE - 1, first + i);
    (void)snprintf(text + n, WIDE_BYTES - n, "%s", rest);
    return text;
}

/* Compressed files that a pattern matches move on to each other's names at any moment while it is
 * found out what they are: none is taken for new for what another one was. */
static void renamed_while_they_are_decided(void **state)
{
    static char text[WIDE_BYTES];
    const unsigned known = WIDE_LINES + 12;
    for (int turns = 0; turns < 16; turns++) {
        struct bench *b = &bench;
        bench_pattern(b, 0, "app.log*");
        b->inputs[0].unpack = true;
        append(b, "app.log.1", wide_text(text, 0, ""));
        set_age(b, "app.log.1", 9000);
        append(b, "app.log.2", wide_text(text, 1000, ""));
        set_age(b, "app.log.2", 9500);
        bench_start(b);
        UNTIL(b, b->doc_count == 2 * known);
        bench_stop(b, true);
        unlink_log(b, "app.log.1");
        unlink_log(b, "app.log.2");
        put_packed(b, "app.log.2.gz", wide_text(text, 2000, "new\n"), 8000);
        put_packed(b, "app.log.3.gz", wide_text(text, 0, ""), 9000);
        bench_start(b);
        for (int i = 0; i < turns; i++)
            bench_turn(b, 2);
        move(b, "app.log.2.gz", "app.log.4.gz");
        move(b, "app.log.3.gz", "app.log.2.gz");
        bench_pass(b, 15000);
        assert_int_equal(count(b, "new"), 1);
        assert_int_equal(b->doc_count, 3 * known + 1);
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
    }
}

/* inode number of a log */
static ino_t number_of(const struct bench *b, const char *name)
{
    struct stat st;
    assert_int_equal(fstatat(b->logs.fd, name, &st, 0), 0);
    return st.st_ino;
}

/* A log with the number of a file that was just removed, as file systems give it again; false:
 * this one does not. */
static bool append_under(struct bench *b, const char *name, ino_t number)
{
    char other[32];
    for (int i = 0; i < 64; i++) {
        (void)snprintf(other, sizeof(other), "other%d", i);
        append(b, other, "other log\n");
        if (number_of(b, other) == number) {
            move(b, other, name);
            return true;
        }
    }
    return false;
}

/* While it is searched a missed one is compressed, and another log, which is followed, gets its
 * number. */
static void number_is_given_again_while_it_is_searched(void **state)
{
    (void)state;
    static char text[WIDE_BYTES];
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log");
    bench_pattern(b, 0, "web.log");
    append(b, "app.log", wide_text(text, 0, ""));
    set_age(b, "app.log", 9000);
    bench_start(b);
    UNTIL(b, b->doc_count == WIDE_LINES + 12);
    bench_stop(b, true);
    unlink_log(b, "app.log");
    put_packed(b, "app.log-02.gz", wide_text(text, 0, "rest\n"), 8000);
    append(b, "app.log-03", "missed: " LONG "\n");
    set_age(b, "app.log-03", 7000);
    append(b, "app.log", "now\n");
    bench_start(b); /* the members are listed */
    ino_t number = number_of(b, "app.log-03");
    put_packed(b, "app.log-03.gz", "missed: " LONG "\n", 7000);
    unlink_log(b, "app.log-03");
    if (!append_under(b, "web.log", number)) {
        print_message("this file system does not give a number again\n");
        skip();
    }
    bench_pass(b, 3000);
    assert_int_equal(count(b, "rest"), 1);
    assert_int_equal(count(b, "missed: " LONG), 1);
    assert_int_equal(count(b, "now"), 1);
    assert_int_equal(count(b, "other log"), 1);
}

/* Rotated while it was empty and while nobody ran; its writer learns of the rename late. */
static void missed_while_empty(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log");
    append(b, "app.log", LONG "\n");
    set_age(b, "app.log", 9000);
    bench_start(b);
    UNTIL(b, b->doc_count == 1);
    bench_stop(b, true);
    move(b, "app.log", "app.log.2");
    int writer = log_open(b, "app.log.1", O_WRONLY | O_CREAT | O_APPEND);
    set_age(b, "app.log.1", 0);
    append(b, "app.log", "now\n");
    bench_start(b);
    bench_pass(b, 300);
    move(b, "app.log.1", "app.log.3"); /* by the next rotation */
    write_fd(writer, "late\n", 5);
    (void)close(writer);
    bench_pass(b, 3000);
    assert_int_equal(count(b, "now"), 1);
    assert_int_equal(count(b, "late"), 1);
    assert_int_equal(b->doc_count, 3);
}

/* Known under a rotated name that a pattern matches; compressed and renamed on while nobody ran. */
static void rotated_on_from_a_name_that_matches(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log");
    bench_pattern(b, 0, "app.log.*");
    append(b, "app.log.6", LONG "\n");
    set_age(b, "app.log.6", 9000);
    bench_start(b);
    UNTIL(b, b->doc_count == 1);
    bench_stop(b, true);
    unlink_log(b, "app.log.6");
    put_packed(b, "app.log.8.gz", LONG "\nrest\n", 8000);
    put_packed(b, "app.log.9.gz", "no rotated form of that name: " LONG "\n", 7000);
    bench_start(b);
    UNTIL(b, b->doc_count == 2);
    assert_string_equal(b->docs[1].message, "rest");
    bench_pass(b, 3000);
    bench_stop(b, true);
    move(b, "app.log.8.gz", "app.log.9.gz");
    bench_start(b);
    bench_pass(b, 3000);
    assert_int_equal(b->doc_count, 2);
}

/* The same of several, which are found by each other's searches. */
static void several_rotated_on_from_names_that_match(void **state)
{
    for (int once = 0; once < 2; once++) {
        struct bench *b = &bench;
        char text[3][256];
        bench_pattern(b, 0, "app.log*");
        for (int i = 0; i < 3; i++) {
            char name[32];
            (void)snprintf(name, sizeof(name), "app.log.%d", i);
            (void)snprintf(text[i], sizeof(text[i]), "%d: " LONG "\n", i);
            append(b, name, text[i]);
            set_age(b, name, 9000 - i * 100);
        }
        bench_start(b);
        UNTIL(b, b->doc_count == 3);
        bench_stop(b, true);
        for (int i = 0; i < 3; i++) {
            char name[32];
            (void)snprintf(name, sizeof(name), "app.log.%d", i);
            unlink_log(b, name);
            (void)snprintf(text[i] + strlen(text[i]), 32, "rest of %d\n", i);
            (void)snprintf(name, sizeof(name), "app.log.%d.gz", i + 2);
            put_packed(b, name, text[i], 8000 - i * 100);
        }
        b->once = once;
        bench_start(b);
        UNTIL(b, b->doc_count == 6 && (!once || b->finished > 0));
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
    }
}

/* A file that was found empty was written, copied, cut, written and renamed between two looks, and
 * the copy compressed: nothing was known by which one content could be told from the other. */
static void unseen_and_compressed(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log");
    append(b, "app.log", "");
    bench_start(b);
    bench_pass(b, 1000);
    put_packed(b, "app.log.2.gz", "unseen: " LONG "\n", 500);
    append(b, "app.log", "next: " LONG "\n");
    move(b, "app.log", "app.log.1");
    set_age(b, "app.log.1", 200);
    append(b, "app.log", "now\n");
    UNTIL(b, b->doc_count == 3);
    assert_string_equal(b->docs[0].message, "unseen: " LONG);
    assert_string_equal(b->docs[1].message, "next: " LONG);
    assert_string_equal(b->docs[2].message, "now");
    bench_restart(b, true);
    bench_pass(b, 3000);
    assert_int_equal(b->doc_count, 3);
}

/* The rest was found in a copy that is compressed already, and deleted: the compressed one is not
 * another generation. */
static void rest_in_a_copy_that_is_compressed_meanwhile(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log");
    bench_pattern(b, 0, "app.log.*");
    append(b, "app.log", LONG "\n");
    set_age(b, "app.log", 1000);
    bench_start(b);
    UNTIL(b, b->doc_count == 1);
    append(b, "app.log", "rest\n");
    copy(b, "app.log", "app.log.1", SIZE_MAX);
    set_age(b, "app.log.1", 0);
    bench_pass(b, 1500); /* it is held */
    append(b, "app.log", "more\n");
    copy(b, "app.log", "app.log.1", SIZE_MAX);
    set_age(b, "app.log.1", 0);
    put_packed(b, "app.log.1.gz", LONG "\nrest\nmore\n", 0);
    unlink_log(b, "app.log.1");
    rewrite(b, "app.log", "now\n");
    bench_pass(b, 30000);
    assert_int_equal(count(b, LONG), 1);
    assert_int_equal(count(b, "rest"), 1);
    assert_int_equal(count(b, "more"), 1);
    assert_int_equal(count(b, "now"), 1);
    assert_int_equal(b->doc_count, 4);
}

/* Cut while lost generations of its path are searched: the file, its rest in the copy, and what is
 * found do not wait for each other in a circle. */
static void cut_while_its_path_is_searched(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log");
    append(b, "app.log", "first: " LONG "\n");
    set_age(b, "app.log", 9000);
    bench_start(b);
    UNTIL(b, b->doc_count == 1);
    move(b, "app.log", "app.log.1");
    append(b, "app.log", "second: " LONG "\n");
    UNTIL(b, b->doc_count == 2);
    bench_pass(b, 1500);
    bench_stop(b, true);
    unlink_log(b, "app.log.1");
    put_packed(b, "app.log.2.gz", "first: " LONG "\nrest of the first\n", 8000);
    bench_start(b);
    append(b, "app.log", "rest of the second\n");
    copy(b, "app.log", "app.log.1", SIZE_MAX);
    set_age(b, "app.log.1", 0);
    rewrite(b, "app.log", "now\n");
    UNTIL(b, b->doc_count == 5);
    assert_int_equal(count(b, "rest of the first"), 1);
    assert_int_equal(count(b, "rest of the second"), 1);
    assert_int_equal(count(b, "now"), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(half_a_line_goes_on_in_the_copy),
        TEST(half_a_line_in_a_copy_that_is_new),
        TEST(known_after_the_search_for_its_path),
        TEST(more_than_are_unpacked_at_a_time),
        TEST(renamed_while_it_is_searched),
        TEST(compressed_while_it_is_searched),
        TEST(killed_while_it_is_searched),
        TEST(cut_after_a_search_was_killed),
        TEST(renamed_while_they_are_decided),
        TEST(number_is_given_again_while_it_is_searched),
        TEST(missed_while_empty),
        TEST(rotated_on_from_a_name_that_matches),
        TEST(several_rotated_on_from_names_that_match),
        TEST(unseen_and_compressed),
        TEST(rest_in_a_copy_that_is_compressed_meanwhile),
        TEST(cut_while_its_path_is_searched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
