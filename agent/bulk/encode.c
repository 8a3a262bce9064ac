/*
 * bulk/encode - one line to one item, copied once
 *
 * An encode_file holds four constant texts; encode_line writes them with the varying parts between
 * them straight into the batch. Names in the constants (paths, fields) are escaped when they are
 * built, so whatever a file is called the body stays valid NDJSON.
 */
#include <assert.h>
#include <string.h>

#include "base/date.h"
#include "base/escape.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/num.h"
#include "bulk/encode_internal.h"

/* Constants are made from configuration and one path (PATH_MAX, escaped). */
#define CONSTANT_MAX ((size_t)256 * 1024)

/* everything that varies but the text itself: id, time, two numbers, flags, punctuation */
#define VARYING_MAX 384

/* objects that a field's name makes; what is deeper stays dotted, which the server takes as well */
#define FIELD_DEPTH 16

/* up to the path, which stands in quotes */
#define BEFORE_PATH "\",\"log\":{\"file\":{\"path\":"

/* constant texts */
#define PARTS 4

/* one dotted-free member object: ,"key":{ */
static void open_member(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_object(w);
}

/* data_stream.* */
static void write_data_stream(struct json_writer *w, const char *type,
                              const struct encode_input *input)
{
    open_member(w, "data_stream");
    json_key(w, "type");
    json_cstring(w, type);
    json_key(w, "dataset");
    json_cstring(w, input->dataset);
    json_key(w, "namespace");
    json_cstring(w, input->namespace);
    json_end_object(w);
}

/* agent.* */
static void write_agent(struct json_writer *w, const struct encode_agent *agent)
{
    open_member(w, "agent");
    json_key(w, "type");
    json_cstring(w, "wherry");
    json_key(w, "version");
    json_cstring(w, agent->version);
    json_key(w, "id");
    json_cstring(w, agent->id);
    json_key(w, "name");
    json_cstring(w, agent->host_name);
    json_end_object(w);
}

/* an object with one string member */
static void write_single(struct json_writer *w, const char *object, const char *key,
                         const char *value)
{
    open_member(w, object);
    json_key(w, key);
    json_cstring(w, value);
    json_end_object(w);
}

/* the host, by its name in the profile */
static void write_host(struct json_writer *w, const struct encode_agent *agent, enum profile p)
{
    if (p == PROFILE_DEFAULT) {
        write_single(w, "host", "name", agent->host_name);
        return;
    }
    json_key(w, log_field_name(&log_fields[LOG_FIELD_HOST], p));
    json_cstring(w, agent->host_name);
}

/* length of a name's next component, and whether another one follows */
static size_t component(const char *name, unsigned depth, bool *ret_deeper)
{
    const char *dot = depth < FIELD_DEPTH ? strchr(name, '.') : NULL;
    *ret_deeper = dot != NULL;
    return dot == NULL ? strlen(name) : (size_t)(dot - name);
}

/* whether one of the first n names begins with the given bytes, so that it was written already */
static bool is_written(const struct config_pair *fields, size_t n, const char *begin, size_t bytes)
{
    for (size_t i = 0; i < n; i++)
        if (strncmp(fields[i].name, begin, bytes) == 0)
            return true;
    return false;
}

/* The fields whose names begin with the `at` first bytes of first->name, as members of the object
 * that is open; a component shared by several becomes one object. */
static void write_fields(struct json_writer *w, const struct config_pair *fields, size_t n,
                         const struct config_pair *first, size_t at, unsigned depth)
{
    for (size_t i = 0; i < n; i++) {
        bool deeper;
        const char *name = fields[i].name;
        if (strncmp(name, first->name, at) != 0)
            continue;
        size_t bytes = component(name + at, depth, &deeper);
        if (deeper && is_written(fields, i, name, at + bytes + 1))
            continue;
        json_key_slice(w, slice_of(name + at, bytes));
        if (!deeper) {
            json_cstring(w, fields[i].value);
            continue;
        }
        json_object(w);
        write_fields(w, fields, n, &fields[i], at + bytes + 1, depth + 1);
        json_end_object(w);
    }
}

/* where it goes, and event.dataset */
static void write_dataset(struct json_writer *w, const struct encode_input *input)
{
    if (!input->plain_index)
        write_data_stream(w, "logs", input);
    write_single(w, "event", "dataset", input->dataset);
}

/* option `fields` */
static void write_all_fields(struct json_writer *w, const struct encode_input *input)
{
    json_object(w);
    write_fields(w, input->fields, input->field_count, input->fields, 0, 0);
    json_end_object(w);
}

