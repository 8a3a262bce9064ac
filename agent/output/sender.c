/*
 * output/sender - the threads that talk to the server
 *
 *     loop --jobs--> worker: sender_exchange --results, wake--> loop: done
 *
 * Two mailboxes are all that is shared. HTTP clients are made in the loop's thread before their
 * worker starts, so that http_interrupt always finds them. A worker's last act is to put itself
 * into the third mailbox, `ended`: so a stop can wait for it with a time-out, and a thread that
 * hangs is left to the end of the process.
 *
 * A worker that had nothing to do for REST_MS gives its buffer and its compressor back, and what
 * the C library keeps of freed memory.
 *
 * Failures: no HTTP client or thread can be had: the jobs go to the workers there are; with none,
 * sender_submit says so.
 */
#include "output/sender.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "os/compress.h"
#include "os/mailbox.h"

#define STACK_BYTES      (512 * KIB)
#define PACKED_BYTES_MAX (256 * MIB)
#define FREE_WAIT_MS     1000
#define REST_MS          5000

struct worker {
    struct list link; /* in sender.ended */
    struct sender *sender;
    pthread_t thread;
    struct http *http;
    struct compress *compress; /* NULL = made by the next job that needs it */
    struct buf packed;
    bool rested; /* since the latest job */
};

struct sender {
    struct http_opts http;
    unsigned level; /* of compression */
    struct worker *workers;
    unsigned max, started, ended_count;
    unsigned busy; /* jobs under way */
    struct mailbox *jobs, *results, *ended;
    struct loop_wake *wake;
    sender_done_fn done;
    void *ctx;
    bool stopped;
};

/* gives memory back, also what libcurl has freed since */
static void rest(struct worker *w)
{
    buf_clear(&w->packed);
    compress_free(&w->compress);
    mem_trim();
}

/* the next job; NULL: the end, rested */
static struct list *next_job(struct worker *w)
{
    struct list *node = mailbox_wait(w->sender->jobs, w->rested ? -1 : REST_MS);
    if (node == NULL && !w->rested) {
        rest(w);
        w->rested = true;
        node = mailbox_wait(w->sender->jobs, -1);
    }
    w->rested = node == NULL;
    return node;
}

/* a sender thread */
static void *work(void *arg)
{
    struct worker *w = arg;
    struct list *node;
    while ((node = next_job(w)) != NULL) {
        struct sender_job *job = LIST_ENTRY(node, struct sender_job, link);
        if (job->gzip && w->compress == NULL)
            w->compress = compress_new(COMPRESS_AUTO, w->sender->level);
        sender_exchange(w->http, w->compress, &w->packed, job);
        mailbox_send(w->sender->results, node);
        loop_wake_send(w->sender->wake);
    }
    mailbox_send(w->sender->ended, &w->link);
    return NULL;
}

/* hands jobs back */
static void on_results(void *ctx)
{
    struct sender *s = ctx;
    struct list *node;
    while ((node = mailbox_take(s->results)) != NULL) {
        s->busy--;
        s->done(s->ctx, LIST_ENTRY(node, struct sender_job, link));
    }
}

/* no thread yet */
struct sender *sender_new(struct loop *loop, const struct http_opts *http, unsigned level,
                          unsigned workers, sender_done_fn done, void *ctx)
{
    struct sender *s = mem_zalloc(sizeof(*s));
    s->http = *http;
    s->level = level;
    s->max = workers;
    s->workers = mem_zalloc_array(workers, sizeof(*s->workers));
    s->jobs = mailbox_new();
    s->results = mailbox_new();
    s->ended = mailbox_new();
    s->wake = loop_wake_new(loop, on_results, s);
    s->done = done;
    s->ctx = ctx;
    return s;
}

/* starts the thread with all signals blocked: they belong to the loop */
static int create_thread(struct worker *w)
{
    pthread_attr_t attr;
    sigset_t all, before;
    (void)sigfillset(&all);
    int err = pthread_attr_init(&attr);
    if (err != 0)
        return -err;
    (void)pthread_attr_setstacksize(&attr, STACK_BYTES); /* else the default */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(&w->thread, &attr, work, w);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    return -err;
}

/* one worker more */
static void start_worker(struct sender *s)
{
    struct worker *w = &s->workers[s->started];
    w->sender = s;
    list_init(&w->link);
    buf_init(&w->packed, PACKED_BYTES_MAX);
    w->http = http_new(&s->http);
    if (w->http == NULL) {
        log_debug("no HTTP client for another sender thread");
        return;
    }
    int err = create_thread(w);
    if (err != 0) {
        log_debug("start a sender thread: error %d", -err);
        http_free(&w->http);
        return;
    }
    s->started++;
}

/* to the next idle worker */
int sender_submit(struct sender *s, struct sender_job *job)
{
    assert(!s->stopped);
    if (s->busy >= s->started && s->started < s->max)
        start_worker(s);
    if (s->started == 0)
        return -EAGAIN;
    s->busy++;
    mailbox_send(s->jobs, &job->link);
    return 0;
}

/* waits for the workers' ends, not for a name look-up or a dead mount */
int sender_stop(struct sender *s, int64_t wait_ms)
{
    s->stopped = true;
    mailbox_close(s->jobs);
    for (unsigned i = 0; i < s->started; i++) {
        if (s->workers[i].http != NULL)
            http_interrupt(s->workers[i].http);
    }
    const int64_t deadline = clock_mono_ms(clock_system()) + wait_ms;
    while (s->ended_count < s->started) {
        int64_t left = deadline - clock_mono_ms(clock_system());
        struct list *node = mailbox_wait(s->ended, left > 0 ? left : 0);
        if (node == NULL)
            break;
        struct worker *w = LIST_ENTRY(node, struct worker, link);
        (void)pthread_join(w->thread, NULL); /* it has nothing left to do */
        http_free(&w->http);
        s->ended_count++;
    }
    on_results(s);
    return s->ended_count == s->started ? 0 : -EBUSY;
}

/* frees all, or nothing if a thread may still use it */
void sender_free(struct sender **sp)
{
    struct sender *s = *sp;
    *sp = NULL;
    if (s == NULL || sender_stop(s, s->stopped ? 0 : FREE_WAIT_MS) != 0)
        return;
    loop_wake_cancel(&s->wake);
    mailbox_free(&s->jobs);
    mailbox_free(&s->results);
    mailbox_free(&s->ended);
    mem_free(s->workers);
    mem_free(s);
}
