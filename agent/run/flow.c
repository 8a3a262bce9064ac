/*
 * run/flow - the way of a batch
 *
 *   feed --sealed--> waits for its registry ticket --> output --returned--> feed
 *
 * A batch carries documents of generations; none leaves before its generations, and how far they
 * may be sent, are durable (or the registry is degraded and says so).
 */
#include "agent_internal.h"

/* hands a batch on, if it may leave */
static void pass(struct agent *a, struct batch *b)
{
    if (b->barrier > registry_durable(a->registry))
        list_push_back(&a->waiting, &b->link);
    else
        a->output.ops->submit(a->output.self, b);
}

/* a feed has sealed a batch */
static void on_sealed(void *ctx, struct batch *b)
{
    pass(ctx, b);
}

/* tickets were reached */
static void on_durable(void *ctx)
{
    struct agent *a = ctx;
    struct list waiting;
    struct list *node;
    list_init(&waiting);
    while ((node = list_pop_front(&a->waiting)) != NULL)
        list_push_back(&waiting, node);
    while ((node = list_pop_front(&waiting)) != NULL)
        pass(a, LIST_ENTRY(node, struct batch, link));
    agent_check_drained(a);
}

/* every item of a batch is at its end */
static void on_returned(void *ctx, struct batch *b)
{
    struct agent *a = ctx;
    feed_return(b->kind == BATCH_METRICS ? a->docs : a->logs, b);
    agent_check_drained(a);
}

/* whether a new generation may be used */
static bool is_durable(void *ctx, uint64_t ticket)
{
    const struct agent *a = ctx;
    return ticket <= registry_durable(a->registry);
}

/* what the output kept for itself was the last */
static void on_idle(void *ctx)
{
    agent_check_drained(ctx);
}

/* a target refuses, or takes documents again; metrics are kept back by their own queue */
static void on_paused(void *ctx, const char *target, bool paused)
{
    struct agent *a = ctx;
    feed_pause(a->logs, target, paused);
}

/* the server takes smaller batches, or larger ones again */
static void on_resized(void *ctx, size_t max_bytes)
{
    struct agent *a = ctx;
    feed_set_max_bytes(a->logs, max_bytes);
}

/* a batch is free again */
static void on_logs_ready(void *ctx)
{
    struct agent *a = ctx;
    if (a->tail != NULL)
        tail_resume(a->tail);
}

/* the same for metrics */
static void on_metrics_ready(void *ctx)
{
    struct agent *a = ctx;
    if (a->metrics != NULL)
        metrics_resume(a->metrics);
}

/* health of the registry */
static void on_registry_health(void *ctx, const char *why)
{
    report_health(ctx, HEALTH_REGISTRY, why == NULL ? OUTPUT_OK : OUTPUT_DEGRADED, why);
}

/* a copy of the registry was written, or not */
static void on_registry_saved(void *ctx, int result)
{
    state_copy_saved(ctx, result);
}

/* health of the tail */
static void on_tail_health(void *ctx, const char *why)
{
    report_health(ctx, HEALTH_TAIL, why == NULL ? OUTPUT_OK : OUTPUT_DEGRADED, why);
}

/* health of network and FUSE mounts */
static void on_mount_health(void *ctx, const char *why)
{
    report_health(ctx, HEALTH_MOUNTS, why == NULL ? OUTPUT_OK : OUTPUT_DEGRADED, why);
}

/* health of the output */
static void on_output_health(void *ctx, enum output_health level, const char *why)
{
    report_health(ctx, HEALTH_OUTPUT, level, why);
}

/* once: everything is read */
static void on_finished(void *ctx)
{
    struct agent *a = ctx;
    feed_flush(a->logs);
    a->state = AGENT_DRAINING;
    agent_check_drained(a);
}

/* see agent_internal.h */
struct feed_hooks flow_logs_hooks(struct agent *a)
{
    return (struct feed_hooks){.sealed = on_sealed, .ready = on_logs_ready, .ctx = a};
}

/* see agent_internal.h */
struct feed_hooks flow_metrics_hooks(struct agent *a)
{
    return (struct feed_hooks){.sealed = on_sealed, .ready = on_metrics_ready, .ctx = a};
}

/* see agent_internal.h */
struct registry_hooks flow_registry_hooks(struct agent *a)
{
    return (struct registry_hooks){
        .durable = on_durable, .health = on_registry_health, .saved = on_registry_saved, .ctx = a};
}

/* see agent_internal.h */
struct output_hooks flow_output_hooks(struct agent *a)
{
    return (struct output_hooks){
        .returned = on_returned,
        .durable = is_durable,
        .idle = on_idle,
        .paused = on_paused,
        .resized = on_resized,
        .health = on_output_health,
        .message = report_message,
        .ctx = a,
    };
}

/* see agent_internal.h */
struct tail_hooks flow_tail_hooks(struct agent *a)
{
    return (struct tail_hooks){.message = report_message,
                               .health = on_tail_health,
                               .mounts = on_mount_health,
                               .finished = on_finished,
                               .ctx = a};
}

/* see agent_internal.h */
unsigned flow_outstanding(const struct agent *a)
{
    unsigned n = feed_outstanding(a->logs);
    if (a->docs != NULL)
        n += feed_outstanding(a->docs);
    unsigned kept = a->output.ops->pending != NULL ? a->output.ops->pending(a->output.self) : 0;
    return n > kept ? n : kept;
}
