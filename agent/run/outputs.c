/*
 * run/outputs - the one array of outputs
 *
 * A new kind is a row here, its options in the option table and its ops.
 */
#include "run/outputs.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/fs.h"
#include "output/discard.h"
#include "output/stream.h"
#include "run/assemble.h"

/* What the makers need. */
struct making {
    struct loop *loop;
    const struct config *config;
    const struct output_hooks *hooks;
    struct writer *writer;
};

/* pauses between tries are those of the other output */
static struct stream_opts stream_opts_of(const struct config *c)
{
    return (struct stream_opts){.backoff_init_ms = c->elasticsearch.backoff_init_ms,
                                .backoff_max_ms = c->elasticsearch.backoff_max_ms};
}

/* output.elasticsearch */
static int make_elasticsearch(struct outputs *o, const struct making *m, struct err *e)
{
    struct output *output = NULL;
    assemble_output(&o->elasticsearch, m->config);
    int r = output_new(m->loop, &o->elasticsearch, m->hooks, m->writer, &output);
    o->self = output;
    return r < 0 ? err_set_errno(e, r, "output.elasticsearch") : 0;
}

/* output.file */
static int make_file(struct outputs *o, const struct making *m, struct err *e)
{
    const struct config_file_output *f = &m->config->file;
    const struct stream_opts opts = stream_opts_of(m->config);
    int dir = fs_open_dir(f->path, 0700, e);
    if (dir < 0)
        return err_prefix(e, "output.file.path");
    const struct stream_file_opts file = {
        .fs = fs_system(),
        .dir = dir,
        .name = f->filename,
        .rotate_bytes = (uint64_t)f->rotate_every_kb * KIB,
        .files = f->number_of_files,
    };
    o->self = stream_new(m->loop, &opts, m->hooks, stream_file(&file));
    return 0;
}

/* output.console */
static int make_console(struct outputs *o, const struct making *m, struct err *e)
{
    const struct stream_opts opts = stream_opts_of(m->config);
    (void)e; /* cannot fail */
    o->self = stream_new(m->loop, &opts, m->hooks, stream_console(STDOUT_FILENO));
    return 0;
}

/* output.discard */
static int make_discard(struct outputs *o, const struct making *m, struct err *e)
{
    (void)e; /* cannot fail */
    o->self = discard_new(m->loop, m->hooks);
    return 0;
}

static const struct {
    const struct output_ops *ops;
    int (*make)(struct outputs *o, const struct making *m, struct err *e);
} kinds[] = {
    [CONFIG_OUTPUT_ELASTICSEARCH] = {&elasticsearch_ops, make_elasticsearch},
    [CONFIG_OUTPUT_FILE] = {&stream_ops, make_file},
    [CONFIG_OUTPUT_CONSOLE] = {&stream_ops, make_console},
    [CONFIG_OUTPUT_DISCARD] = {&discard_ops, make_discard},
    [CONFIG_OUTPUT_NONE] = {&discard_ops, make_discard}, /* it is given nothing */
};

/* see header */
int outputs_open(struct outputs *o, struct loop *loop, const struct config *c,
                 const struct output_hooks *hooks, struct writer *writer, struct err *e)
{
    const struct making m = {loop, c, hooks, writer};
    int r = kinds[c->output].make(o, &m, e);
    if (r == 0)
        o->ops = kinds[c->output].ops;
    return r;
}

/* see header */
void outputs_close(struct outputs *o)
{
    if (o->ops != NULL)
        o->ops->free(o->self);
    o->ops = NULL;
    assemble_output_clear(&o->elasticsearch);
}

/* see header */
int outputs_test(const struct config *c, struct buf *report)
{
    const char *path = c->file.path;
    if (c->output == CONFIG_OUTPUT_CONSOLE)
        return buf_add_str(report, "documents go to standard output\n");
    if (c->output == CONFIG_OUTPUT_NONE)
        return buf_add_str(report, "ELASTICSEARCH_ENABLED is false: nothing is read or sent\n");
    if (c->output == CONFIG_OUTPUT_DISCARD)
        return buf_add_str(report, "documents are dropped\n");
    int error = access(path, W_OK | X_OK) == 0 ? 0 : -errno;
    if (error == -ENOENT)
        return buf_printf(report, "\"%s\" is not there yet and will be made\n", path);
    int r = buf_printf(report, "\"%s\": %s\n", path,
                       error == 0 ? "files can be made" : strerror(-error));
    return error < 0 ? error : r;
}
