/*
 * run/assets - targets and mappings of a configuration
 *
 * One target for each dataset, with whatever namespace, so that the hosts of a cluster agree on
 * names and bodies; one for all sets of metrics; one for each index by name, with the mapping of
 * the profile.
 */
#include "run/assets.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "bulk/batch.h"
#include "metrics/envelope.h"
#include "metrics/sets.h"
#include "run/index.h"

enum which_mapping {
    MAPPING_LOGS,
    MAPPING_METRICS,
    MAPPING_ISP_LOGS,
    MAPPING_ISP_METRICS,
    MAPPINGS,
};

struct assets_plan {
    struct asset_opts opts;
    struct asset_mapping mappings[MAPPINGS]; /* those that are used */
    struct asset_target *targets;
    char **patterns; /* of the targets */
};

/* ---- mappings ---- */

/* the tables do not contradict each other (held by the unit test) */
static void add(struct mapping *m, const struct mapping_field *f)
{
    int r = mapping_add(m, f);
    assert(r == 0);
    (void)r;
}

/* whether a field of that name is there */
static bool has(struct mapping *m, const char *name)
{
    size_t count;
    const struct mapping_field *fields = mapping_fields(m, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return true;
    return false;
}

/* the platform's names for what is there */
static void add_aliases(struct mapping *m)
{
    for (size_t i = 0; i < log_field_count; i++) {
        const struct log_field *f = &log_fields[i];
        if (f->platform == NULL || !has(m, f->name))
            continue;
        add(m, &(struct mapping_field){.name = f->platform, .type = f->type, .path = f->name});
    }
}

/* log lines */
static struct mapping *logs_mapping(void)
{
    struct mapping *m = mapping_new();
    for (size_t i = 0; i < log_field_count; i++) {
        const struct log_field *f = &log_fields[i];
        add(m, &(struct mapping_field){.name = f->name, .type = f->type, .flags = f->flags});
    }
    add_aliases(m);
    return m;
}

/* rows of a set, or of every set */
static void add_rows(struct mapping *m, const struct field *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *f = &rows[i];
        add(m, &(struct mapping_field){.name = f->name,
                                       .type = f->type,
                                       .scale = f->scale,
                                       .unit = field_unit_name(f->unit),
                                       .metric = field_kind_name(f->kind)});
    }
}

/* every set, whatever this host collects */
static struct mapping *metrics_mapping(void)
{
    struct mapping *m = mapping_new();
    size_t count, set_count;
    const struct field *common = envelope_fields(&count);
    const struct metric_set *const *sets = sets_table(&set_count);
    add_rows(m, common, count);
    for (size_t i = 0; i < set_count; i++)
        add_rows(m, sets[i]->fields, sets[i]->field_count);
    add_aliases(m);
    return m;
}

/* rows by the platform's names, with those of ECS as aliases; what only data streams have is left
 * out */
static void add_platform_rows(struct mapping *m, const struct log_field *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct log_field *f = &rows[i];
        bool is_both = (f->flags & FIELD_BOTH_NAMES) != 0;
        if (f->type == FIELD_CONSTANT_KEYWORD)
            continue;
        add(m, &(struct mapping_field){.name = log_field_name(f, PROFILE_ISP),
                                       .type = log_field_type(f, PROFILE_ISP),
                                       .flags = f->flags});
        if (f->platform != NULL)
            add(m, &(struct mapping_field){
                       .name = f->name, .type = f->type, .path = is_both ? NULL : f->platform});
    }
}

/* log lines of the profile isp */
static struct mapping *isp_logs_mapping(void)
{
    struct mapping *m = mapping_new();
    add_platform_rows(m, log_fields, log_field_count);
    return m;
}

/* its metrics */
static struct mapping *isp_metrics_mapping(void)
{
    struct mapping *m = mapping_new();
    add_platform_rows(m, isp_metric_fields, isp_metric_field_count);
    return m;
}

/* its place in the plan, made when it is used first */
static unsigned use_mapping(struct assets_plan *p, enum which_mapping which)
{
    static const struct {
        const char *name;
        struct mapping *(*make)(void);
    } kinds[MAPPINGS] = {
        [MAPPING_LOGS] = {"logs", logs_mapping},
        [MAPPING_METRICS] = {"metrics", metrics_mapping},
        [MAPPING_ISP_LOGS] = {"isp-logs", isp_logs_mapping},
        [MAPPING_ISP_METRICS] = {"isp-metrics", isp_metrics_mapping},
    };
    for (unsigned i = 0; i < p->opts.mapping_count; i++)
        if (strcmp(p->mappings[i].name, kinds[which].name) == 0)
            return i;
    p->mappings[p->opts.mapping_count] =
        (struct asset_mapping){kinds[which].name, kinds[which].make()};
    return (unsigned)p->opts.mapping_count++;
}

