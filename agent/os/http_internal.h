#ifndef OS_HTTP_INTERNAL_H
#define OS_HTTP_INTERNAL_H

#include "os/http.h"

/* Takes from one line of a reply's head (with its line end) what http_reply holds of it. A status
 * line forgets the head before it, which was an interim reply's. Retry-After is not looked at. */
void http_head_line(struct slice line, struct http_reply *reply);

#endif
