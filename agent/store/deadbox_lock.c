/*
 * store/deadbox_lock - one changes the box at a time
 *
 * flock(2) on the directory itself: no file is made for it, and it ends with the process. It is
 * tried again and again for a short time and never waited for in the kernel: a stopped process that
 * holds it must not stop the store thread.
 */
#include <errno.h>
#include <sys/file.h>
#include <time.h>

#include "base/clock.h"
#include "store/deadbox_internal.h"

#define PAUSE_NS 5000000

/* tries until the time is over */
int deadbox_lock(int dir, int64_t wait_ms)
{
    const int64_t deadline = clock_mono_ms(clock_system()) + wait_ms;
    while (flock(dir, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -ENOLCK;
        if (clock_mono_ms(clock_system()) >= deadline)
            return -EBUSY;
        const struct timespec pause = {.tv_nsec = PAUSE_NS};
        (void)nanosleep(&pause, NULL); /* cut short by a signal: tried sooner */
    }
    return 0;
}

/* lets others in */
void deadbox_unlock(int dir)
{
    (void)flock(dir, LOCK_UN); /* not held: nothing to let go */
}
