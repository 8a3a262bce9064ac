#ifndef OS_MAILBOX_H
#define OS_MAILBOX_H

/*
 * The one way in which threads share work: a queue of intrusive nodes under a mutex. The loop
 * thread sends to a worker, who waits; the worker sends back to the loop, who is woken by a
 * loop_wake. Ownership of what a node is embedded in moves with it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/def.h"
#include "base/list.h"

struct mailbox;

struct mailbox *mailbox_new(void);
/* The queue must be empty. */
void mailbox_free(struct mailbox **m);

/* Appends; wakes one waiter. */
void mailbox_send(struct mailbox *m, struct list *node);
/* Takes the oldest node, NULL when empty. */
struct list *mailbox_take(struct mailbox *m);
/* Waits until there is a node, timeout_ms passed (-1: none), or the box is closed. NULL for the
 * latter two. After mailbox_close what is queued is still handed out first. */
struct list *mailbox_wait(struct mailbox *m, int64_t timeout_ms);
/* Wakes every waiter; later waits never block. */
void mailbox_close(struct mailbox *m);
bool mailbox_is_closed(struct mailbox *m);

#endif
