/*
 * decode/time - recognising the times that container runtimes write
 *
 * Date and time of day are three words of eight bytes; digits and punctuation of a word are checked
 * at once. What a server would refuse, such as February 30 or a leap second, is no time. Nothing
 * can fail.
 */
#include <stdint.h>
#include <string.h>

#include "decode/decode.h"

#define BYTES(x) (UINT64_C(0x0101010101010101) * (x))

/* Eight bytes: what they must be, with '0' where any digit may stand, and where that is. */
struct form {
    unsigned char text[8], digits[8];
};

#define D 0xff /* a digit */

static const struct form date_form = {"0000-00-", {D, D, D, D, 0, D, D, 0}},
                         both_form = {"00T00:00", {D, D, 0, D, D, 0, D, D}},
                         time_form = {"00:00:00", {D, D, 0, D, D, 0, D, D}},
                         digits_form = {"00000000", {D, D, D, D, D, D, D, D}};

/* whether eight bytes are of a form */
static bool has_form(const char *p, const struct form *form)
{
    uint64_t word, want, digits;
    memcpy(&word, p, sizeof(word));
    memcpy(&want, form->text, sizeof(want));
    memcpy(&digits, form->digits, sizeof(digits));
    uint64_t rest = word ^ want;
    if ((rest & ~digits) != 0)
        return false;
    return ((rest | (rest + (BYTES(6) & digits))) & BYTES(0xf0)) == 0;
}

/* the number of two digits */
static unsigned two(const char *p)
{
    return (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
}

/* whether a date with digits in all places exists */
static bool is_date(const char *p)
{
    static const unsigned char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned month = two(p + 5), day = two(p + 8);
    if (month < 1 || month > 12 || day < 1 || day > days[month - 1])
        return false;
    unsigned century = two(p), year = two(p + 2);
    bool leap = year % 4 == 0 && (year != 0 || century % 4 == 0);
    return month != 2 || day < 29 || leap;
}

/* length of .digits, one to nine of them; 0: none; SIZE_MAX: too many or too few */
static size_t fraction(struct slice s)
{
    size_t n = 1;
    if (s.len == 0 || s.ptr[0] != '.')
        return 0;
    if (s.len > 8 && has_form(s.ptr + 1, &digits_form))
        n = 9;
    while (n < s.len && n <= 10 && s.ptr[n] >= '0' && s.ptr[n] <= '9')
        n++;
    return n > 1 && n <= 10 ? n : SIZE_MAX;
}

/* length of Z or +01:00; 0: neither */
static size_t zone(struct slice s)
{
    if (s.len > 0 && s.ptr[0] == 'Z')
        return 1;
    if (s.len < 6 || (s.ptr[0] != '+' && s.ptr[0] != '-') || s.ptr[3] != ':')
        return 0;
    for (unsigned i = 1; i < 6; i++)
        if (i != 3 && (s.ptr[i] < '0' || s.ptr[i] > '9'))
            return 0;
    unsigned minutes = two(s.ptr + 1) * 60 + two(s.ptr + 4);
    return minutes <= 18 * 60 && two(s.ptr + 4) < 60 ? 6 : 0;
}

/* see header */
size_t decode_time(struct slice text)
{
    const char *p = text.ptr;
    if (text.len < 20 || !has_form(p, &date_form) || !has_form(p + 8, &both_form) ||
        !has_form(p + 11, &time_form))
        return 0;
    if (!is_date(p) || two(p + 11) > 23 || two(p + 14) > 59 || two(p + 17) > 59)
        return 0;
    size_t decimals = fraction(slice_sub(text, 19, SIZE_MAX));
    if (decimals == SIZE_MAX)
        return 0;
    size_t tail = zone(slice_sub(text, 19 + decimals, SIZE_MAX));
    return tail == 0 ? 0 : 19 + decimals + tail;
}

/* see header */
const char *decode_stream_name(enum decode_stream s)
{
    return s == DECODE_STDOUT ? "stdout" : "stderr";
}
