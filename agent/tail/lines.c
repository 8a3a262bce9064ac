/*
 * tail/lines - bytes to lines
 *
 * A line ends at its newline, without the CR before it. One that is longer than max_bytes is cut
 * there, and the rest up to its newline is passed over, so that memory is bounded whatever a file
 * holds. Empty lines are passed over. A byte order mark at the start of a file is no text.
 */
#include "framing_internal.h"
#include "pass.h"

/* the bytes that are there, in whole code units */
static struct slice rest_of(const struct pass *p)
{
    size_t left = (size_t)(p->end - p->pos);
    return slice_of(pass_at(p, p->pos), left - left % p->unit);
}

/* see pass.h */
struct pass_record lines_record(const struct pass *p, size_t length)
{
    struct pass_record r = {.take = length, .offset = p->pos, .lines = 1};
    r.text = framing_text(p->f, p->pos, slice_of(pass_at(p, p->pos), length), &r.bad);
    return r;
}

/* the rest of an oversize line, up to and with its line end */
static bool skip_oversize(struct pass *p)
{
    struct slice rest = rest_of(p);
    size_t length = framing_find_end(p->f, rest);
    bool found = length < rest.len;
    if (!pass_skip(p, SKIP_OVERSIZE_TAIL, found ? length + p->unit : length, 0))
        return false;
    p->oversize = !found;
    return true;
}

/* see pass.h */
bool pass_give(struct pass *p, struct pass_record *r)
{
    if (!r->open_end && r->text.len > 0 && r->text.ptr[r->text.len - 1] == '\r')
        r->text.len--;
    if (r->text.len == 0)
        return pass_skip(p, SKIP_EMPTY, r->take, r->lines);
    return pass_emit(p, r);
}

/* gives a line in the way of its file */
static bool take_record(struct pass *p, struct pass_record *r)
{
    return framing_is_decoded(p->f) ? decoded_take(p, r) : pass_give(p, r);
}

/* the first max_bytes of a line that is longer */
static bool take_cut(struct pass *p)
{
    size_t limit = p->input->max_bytes;
    struct pass_record r = lines_record(p, limit - limit % p->unit);
    r.flags = ENCODE_TRUNCATED;
    r.open_end = true;
    if (!take_record(p, &r))
        return false;
    p->oversize = true;
    return true;
}

/* one whole line whose newline stands `length` bytes behind pos */
static bool take_line(struct pass *p, size_t length)
{
    if (length > p->input->max_bytes)
        return take_cut(p);
    struct pass_record r = lines_record(p, length);
    r.take += p->unit;
    return take_record(p, &r);
}

/* what stands before padding, a line that has lost its end; then the padding */
static bool take_cut_off(struct pass *p)
{
    size_t length = (size_t)(p->padding - p->pos);
    if (length > p->input->max_bytes)
        return take_cut(p);
    struct pass_record r = lines_record(p, length);
    r.open_end = true;
    if (r.take > 0 && !pass_emit(p, &r))
        return false;
    return padding_skip(p);
}

/* see pass.h */
void lines_take(struct pass *p)
{
    while (!p->blocked) {
        if (p->pos < p->taken_to) {
            if (!decoded_take_again(p))
                return;
            continue;
        }
        struct slice rest = rest_of(p);
        if (rest.len == 0)
            return;
        if (p->oversize) {
            if (!skip_oversize(p))
                return;
            continue;
        }
        if (pass_emit_run(p))
            continue;
        size_t length = framing_find_end(p->f, rest);
        /* where units are two bytes wide a NUL is half of most characters */
        if (p->unit == 1 && padding_is_before(p, p->pos + length)) {
            if (!take_cut_off(p))
                return;
            continue;
        }
        if (length == rest.len && length <= p->input->max_bytes)
            return;
        if (!take_line(p, length))
            return;
    }
}

/* see pass.h */
void lines_take_rest(struct pass *p)
{
    size_t length = rest_of(p).len;
    if (p->blocked || length == 0 || p->oversize || p->pos < p->taken_to)
        return;
    struct pass_record r = lines_record(p, length);
    r.open_end = true;
    (void)take_record(p, &r);
}
