/*
 * base/log: styles, escaping, cutting, levels, throttling, threads. The fd is one end of a
 * datagram socket, so that each write(2) is one message.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"
#include "check.h"

static int sockets[2];
static char message[2 * PIPE_BUF];

static int open_sockets(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, sockets);
}

static int close_sockets(void **state)
{
    (void)state;
    const struct log_opts opts = {.fd = STDERR_FILENO, .level = LOG_INFO};
    log_init(&opts);
    return close(sockets[0]) + close(sockets[1]);
}

static void set_up(enum log_level level, enum log_style style)
{
    const struct log_opts opts = {.fd = sockets[1], .level = level, .style = style};
    log_init(&opts);
}

/* the next write; empty when there was none */
static struct slice next_write(void)
{
    ssize_t n = recv(sockets[0], message, sizeof(message), 0);
    return slice_of(message, n > 0 ? (size_t)n : 0);
}

static void journal_lines(void **state)
{
    (void)state;
    set_up(LOG_DEBUG, LOG_STYLE_JOURNAL);
    log_error("a %d", 1);
    assert_true(slice_eq_str(next_write(), "<3>a 1\n"));
    log_warn("b");
    assert_true(slice_eq_str(next_write(), "<4>b\n"));
    log_info("c %s", "d");
    assert_true(slice_eq_str(next_write(), "<6>c d\n"));
    log_debug("%s", "");
    assert_true(slice_eq_str(next_write(), "<7>\n"));
    assert_int_equal(next_write().len, 0);
}

/* whether s has the form: 9 stands for a digit */
static bool has_form(struct slice s, const char *form)
{
    if (s.len != strlen(form))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (form[i] == '9' ? s.ptr[i] < '0' || s.ptr[i] > '9' : s.ptr[i] != form[i])
            return false;
    }
    return true;
}

static void dated_lines(void **state)
{
    (void)state;
    set_up(LOG_DEBUG, LOG_STYLE_PLAIN);
    log_warn("text");
    assert_true(has_form(next_write(), "9999-99-99T99:99:99.999Z warn text\n"));
    log_error("text");
    assert_true(has_form(next_write(), "9999-99-99T99:99:99.999Z error text\n"));
    set_up(LOG_DEBUG, LOG_STYLE_TERMINAL);
    log_warn("text");
    assert_true(has_form(next_write(), "99:99:99.999 warn  text\n"));
    log_debug("text");
    assert_true(has_form(next_write(), "99:99:99.999 debug text\n"));
}

static void levels(void **state)
{
    (void)state;
    for (enum log_level limit = LOG_ERROR; limit <= LOG_DEBUG; limit++) {
        set_up(limit, LOG_STYLE_JOURNAL);
        assert_int_equal(log_level(), limit);
        for (enum log_level level = LOG_ERROR; level <= LOG_DEBUG; level++) {
            log_write(level, "x");
            assert_int_equal(next_write().len > 0, level <= limit);
        }
    }
}

static void hostile_text_is_escaped(void **state)
{
    (void)state;
    static const struct {
        const char *text, *line;
    } cases[] = {
        {"two\nlines", "<6>two\\nlines\n"},
        {"\n", "<6>\\n\n"},
        {"a\rb\tc", "<6>a\\rb\\tc\n"},
        {"\x1b[31mred\x07", "<6>\\x1b[31mred\\x07\n"},
        {"\x01\x7f", "<6>\\x01\\x7f\n"},
        {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", "<6>gr\xc3\xbc\xc3\x9f \xe2\x82\xac "
                                                             "\xf0\x9f\x98\x80\n"},
        {"c1 \xc2\x9b"
         "31m",
         "<6>c1 \\xc2\\x9b31m\n"},
        {"nbsp \xc2\xa0", "<6>nbsp \xc2\xa0\n"},
        {"\xff\xfe", "<6>\\xff\\xfe\n"},
        {"cut \xe2\x82", "<6>cut \\xe2\\x82\n"},
        {"over \xc0\xaf", "<6>over \\xc0\\xaf\n"},
        {"surrogate \xed\xa0\x80", "<6>surrogate \\xed\\xa0\\x80\n"},
        {"back\\slash", "<6>back\\slash\n"},
    };
    set_up(LOG_INFO, LOG_STYLE_JOURNAL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        log_info("%s", cases[i].text);
        CHECK(cases[i].line, slice_eq_str(next_write(), cases[i].line));
    }
}