/* option `tags` */
static void write_tags(struct json_writer *w, const struct encode_input *input)
{
    json_array(w);
    for (size_t i = 0; i < input->tag_count; i++)
        json_cstring(w, input->tags[i]);
    json_end_array(w);
}

/* those that are given */
static void write_own_fields(struct json_writer *w, const struct encode_input *input)
{
    if (input->field_count > 0) {
        json_key(w, "fields");
        write_all_fields(w, input);
    }
    if (input->tag_count > 0) {
        json_key(w, "tags");
        write_tags(w, input);
    }
}

/* the constant members in the order of the document */
static void write_constants(struct json_writer *w, const struct encode_agent *agent,
                            const struct encode_input *input)
{
    if (input->parts & PART_DATASET)
        write_dataset(w, input);
    if (input->parts & PART_HOST)
        write_host(w, agent, input->profile);
    if (input->parts & PART_AGENT)
        write_agent(w, agent);
    if (input->parts & PART_ECS)
        write_single(w, "ecs", "version", ENCODE_ECS_VERSION);
    if (input->parts & PART_INPUT)
        write_single(w, "input", "type", input->input_type);
    write_own_fields(w, input);
}

/* Appends `"` and the constants, each with its comma, and the closing brace and newline. */
static int build_after_text(struct buf *out, const struct encode_agent *agent,
                            const struct encode_input *input)
{
    struct buf object;
    struct json_writer w;
    buf_init(&object, CONSTANT_MAX);
    json_begin(&w, &object);
    json_object(&w);
    write_constants(&w, agent, input);
    json_end_object(&w);
    int r = json_done(&w);
    /* {"a":1} -> ","a":1}\n and {} -> "}\n */
    if (r == 0)
        r = buf_add_str(out, object.len > 2 ? "\"," : "\"");
    if (r == 0)
        r = buf_add(out, object.ptr + 1, object.len - 1);
    if (r == 0)
        r = buf_add_byte(out, '\n');
    buf_clear(&object);
    return r;
}

/* Where a part of the text begins and ends, until the text has its final place. */
struct part {
    size_t from, to;
};

/* the action line up to the offset in the id; the request's URL names the index */
static int build_action(struct buf *out, const struct encode_input *input,
                        const struct generation *gen)
{
    char id[DOCID_GENERATION_CHARS];
    if (input->auto_ids)
        return buf_add_str(out, "{\"create\":{}}\n");
    generation_write(id, gen);
    int r = buf_add_str(out, "{\"create\":{\"_id\":\"");
    if (r == 0)
        r = buf_add(out, id, sizeof(id));
    return r;
}

/* up to the path's end */
static int build_before_flags(struct buf *out, struct slice path)
{
    uint64_t bad = 0;
    int r = buf_add_str(out, BEFORE_PATH "\"");
    if (r == 0)
        r = json_escape(out, path, &bad);
    if (r == 0)
        r = buf_add_str(out, "\"}");
    return r;
}

/* all texts one after the other */
static int build_text(struct buf *out, struct part parts[PARTS], const struct encode_agent *agent,
                      const struct encode_input *input, struct slice path,
                      const struct generation *gen)
{
    int r = 0;
    for (int i = 0; i < PARTS && r == 0; i++) {
        parts[i].from = out->len;
        if (i == 0)
            r = build_action(out, input, gen);
        else if (i == 1)
            r = build_before_flags(out, path);
        else if (i == 2)
            r = buf_add_str(out, "},\"message\":\"");
        else
            r = build_after_text(out, agent, input);
        parts[i].to = out->len;
    }
    return r;
}

/* see header */
COLD struct encode_file *encode_file_new(const struct encode_agent *agent,
                                         const struct encode_input *input, struct slice path,
                                         const struct generation *gen)
{
    struct buf text;
    struct part parts[PARTS];
    buf_init(&text, 2 * CONSTANT_MAX);
    int r = build_text(&text, parts, agent, input, path, gen);
    /* the option table keeps fields below the limit, and a path is at most PATH_MAX long */
    assert(r == 0);
    (void)r;
    struct encode_file *f = mem_zalloc(sizeof(*f) + text.len);
    memcpy(f->text, text.ptr, text.len);
    buf_clear(&text);
    f->parts = input->parts;
    f->auto_ids = input->auto_ids;
    f->both_times = input->profile == PROFILE_ISP;
    struct slice *slots[PARTS] = {&f->action, &f->before_flags, &f->before_text, &f->after_text};
    for (int i = 0; i < PARTS; i++)
        *slots[i] = slice_of(f->text + parts[i].from, parts[i].to - parts[i].from);
    f->path = slice_sub(f->before_flags, sizeof(BEFORE_PATH) - 1, SIZE_MAX);
    f->path.len--; /* the brace behind it */
    return f;
}

