/*
 * tail/framing - what a file's bytes mean
 *
 * With `encoding: utf-16` the byte order mark at the head decides; it is read again when a file is
 * followed again, so the order need not be kept. Without a mark it is little-endian. A head that is
 * too short to tell is looked at again by the next read.
 */
#include "framing_internal.h"

#include <string.h>

#include "base/mem.h"
#include "base/utf16.h"
#include "tail_internal.h"

#define UTF8_MARK "\xef\xbb\xbf"
#define MARK_MAX  3

/* makes the converter of a set, once */
static int add_charset(struct tail *t, enum charset_id id, struct err *e)
{
    if (id == CHARSET_UTF8 || t->charsets[id] != NULL)
        return 0;
    int r = charset_new(id, &t->charsets[id]);
    return r < 0 ? err_set_errno(e, r, "the C library's converter for an input's encoding") : 0;
}

/* see header */
int framing_setup(struct tail *t, struct err *e)
{
    size_t longest = 0;
    for (size_t i = 0; i < t->opts.input_count; i++) {
        const struct tail_input *input = &t->opts.inputs[i];
        int r = add_charset(t, input->charset, e);
        if (r == 0 && input->charset_by_mark)
            r = add_charset(t, CHARSET_UTF16BE, e);
        if (r < 0)
            return r;
        if (input->charset != CHARSET_UTF8 && input->max_bytes > longest)
            longest = input->max_bytes;
    }
    if (longest > 0) {
        mem_free(t->converted);
        t->converted = mem_zalloc(charset_room(longest));
    }
    return 0;
}

/* see header */
void framing_teardown(struct tail *t)
{
    for (size_t i = 0; i < CHARSET_COUNT; i++)
        charset_free(&t->charsets[i]);
    mem_free(t->converted);
}

/* The set that a head tells of; *ret_sure: it will not be another one when more is there. */
static enum charset_id charset_of(const struct tail_input *input, struct slice head, bool *ret_sure)
{
    *ret_sure = !input->charset_by_mark || head.len >= 2;
    if (input->charset_by_mark && slice_starts(head, SLICE_LIT("\xfe\xff")))
        return CHARSET_UTF16BE;
    return input->charset;
}

/* see header */
int framing_begin(struct file *f)
{
    const struct tail_input *input = tail_input_of(f);
    char head[MARK_MAX];
    ssize_t n = 0;
    if (f->framed)
        return 0;
    if (input->charset == CHARSET_UTF8) {
        f->framed = true;
        return 0;
    }
    if (input->charset_by_mark)
        n = content_read_at(&f->content, head, sizeof(head), 0);
    if (n < 0)
        return (int)n;
    if (f->framing == NULL)
        f->framing = mem_zalloc(sizeof(*f->framing));
    f->framing->charset = charset_of(input, slice_of(head, (size_t)n), &f->framed);
    return 0;
}

/* see header */
void framing_end(struct file *f)
{
    mem_free(f->framing);
    f->framing = NULL;
    f->framed = false;
}

/* the set of a file */
static enum charset_id charset_in(const struct file *f)
{
    return f->framing == NULL ? CHARSET_UTF8 : f->framing->charset;
}

/* length of the byte order mark that a text begins with */
static size_t mark_of(enum charset_id id, struct slice text)
{
    switch (id) {
    case CHARSET_UTF8:
        return slice_starts(text, SLICE_LIT(UTF8_MARK)) ? sizeof(UTF8_MARK) - 1 : 0;
    case CHARSET_UTF16LE:
        return slice_starts(text, SLICE_LIT("\xff\xfe")) ? 2 : 0;
    case CHARSET_UTF16BE:
        return slice_starts(text, SLICE_LIT("\xfe\xff")) ? 2 : 0;
    case CHARSET_LATIN1:
    case CHARSET_COUNT:
        break;
    }
    return 0;
}

/* see header */
struct slice framing_text(const struct file *f, uint64_t offset, struct slice bytes, uint64_t *bad)
{
    struct tail *t = f->tail;
    enum charset_id id = charset_in(f);
    if (offset == 0)
        bytes = slice_sub(bytes, mark_of(id, bytes), SIZE_MAX);
    if (id == CHARSET_UTF8)
        return bytes;
    return slice_of(t->converted, charset_to_utf8(t->charsets[id], t->converted, bytes, bad));
}

/* see header */
size_t framing_unit(const struct file *f)
{
    return charset_unit(charset_in(f));
}

/* see header */
size_t framing_find_end(const struct file *f, struct slice bytes)
{
    if (framing_unit(f) == 2)
        return utf16_find(bytes, charset_in(f) == CHARSET_UTF16BE, '\n');
    const char *newline = memchr(bytes.ptr, '\n', bytes.len);
    return newline == NULL ? bytes.len : (size_t)(newline - bytes.ptr);
}
