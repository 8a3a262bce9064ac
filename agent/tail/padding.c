/*
 * tail/padding - zeros in a file that are no text
 *
 * A crash leaves the end of a file as zeros, and a writer that does not append leaves a hole when
 * its file was cut. What stands before them is a line that has lost its end. Zeros that nothing
 * follows are no padding yet: a preallocated file may still be filled.
 */
#include "nul_run.h"
#include "pass.h"

/* looks for the next run of padding behind pos */
static void find(struct pass *p)
{
    bool crashed = recovery_may_be_padding(p->f, p->pos);
    size_t from = (size_t)(p->pos - p->base), n = (size_t)(p->end - p->base), end;
    size_t min = crashed ? NUL_RUN_CRASH_BYTES : NUL_RUN_BYTES;
    bool too_long = crashed && n - from > p->input->max_bytes;
    size_t begin = nul_run_find(p->bytes, from, n, min, &end);
    if (end == n && !p->final && !too_long)
        begin = n;
    p->padding = p->base + begin;
    p->padding_end = p->base + end;
}

/* see pass.h */
bool padding_is_before(struct pass *p, uint64_t end)
{
    if (p->pos >= p->padding_end)
        find(p);
    return p->padding < end;
}

/* see pass.h */
bool padding_skip(struct pass *p)
{
    return pass_skip(p, SKIP_NUL, (size_t)(p->padding_end - p->padding), 0);
}
