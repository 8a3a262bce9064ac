/*
 * os/netlink - dumps of netlink
 *
 * A socket for each dump: they are rare, and a socket that is kept holds a buffer in the kernel.
 */
#include "os/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/mem.h"

/* the kernel fills at most this in one message of a dump */
#define RECEIVE_BYTES ((size_t)32 * 1024)
/* messages of a dump that is not going to end */
#define RECEIVES_MAX 65536
/* a kernel that does not answer at once is not waited for */
#define WAIT_S 2

#define PAYLOAD_MAX 256

/* a header that may stand at any address */
static struct nlmsghdr header_at(struct slice text)
{
    struct nlmsghdr h;
    memcpy(&h, text.ptr, sizeof(h));
    return h;
}

/* the error in an NLMSG_ERROR or NLMSG_DONE; 0 when there is none */
static int error_of(struct slice payload)
{
    int error = 0;
    if (payload.len >= sizeof(error))
        memcpy(&error, payload.ptr, sizeof(error));
    return error < 0 ? error : 0;
}

/* see header */
bool netlink_split(struct slice text, netlink_message_fn each, void *ctx, int *ret)
{
    *ret = 0;
    while (text.len >= sizeof(struct nlmsghdr)) {
        struct nlmsghdr h = header_at(text);
        if (h.nlmsg_len < NLMSG_HDRLEN || h.nlmsg_len > text.len) {
            *ret = -EBADMSG;
            return true;
        }
        struct slice payload = slice_of(text.ptr + NLMSG_HDRLEN, h.nlmsg_len - NLMSG_HDRLEN);
        if (h.nlmsg_type == NLMSG_DONE || h.nlmsg_type == NLMSG_ERROR) {
            *ret = error_of(payload);
            return true;
        }
        if (h.nlmsg_type >= NLMSG_MIN_TYPE)
            each(ctx, h.nlmsg_type, payload);
        size_t step = NLMSG_ALIGN(h.nlmsg_len);
        text = step < text.len ? slice_sub(text, step, text.len) : slice_of(text.ptr, 0);
    }
    return false;
}

/* sends the request */
static int ask(int fd, uint16_t type, struct slice payload)
{
    struct {
        struct nlmsghdr header;
        char payload[PAYLOAD_MAX];
    } request = {.header = {.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (payload.len > sizeof(request.payload))
        return -EMSGSIZE;
    request.header.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + payload.len);
    memcpy(request.payload, payload.ptr, payload.len);
    ssize_t n = sendto(fd, &request, request.header.nlmsg_len, 0, (struct sockaddr *)&kernel,
                       sizeof(kernel));
    return n < 0 ? -errno : 0;
}

/* takes the answer to its end */
static int receive(int fd, netlink_message_fn each, void *ctx)
{
    char *buffer = mem_zalloc(RECEIVE_BYTES);
    int r = -EMSGSIZE;
    for (unsigned i = 0; i < RECEIVES_MAX; i++) {
        ssize_t n = recv(fd, buffer, RECEIVE_BYTES, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            r = n < 0 ? -errno : -EBADMSG;
            break;
        }
        if (netlink_split(slice_of(buffer, (size_t)n), each, ctx, &r))
            break;
        r = -EMSGSIZE;
    }
    mem_free(buffer);
    return r;
}

/* see header */
int netlink_dump(int protocol, uint16_t type, struct slice payload, netlink_message_fn each,
                 void *ctx)
{
    struct timeval wait = {.tv_sec = WAIT_S};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return -errno;
    int r = setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ? -errno : 0;
    if (r == 0)
        r = ask(fd, type, payload);
    if (r == 0)
        r = receive(fd, each, ctx);
    (void)close(fd); /* nothing to lose */
    return r;
}
