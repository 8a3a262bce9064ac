#ifndef TESTS_UNIT_OS_HTTP_CHECK_H
#define TESTS_UNIT_OS_HTTP_CHECK_H

/* What the tests of os/http share: a client, an address, a body, a bulk request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "os/http.h"
#include "script_server.h"

#define LONG_MS (SCRIPT_DEADLINE_S * 1000)
#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"

/* a client with the options that most tests want */
static inline struct http *new_client(void)
{
    const struct http_opts opts = {.user_agent = "wherry/test"};
    struct http *h = http_new(&opts);
    assert_non_null(h);
    return h;
}

/* writes the address of a path on the server */
static inline char *url_of(char *dst, size_t cap, unsigned port, const char *path)
{
    assert_in_range(snprintf(dst, cap, "http://127.0.0.1:%u%s", port, path), 1, cap - 1);
    return dst;
}

/* n bytes that differ from place to place, and a NUL; free() it */
static inline char *body_of(size_t n)
{
    char *p = malloc(n + 1);
    for (size_t i = 0; i < n; i++)
        p[i] = (char)('a' + (i * 7 + i / 4099) % 26);
    p[n] = '\0';
    return p;
}

/* one bulk request; timeout_ms 0 is the test's deadline */
static inline void post(struct http *h, unsigned port, struct slice body, int64_t timeout_ms,
                        struct buf *ret_body, struct http_reply *ret)
{
    char url[64];
    http_fetch(h, "POST", url_of(url, sizeof(url), port, "/_bulk"), body, "application/x-ndjson",
               timeout_ms > 0 ? timeout_ms : LONG_MS, ret_body, ret);
}

#endif
