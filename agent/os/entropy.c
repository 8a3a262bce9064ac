/*
 * os/entropy - random bytes for ids
 *
 * getrandom(2) without flags waits until the kernel's pool is ready, once after boot. There is no
 * second source: an id from a weak one may repeat on a cloned machine, and then lines are lost
 * without a trace. So the only failure (no such system call, kernel before 3.17) aborts.
 */
#include "os/entropy.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/def.h"

/* short reads are possible above 256 bytes and after signals */
void entropy_fill(void *p, size_t n)
{
    char *dst = p;
    while (n > 0) {
        ssize_t r = getrandom(dst, n, 0);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0) {
            static const char text[] = "wherry: getrandom failed, cannot make unique ids\n";
            ssize_t written UNUSED = write(STDERR_FILENO, text, sizeof(text) - 1);
            abort();
        }
        dst += r;
        n -= (size_t)r;
    }
}
