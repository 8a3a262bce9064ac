/*
 * output/console - lines to a descriptor
 *
 * The descriptor may be a pipe: written in pieces, waited for where it does not block. What was
 * written before an error is written again.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/mem.h"
#include "output/stream.h"

struct console {
    struct stream_sink sink; /* first */
    int fd;
};

/* all of it */
static int write_lines(struct stream_sink *sink, struct slice lines)
{
    const struct console *c = (const struct console *)sink;
    while (lines.len > 0) {
        ssize_t n = write(c->fd, lines.ptr, lines.len);
        struct pollfd ready = {.fd = c->fd, .events = POLLOUT};
        if (n >= 0)
            lines = slice_sub(lines, (size_t)n, SIZE_MAX);
        else if (errno == EAGAIN)
            (void)poll(&ready, 1, -1); /* write tells what is wrong */
        else if (errno != EINTR)
            return -errno;
    }
    return 0;
}

/* the descriptor is not ours */
static void close_console(struct stream_sink *sink)
{
    mem_free(sink);
}

/* see header */
struct stream_sink *stream_console(int fd)
{
    struct console *c = mem_zalloc(sizeof(*c));
    *c = (struct console){{write_lines, close_console, "standard output"}, fd};
    return &c->sink;
}
