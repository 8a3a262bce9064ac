#ifndef OS_LOOP_INTERNAL_H
#define OS_LOOP_INTERNAL_H

/* What loop.c and loop_signal.c share. */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"
#include "base/list.h"
#include "os/loop.h"

/* The part that all registrations share; first in each of them. */
struct handle {
    struct list node; /* in loop's live or dead */
    struct loop *loop;
    const char *file;
    int line;
    bool is_dead;
    void (*run)(struct handle *h, uint32_t events); /* NULL: not in epoll */
    void (*release)(struct handle *h);              /* undoes the registration */
};

struct loop {
    const struct clock *clock; /* borrowed */
    int epoll_fd;
    int64_t now_ms;
    int64_t wall_ns;
    bool has_wall;
    struct heap timers;
    struct list due; /* of loop_timer.due_node: taken out of the heap, not yet run */
    struct list live;
    struct list dead;
    int signal_fd;               /* -1 until the first loop_signal_add */
    struct handle signal_handle; /* the signalfd in epoll; in no list */
    struct loop_signal *signals[NSIG];
    bool is_stopped;
    int code;
    uint64_t rounds;
};

/* A zeroed registration of `size` bytes that begins with a handle, in no list. */
struct handle *loop_make_handle(struct loop *l, size_t size, const char *file, int line);
/* Adds fd to epoll with h behind it. */
int loop_epoll_add(struct loop *l, int fd, uint32_t events, struct handle *h) MUST_CHECK;
/* Undoes the registration; the memory stays until the round is over. */
void loop_retire(struct handle *h);

#endif
