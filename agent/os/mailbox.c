/*
 * os/mailbox - a queue between threads
 *
 * A list under a mutex, a condition for those who wait. The condition counts on the monotonic
 * clock, so that a step of the wall clock neither shortens nor prolongs a wait.
 *
 * Failures: none; pthread calls fail here only when the caller broke the contract (assert).
 */
#include "os/mailbox.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>

#include "base/mem.h"

struct mailbox {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a node was sent, or the box was closed */
    struct list nodes;      /* oldest first; under mutex, as is is_closed */
    bool is_closed;
};

/* ends the program when a pthread call reports a broken contract */
static void check(int error)
{
    assert(error == 0);
    (void)error;
}

/* empty and open */
struct mailbox *mailbox_new(void)
{
    struct mailbox *m = mem_zalloc(sizeof(*m));
    list_init(&m->nodes);
    check(pthread_mutex_init(&m->mutex, NULL));
    pthread_condattr_t attributes;
    check(pthread_condattr_init(&attributes));
    check(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
    check(pthread_cond_init(&m->changed, &attributes));
    check(pthread_condattr_destroy(&attributes));
    return m;
}

/* no other thread knows the box any more */
void mailbox_free(struct mailbox **m)
{
    if (*m == NULL)
        return;
    assert(list_is_empty(&(*m)->nodes));
    check(pthread_cond_destroy(&(*m)->changed));
    check(pthread_mutex_destroy(&(*m)->mutex));
    mem_free(*m);
    *m = NULL;
}

/* also into a closed box: what is queued is still handed out */
void mailbox_send(struct mailbox *m, struct list *node)
{
    check(pthread_mutex_lock(&m->mutex));
    list_push_back(&m->nodes, node);
    check(pthread_cond_signal(&m->changed));
    check(pthread_mutex_unlock(&m->mutex));
}

/* without waiting */
struct list *mailbox_take(struct mailbox *m)
{
    check(pthread_mutex_lock(&m->mutex));
    struct list *node = list_pop_front(&m->nodes);
    check(pthread_mutex_unlock(&m->mutex));
    return node;
}

/* the monotonic time timeout_ms from now, far away at most */
static struct timespec deadline_after(int64_t timeout_ms)
{
    const int64_t longest_ms = INT64_C(86400000) * 365;
    if (timeout_ms > longest_ms)
        timeout_ms = longest_ms;
    struct timespec t;
    check(clock_gettime(CLOCK_MONOTONIC, &t));
    t.tv_sec += (time_t)(timeout_ms / 1000);
    t.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

/* waits until something changed; false when the deadline (NULL: none) passed. Mutex held */
static bool wait_change(struct mailbox *m, const struct timespec *deadline)
{
    if (deadline == NULL) {
        check(pthread_cond_wait(&m->changed, &m->mutex));
        return true;
    }
    int error = pthread_cond_timedwait(&m->changed, &m->mutex, deadline);
    if (error != ETIMEDOUT)
        check(error);
    return error == 0;
}

/* a node that came at the very deadline is still taken */
struct list *mailbox_wait(struct mailbox *m, int64_t timeout_ms)
{
    struct timespec deadline = {0};
    if (timeout_ms > 0)
        deadline = deadline_after(timeout_ms);
    bool may_wait = timeout_ms != 0;
    check(pthread_mutex_lock(&m->mutex));
    while (may_wait && list_is_empty(&m->nodes) && !m->is_closed)
        may_wait = wait_change(m, timeout_ms < 0 ? NULL : &deadline);
    struct list *node = list_pop_front(&m->nodes);
    check(pthread_mutex_unlock(&m->mutex));
    return node;
}

/* for good */
void mailbox_close(struct mailbox *m)
{
    check(pthread_mutex_lock(&m->mutex));
    m->is_closed = true;
    check(pthread_cond_broadcast(&m->changed));
    check(pthread_mutex_unlock(&m->mutex));
}

/* a snapshot */
bool mailbox_is_closed(struct mailbox *m)
{
    check(pthread_mutex_lock(&m->mutex));
    bool closed = m->is_closed;
    check(pthread_mutex_unlock(&m->mutex));
    return closed;
}
