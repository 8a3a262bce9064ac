/* os/netlink: whole and broken answers; a dump of the real kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "os/netlink.h"

struct seen {
    unsigned count;
    uint16_t types[8];
    size_t bytes[8];
};

static void on_message(void *ctx, uint16_t type, struct slice payload)
{
    struct seen *s = ctx;
    if (s->count < 8) {
        s->types[s->count] = type;
        s->bytes[s->count] = payload.len;
    }
    s->count++;
}

/* appends a message; claimed: its length, 0 = the right one */
static size_t add(char *at, uint16_t type, const void *payload, size_t bytes, uint32_t claimed)
{
    struct nlmsghdr h = {.nlmsg_type = type,
                         .nlmsg_len = claimed != 0 ? claimed : (uint32_t)(NLMSG_HDRLEN + bytes)};
    memset(at, 0, NLMSG_SPACE(bytes));
    memcpy(at, &h, sizeof(h));
    memcpy(at + NLMSG_HDRLEN, payload, bytes);
    return NLMSG_SPACE(bytes);
}

static void test_answers(void **state)
{
    (void)state;
    char text[512];
    int r = 1;
    struct seen s = {0};
    size_t n = add(text, 20, "abcde", 5, 0);
    n += add(text + n, 21, "", 0, 0);
    assert_false(netlink_split(slice_of(text, n), on_message, &s, &r));
    assert_int_equal(r, 0);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.types[0], 20);
    assert_int_equal(s.bytes[0], 5);
    assert_int_equal(s.types[1], 21);
    n += add(text + n, NLMSG_DONE, &(int){0}, sizeof(int), 0);
    n += add(text + n, 22, "x", 1, 0);
    s = (struct seen){0};
    assert_true(netlink_split(slice_of(text, n), on_message, &s, &r));
    assert_int_equal(r, 0);
    assert_int_equal(s.count, 2);
    n = add(text, NLMSG_ERROR, &(int){-ENOENT}, sizeof(int), 0);
    assert_true(netlink_split(slice_of(text, n), on_message, &s, &r));
    assert_int_equal(r, -ENOENT);
}

static void test_lies(void **state)
{
    (void)state;
    static const uint32_t claims[] = {1, 15, 22, 1000, UINT32_MAX};
    char text[64];
    for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
        struct seen s = {0};
        int r = 0;
        (void)add(text, 20, "abcde", 5, claims[i]);
        assert_true(netlink_split(slice_of(text, NLMSG_HDRLEN + 5), on_message, &s, &r));
        assert_int_equal(r, -EBADMSG);
        assert_int_equal(s.count, 0);
    }
    struct seen s = {0};
    int r = 1;
    assert_false(netlink_split(slice_of(text, NLMSG_HDRLEN - 1), on_message, &s, &r));
    assert_int_equal(r, 0);
}

static void test_the_kernel(void **state)
{
    (void)state;
    struct seen s = {0};
    struct ifinfomsg all = {0};
    struct slice payload = slice_of((const char *)&all, sizeof(all));
    assert_int_equal(netlink_dump(NETLINK_ROUTE, RTM_GETLINK, payload, on_message, &s), 0);
    assert_true(s.count > 0);
    assert_int_equal(s.types[0], RTM_NEWLINK);
    char long_one[1000] = "";
    assert_int_equal(netlink_dump(NETLINK_ROUTE, RTM_GETLINK, slice_of(long_one, sizeof(long_one)),
                                  on_message, &s),
                     -EMSGSIZE);
    assert_true(netlink_dump(NETLINK_ROUTE, 9999, payload, on_message, &s) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_the_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
