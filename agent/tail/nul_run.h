#ifndef TAIL_NUL_RUN_H
#define TAIL_NUL_RUN_H

/*
 * Runs of NUL bytes that no logger wrote: a crash leaves the end of a file as zeros, and a writer
 * that does not append leaves a hole when its file was cut.
 */
#include <stddef.h>

/* So many are no part of a line. */
#define NUL_RUN_BYTES ((size_t)4096)
/* The same where a crash may have left them. */
#define NUL_RUN_CRASH_BYTES ((size_t)16)

/* The first run of at least `min` NUL bytes of which some lie in [s + from, s + n); what lies
 * before `from` belongs to it too. Returns where its part there begins, *ret_end where it ends;
 * n = none. */
size_t nul_run_find(const char *s, size_t from, size_t n, size_t min, size_t *ret_end);

#endif