static void overlong_is_cut(void **state)
{
    (void)state;
    static char text[20000];
    set_up(LOG_INFO, LOG_STYLE_JOURNAL);
    for (size_t n = PIPE_BUF - 20; n < PIPE_BUF + 20; n++) {
        memset(text, 'a', n);
        text[n] = '\0';
        log_info("%s", text);
        struct slice line = next_write();
        bool whole = line.len == n + 4 && slice_ends(line, SLICE_LIT("aa\n"));
        bool cut = line.len == PIPE_BUF && slice_ends(line, SLICE_LIT("aa...\n"));
        assert_true(n <= PIPE_BUF - 7 ? whole : cut);
    }
    /* a sequence is left whole or left out */
    for (size_t i = 0; i + 3 < sizeof(text); i += 3)
        memcpy(text + i, "\xe2\x82\xac", 4);
    for (size_t shift = 0; shift < 3; shift++) {
        log_info("%.*s%s", (int)shift, "xxx", text);
        assert_true(slice_ends(next_write(), SLICE_LIT("\xe2\x82\xac...\n")));
    }
    memset(text, '\n', sizeof(text) - 1);
    log_info("%s", text);
    assert_true(slice_ends(next_write(), SLICE_LIT("\\n...\n")));
}

static void errno_survives(void **state)
{
    (void)state;
    const struct log_opts opts = {.fd = -1, .level = LOG_INFO, .style = LOG_STYLE_PLAIN};
    log_init(&opts);
    errno = ENOTDIR;
    log_info("lost");
    assert_int_equal(errno, ENOTDIR);
}

static void throttle_table(void **state)
{
    (void)state;
    /* one step after the other on a throttle of 2 at once, then 1 in 100 ms */
    static const struct {
        const char *name;
        int64_t now_ms;
        bool passes;
        uint64_t held;
    } steps[] = {
        {"first", 1000, true, 0},
        {"second", 1000, true, 0},
        {"third waits", 1000, false, 0},
        {"fourth waits", 1099, false, 0},
        {"an interval is over", 1100, true, 2},
        {"but only one", 1100, false, 0},
        {"next interval", 1250, true, 1},
        {"and again", 1299, false, 0},
        {"clock stands at its edge", 1300, true, 1},
        {"long silence", 5000, true, 0},
        {"earned the burst", 5000, true, 0},
        {"and no more", 5000, false, 0},
        {"counted", 9000, true, 1},
    };
    struct log_throttle t = LOG_THROTTLE(100, 2);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        uint64_t held = 99;
        CHECK(steps[i].name, log_throttle_pass(&t, steps[i].now_ms, &held) == steps[i].passes);
        CHECK(steps[i].name, held == (steps[i].passes ? steps[i].held : 99));
    }
}

static void throttle_edges(void **state)
{
    (void)state;
    uint64_t held;
    struct log_throttle none = LOG_THROTTLE(0, 0);
    for (int i = 0; i < 100; i++)
        assert_true(log_throttle_pass(&none, 5, &held));
    struct log_throttle zero_burst = LOG_THROTTLE(10, 0);
    assert_true(log_throttle_pass(&zero_burst, 0, &held));
    assert_false(log_throttle_pass(&zero_burst, 9, &held));
    assert_true(log_throttle_pass(&zero_burst, 10, &held));
    assert_true(held == 1);
}

