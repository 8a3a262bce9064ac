/*
 * tail/warned - messages once per path
 */
#include <string.h>

#include "base/mem.h"
#include "tail_internal.h"

/* paths that were warned of once; beyond it the oldest may be warned of again */
#define WARNED_MAX 1024

struct warned {
    struct list link;
    char *path;
};

/* frees one of the paths warned of */
static void forget_warned(struct tail *t, struct warned *w)
{
    list_remove(&w->link);
    mem_free(w->path);
    mem_free(w);
    t->warned_count--;
}

/* see tail_internal.h */
void warned_once(struct tail *t, const char *path, const char *why)
{
    LIST_EACH(node, &t->warned)
        if (strcmp(LIST_ENTRY(node, struct warned, link)->path, path) == 0)
            return;
    struct warned *w = mem_zalloc(sizeof(*w));
    w->path = mem_strdup(path);
    list_push_back(&t->warned, &w->link);
    if (++t->warned_count > WARNED_MAX)
        forget_warned(t, LIST_ENTRY(t->warned.next, struct warned, link));
    tail_message(t, LOG_WARN, "skipping \"%s\": %s", path, why);
}

/* see tail_internal.h */
void warned_free(struct tail *t)
{
    while (!list_is_empty(&t->warned))
        forget_warned(t, LIST_ENTRY(t->warned.next, struct warned, link));
}
