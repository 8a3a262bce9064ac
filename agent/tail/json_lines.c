/*
 * tail/json_lines - JSON objects to documents
 *
 * The decoder gives members to the document; neither knows the other. A record that was cut, or is
 * none of its container's format, goes as it is.
 */
#include "json_lines_internal.h"

#include "base/mem.h"
#include "decode/decode.h"
#include "tail_internal.h"

struct json_lines {
    struct document *document;
    struct decode_json *decode;
};

_Static_assert(DOCUMENT_TIME_MAX >= DECODE_TIME_MAX, "a time of a line fits");

/* see header */
void json_lines_setup(struct tail *t)
{
    json_lines_teardown(t);
    t->json = mem_zalloc_array(t->opts.input_count, sizeof(*t->json));
    t->json_count = t->opts.input_count;
    for (size_t i = 0; i < t->json_count; i++) {
        const struct tail_input *input = &t->opts.inputs[i];
        if (input->json == TAIL_JSON_OFF)
            continue;
        struct document *d = encode_document_new(t->opts.agent, &input->encode, decode_timestamp);
        struct decode_json_sink sink = {document_place, document_member, d};
        t->json[i].document = d;
        t->json[i].decode = decode_json_new(tail_text_max(input), &sink);
    }
}

/* see header */
void json_lines_teardown(struct tail *t)
{
    for (size_t i = 0; i < t->json_count; i++) {
        decode_json_free(&t->json[i].decode);
        document_free(&t->json[i].document);
    }
    mem_free(t->json);
    t->json = NULL;
    t->json_count = 0;
}

/* see header */
struct document *json_lines_take(const struct file *f, struct encode_line *line)
{
    enum tail_json json = tail_input_of(f)->json;
    const struct json_lines *j = &f->tail->json[f->input];
    if (line->error != NULL || (json == TAIL_JSON_AUTO && !decode_is_json(line->text)))
        return NULL;
    encode_document_begin(j->document, line);
    line->error = decode_json(j->decode, line->text);
    return line->error == NULL ? j->document : NULL;
}
