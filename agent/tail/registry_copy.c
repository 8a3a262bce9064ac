/*
 * tail/registry_copy - a registry that another machine goes on with, too
 *
 * When path.data was copied with its machine (a cloned virtual machine, an image, a snapshot), two
 * agents go on from the same offsets. Under the same generations their documents would have the
 * same ids, and one of each pair would pass for a duplicate. So each entry goes on at its offset
 * under a new generation.
 *
 * A copy is known by the machine id in the registry's files, or by its boots: it was written by
 * another boot at a time at which the running one had begun already.
 *
 * Invariant: nothing is sent before a checkpoint is durable, which names this machine: else the
 * next start would find a copy again.
 */
#include <string.h>

#include "base/mem.h"
#include "registry_internal.h"

/* What a clock may have been set by since the kernel started. */
#define CLOCK_MARGIN_NS ((int64_t)300 * 1000000000)

/* see tail/registry.h */
void registry_set_origin(struct registry *r, bool other_machine, int64_t boot_ns)
{
    r->other_machine = other_machine;
    r->boot_ns = boot_ns;
}

/* see registry_internal.h */
const char *registry_copied(const struct registry *r)
{
    if (r->other_machine)
        return "it was written on another machine";
    bool other_boot =
        r->boot[0] != '\0' && r->last_boot[0] != '\0' && strcmp(r->boot, r->last_boot) != 0;
    if (other_boot && r->boot_ns > 0 && r->written_ns > r->boot_ns + CLOCK_MARGIN_NS &&
        r->written_ns <= loop_wall_ns(r->loop))
        return "it was written after this boot began, by another one";
    return NULL;
}

/* a new generation at the saved offset */
static void begin_anew(struct entry *e)
{
    struct generation gen;
    generation_mint(&gen);
    registry_put(e, record_put_done);
    registry_set_generation(e, &gen);
    mem_free(e->extra->days);
    registry_extra(e)->days = NULL;
    e->sent_to = e->acked.offset + REGISTRY_SENT_STEP;
    e->resend_to = 0;
    registry_put(e, registry_put_whole);
    registry_extra(e)->sent_ticket = registry_urgent(e->registry);
}

/* see registry_internal.h */
void registry_begin_anew(struct registry *r)
{
    LIST_EACH(node, &r->entries)
        begin_anew(LIST_ENTRY(node, struct entry, link));
    r->checkpoint_due = r->owed = true;
}
