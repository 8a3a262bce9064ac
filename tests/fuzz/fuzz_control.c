/* rooms: base output bulk config store os */
/*
 * fuzz/control - answers to an operator's requests. First byte: which reader; the rest is the body.
 * What is taken out of it fits on a line.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "output/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* whether there is a control character */
static int has_control(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ')
            return 1;
    return 0;
}

/* a stamp has a hash of the one length, or none */
static void read_stamp(struct slice body, const char *path)
{
    struct control_stamp stamp;
    if (control_stamp(body, path, &stamp) == 0 && stamp.hash[0] != '\0' &&
        strlen(stamp.hash) != sizeof(stamp.hash) - 1)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = {"*.policy._meta", "policy.description", "a.*.b._meta"};
    if (size < 1)
        return 0;
    const struct slice body = slice_of((const char *)data + 1, size - 1);
    struct product product = {0};
    struct buf out;
    buf_init(&out, 4 * KIB);
    switch (data[0] % 8) {
    case 0:
    case 1:
    case 2:
        read_stamp(body, paths[data[0] % 8]);
        break;
    case 3:
        (void)!control_privileges(body, &out);
        break;
    case 4:
        if (control_api_key(body, &out) == 0 && has_control(buf_slice(&out)))
            abort();
        break;
    case 5:
        if (control_has_stream_template(body, SLICE_LIT("logs-generic-default")) > 1)
            abort();
        break;
    case 6:
        product_from_root(&product, body);
        product_from_nodes(&product, body);
        if (has_control(slice_str(product.version)))
            abort();
        break;
    default:
        if (control_error_type(body).len > 64 || control_error_reason(body).len > body.len)
            abort();
        (void)!control_hits(body, &out);
        break;
    }
    buf_clear(&out);
    return 0;
}