/* see header */
void encode_file_free(struct encode_file **f)
{
    mem_free(*f);
    *f = NULL;
}

/* constants of one item */
static size_t constant_bytes(const struct encode_file *f)
{
    return f->action.len + f->before_flags.len + f->before_text.len + f->after_text.len;
}

/* one escape in sixteen bytes is a common log line */
size_t encode_likely(const struct encode_file *f, size_t text_bytes)
{
    return constant_bytes(f) + VARYING_MAX / 2 + text_bytes + text_bytes / 16;
}

/* every byte a control character */
size_t encode_worst(const struct encode_file *f, size_t text_bytes)
{
    return constant_bytes(f) + VARYING_MAX + ESCAPE_WORST(text_bytes);
}

/* copies a slice */
static char *put(char *p, struct slice s)
{
    memcpy(p, s.ptr, s.len);
    return p + s.len;
}

/* copies a literal */
#define PUT_LIT(p, s) put((p), SLICE_LIT(s))

/* the rest of the id and of the action line */
static char *put_action(char *p, const struct encode_file *f, const struct encode_line *line)
{
    p = put(p, f->action);
    if (f->auto_ids)
        return p;
    if (line->generation != NULL)
        generation_write(p - DOCID_GENERATION_CHARS, line->generation);
    docid_write_offset(p, line->offset);
    p += DOCID_OFFSET_DIGITS;
    if (line->open_end) {
        *p++ = '-';
        p += num_write_u64(p, line->source_bytes);
    }
    return PUT_LIT(p, ENCODE_ACTION_END);
}

/* ["truncated",...] */
static char *put_flags(char *p, unsigned flags)
{
    static const struct {
        unsigned bit;
        struct slice name;
    } names[] = {
        {ENCODE_TRUNCATED, {"\"truncated\",", 12}},
        {ENCODE_PARTIAL, {"\"partial\",", 10}},
        {ENCODE_MULTILINE, {"\"multiline\",", 12}},
        {ENCODE_UNDATED, {"\"undated\",", 10}},
    };
    *p++ = '[';
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (flags & names[i].bit)
            p = put(p, names[i].name);
    p[-1] = ']';
    return p;
}

/* ,"stream":"...","error":{"message":"..."} behind the object log, whose brace is still to come */
static char *put_origin(char *p, const struct encode_line *line)
{
    *p++ = '}';
    if (line->stream != NULL) {
        p = PUT_LIT(p, ENCODE_STREAM);
        p = put(p, slice_str(line->stream));
        *p++ = '"';
    }
    if (line->error != NULL) {
        p = PUT_LIT(p, ",\"error\":{\"message\":\"");
        p = put(p, slice_str(line->error));
        p = PUT_LIT(p, "\"}");
    }
    return p;
}

/* the document line */
static char *put_document(char *p, const struct encode_file *f, const struct encode_line *line,
                          uint64_t *bad)
{
    p = PUT_LIT(p, ENCODE_TIME);
    p = put(p, line->time);
    if (f->both_times)
        p = put(PUT_LIT(p, "\",\"timestamp\":\""), line->time);
    p = put(p, f->before_flags);
    if (f->parts & PART_OFFSET) {
        p = PUT_LIT(p, ENCODE_OFFSET);
        p += num_write_u64(p, line->offset);
    }
    if (line->flags != 0)
        p = put_flags(PUT_LIT(p, ",\"flags\":"), line->flags);
    if (line->stream == NULL && line->error == NULL)
        p = put(p, f->before_text);
    else
        p = put(put_origin(p, line), slice_sub(f->before_text, 1, SIZE_MAX));
    p += escape_json(p, line->text.ptr, line->text.len, bad);
    return put(p, f->after_text);
}

/* the item that ends at `end` */
static void commit(struct batch *b, const struct encode_line *line, uint16_t span, char *document,
                   char *end)
{
    char *start = b->body + b->body_bytes;
    struct batch_item item = {
        .at = (uint32_t)b->body_bytes,
        .action_bytes = (uint32_t)(document - start),
        .bytes = (uint32_t)(end - start),
        .source_bytes = line->source_bytes,
        .source_lines = line->source_lines,
        .span = span,
        .spans = 1,
    };
    batch_commit_item(b, &item);
}

