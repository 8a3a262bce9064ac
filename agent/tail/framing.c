/*
 * tail/framing - what a file's bytes mean
 *
 * With `encoding: utf-16` the byte order mark at the head decides; it is read again when a file is
 * followed again, so the order need not be kept. Without a mark it is little-endian. A head that is
 * too short to tell is looked at again by the next read.
 *
 * With `format: auto` a file is a container log if its path or its first line says so. The first
 * line is looked at when it is whole; until then nothing of the file has been given.
 */
#include "framing_internal.h"

#include <string.h>

#include "base/mem.h"
#include "base/utf16.h"
#include "joins_internal.h"
#include "tail_internal.h"

#define UTF8_MARK "\xef\xbb\xbf"
#define MARK_MAX  3
#define HEAD_MAX  128 /* tells a line of the CRI format, and what is no container log */

/* makes the converter of a set, once */
static int add_charset(struct tail *t, enum charset_id id, struct err *e)
{
    if (id == CHARSET_UTF8 || t->charsets[id] != NULL)
        return 0;
    int r = charset_new(id, &t->charsets[id]);
    return r < 0 ? err_set_errno(e, r, "the C library's converter for an input's encoding") : 0;
}

/* whether a file of an input may be a log of docker's */
static bool may_be_docker(const struct tail_input *input)
{
    return input->format == TAIL_FORMAT_DOCKER ||
           (input->format == TAIL_FORMAT_AUTO && input->charset == CHARSET_UTF8);
}

