#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * The agent's own log: one line a call, to one fd (stderr). The only state of the program that is
 * global; set up once before threads start, safe to call from any thread (one write(2) a line).
 *
 * Messages: lower case, no full stop, outside strings in quotes. Control characters and invalid
 * UTF-8 of the formatted text are escaped (\n, \x1b), so that a file name cannot forge a line. A
 * line is at most PIPE_BUF bytes; a longer one is cut and ends in "...". errno is left as it was.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/def.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

enum log_style {
    LOG_STYLE_TERMINAL, /* "12:00:00.123 warn  text", UTC */
    LOG_STYLE_PLAIN,    /* "2026-11-23T12:00:00.123Z warn text", for pipes and files */
    LOG_STYLE_JOURNAL,  /* "<4>text": sd-daemon(3) priorities, the journal adds the time */
};

struct log_opts {
    int fd;
    enum log_level level;
    enum log_style style;
};

/* Before this call: LOG_INFO, plain, fd 2. */
void log_init(const struct log_opts *opts);
enum log_level log_level(void);

/* Terminal when fd is a tty; journal when JOURNAL_STREAM names fd's device and inode
 * (systemd.exec(5)); else plain. */
enum log_style log_style_for(int fd, const char *journal_stream);

void log_write(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/*
 * Rate limit of one message site: `burst` lines pass at once, then one per interval; the line
 * that passes again says how many were held back. Quiet intervals earn the burst back. An interval
 * of 0 holds nothing back, a burst of 0 is taken as 1. Owned by one thread.
 */
struct log_throttle {
    int64_t interval_ms;
    unsigned burst;
    int64_t next_ms;
    unsigned used;
    uint64_t held;
};

#define LOG_THROTTLE(interval, n)                                                                  \
    {                                                                                              \
        .interval_ms = (interval), .burst = (n)                                                    \
    }

/* Whether a line may be written at monotonic time now_ms; counts it as held back if not. *ret_held
 * is set only when it may. */
bool log_throttle_pass(struct log_throttle *t, int64_t now_ms, uint64_t *ret_held);

/* Writes when the throttle lets it through, with "(N similar held back)" when N > 0. */
void log_throttled(struct log_throttle *t, int64_t now_ms, enum log_level level, const char *fmt,
                   ...) PRINTF_LIKE(4, 5);

#endif
