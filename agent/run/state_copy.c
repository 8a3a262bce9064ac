/*
 * run/state_copy - the registry in memory, its copy on the disk
 *
 * The copy is a journal of its own, to which the store thread writes the whole state as a
 * checkpoint. It is always some time behind: after a power loss what was sent meanwhile is read
 * again, and known by its ids only as far as the copy says that it may have been sent.
 *
 * What can fail: opening or writing the copy, which degrades health; the registry in memory goes
 * on.
 */
#include <string.h>

#include "agent_internal.h"

/* the copy is older than what is in memory: its records do not count */
static void pass_over(void *ctx, const struct frame *f)
{
    (void)ctx;
    (void)f;
}

/* every state_save_interval */
static void on_time(void *ctx)
{
    struct agent *a = ctx;
    registry_save(a->registry);
    loop_timer_set(a->save_timer, a->config->state_save_interval_ms);
}

/* see agent_internal.h */
int state_copy_open(struct agent *a, const struct journal_opts *opts)
{
    struct journal_opts copy = *opts;
    struct journal_recovery found;
    if (a->data.saved < 0)
        return 0;
    bool from_copy = a->recovery.records == 0; /* the first that is written is the whole state */
    copy.dir = a->data.saved;
    int r = journal_open(&copy, from_copy ? registry_replay : pass_over, a->registry, &found,
                         &a->saved_journal);
    if (r < 0)
        return r;
    if (from_copy) {
        bool read_only = a->recovery.read_only;
        a->recovery = found;
        a->recovery.read_only = read_only;
        registry_set_elsewhere(a->registry);
    }
    a->save_timer = loop_timer_new(a->loop, on_time, a);
    loop_timer_set(a->save_timer, a->config->state_save_interval_ms);
    return 0;
}

/* see agent_internal.h */
void state_copy_last(struct agent *a)
{
    if (a->saved_journal == NULL)
        return;
    loop_timer_stop(a->save_timer);
    a->saved_last = false;
    registry_save(a->registry);
}

/* see agent_internal.h */
void state_copy_saved(struct agent *a, int result)
{
    char text[160];
    a->saved_last = result == 0;
    (void)snprintf(text, sizeof(text), "the registry cannot be copied to path.data: %s",
                   strerror(-result));
    report_health(a, HEALTH_STATE, result == 0 ? OUTPUT_OK : OUTPUT_DEGRADED,
                  result == 0 ? "" : text);
}

/* see agent_internal.h */
void state_copy_close(struct agent *a)
{
    loop_timer_cancel(&a->save_timer);
    bool whole = a->saved_journal != NULL && a->saved_last;
    journal_free(&a->saved_journal);
    if (whole && journal_remove(fs_system(), a->data.registry) < 0)
        log_warn("what was copied to path.data stays in path.volatile, too");
}
