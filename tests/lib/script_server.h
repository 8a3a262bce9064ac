#ifndef TESTS_SCRIPT_SERVER_H
#define TESTS_SCRIPT_SERVER_H

/*
 * An HTTP server in a thread of the test that plays a script: the n-th request that comes, on
 * whichever connection, is served by the n-th step. One connection at a time. Every blocking call
 * has a deadline; failures abort the test through cmocka.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define SCRIPT_DEADLINE_S 20
#define SCRIPT_STEPS_MAX  8

enum script_reading {
    READ_ALL,  /* head and body of one request */
    READ_HEAD, /* the head and whatever of the body came with it */
    READ_ANY,  /* one piece of anything */
};

enum script_ending {
    END_KEEP,  /* the next step is served on this connection */
    END_CLOSE, /* close; a reset when the client's bytes were left unread */
    END_DRAIN, /* half-close, read to the client's end, close */
    END_RESET, /* RST */
    END_HANG,  /* wait for the client to close */
};

struct script_step {
    const char *reply; /* borrowed; NULL: none */
    enum script_reading reading;
    enum script_ending ending;
    bool bytewise; /* each byte in a segment of its own */
};

struct script_server {
    int listener;
    unsigned port; /* of 127.0.0.1 */
    pthread_t thread;
    struct script_step steps[SCRIPT_STEPS_MAX];
    size_t step_count;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under lock while the server runs */
    unsigned connections;
    unsigned requests;
    struct buf head; /* of the last request, with its blank line */
    struct buf body;
};

/* A bound socket, which does not listen, on a free port of the loopback. */
int script_bind(unsigned *ret_port);

void script_server_start(struct script_server *s, const struct script_step *steps, size_t count);
/* Ends and joins the thread; afterwards the counters, head and body can be read without the lock.
 * Only after the client is gone, so that hanging steps end. */
void script_server_stop(struct script_server *s);
/* Frees head and body. */
void script_server_clear(struct script_server *s);
/* Waits until n requests have been read. */
void script_server_wait(struct script_server *s, unsigned n);

#endif
