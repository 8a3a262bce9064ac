/*
 * run/setup_key - a key for this configuration's targets
 *
 * The directory is opened before the key is made, so that a wrong path costs no key; where the file
 * cannot be written after all, the key is taken back.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/fs.h"
#include "run/setup_internal.h"

#define PATH_API_KEY "/_security/api_key"
#define BODY_MAX     (64 * KIB)
#define KEY_MAX      4096

/* the directory of a path, and the name within it */
static int open_parent(const char *path, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    char *parent = slash == NULL ? mem_strdup(".")
                                 : mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
    *ret_name = slash == NULL ? path : slash + 1;
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        fd = -errno;
    mem_free(parent);
    return fd;
}

/* what the server has given is worth nothing without its file */
static void take_back(struct setup *s, struct slice key)
{
    struct buf body;
    buf_init(&body, KEY_MAX);
    struct slice id = slice_sub(key, 0, slice_find(key, ':'));
    if (buf_printf(&body, "{\"ids\":[\"%.*s\"]}", (int)id.len, id.ptr) == 0) {
        int status = setup_call(s, "DELETE", PATH_API_KEY, buf_slice(&body));
        setup_say(s, "api key %.*s: %s", (int)id.len, id.ptr,
                  status == 200 ? "invalidated" : "could not be invalidated: do it by hand");
    }
    buf_clear(&body);
}

/* asks for the key; appends it and a newline */
static int ask(struct setup *s, const char *path, struct buf *key)
{
    char why[SETUP_WHY_BYTES];
    struct buf body;
    buf_init(&body, BODY_MAX);
    int status = assets_write_api_key(assets_plan_opts(s->plan), &body);
    (void)buf_cstr(&body);
    if (status == 0)
        status = setup_call(s, "POST", PATH_API_KEY, buf_slice(&body));
    buf_clear(&body);
    if (s->opts->dry_run)
        return 0;
    if (status >= 0 && setup_lacks(s, status))
        setup_say(s, "api key %s: failed, this server has no API keys: give a user the role %s",
                  path, ASSET_ROLE);
    else if (status != 200)
        setup_say(s, "api key %s: failed: %s", path, setup_why(s, status, why));
    else if (control_api_key(buf_slice(&s->answer), key) == 0 && buf_add_byte(key, '\n') == 0)
        return 0;
    else
        setup_say(s, "api key %s: failed: the answer holds no key", path);
    return -EIO;
}

/* makes it and writes it */
static int make(struct setup *s, int dir, const char *name, const char *path)
{
    struct buf key;
    buf_init(&key, KEY_MAX);
    int r = ask(s, path, &key);
    if (r == 0 && !s->opts->dry_run) {
        r = fs_replace(fs_system(), dir, name, key.ptr, key.len, S_IRUSR | S_IWUSR);
        if (r < 0) {
            setup_say(s, "api key %s: failed: %s", path, strerror(-r));
            take_back(s, buf_slice(&key));
        }
    }
    if (key.ptr != NULL)
        explicit_bzero(key.ptr, key.len);
    if (s->answer.ptr != NULL)
        explicit_bzero(s->answer.ptr, s->answer.cap);
    buf_clear(&key);
    return r;
}

/* see header */
void setup_make_key(struct setup *s, const char *path)
{
    const char *name;
    struct stat st;
    int dir = open_parent(path, &name);
    if (dir < 0 || name[0] == '\0') {
        setup_say(s, "api key %s: failed: %s", path, dir < 0 ? strerror(-dir) : "no file name");
        setup_worst(s, SETUP_FAILED);
    } else if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !s->opts->force) {
        setup_say(s, "api key %s: unchanged, the file is there", path);
    } else if (make(s, dir, name, path) < 0) {
        setup_worst(s, SETUP_FAILED);
    } else {
        setup_say(s, "api key %s: %s", path, s->opts->dry_run ? "would be created" : "created");
    }
    if (dir >= 0)
        (void)close(dir); /* a directory that was only looked at */
}
