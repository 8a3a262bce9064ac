/* rooms: base decode */
/*
 * fuzz/cri - a line of the CRI format. What is taken lies within the line, stands where a plain
 * reading finds it, and its time holds nothing that JSON would escape.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decode/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* the next word, cut off the rest */
static struct slice word(struct slice *rest)
{
    size_t n = slice_find(*rest, ' ');
    struct slice w = slice_sub(*rest, 0, n);
    *rest = slice_sub(*rest, n + 1, SIZE_MAX);
    return w;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice line = slice_of((const char *)data, size), rest = line;
    struct decode_line got;
    size_t time = decode_time(line);
    if (time > DECODE_TIME_MAX || time > size)
        abort();
    for (size_t i = 0; i < time; i++)
        if (strchr("0123456789-T:.Z+", line.ptr[i]) == NULL || line.ptr[i] == '\0')
            abort();
    struct slice words[3] = {word(&rest), word(&rest), word(&rest)};
    bool good = time > 0 && words[0].len == time &&
                (slice_eq_str(words[1], "stdout") || slice_eq_str(words[1], "stderr")) &&
                words[2].len > 0 && (words[2].ptr[0] == 'P' || words[2].ptr[0] == 'F') &&
                (words[2].len == 1 || words[2].ptr[1] == ':');
    if ((decode_cri(line, &got) == NULL) != good)
        abort();
    if (good && (!slice_eq(got.time, words[0]) || !slice_eq(got.text, rest) ||
                 got.partial != (words[2].ptr[0] == 'P') ||
                 !slice_eq_str(words[1], decode_stream_name(got.stream))))
        abort();
    return 0;
}