static void throttled_lines(void **state)
{
    (void)state;
    struct log_throttle t = LOG_THROTTLE(1000, 1);
    set_up(LOG_INFO, LOG_STYLE_JOURNAL);
    log_throttled(&t, 0, LOG_WARN, "slow %d", 1);
    assert_true(slice_eq_str(next_write(), "<4>slow 1\n"));
    log_throttled(&t, 1, LOG_WARN, "slow %d", 2);
    log_throttled(&t, 2, LOG_WARN, "slow %d", 3);
    /* a line that nobody wants is not held back */
    log_throttled(&t, 3, LOG_DEBUG, "slow %d", 4);
    assert_int_equal(next_write().len, 0);
    log_throttled(&t, 1000, LOG_WARN, "slow %d", 5);
    assert_true(slice_eq_str(next_write(), "<4>slow 5 (2 similar held back)\n"));
}

static void style_of_fds(void **state)
{
    (void)state;
    struct stat st;
    char name[64], other[64];
    assert_int_equal(fstat(sockets[1], &st), 0);
    (void)snprintf(name, sizeof(name), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    (void)snprintf(other, sizeof(other), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino + 1);
    assert_int_equal(log_style_for(sockets[1], name), LOG_STYLE_JOURNAL);
    const char *const others[] = {NULL, "", ":", "1", "1:", ":1", "a:b", "1:2:3", "-1:-1", other};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_int_equal(log_style_for(sockets[1], others[i]), LOG_STYLE_PLAIN);
    assert_int_equal(log_style_for(-1, name), LOG_STYLE_PLAIN);

    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    assert_int_equal(log_style_for(terminal, NULL), LOG_STYLE_TERMINAL);
    assert_int_equal(close(terminal), 0);
}

enum { THREADS = 4, LINES = 500, LINE_LENGTH = 3000 };

/* writes lines of one letter */
static void *write_lines(void *letter)
{
    char text[LINE_LENGTH + 1];
    memset(text, *(const char *)letter, LINE_LENGTH);
    text[LINE_LENGTH] = '\0';
    for (int i = 0; i < LINES; i++)
        log_info("%s", text);
    return NULL;
}

/* reads one byte through a buffer; -1 at the end */
static int next_byte(int fd)
{
    static char chunk[65536];
    static size_t len, at;
    if (at == len) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        at = 0;
        len = n > 0 ? (size_t)n : 0;
        if (len == 0)
            return -1;
    }
    return (unsigned char)chunk[at++];
}

static void threads_do_not_mix_lines(void **state)
{
    (void)state;
    int fds[2];
    pthread_t threads[THREADS];
    char letters[THREADS] = {'a', 'b', 'c', 'd'};
    assert_int_equal(pipe(fds), 0);
    const struct log_opts opts = {.fd = fds[1], .level = LOG_INFO, .style = LOG_STYLE_JOURNAL};
    log_init(&opts);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &letters[i]), 0);
    for (int line = 0; line < THREADS * LINES; line++) {
        assert_int_equal(next_byte(fds[0]), '<');
        assert_int_equal(next_byte(fds[0]), '6');
        assert_int_equal(next_byte(fds[0]), '>');
        int letter = next_byte(fds[0]);
        for (int i = 1; i < LINE_LENGTH; i++)
            assert_int_equal(next_byte(fds[0]), letter);
        assert_int_equal(next_byte(fds[0]), '\n');
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    (void)close(fds[1]);
    assert_int_equal(next_byte(fds[0]), -1);
    (void)close(fds[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(journal_lines),
        cmocka_unit_test(dated_lines),
        cmocka_unit_test(levels),
        cmocka_unit_test(hostile_text_is_escaped),
        cmocka_unit_test(overlong_is_cut),
        cmocka_unit_test(errno_survives),
        cmocka_unit_test(throttle_table),
        cmocka_unit_test(throttle_edges),
        cmocka_unit_test(throttled_lines),
        cmocka_unit_test(style_of_fds),
        cmocka_unit_test(threads_do_not_mix_lines),
    };
    return cmocka_run_group_tests(tests, open_sockets, close_sockets);
}
