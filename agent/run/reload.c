/*
 * run/reload - another configuration while the agent runs
 *
 * A reload changes inputs, and what is looked up in the configuration when it is needed
 * (shutdown_timeout, the level of messages). Everything is made and checked before anything is
 * changed: what goes wrong leaves the present configuration in force, and says so. The
 * configuration of the start stays where it is, because the output borrows from it.
 */
#include <errno.h>

#include "agent_internal.h"
#include "base/err.h"

/* why a configuration cannot be taken over by a running agent; NULL = it can */
static const char *obstacle(const struct agent *a, const struct config *next,
                            const struct assembled *inputs)
{
    const char *fixed = config_fixed_change(a->config, next);
    if (fixed != NULL)
        return fixed;
    return tail_slack(inputs->inputs, inputs->count) > a->slack_bytes ? "max_bytes (to more)"
                                                                      : NULL;
}

/* makes the new one the present one */
static void take_over(struct agent *a, struct config *next, struct assembled *inputs)
{
    assemble_clear(&a->inputs);
    a->inputs = *inputs;
    config_free(&a->reloaded);
    a->config = a->reloaded = next;
    if (a->opts.reloaded != NULL)
        a->opts.reloaded(a->opts.ctx, next);
    log_info("SIGHUP: the configuration was taken over, %zu inputs", a->inputs.count);
}

/* see agent_internal.h */
void reload_config(struct agent *a)
{
    struct err e = {0};
    struct assembled inputs = {0};
    struct config *next = a->opts.reload == NULL ? NULL : a->opts.reload(a->opts.ctx);
    if (next == NULL)
        return; /* it has been told */
    int r =
        assemble_inputs(&inputs, next, &a->ledgers, a->host.hostname, loop_wall_ns(a->loop), &e);
    const char *fixed = r == 0 ? obstacle(a, next, &inputs) : NULL;
    if (fixed != NULL)
        r = err_set(&e, -EINVAL, "%s cannot be changed without a restart", fixed);
    else if (r == 0)
        r = tail_reload(a->tail, inputs.inputs, inputs.count, &e);
    if (r == 0) {
        take_over(a, next, &inputs);
        return;
    }
    log_error("SIGHUP: %s; going on with the present configuration", e.text);
    assemble_clear(&inputs);
    config_free(&next);
}
