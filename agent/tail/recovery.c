/*
 * tail/recovery - what is unsure in a file after the host went down
 *
 * Acknowledged bytes may be gone from the file, and what it has grown by may be padding. The file
 * is read on under a new generation, so that no id is used twice; until it is past what may have
 * been sent before, and past the size that it had when it was found, this is kept beside it.
 */
#include "base/mem.h"
#include "tail_internal.h"

struct recovery {
    uint64_t sent_to; /* bytes before it may have been sent under another generation */
    uint64_t size;    /* when it was found: padding lies before it */
};

/* see tail_internal.h */
COLD void recovery_begin(struct file *f, uint64_t size, uint64_t sent_to)
{
    if (size <= file_at(f)->offset)
        return;
    struct recovery *r = extra_of(f)->recovery = mem_zalloc(sizeof(*r));
    *r = (struct recovery){.sent_to = sent_to < size ? sent_to : size, .size = size};
}

/* see tail_internal.h */
void recovery_end(struct file *f)
{
    if (f->extra->recovery == NULL)
        return;
    mem_free(f->extra->recovery);
    extra_of(f)->recovery = NULL;
}

/* see tail_internal.h */
void recovery_passed(struct file *f, uint64_t offset)
{
    if (f->extra->recovery != NULL && offset >= f->extra->recovery->size)
        recovery_end(f);
}

/* see tail_internal.h */
bool recovery_may_repeat(const struct file *f, uint64_t offset)
{
    return f->extra->recovery != NULL && offset < f->extra->recovery->sent_to;
}

/* see tail_internal.h */
bool recovery_may_be_padding(const struct file *f, uint64_t offset)
{
    return f->extra->recovery != NULL && offset < f->extra->recovery->size;
}
