#ifndef OS_CREDENTIAL_H
#define OS_CREDENTIAL_H

/*
 * What tells a server who we are: the value of an Authorization header. Its parts are texts, or
 * files that are read again when they change and when the server refuses what they held. Belongs to
 * one thread. What it held is wiped.
 */
#include <stdbool.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/err.h"

#define CREDENTIAL_MAX (16 * KIB) /* bytes of one part */

enum credential_kind {
    CREDENTIAL_NONE,
    CREDENTIAL_BASIC,   /* user name and secret */
    CREDENTIAL_API_KEY, /* secret: "id:key", or the base64 text of it */
    CREDENTIAL_BEARER,  /* secret: a token */
};

/* Strings are borrowed until credential_free. Of a text and its file, NULL is the one that is not
 * given. Of files, blanks and line ends at both ends do not count. */
struct credential_opts {
    enum credential_kind kind;
    const char *username, *username_file;
    const char *secret, *secret_file;
};

struct credential;

struct credential *credential_new(const struct credential_opts *opts);
/* NULL is allowed. */
void credential_free(struct credential **c);

/* Appends the header's value; nothing for CREDENTIAL_NONE. While a changed file cannot be read the
 * last content counts. A negative errno with why filled: a file cannot be read, or a part is no
 * such text (-EINVAL); why names the file and quotes nothing. */
int credential_header(struct credential *c, struct buf *out, struct err *why) MUST_CHECK;

/* The server refused the last value: whether the files say something else by now. */
bool credential_refused(struct credential *c);

#endif
