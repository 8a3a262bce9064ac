/*
 * os/credential - the value of an Authorization header, from texts and files
 *
 * The value is made once and kept until a file's stamp changes. Files are looked at on each call:
 * one stat(2) against a whole request. A stamp may miss a rewrite in place, so a refusal reads the
 * files whatever their stamps say.
 *
 * Failures: files that are missing, too long, or hold what cannot stand in a header.
 */
#include "os/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/slice.h"
#include "os/fs.h"
#include "os/stamp.h"

#define HEADER_MAX (4 * CREDENTIAL_MAX)

struct credential {
    struct credential_opts opts;
    struct stamp username_stamp, secret_stamp;
    struct buf header; /* empty: not made yet */
};

/* wipes and frees */
static void wipe(struct buf *b)
{
    if (b->ptr != NULL)
        explicit_bzero(b->ptr, b->cap);
    buf_clear(b);
}

/* an empty value */
struct credential *credential_new(const struct credential_opts *opts)
{
    struct credential *c = mem_zalloc(sizeof(*c));
    c->opts = *opts;
    buf_init(&c->header, HEADER_MAX);
    return c;
}

/* wipes */
void credential_free(struct credential **cp)
{
    struct credential *c = *cp;
    *cp = NULL;
    if (c == NULL)
        return;
    wipe(&c->header);
    mem_free(c);
}

/* reads at most the limit */
static int read_file(const char *path, struct buf *out)
{
    struct fs_identity id;
    int fd = fs_open_regular(AT_FDCWD, path, true, &id);
    if (fd < 0)
        return fd;
    int error = buf_reserve(out, CREDENTIAL_MAX + 1);
    ssize_t n = error == 0 ? fs_read_at(fs_system(), fd, out->ptr, CREDENTIAL_MAX + 1, 0) : error;
    close(fd);
    if (n < 0)
        return (int)n;
    if ((size_t)n > CREDENTIAL_MAX)
        return -EFBIG;
    out->len = (size_t)n;
    return 0;
}

/* whether a part can stand in a header, alone or in base64 */
static bool is_fit(struct slice part, bool encoded)
{
    for (size_t i = 0; i < part.len; i++) {
        unsigned char c = (unsigned char)part.ptr[i];
        if (c < ' ' || c == 0x7f || (!encoded && (c == ' ' || c > '~')))
            return false;
    }
    return part.len > 0;
}

/* one part; encoded: it will be sent in base64 */
static int read_part(const char *text, const char *file, bool encoded, struct buf *out,
                     struct err *why)
{
    if (file == NULL) {
        if (!is_fit(slice_str(text), encoded))
            return err_set(why, -EINVAL, "the credentials hold characters that cannot be sent");
        return buf_add_str(out, text);
    }
    struct buf content;
    buf_init(&content, CREDENTIAL_MAX + 1);
    int error = read_file(file, &content);
    struct slice part = slice_trim(buf_slice(&content));
    if (error != 0)
        err_set(why, error, "the credential file %s cannot be read (%s)", file, strerror(-error));
    else if (!is_fit(part, encoded))
        error = err_set(why, -EINVAL,
                        "the credential file %s is empty or holds characters that cannot be sent",
                        file);
    else
        error = buf_add_slice(out, part);
    wipe(&content);
    return error;
}

/* "Basic " and base64 of "user:password" */
static int make_basic(const struct credential_opts *o, struct buf *out, struct err *why)
{
    struct buf pair;
    buf_init(&pair, 2 * CREDENTIAL_MAX + 1);
    int error = read_part(o->username, o->username_file, true, &pair, why);
    if (error == 0 && slice_find(buf_slice(&pair), ':') < pair.len)
        error = err_set(why, -EINVAL, "a user name may not hold a colon");
    if (error == 0)
        error = buf_add_byte(&pair, ':');
    if (error == 0)
        error = read_part(o->secret, o->secret_file, true, &pair, why);
    if (error == 0)
        error = buf_add_str(out, "Basic ");
    if (error == 0)
        error = base64_encode(out, pair.ptr, pair.len);
    wipe(&pair);
    return error;
}

/* "ApiKey " or "Bearer " and the secret; a key with a colon is not encoded yet */
static int make_single(const struct credential_opts *o, struct buf *out, struct err *why)
{
    struct buf secret;
    bool key = o->kind == CREDENTIAL_API_KEY;
    buf_init(&secret, CREDENTIAL_MAX);
    int error = read_part(o->secret, o->secret_file, false, &secret, why);
    if (error == 0)
        error = buf_add_str(out, key ? "ApiKey " : "Bearer ");
    if (error == 0 && key && slice_find(buf_slice(&secret), ':') < secret.len)
        error = base64_encode(out, secret.ptr, secret.len);
    else if (error == 0)
        error = buf_add_slice(out, buf_slice(&secret));
    wipe(&secret);
    return error;
}

/* the whole value, from what is there now */
static int make(const struct credential_opts *o, struct buf *out, struct err *why)
{
    if (o->kind == CREDENTIAL_NONE)
        return 0;
    return o->kind == CREDENTIAL_BASIC ? make_basic(o, out, why) : make_single(o, out, why);
}

/* whether a file changed since the value was made */
static bool is_changed(struct credential *c)
{
    bool changed = false;
    if (c->opts.username_file != NULL)
        changed |= stamp_renew(&c->username_stamp, c->opts.username_file);
    if (c->opts.secret_file != NULL)
        changed |= stamp_renew(&c->secret_stamp, c->opts.secret_file);
    return changed;
}

/* makes the value anew and keeps it; returns whether it differs from the last one */
static int remake(struct credential *c, bool *ret_differs, struct err *why)
{
    struct buf value;
    buf_init(&value, HEADER_MAX);
    int error = make(&c->opts, &value, why);
    if (error != 0) {
        wipe(&value);
        return error;
    }
    *ret_differs = !slice_eq(buf_slice(&value), buf_slice(&c->header));
    wipe(&c->header);
    c->header = value;
    return 0;
}

/* Stamps are taken before the files are read: a change in between is seen next time. */
int credential_header(struct credential *c, struct buf *out, struct err *why)
{
    bool differs;
    bool changed = is_changed(c);
    if (changed || c->header.len == 0) {
        int error = remake(c, &differs, why);
        if (error != 0 && c->header.len == 0)
            return error;
    }
    return buf_add_slice(out, buf_slice(&c->header));
}

/* What can no longer be read does not count any more. */
bool credential_refused(struct credential *c)
{
    bool differs = false;
    struct err why = {0};
    if (c->opts.username_file == NULL && c->opts.secret_file == NULL)
        return false;
    (void)is_changed(c);
    if (remake(c, &differs, &why) != 0)
        wipe(&c->header);
    return differs;
}
