/*
 * tail/decoded - lines of container logs to records
 *
 * The text of a whole line is given from where it was read. A line that is none of the format goes
 * as it is, with the reason.
 */
#include "framing_internal.h"
#include "joins_internal.h"
#include "pass.h"

/* see pass.h */
bool decoded_take(struct pass *p, struct pass_record *r)
{
    struct decode_line line;
    r->error = framing_decode(p->f, r->text, &line);
    if (r->error != NULL)
        return pass_give(p, r);
    r->text = line.text;
    r->time = line.time;
    r->stream = decode_stream_name(line.stream);
    if (line.partial || joins_is_open(p->f, line.stream))
        return joins_add(p, r, &line);
    return pass_give(p, r);
}

/* a whole line of the CRI format that ends no open record */
static bool cut_cri(void *ctx, struct slice bytes, struct encode_cut *ret)
{
    struct decode_line line;
    if (decode_cri(bytes, &line) != NULL || line.partial || joins_is_open(ctx, line.stream))
        return false;
    *ret = (struct encode_cut){line.text, line.time, decode_stream_name(line.stream)};
    return true;
}

/* see pass.h */
bool decoded_may_run(const struct file *f, encode_cut_fn *ret_cut)
{
    *ret_cut = NULL;
    if (f->extra->framing == NULL)
        return true;
    *ret_cut = cut_cri;
    return f->extra->framing->format == TAIL_FORMAT_CRI &&
           f->extra->framing->charset == CHARSET_UTF8;
}

/* The line of `length` bytes at pos, if it is part of an open record. False: no memory. */
static bool take_part(struct pass *p, size_t length, size_t take, bool cut)
{
    struct decode_line line;
    struct pass_record r = lines_record(p, length);
    r.take = take;
    r.flags = cut ? ENCODE_TRUNCATED : 0;
    if (framing_decode(p->f, r.text, &line) != NULL)
        return true;
    return joins_take_again(p, &r, &line);
}

/* see pass.h: lines end as they did then, and where reading had come to */
bool decoded_take_again(struct pass *p)
{
    uint64_t until = p->end < p->taken_to ? p->end : p->taken_to;
    size_t left = (size_t)(until - p->pos);
    size_t limit = p->input->max_bytes - p->input->max_bytes % p->unit;
    struct slice rest = slice_of(pass_at(p, p->pos), left - left % p->unit);
    size_t length = framing_find_end(p->f, rest);
    bool found = length < rest.len, rest_of_line = p->oversize;
    bool cut = !rest_of_line && length > limit;
    if (until < p->taken_to && !found && !cut && (rest.len == 0 || !rest_of_line))
        return false;
    if (cut)
        length = limit;
    size_t take = found && !cut ? length + p->unit : length;
    if (!rest_of_line && !take_part(p, length, take, cut)) {
        p->blocked = true;
        return false;
    }
    p->oversize = cut || (rest_of_line && !found);
    p->pos = rest.len > 0 ? p->pos + take : p->taken_to;
    if (p->pos == p->taken_to)
        p->oversize = joins_was_oversize(p->f);
    return true;
}
