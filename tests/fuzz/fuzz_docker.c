/* rooms: base decode */
/*
 * fuzz/docker - a line of docker's json-file format. First byte: how much longer than the line the
 * limit is; the rest is the line. What is taken is UTF-8, fits, and is the same a second time.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "decode/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const struct slice line = slice_of((const char *)data + 1, size - 1);
    struct decode_docker *d = decode_docker_new(line.len + data[0] % 2);
    struct decode_line one, two;
    const char *error = decode_docker(d, line, &one);
    if (error == NULL) {
        char *copy = malloc(one.text.len + 1);
        size_t n = one.text.len;
        if (n > line.len || decode_time(one.time) != one.time.len || one.time.len == 0)
            abort();
        if (n > 0)
            memcpy(copy, one.text.ptr, n);
        if (utf8_is_valid(line) && !utf8_is_valid(slice_of(copy, n)))
            abort();
        if (decode_docker(d, line, &two) != NULL || two.partial != one.partial ||
            !slice_eq(two.text, slice_of(copy, n)))
            abort();
        free(copy);
    }
    decode_docker_free(&d);
    return 0;
}