/* ---- targets ---- */

/* a target, once */
static void add_target(struct assets_plan *p, const char *pattern, bool is_stream,
                       enum which_mapping which)
{
    size_t n = p->opts.target_count;
    for (size_t i = 0; i < n; i++)
        if (strcmp(p->patterns[i], pattern) == 0)
            return;
    p->patterns[n] = mem_strdup(pattern);
    p->targets[n] = (struct asset_target){p->patterns[n], is_stream, use_mapping(p, which)};
    p->opts.target_count++;
}

/* indices by name; t is freed */
static int add_index(struct assets_plan *p, struct target *t, enum which_mapping which,
                     struct err *e)
{
    char name[BATCH_TARGET_MAX + 1];
    target_pattern(t, name);
    target_free(&t);
    if (name[0] == '*')
        return err_set(e, -EINVAL,
                       "the name of an index begins with the day: a template for it would be one "
                       "for other indices, too");
    add_target(p, name, false, which);
    return 0;
}

/* where one input's lines go */
static int add_input(struct assets_plan *p, const struct config *c, const struct config_input *in,
                     const char *host_name, struct err *e)
{
    char name[BATCH_TARGET_MAX + 1];
    struct target *t;
    if (!index_is_used(c)) {
        (void)snprintf(name, sizeof(name), "logs-%s-*", in->dataset);
        add_target(p, name, true, MAPPING_LOGS);
        return 0;
    }
    int r = index_of_input(c, in, host_name, &t, e);
    bool is_isp = c->profile == CONFIG_PROFILE_ISP;
    return r < 0 ? r : add_index(p, t, is_isp ? MAPPING_ISP_LOGS : MAPPING_LOGS, e);
}

/* where metrics go */
static int add_metrics(struct assets_plan *p, const struct config *c, struct err *e)
{
    struct target *t;
    if (!index_is_used_for_metrics(c)) {
        add_target(p, "metrics-system.*-*", true, MAPPING_METRICS);
        return 0;
    }
    int r = index_of_metrics(c, &t, e);
    return r < 0 ? r : add_index(p, t, MAPPING_ISP_METRICS, e);
}

/* see header */
int assets_plan_new(const struct config *c, struct assets_plan **ret_plan, struct err *e)
{
    struct assets_plan *p = mem_zalloc(sizeof(*p));
    char *host_name = index_host_name(c);
    int r = 0;
    p->targets = mem_zalloc_array(c->input_count + 1, sizeof(*p->targets));
    p->patterns = mem_zalloc_array(c->input_count + 1, sizeof(*p->patterns));
    p->opts = (struct asset_opts){
        .targets = p->targets,
        .mappings = p->mappings,
        .shards = c->setup.shards,
        .replicas = c->setup.replicas,
        .rollover_age_ms = c->setup.rollover_age_ms,
        .rollover_bytes = c->setup.rollover_bytes,
        .warm_ms = c->setup.warm_after_ms,
        .cold_ms = c->setup.cold_after_ms,
        .delete_ms = c->setup.delete_after_ms,
        .may_read = c->elasticsearch.verify_before_resend,
    };
    for (size_t i = 0; i < c->input_count && r == 0; i++)
        r = add_input(p, c, &c->inputs[i], host_name, e);
    if (c->metrics.enabled && r == 0)
        r = add_metrics(p, c, e);
    mem_free(host_name);
    if (r < 0) {
        assets_plan_free(&p);
        return r;
    }
    *ret_plan = p;
    return 0;
}

/* see header */
void assets_plan_free(struct assets_plan **pp)
{
    struct assets_plan *p = *pp;
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->opts.target_count; i++)
        mem_free(p->patterns[i]);
    for (size_t i = 0; i < p->opts.mapping_count; i++)
        mapping_free(&p->mappings[i].fields);
    mem_free(p->targets);
    mem_free(p->patterns);
    mem_free(p);
    *pp = NULL;
}

/* see header */
const struct asset_opts *assets_plan_opts(const struct assets_plan *p)
{
    return &p->opts;
}
