#ifndef OS_ENTROPY_H
#define OS_ENTROPY_H

/* Random bytes from getrandom(2), for ids. Waits for the kernel's pool at early boot; aborts when
 * the kernel has no getrandom, since ids that may repeat lose data. */
#include <stddef.h>

void entropy_fill(void *p, size_t n);

#endif
