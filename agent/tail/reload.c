/*
 * tail/reload - other inputs, while files are followed
 *
 * A file belongs to the first input that matches its path. When the inputs are others each file is
 * given its new one; what stays open stays open, so that also deleted files are read to their end.
 * A file that no input matches any more is let go; its generation stays in the registry, and when
 * an input matches it again it goes on where its reading had come to.
 *
 * What is on its way stays in the ledger in which it was counted as read.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "framing_internal.h"
#include "tail_internal.h"

/* see tail_internal.h */
int reload_patterns(const struct tail_input *inputs, size_t count, struct pattern **ret,
                    unsigned *ret_count, struct err *e)
{
    char cwd[PATH_MAX];
    size_t all = 0;
    *ret = NULL;
    *ret_count = 0;
    if (getcwd(cwd, sizeof(cwd)) == NULL)
        return err_set_errno(e, -errno, "the working directory");
    for (size_t i = 0; i < count; i++)
        all += inputs[i].path_count;
    *ret = mem_zalloc_array(all, sizeof(**ret));
    for (size_t i = 0; i < count; i++) {
        for (size_t p = 0; p < inputs[i].path_count; p++) {
            struct pattern *pattern = &(*ret)[*ret_count];
            int r = glob_init(&pattern->glob, inputs[i].paths[p], cwd, e);
            if (r < 0)
                return r;
            pattern->input = (unsigned)i;
            (*ret_count)++;
        }
    }
    return 0;
}

/* see tail_internal.h */
void reload_patterns_free(struct pattern *patterns, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        glob_clear(&patterns[i].glob);
    mem_free(patterns);
}

/* see tail_internal.h: the longest line, what is read before it, a quantum behind it */
void reload_buffer(struct tail *t)
{
    size_t longest = 0;
    for (size_t i = 0; i < t->opts.input_count; i++)
        if (t->opts.inputs[i].max_bytes > longest)
            longest = t->opts.inputs[i].max_bytes;
    size_t bytes = SPAN_HEAD_BYTES + longest + 2 * TAIL_QUANTUM;
    if (bytes <= t->buffer_bytes)
        return;
    mem_free(t->buffer);
    t->buffer = mem_zalloc(bytes);
    t->buffer_bytes = bytes;
}

/* what is kept of each input; those whose id is new are told apart until the scan is over */
static struct dated_name *names_for(const struct tail *t, const struct tail_input *inputs,
                                    size_t count)
{
    struct dated_name *names = mem_zalloc_array(count, sizeof(*names));
    for (size_t i = 0; i < count; i++) {
        names[i].is_new = true;
        for (size_t n = 0; n < t->opts.input_count; n++)
            names[i].is_new &= strcmp(inputs[i].id, t->opts.inputs[n].id) != 0;
    }
    return names;
}

/* Gives a file its input, or lets it go: for good, or, where its bytes mean something else now, to
 * be found again by the scan. */
static void refit(struct file *f, const struct tail_input *before)
{
    const struct tail_input *inputs = f->tail->opts.inputs;
    int input = discover_input_of(f->tail, f->entry->path);
    if (input < 0) {
        tail_message(f->tail, LOG_INFO, "file \"%s\" is matched by no input any more",
                     f->entry->path);
        file_free(f);
        return;
    }
    const struct tail_input *was = &before[f->input], *is = &inputs[input];
    if (f->extra->orphan == NULL &&
        (was->charset != is->charset || was->charset_by_mark != is->charset_by_mark ||
         was->format != is->format)) {
        file_free(f);
        return;
    }
    f->input = (unsigned)input;
    f->held = false;
    extra_drop_encode(f);
}

/* see tail/tail.h */
int tail_reload(struct tail *t, const struct tail_input *inputs, size_t count, struct err *e)
{
    struct pattern *patterns;
    unsigned pattern_count;
    int r = reload_patterns(inputs, count, &patterns, &pattern_count, e);
    if (r < 0) {
        reload_patterns_free(patterns, pattern_count);
        return r;
    }
    const struct tail_opts before = t->opts;
    struct dated_name *names = names_for(t, inputs, count);
    t->opts.inputs = inputs;
    t->opts.input_count = count;
    r = framing_setup(t, e);
    if (r < 0) {
        t->opts = before;
        mem_free(names);
        reload_patterns_free(patterns, pattern_count);
        return r;
    }
    reload_patterns_free(t->patterns, t->pattern_count);
    mem_free(t->names);
    t->patterns = patterns;
    t->pattern_count = pattern_count;
    t->names = names;
    reload_buffer(t);
    LIST_EACH(dir, &t->dirs) {
        LIST_EACH(node, &LIST_ENTRY(dir, struct dir, link)->files)
            refit(LIST_ENTRY(node, struct file, in_dir), before.inputs);
    }
    adopt_refit(t);
    siblings_refit(t);
    discover_scan(t);
    for (size_t i = 0; i < count; i++)
        names[i].is_new = false;
    tail_pump_soon(t);
    return 0;
}
