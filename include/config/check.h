#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

/* The option_check_fn of options whose texts follow rules of their own. */
#include "base/buf.h"
#include "base/def.h"
#include "base/err.h"
#include "base/slice.h"

/* Dataset or namespace of a data stream: 1 to 100 bytes, lower case, none of - \ / * ? " < > | , #
 * : or blank. */
int check_stream_part(struct slice text, struct buf *out, struct err *why) MUST_CHECK;

/* Not empty. */
int check_filled(struct slice text, struct buf *out, struct err *why) MUST_CHECK;

/* Empty, or a path that begins with a slash; slashes at its end are cut. */
int check_absolute(struct slice text, struct buf *out, struct err *why) MUST_CHECK;

/* A user name for basic authentication: no colon. */
int check_username(struct slice text, struct buf *out, struct err *why) MUST_CHECK;

/* An API key, as "id:key" or as base64 of that; the normal form is base64. Empty stays empty. Its
 * errors do not quote the text. */
int check_api_key(struct slice text, struct buf *out, struct err *why) MUST_CHECK;

/* "Name: value" of a request's header; names that the client itself sets are refused. */
int check_header(struct slice text, struct buf *out, struct err *why) MUST_CHECK;

/* A value of an Authorization header: visible ASCII. Empty stays empty; never quoted. */
int check_token(struct slice text, struct buf *out, struct err *why) MUST_CHECK;

/* SHA-256 as 64 hex digits, colons between pairs allowed; the normal form is lower case without
 * colons. Empty stays empty. */
int check_fingerprint(struct slice text, struct buf *out, struct err *why) MUST_CHECK;

/* Prefix of a URL's path: "es" becomes "/es", "/" becomes "". */
int check_url_path(struct slice text, struct buf *out, struct err *why) MUST_CHECK;

/* One component of a path: not empty, no slash, not "." or "..". */
int check_file_name(struct slice text, struct buf *out, struct err *why) MUST_CHECK;

#endif
