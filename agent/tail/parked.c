/*
 * tail/parked - files that cannot be read now
 *
 * A file that cannot be opened or read (no permission, a failing disk, a stale network handle) is
 * left alone for a while: a second at first, twice as long after each further failure. A scan that
 * meets it and a change of its permissions try at once. Nobody waits for it meanwhile.
 */
#include "base/mem.h"
#include "tail_internal.h"

#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 60000

/* see tail_internal.h */
void parked_add(struct file *f)
{
    struct tail *t = f->tail;
    struct parked *p = f->extra->parked;
    f->failed = true;
    if (t->opts.once)
        return; /* it is given up */
    if (p == NULL) {
        p = extra_of(f)->parked = mem_zalloc(sizeof(*p));
        p->file = f;
        p->pause_ms = PAUSE_MIN_MS;
        list_push_back(&t->parked, &p->link);
    } else {
        p->pause_ms = p->pause_ms * 2 < PAUSE_MAX_MS ? p->pause_ms * 2 : PAUSE_MAX_MS;
    }
    p->until_ms = loop_now_ms(t->loop) + p->pause_ms;
    if (!loop_timer_is_set(t->check_timer))
        loop_timer_set(t->check_timer, TAIL_CHECK_MS);
}

/* see tail_internal.h */
void parked_remove(struct file *f)
{
    if (f->extra->parked == NULL)
        return;
    list_remove(&f->extra->parked->link);
    mem_free(f->extra->parked);
    extra_of(f)->parked = NULL;
    f->failed = false;
}

/* see tail_internal.h */
void parked_check(struct tail *t)
{
    LIST_EACH(node, &t->parked) {
        const struct parked *p = LIST_ENTRY(node, struct parked, link);
        if (p->file->failed && loop_now_ms(t->loop) >= p->until_ms)
            file_retry(p->file);
    }
}