/* see header */
COLD int framing_setup(struct tail *t, struct err *e)
{
    size_t longest = 0, longest_line = 0;
    for (size_t i = 0; i < t->opts.input_count; i++) {
        const struct tail_input *input = &t->opts.inputs[i];
        int r = add_charset(t, input->charset, e);
        if (r == 0 && input->charset_by_mark)
            r = add_charset(t, CHARSET_UTF16BE, e);
        if (r < 0)
            return r;
        if (input->charset != CHARSET_UTF8 && input->max_bytes > longest)
            longest = input->max_bytes;
        if (may_be_docker(input) && input->max_bytes > longest_line)
            longest_line = input->max_bytes;
    }
    if (longest_line > 0) {
        decode_docker_free(&t->docker);
        t->docker = decode_docker_new(charset_room(longest_line));
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
    decode_docker_free(&t->docker);
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

/* whether a path begins so */
static bool is_below(const char *path, const char *directory)
{
    return strncmp(path, directory, strlen(directory)) == 0;
}

/* What the first bytes of a file tell: the format, or AUTO when its first line must be seen whole.
 * whole: the first line ends within, or cannot grow any more. */
static enum tail_format format_of_head(const char *path, struct slice line, bool whole)
{
    static const char object[] = "{\"log\":\"";
    bool kubernetes = is_below(path, "/var/log/pods/") || is_below(path, "/var/log/containers/");
    if (is_below(path, "/var/lib/docker/containers/"))
        return TAIL_FORMAT_DOCKER;
    if (line.len == 0 && !whole)
        return TAIL_FORMAT_AUTO;
    if (kubernetes)
        return line.len > 0 && line.ptr[0] == '{' ? TAIL_FORMAT_DOCKER : TAIL_FORMAT_CRI;
    if (decode_is_cri(line))
        return TAIL_FORMAT_CRI;
    size_t known = line.len < sizeof(object) - 1 ? line.len : sizeof(object) - 1;
    bool digit = line.len > 0 && line.ptr[0] >= '0' && line.ptr[0] <= '9';
    if (memcmp(line.ptr, object, known) != 0 && (!digit || whole || line.len >= HEAD_MAX / 2))
        return TAIL_FORMAT_RAW;
    return whole && known < sizeof(object) - 1 ? TAIL_FORMAT_RAW : TAIL_FORMAT_AUTO;
}

/* The first line of a file in up to n bytes read to the shared buffer; *ret_whole: it is complete,
 * or will not grow. Negative errno. */
static int first_line(struct file *f, size_t n, struct slice *ret, bool *ret_whole)
{
    struct tail *t = f->tail;
    if (f->extra->stop_at < n)
        n = (size_t)f->extra->stop_at;
    ssize_t got = content_read_at(&f->content, t->buffer, n, 0);
    if (got < 0)
        return (int)got;
    struct slice head = slice_of(t->buffer, (size_t)got);
    size_t length = slice_find(head, '\n');
    *ret_whole = length < head.len || (uint64_t)got >= f->extra->stop_at ||
                 (size_t)got > tail_input_of(f)->max_bytes;
    *ret = slice_sub(head, 0, length);
    if (slice_starts(*ret, SLICE_LIT(UTF8_MARK)))
        *ret = slice_sub(*ret, sizeof(UTF8_MARK) - 1, SIZE_MAX);
    return 0;
}

/* Finds out the format of a file; AUTO: it cannot be told yet. */
COLD static int find_format(struct file *f, enum tail_format *ret)
{
    const struct tail_input *input = tail_input_of(f);
    struct slice line;
    bool whole;
    *ret = input->format == TAIL_FORMAT_AUTO && input->charset != CHARSET_UTF8 ? TAIL_FORMAT_RAW
                                                                               : input->format;
    if (*ret != TAIL_FORMAT_AUTO)
        return 0;
    int r = first_line(f, HEAD_MAX, &line, &whole);
    if (r < 0)
        return r;
    *ret = format_of_head(f->entry->path, line, whole);
    if (*ret != TAIL_FORMAT_AUTO || line.len == 0)
        return 0;
    r = first_line(f, input->max_bytes + HEAD_MAX, &line, &whole);
    if (r == 0 && whole)
        *ret = decode_is_docker(f->tail->docker, line) ? TAIL_FORMAT_DOCKER : TAIL_FORMAT_RAW;
    return r;
}

/* Finds out the character set of a file; *ret_sure: more bytes will not change it. */
COLD static int find_charset(struct file *f, enum charset_id *ret, bool *ret_sure)
{
    const struct tail_input *input = tail_input_of(f);
    char head[MARK_MAX];
    ssize_t n = 0;
    if (input->charset_by_mark)
        n = content_read_at(&f->content, head, sizeof(head), 0);
    if (n < 0)
        return (int)n;
    *ret = charset_of(input, slice_of(head, (size_t)n), ret_sure);
    return 0;
}

/* see header */
struct framing *framing_of(struct file *f)
{
    if (f->extra->framing == NULL) {
        extra_of(f)->framing = mem_zalloc(sizeof(*f->extra->framing));
        f->extra->framing->format = TAIL_FORMAT_RAW;
    }
    return f->extra->framing;
}

/* see header */
int framing_begin(struct file *f)
{
    enum tail_format format = TAIL_FORMAT_RAW;
    enum charset_id charset = CHARSET_UTF8;
    bool sure = false;
    if (f->framed)
        return 0;
    int r = find_charset(f, &charset, &sure);
    if (r == 0)
        r = find_format(f, &format);
    if (r < 0)
        return r;
    f->framed = sure && format != TAIL_FORMAT_AUTO;
    if (f->extra->framing == NULL && charset == CHARSET_UTF8 &&
        (format == TAIL_FORMAT_RAW || format == TAIL_FORMAT_AUTO))
        return 0;
    framing_of(f)->charset = charset;
    f->extra->framing->format = format == TAIL_FORMAT_AUTO ? TAIL_FORMAT_RAW : format;
    return 0;
}

/* see header */
bool framing_is_decoded(const struct file *f)
{
    return f->extra->framing != NULL && f->extra->framing->format != TAIL_FORMAT_RAW;
}

/* see header */
const char *framing_decode(struct file *f, struct slice line, struct decode_line *ret)
{
    if (f->extra->framing->format == TAIL_FORMAT_DOCKER)
        return decode_docker(f->tail->docker, line, ret);
    return decode_cri(line, ret);
}

/* see header */
void framing_end(struct file *f)
{
    if (f->extra->framing != NULL)
        joins_free(&f->extra->framing->joins);
    mem_free(f->extra->framing);
    if (f->extra->framing != NULL)
        extra_of(f)->framing = NULL;
    f->framed = false;
}

/* the set of a file */
static enum charset_id charset_in(const struct file *f)
{
    return f->extra->framing == NULL ? CHARSET_UTF8 : f->extra->framing->charset;
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
