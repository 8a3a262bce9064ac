/*
 * run/index - the pattern of an index with the fields of an input
 *
 * What can fail: a pattern that is none, or that needs a field which an input does not have, or
 * whose value no index may be called by.
 */
#include "run/index.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/version.h"
#include "os/procfs.h"
#include "os/sysinfo.h"

#define PROC_FILE_MAX (64 * KIB)

/* What fields are looked up in. */
struct lookup {
    const struct config *config;
    const struct config_input *input;
    const char *host_name;
};

/* a field of option fields */
static bool own_field(const struct config_map *fields, struct slice name, struct slice *ret_value)
{
    for (size_t i = 0; i < fields->n; i++) {
        if (!slice_eq_str(name, fields->v[i].name))
            continue;
        *ret_value = slice_str(fields->v[i].value);
        return true;
    }
    return false;
}

/* a field of the documents that is the same in all of them */
static bool field(void *ctx, struct slice name, struct slice *ret_value)
{
    const struct lookup *l = ctx;
    const struct {
        const char *name, *value;
    } known[] = {
        {"data_stream.type", "logs"},
        {"data_stream.dataset", l->input->dataset},
        {"data_stream.namespace", l->config->namespace},
        {"event.dataset", l->input->dataset},
        {"host.name", l->host_name},
        {"agent.name", l->host_name},
        {"agent.type", "wherry"},
        {"agent.version", WHERRY_VERSION},
        {"input.type", "filestream"},
    };
    if (slice_starts(name, SLICE_LIT("fields.")))
        return own_field(&l->input->fields, slice_sub(name, strlen("fields."), SIZE_MAX),
                         ret_value);
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (!slice_eq_str(name, known[i].name))
            continue;
        *ret_value = slice_str(known[i].value);
        return true;
    }
    return false;
}

/* see header */
bool index_is_used(const struct config *c)
{
    return c->profile == CONFIG_PROFILE_ISP ||
           (c->output == CONFIG_OUTPUT_ELASTICSEARCH && c->elasticsearch.index[0] != '\0');
}

/* see header */
bool index_is_used_for_metrics(const struct config *c)
{
    return c->profile == CONFIG_PROFILE_ISP;
}

/* The names of a prefix of the profile isp. A format without a day would give one index for ever,
 * and a name that no lifecycle can tell the age of. */
static int of_prefix(const struct config *c, const char *prefix, struct target **ret_target,
                     struct err *e)
{
    struct buf pattern;
    const char *format = c->isp.date_format;
    bool is_strftime = strchr(format, '%') != NULL;
    buf_init(&pattern, KIB);
    int r = buf_printf(&pattern, is_strftime ? "%s-%s" : "%s-%%{+%s}", prefix, format);
    if (r == 0)
        r = target_new(buf_slice(&pattern), NULL, NULL, ret_target, e);
    buf_clear(&pattern);
    if (r == 0 && !target_is_dated(*ret_target)) {
        target_free(ret_target);
        r = err_set(e, -EINVAL,
                    "\"%s\" gives no digits; a day is written yyyy.MM.dd or %%Y.%%m.%%d", format);
    }
    return r < 0 ? err_prefix(e, "isp.date_format behind \"%s\"", prefix) : 0;
}

/* see header */
int index_of_metrics(const struct config *c, struct target **ret_target, struct err *e)
{
    return of_prefix(c, c->isp.metric_prefix, ret_target, e);
}

/* see header */
int index_of_input(const struct config *c, const struct config_input *in, const char *host_name,
                   struct target **ret_target, struct err *e)
{
    struct lookup lookup = {c, in, host_name};
    if (c->elasticsearch.index[0] == '\0')
        return of_prefix(c, c->isp.log_prefix, ret_target, e);
    int r = target_new(slice_str(c->elasticsearch.index), field, &lookup, ret_target, e);
    return r < 0 ? err_prefix(e, "output.elasticsearch.index for input \"%s\"", in->id) : 0;
}

/* see header */
char *index_host_name(const struct config *c)
{
    struct sysinfo host;
    struct procfs *procfs = procfs_new(c->path_hostfs, NULL, NULL, PROC_FILE_MAX);
    sysinfo_read(&host, procfs);
    char *name = mem_strdup(host.hostname);
    sysinfo_clear(&host);
    procfs_free(&procfs);
    return name;
}

/* see header */
int index_check(const struct config *c, struct err *e)
{
    int r = 0;
    if (!index_is_used(c))
        return 0;
    char *host_name = index_host_name(c);
    for (size_t i = 0; i < c->input_count && r == 0; i++) {
        struct target *t = NULL;
        r = index_of_input(c, &c->inputs[i], host_name, &t, e);
        target_free(&t);
    }
    mem_free(host_name);
    if (r == 0 && index_is_used_for_metrics(c)) {
        struct target *t = NULL;
        r = index_of_metrics(c, &t, e);
        target_free(&t);
    }
    return r;
}
