#ifndef OUTPUT_ADMIN_H
#define OUTPUT_ADMIN_H

/*
 * An operator's requests to the output's server, one at a time in the calling thread: the first
 * host of the list that answers.
 */
#include "base/buf.h"
#include "base/def.h"
#include "base/err.h"
#include "output/control.h"
#include "output/output.h"

struct admin;

/* Reaches a host and asks what it is. opts: borrowed until admin_close. http_global_init was
 * called. -ENOTCONN: none answers; -EACCES: credentials refused; e tells which host and why. */
int admin_open(const struct output_opts *opts, struct admin **ret_admin, struct err *e) MUST_CHECK;
/* NULL is allowed. */
void admin_close(struct admin **a);

const struct product *admin_product(const struct admin *a);
/* Its URL without user information. */
const char *admin_host(const struct admin *a);

/* One exchange; path begins with a slash, an empty body is none. Returns the status and replaces
 * the content of *answer by the body, whatever it is; or a negative errno with e filled. */
int admin_call(struct admin *a, const char *method, const char *path, struct slice body,
               struct buf *answer, struct err *e) MUST_CHECK;

#endif