/* see header */
uint64_t encode_line(struct batch *b, const struct encode_file *f, const struct encode_line *line,
                     uint16_t span)
{
    uint64_t bad = 0;
    char *document = put_action(b->body + b->body_bytes, f, line);
    char *end = put_document(document, f, line, &bad);
    commit(b, line, span, document, end);
    return bad;
}

/* makes what was written the constant of a document, and the buffer ready for the next one */
static void end_constant(struct document *d, enum log_field_id id, struct json_writer *w)
{
    int r = json_done(w);
    assert(r == 0); /* as in encode_file_new */
    (void)r;
    document_constant(d, id, buf_slice(w->out));
    buf_reset(w->out);
    json_begin(w, w->out);
}

/* see header */
COLD struct document *encode_document_new(const struct encode_agent *agent,
                                          const struct encode_input *input, document_time_fn time)
{
    struct document *d = document_new(input->profile, time);
    unsigned stream = input->plain_index ? 0 : PART_DATASET;
    const struct {
        unsigned part;
        enum log_field_id id;
        const char *value;
    } texts[] = {
        {stream, LOG_FIELD_STREAM_TYPE, "logs"},
        {stream, LOG_FIELD_STREAM_DATASET, input->dataset},
        {stream, LOG_FIELD_STREAM_NAMESPACE, input->namespace},
        {PART_DATASET, LOG_FIELD_EVENT_DATASET, input->dataset},
        {PART_HOST, LOG_FIELD_HOST, agent->host_name},
        {PART_AGENT, LOG_FIELD_AGENT_TYPE, "wherry"},
        {PART_AGENT, LOG_FIELD_AGENT_VERSION, agent->version},
        {PART_AGENT, LOG_FIELD_AGENT_ID, agent->id},
        {PART_AGENT, LOG_FIELD_AGENT_NAME, agent->host_name},
        {PART_ECS, LOG_FIELD_ECS, ENCODE_ECS_VERSION},
        {PART_INPUT, LOG_FIELD_INPUT, input->input_type},
    };
    struct buf json;
    struct json_writer w;
    buf_init(&json, CONSTANT_MAX);
    json_begin(&w, &json);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if ((input->parts & texts[i].part) == 0)
            continue;
        json_cstring(&w, texts[i].value);
        end_constant(d, texts[i].id, &w);
    }
    if (input->field_count > 0) {
        write_all_fields(&w, input);
        end_constant(d, LOG_FIELD_FIELDS, &w);
    }
    if (input->tag_count > 0) {
        write_tags(&w, input);
        end_constant(d, LOG_FIELD_TAGS, &w);
    }
    buf_clear(&json);
    return d;
}

/* see header */
void encode_document_begin(struct document *d, const struct encode_line *line)
{
    document_reset(d);
    if (line->stream != NULL)
        document_set(d, LOG_FIELD_STREAM,
                     slice_eq_str(slice_str(line->stream), "stdout") ? SLICE_LIT("\"stdout\"")
                                                                     : SLICE_LIT("\"stderr\""));
}

/* see header */
size_t encode_document_bytes(const struct encode_file *f, const struct document *d)
{
    return f->action.len + f->path.len + VARYING_MAX + document_bytes(d);
}

/* see header */
void encode_document(struct batch *b, const struct encode_file *f, const struct encode_line *line,
                     struct document *d, uint16_t span)
{
    char offset[20], flags[64], time[ENCODE_TIME_MAX + 2];
    unsigned bits = line->flags | (document_is_undated(d) ? ENCODE_UNDATED : 0);
    document_set(d, LOG_FIELD_PATH, f->path);
    if (f->parts & PART_OFFSET)
        document_set(d, LOG_FIELD_OFFSET, slice_of(offset, num_write_u64(offset, line->offset)));
    if (bits != 0)
        document_set(d, LOG_FIELD_FLAGS, slice_of(flags, (size_t)(put_flags(flags, bits) - flags)));
    if (!document_is_dated(d)) {
        char *end = put(PUT_LIT(time, "\""), line->time);
        document_set(d, LOG_FIELD_TIME, slice_of(time, (size_t)(PUT_LIT(end, "\"") - time)));
    }
    char *document = put_action(b->body + b->body_bytes, f, line);
    char *end = document_write(d, document);
    *end++ = '\n';
    commit(b, line, span, document, end);
    document_reset(d); /* what it borrows ends here */
}
