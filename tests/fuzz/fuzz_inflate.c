/* rooms: base os */
/*
 * Fuzzes os/inflate. The first byte chooses the kind, the second how input and output are cut.
 * Oracles: whole and cut input give the same bytes, as far as both get; a failure lasts; output
 * stays in its room.
 */
#include "os/inflate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* bytes that are looked at of one input */
#define OUTPUT_MAX ((size_t)1024 * 1024)

/* aborts, so that the fuzzer keeps the input */
static void require(bool condition)
{
    if (!condition)
        abort();
}

/* Inflates in pieces, up to OUTPUT_MAX bytes; returns how many, the last result in *ret. */
static size_t run(enum inflate_kind kind, struct slice in, size_t step_in, size_t step_out,
                  char *out, ssize_t *ret)
{
    struct inflate *i = inflate_new(kind);
    size_t n = 0;
    require(i != NULL);
    for (*ret = 0; *ret >= 0 && n < OUTPUT_MAX;) {
        struct slice piece = slice_sub(in, 0, step_in);
        size_t offered = piece.len;
        size_t room = OUTPUT_MAX - n < step_out ? OUTPUT_MAX - n : step_out;
        *ret = inflate_some(i, &piece, out + n, room);
        require(*ret <= (ssize_t)room && piece.len <= offered);
        in = slice_sub(in, offered - piece.len, in.len);
        if (*ret > 0)
            n += (size_t)*ret;
        if (*ret == 0 && piece.len == offered)
            break;
    }
    if (*ret < 0) {
        struct slice none = {NULL, 0};
        char c;
        require(inflate_some(i, &none, &c, 1) == *ret && !inflate_is_whole(i));
    }
    inflate_free(&i);
    return n;
}

/* see head comment */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char whole[OUTPUT_MAX], cut[OUTPUT_MAX];
    ssize_t whole_result, cut_result;
    if (size < 2)
        return 0;
    enum inflate_kind kind = data[0] & 1 ? INFLATE_ZSTD : INFLATE_GZIP;
    size_t step = (size_t)data[1] + 1;
    struct slice in = slice_of((const char *)data + 2, size - 2);
    size_t n = run(kind, in, SIZE_MAX, OUTPUT_MAX, whole, &whole_result);
    size_t m = run(kind, in, step, step * 7, cut, &cut_result);
    require(memcmp(whole, cut, n < m ? n : m) == 0);
    if (n < OUTPUT_MAX && m < OUTPUT_MAX && whole_result == 0 && cut_result == 0)
        require(n == m);
    return 0;
}
