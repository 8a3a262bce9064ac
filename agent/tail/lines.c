/*
 * tail/lines - bytes to lines
 *
 * A line ends at its newline, without the CR before it. One that is longer than max_bytes is cut
 * there, and the rest up to its newline is passed over, so that memory is bounded whatever a file
 * holds. Empty lines are passed over. A byte order mark at the start of a file is no text.
 */
#include <string.h>

#include "pass.h"

/* the text of a line that stands at pos in `length` bytes without its newline */
static struct slice text_of(const struct pass *p, size_t length)
{
    static const char mark[] = "\xef\xbb\xbf";
    struct slice text = slice_of(pass_at(p, p->pos), length);
    if (p->pos == 0 && slice_starts(text, SLICE_LIT(mark)))
        text = slice_sub(text, sizeof(mark) - 1, SIZE_MAX);
    return text;
}

/* the rest of an oversize line, up to and with its line end */
static bool skip_oversize(struct pass *p)
{
    const char *here = pass_at(p, p->pos);
    size_t left = (size_t)(p->end - p->pos);
    const char *newline = memchr(here, '\n', left);
    size_t take = newline == NULL ? left : (size_t)(newline - here) + 1;
    if (!pass_skip(p, SKIP_OVERSIZE_TAIL, take, 0))
        return false;
    p->oversize = newline == NULL;
    return true;
}

/* the first max_bytes of a line that is longer */
static bool take_cut(struct pass *p)
{
    struct pass_record r = {
        .take = p->input->max_bytes, .flags = ENCODE_TRUNCATED, .open_end = true};
    r.text = text_of(p, r.take);
    if (!pass_emit(p, &r))
        return false;
    p->oversize = true;
    return true;
}

/* one whole line whose newline stands `length` bytes behind pos */
static bool take_line(struct pass *p, size_t length)
{
    if (length > p->input->max_bytes)
        return take_cut(p);
    struct pass_record r = {.text = text_of(p, length), .take = length + 1};
    if (r.text.len > 0 && r.text.ptr[r.text.len - 1] == '\r')
        r.text.len--;
    if (r.text.len == 0)
        return pass_skip(p, SKIP_EMPTY, r.take, 1);
    return pass_emit(p, &r);
}

/* what stands before padding, a line that has lost its end; then the padding */
static bool take_cut_off(struct pass *p)
{
    struct pass_record r = {.take = (size_t)(p->padding - p->pos), .open_end = true};
    if (r.take > p->input->max_bytes)
        return take_cut(p);
    r.text = text_of(p, r.take);
    if (r.take > 0 && !pass_emit(p, &r))
        return false;
    return padding_skip(p);
}

/* see pass.h */
void lines_take(struct pass *p)
{
    while (p->pos < p->end && !p->blocked) {
        if (p->oversize) {
            if (!skip_oversize(p))
                return;
            continue;
        }
        const char *here = pass_at(p, p->pos);
        size_t left = (size_t)(p->end - p->pos);
        const char *newline = memchr(here, '\n', left);
        uint64_t end = newline == NULL ? p->end : p->pos + (uint64_t)(newline - here);
        if (padding_is_before(p, end)) {
            if (!take_cut_off(p))
                return;
            continue;
        }
        if (newline == NULL && left <= p->input->max_bytes)
            return;
        if (!take_line(p, newline == NULL ? left : (size_t)(newline - here)))
            return;
    }
}

/* see pass.h */
void lines_take_rest(struct pass *p)
{
    if (p->blocked || p->pos >= p->end || p->oversize)
        return;
    struct pass_record r = {.take = (size_t)(p->end - p->pos), .open_end = true};
    r.text = text_of(p, r.take);
    if (r.text.len == 0)
        (void)pass_skip(p, SKIP_EMPTY, r.take, 1);
    else
        (void)pass_emit(p, &r);
}
