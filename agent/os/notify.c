/*
 * os/notify - the service manager's protocol
 *
 * One datagram per call, never blocking: a manager that does not read must not stop the agent, the
 * next call tells it the newer state anyway. The socket is made for each call; they are rare.
 *
 * Failures: an address that is none (-EINVAL), and errno of the socket calls.
 */
#include "os/notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/num.h"
#include "base/slice.h"

/* a path, or '@' and a name in the abstract space; returns the address's length */
static int parse_address(const char *text, struct sockaddr_un *ret_address)
{
    size_t length = strlen(text);
    if ((text[0] != '/' && text[0] != '@') || length < 2)
        return -EINVAL;
    if (length >= sizeof(ret_address->sun_path))
        return -ENAMETOOLONG;
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret_address->sun_path, text, length);
    if (text[0] == '@')
        ret_address->sun_path[0] = '\0';
    return (int)(offsetof(struct sockaddr_un, sun_path) + length);
}

/* sends text to the address */
static int send_to(const struct sockaddr_un *address, socklen_t length, const char *text)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    ssize_t n;
    do {
        n = sendto(fd, text, strlen(text), MSG_NOSIGNAL,
                   (const struct sockaddr *)(const void *)address, length);
    } while (n < 0 && errno == EINTR);
    int r = n < 0 ? -errno : 1;
    (void)close(fd); /* the datagram is gone or refused already */
    return r;
}

/* looks the address up each time: the environment is the only state */
int notify_send(const char *state)
{
    const char *text = getenv("NOTIFY_SOCKET");
    if (text == NULL || text[0] == '\0')
        return 0;
    struct sockaddr_un address;
    int length = parse_address(text, &address);
    if (length < 0)
        return length;
    return send_to(&address, (socklen_t)length, state);
}

/* whether WATCHDOG_PID is absent or ours */
static bool watchdog_is_ours(void)
{
    const char *text = getenv("WATCHDOG_PID");
    if (text == NULL)
        return true;
    uint64_t pid;
    return num_u64(slice_str(text), &pid) == 0 && pid == (uint64_t)getpid();
}

/* half, so that one late round is forgiven */
int64_t notify_watchdog_ms(void)
{
    const char *text = getenv("WATCHDOG_USEC");
    uint64_t usec;
    if (text == NULL || num_u64(slice_str(text), &usec) < 0 || usec == 0 || !watchdog_is_ours())
        return 0;
    uint64_t ms = usec / 2000;
    return ms == 0 ? 1 : (int64_t)ms;
}
