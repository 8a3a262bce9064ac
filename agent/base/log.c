/*
 * base/log - the agent's own log
 *
 * A line is built in an array on the stack and leaves with one write(2). The array is PIPE_BUF
 * bytes, so that lines of several threads do not mix even in a pipe. What is too long ends in
 * "...". Times are UTC in both styles.
 *
 * The settings are written once before threads start and only read afterwards.
 *
 * What can fail: the write; the line is then lost and nobody is told, for there is no other
 * place to say so. errno is as before the call.
 */
#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/date.h"
#include "base/num.h"
#include "base/slice.h"
#include "base/utf8.h"

#define CUT_MARK "..."

enum { LINE_SIZE = PIPE_BUF, TAIL_SIZE = sizeof(CUT_MARK "\n") - 1 };

static struct log_opts settings = {
    .fd = STDERR_FILENO, .level = LOG_INFO, .style = LOG_STYLE_PLAIN};

/* a line being built; room for the mark and the newline is always kept */
struct line {
    char text[LINE_SIZE];
    size_t len;
    bool cut;
};

/* takes the settings over */
void log_init(const struct log_opts *opts)
{
    settings = *opts;
}

/* the level that is still written */
enum log_level log_level(void)
{
    return settings.level;
}

/* whether text is "device:inode" of fd */
static bool names_fd(const char *text, int fd)
{
    struct slice inode = slice_str(text);
    struct slice device;
    struct stat st;
    uint64_t dev, ino;
    if (!slice_next(&inode, ':', &device) || num_u64(device, &dev) < 0 || num_u64(inode, &ino) < 0)
        return false;
    return fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

/* picks the style for an fd */
enum log_style log_style_for(int fd, const char *journal_stream)
{
    if (isatty(fd))
        return LOG_STYLE_TERMINAL;
    if (journal_stream != NULL && names_fd(journal_stream, fd))
        return LOG_STYLE_JOURNAL;
    return LOG_STYLE_PLAIN;
}

/* appends bytes, all or none */
static void add(struct line *l, const char *p, size_t n)
{
    if (l->cut || n > LINE_SIZE - TAIL_SIZE - l->len) {
        l->cut = true;
        return;
    }
    memcpy(l->text + l->len, p, n);
    l->len += n;
}

/* appends a C string */
static void add_str(struct line *l, const char *s)
{
    add(l, s, strlen(s));
}

/* appends one byte as an escape */
static void add_escaped(struct line *l, char c)
{
    char hex[4] = {'\\', 'x'};
    switch (c) {
    case '\n':
        add(l, "\\n", 2);
        break;
    case '\r':
        add(l, "\\r", 2);
        break;
    case '\t':
        add(l, "\\t", 2);
        break;
    default:
        num_write_hex(hex + 2, (uint8_t)c, 2);
        add(l, hex, sizeof(hex));
        break;
    }
}

/* whether a valid sequence is a control character, C1 (which terminals obey too) included */
static bool is_control(const char *p, size_t n)
{
    const uint8_t *bytes = (const uint8_t *)p;
    if (n == 1)
        return bytes[0] < 0x20 || bytes[0] == 0x7f;
    return n == 2 && bytes[0] == 0xc2 && bytes[1] < 0xa0;
}

/* appends outside text */
static void add_text(struct line *l, const char *p, size_t len)
{
    while (len > 0) {
        size_t n = utf8_sequence(p, len);
        if (n > 0 && !is_control(p, n)) {
            add(l, p, n);
        } else {
            n = n > 0 ? n : 1;
            for (size_t i = 0; i < n; i++)
                add_escaped(l, p[i]);
        }
        p += n;
        len -= n;
    }
}

/* appends what stands before the text */
static void add_head(struct line *l, enum log_level level)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    static const char *const padded[] = {"error ", "warn  ", "info  ", "debug "};
    static const char *const priorities[] = {"<3>", "<4>", "<6>", "<7>"};
    char date[DATE_RFC3339_MS_LEN];

    if (settings.style == LOG_STYLE_JOURNAL) {
        add_str(l, priorities[level]);
        return;
    }
    date_write_ms(date, clock_wall_ms(clock_system()));
    if (settings.style == LOG_STYLE_TERMINAL) {
        add(l, date + sizeof("2026-11-23"), sizeof("12:00:00.123") - 1);
        add_str(l, " ");
        add_str(l, padded[level]);
    } else {
        add(l, date, sizeof(date));
        add_str(l, " ");
        add_str(l, names[level]);
        add_str(l, " ");
    }
}

/* ends the line and lets it go */
static void emit(struct line *l)
{
    if (l->cut) {
        memcpy(l->text + l->len, CUT_MARK, sizeof(CUT_MARK) - 1);
        l->len += sizeof(CUT_MARK) - 1;
    }
    l->text[l->len++] = '\n';
    while (write(settings.fd, l->text, l->len) < 0) {
        if (errno != EINTR)
            return;
    }
}

/* formats, escapes and writes one line; held > 0 is told at its end */
static PRINTF_LIKE(2, 0) void write_line(enum log_level level, const char *fmt, va_list ap,
                                         uint64_t held)
{
    int saved_errno = errno;
    char text[LINE_SIZE];
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    struct line l;
    l.len = 0;
    l.cut = false;
    add_head(&l, level);
    if (n < 0)
        n = 0;
    /* a text that fills the array cannot fit the line: add_text sets the mark */
    add_text(&l, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
    if (held > 0) {
        char note[64];
        int len =
            snprintf(note, sizeof(note), " (%llu similar held back)", (unsigned long long)held);
        add(&l, note, len > 0 ? (size_t)len : 0);
    }
    emit(&l);
    errno = saved_errno;
}

/* writes a line if the level wants it */
void log_write(enum log_level level, const char *fmt, ...)
{
    if (level > settings.level)
        return;
    va_list ap;
    va_start(ap, fmt);
    write_line(level, fmt, ap, 0);
    va_end(ap);
}

/* gives back the tokens that time has earned */
static void refill(struct log_throttle *t, int64_t now_ms)
{
    if (t->used == 0 || now_ms < t->next_ms)
        return;
    int64_t earned = 1 + (now_ms - t->next_ms) / t->interval_ms;
    if (earned >= (int64_t)t->used) {
        t->used = 0;
        return;
    }
    t->used -= (unsigned)earned;
    t->next_ms += earned * t->interval_ms;
}

/* a bucket of `burst` tokens, one earned per interval */
bool log_throttle_pass(struct log_throttle *t, int64_t now_ms, uint64_t *ret_held)
{
    if (t->interval_ms > 0) {
        refill(t, now_ms);
        if (t->used > 0 && t->used >= t->burst) {
            t->held++;
            return false;
        }
        if (t->used == 0)
            t->next_ms = now_ms + t->interval_ms;
        t->used++;
    }
    *ret_held = t->held;
    t->held = 0;
    return true;
}

/* writes a line if level and throttle want it */
void log_throttled(struct log_throttle *t, int64_t now_ms, enum log_level level, const char *fmt,
                   ...)
{
    uint64_t held;
    if (level > settings.level || !log_throttle_pass(t, now_ms, &held))
        return;
    va_list ap;
    va_start(ap, fmt);
    write_line(level, fmt, ap, held);
    va_end(ap);
}
