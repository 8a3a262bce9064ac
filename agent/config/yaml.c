/*
 * config/yaml - YAML text to settings
 *
 * A stack of frames follows the open maps and lists; `path` is the key of the node at hand and is
 * cut back when a node ends. Dotted keys are not split: appending "path.data" to "" gives the same
 * path as "path" and then "data".
 *
 * A node that may not be used (duplicate key, bad key, alias) is *muted*: it and all inside it is
 * read over, so that mistakes behind it are found in the same run.
 *
 * Invariants: 1. depth <= YAML_READ_DEPTH. 2. path.len <= YAML_READ_KEY_MAX. 3. at most
 * YAML_READ_VALUES_MAX settings. With these, memory is bounded by the size of the text.
 * Fails (stops reading) on syntax errors, a second document and those limits.
 */
#include "config/yaml.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <yaml.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"

/* one open map or list */
struct frame {
    bool is_map;
    bool muted;
    bool stands_for_key; /* it is a (refused) key of the map below it */
    bool has_key;        /* map: the key was read, its value comes next */
    bool mute_value;     /* map: that value is not to be used */
    unsigned serial;     /* tells two maps of the same path apart */
    size_t path_len;     /* of the path of this node */
    size_t next_item;    /* list: index of the next element */
    size_t setting;      /* index of its setting, when not muted */
    struct config_place key_at;
};

/* a key that was given, for finding it again */
struct seen {
    struct map_node node;
    char *path;
    bool is_map;
    unsigned serial; /* of the map that held it */
    struct config_place at;
};

struct reader {
    const struct yaml_opts *opts;
    struct settings *out;
    struct config_errors *errors;
    struct buf path;
    struct buf text;
    struct map seen;
    struct frame frames[YAML_READ_DEPTH];
    size_t depth;
    unsigned serials;
    unsigned documents;
    size_t values;
};

/* a place in the text */
static struct config_place place_of(const struct reader *r, yaml_mark_t mark)
{
    return (struct config_place){
        .file = r->opts->file,
        .line = (unsigned)mark.line + 1,
        .column = (unsigned)mark.column + 1,
    };
}

/* compares the path of a seen key */
static bool seen_eq(const struct map_node *node, const void *key)
{
    return strcmp(MAP_ENTRY(node, const struct seen, node)->path, key) == 0;
}

/* the innermost open node, or NULL */
static struct frame *top(struct reader *r)
{
    return r->depth == 0 ? NULL : &r->frames[r->depth - 1];
}

/* reports a key that was given before. Two maps under one key are merged when the key was spelled
 * in different maps: "a: {b: {..}}" and "a.b: {..}". Returns whether the value may be used. */
static bool check_seen(struct reader *r, const struct frame *f, bool is_map)
{
    const char *path = buf_cstr(&r->path);
    uint64_t hash = hash64(path, r->path.len);
    struct map_node *node = map_find(&r->seen, hash, path);
    if (node == NULL) {
        struct seen *s = mem_zalloc(sizeof(*s));
        s->path = mem_strdup(path);
        s->is_map = is_map;
        s->serial = f->serial;
        s->at = f->key_at;
        map_insert(&r->seen, &s->node, hash);
        return true;
    }
    const struct seen *s = MAP_ENTRY(node, const struct seen, node);
    if (s->is_map && is_map && s->serial != f->serial)
        return true;
    config_errors_add(r->errors, &f->key_at, "\"%s\" is given twice, first at %s:%u:%u", path,
                      s->at.file, s->at.line, s->at.column);
    return false;
}

/* reports what the subset leaves out: anchors and tags. The node is read as if it had none. */
static void check_properties(struct reader *r, const yaml_char_t *anchor, const yaml_char_t *tag,
                             const struct config_place *at)
{
    if (anchor != NULL)
        config_errors_add(r->errors, at, "anchors (&%.40s) are not supported; write the value out",
                          (const char *)anchor);
    if (tag != NULL)
        config_errors_add(r->errors, at, "tags (%.40s) are not supported; leave it out",
                          (const char *)tag);
}

/* the reason why a map's key cannot be used, or NULL */
static const char *key_fault(struct slice key)
{
    if (key.len == 0 || key.ptr[0] == '.' || key.ptr[key.len - 1] == '.')
        return "a key may not be empty, nor begin or end with a dot";
    for (size_t i = 0; i < key.len; i++) {
        unsigned char c = (unsigned char)key.ptr[i];
        if (c < 0x20 || c == 0x7f || c == '[' || c == ']')
            return "a key may not hold control characters, \"[\" or \"]\"";
        if (c == '.' && key.ptr[i - 1] == '.')
            return "a key may not hold two dots in a row";
    }
    return NULL;
}

/* takes the key of the next value of map f */
static void take_key(struct reader *r, struct frame *f, struct slice key,
                     const struct config_place *at)
{
    f->has_key = true;
    f->key_at = *at;
    const char *fault = key_fault(key);
    size_t len = r->path.len;
    if (fault == NULL &&
        ((len > 0 && buf_add_byte(&r->path, '.') != 0) || buf_add_slice(&r->path, key) != 0)) {
        buf_cut(&r->path, len);
        fault = "the key with its sections is too long";
    }
    f->mute_value = fault != NULL;
    if (fault != NULL && !f->muted)
        config_errors_add(r->errors, at, "%s", fault);
}

/* steps to the next element of list f; an index that does not fit mutes it */
static bool take_index(struct reader *r, struct frame *f)
{
    size_t len = r->path.len;
    if (buf_printf(&r->path, "[%zu]", f->next_item++) == 0)
        return true;
    buf_cut(&r->path, len);
    return false;
}

/* adds a setting for the node at hand; NULL when it is muted. is_map: for the check of keys. */
static struct setting *begin_value(struct reader *r, enum setting_kind kind,
                                   const struct config_place *at)
{
    struct frame *f = top(r);
    struct config_place key_at = *at;
    if (f != NULL) {
        bool usable = f->is_map ? !f->mute_value : take_index(r, f);
        if (f->muted || !usable)
            return NULL;
        if (f->is_map && !check_seen(r, f, kind == SETTING_MAP))
            return NULL;
        key_at = f->is_map ? f->key_at : *at;
    }
    struct setting *s = settings_add(r->out, kind, buf_slice(&r->path));
    s->key_at = key_at;
    s->value_at = *at;
    return s;
}

/* after a value: back to the path of the node around it */
static void end_value(struct reader *r)
{
    struct frame *f = top(r);
    if (f == NULL)
        return;
    buf_cut(&r->path, f->path_len);
    f->has_key = false;
    f->mute_value = false;
}

/* whether a plain scalar stands for "no value" */
static bool is_null(const yaml_event_t *ev, struct slice text)
{
    return ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (text.len == 0 || slice_eq_str(text, "~") || slice_eq_str(text, "null"));
}

/* gives s its text, with variables replaced */
static void set_text(struct reader *r, struct setting *s, struct slice text)
{
    struct err why = {0};
    const struct yaml_opts *o = r->opts;
    if (text.len > YAML_READ_TEXT_MAX) {
        config_errors_add(r->errors, &s->value_at, "value is longer than %zu bytes",
                          YAML_READ_TEXT_MAX);
        s->kind = SETTING_BAD;
    } else if (o->getenv_fn == NULL) {
        setting_set_text(s, text);
    } else if (expand_text(text, o->getenv_fn, o->ctx, &r->text, &s->variable, &why) != 0) {
        config_errors_add(r->errors, &s->value_at, "%s: %s", s->key, why.text);
        s->kind = SETTING_BAD;
    } else {
        setting_set_text(s, buf_slice(&r->text));
    }
    if (r->text.ptr != NULL)
        explicit_bzero(r->text.ptr, r->text.len);
    buf_reset(&r->text);
}

/* a scalar: a key, or a value */
static void on_scalar(struct reader *r, const yaml_event_t *ev)
{
    struct config_place at = place_of(r, ev->start_mark);
    struct slice text = slice_of((const char *)ev->data.scalar.value, ev->data.scalar.length);
    check_properties(r, ev->data.scalar.anchor, ev->data.scalar.tag, &at);
    struct frame *f = top(r);
    if (f != NULL && f->is_map && !f->has_key) {
        take_key(r, f, text, &at);
        return;
    }
    bool null = is_null(ev, text);
    struct setting *s = begin_value(r, null ? SETTING_NULL : SETTING_TEXT, &at);
    if (s != NULL && !null)
        set_text(r, s, text);
    end_value(r);
}

/* an alias is a value that cannot be used, or a key */
static void on_alias(struct reader *r, const yaml_event_t *ev)
{
    struct config_place at = place_of(r, ev->start_mark);
    config_errors_add(r->errors, &at, "aliases (*%.40s) are not supported; write the value out",
                      (const char *)ev->data.alias.anchor);
    struct frame *f = top(r);
    if (f != NULL && f->is_map && !f->has_key) {
        f->has_key = true;
        f->mute_value = true;
        return;
    }
    (void)begin_value(r, SETTING_BAD, &at);
    end_value(r);
}

/* opens a map or list */
static int on_start(struct reader *r, bool is_map, const yaml_event_t *ev)
{
    struct config_place at = place_of(r, ev->start_mark);
    if (r->depth == YAML_READ_DEPTH) {
        config_errors_add(r->errors, &at, "more than %d levels of nesting", YAML_READ_DEPTH);
        return -EBADMSG;
    }
    if (is_map)
        check_properties(r, ev->data.mapping_start.anchor, ev->data.mapping_start.tag, &at);
    else
        check_properties(r, ev->data.sequence_start.anchor, ev->data.sequence_start.tag, &at);
    struct frame *f = top(r);
    struct frame new = {.is_map = is_map, .serial = ++r->serials, .muted = true};
    if (f != NULL && f->is_map && !f->has_key) {
        new.stands_for_key = true;
        config_errors_add(r->errors, &at, "a key must be a plain word");
    } else {
        if (f == NULL && !is_map && r->opts->list_root != NULL) {
            buf_reset(&r->path);
            if (buf_add_str(&r->path, r->opts->list_root) != 0)
                return -EBADMSG;
        }
        const struct setting *s = begin_value(r, is_map ? SETTING_MAP : SETTING_LIST, &at);
        new.muted = s == NULL;
        new.setting = r->out->n - 1;
    }
    new.path_len = r->path.len;
    r->frames[r->depth++] = new;
    return 0;
}

/* closes a map or list */
static void on_end(struct reader *r)
{
    struct frame done = r->frames[--r->depth];
    if (!done.muted)
        r->out->v[done.setting].span = r->out->n - done.setting;
    struct frame *f = top(r);
    if (f != NULL && done.stands_for_key) {
        f->has_key = true;
        f->mute_value = true;
        return;
    }
    end_value(r);
}

/* refuses a second document */
static int on_document(struct reader *r, const yaml_event_t *ev)
{
    if (++r->documents == 1)
        return 0;
    struct config_place at = place_of(r, ev->start_mark);
    config_errors_add(r->errors, &at, "a file holds one document; remove the \"---\"");
    return -EBADMSG;
}

/* counts nodes, used or not, since each costs an error at most */
static int count_node(struct reader *r, const yaml_event_t *ev)
{
    if (++r->values <= YAML_READ_VALUES_MAX)
        return 0;
    struct config_place at = place_of(r, ev->start_mark);
    config_errors_add(r->errors, &at, "more than %d keys and values in one file",
                      YAML_READ_VALUES_MAX);
    return -EBADMSG;
}

/* handles one event; 1 at the end of the text */
static int on_event(struct reader *r, const yaml_event_t *ev)
{
    int error = 0;
    switch (ev->type) {
    case YAML_DOCUMENT_START_EVENT:
        return on_document(r, ev);
    case YAML_ALIAS_EVENT:
        error = count_node(r, ev);
        if (error == 0)
            on_alias(r, ev);
        return error;
    case YAML_SCALAR_EVENT:
        error = count_node(r, ev);
        if (error == 0)
            on_scalar(r, ev);
        return error;
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        error = count_node(r, ev);
        return error == 0 ? on_start(r, ev->type == YAML_MAPPING_START_EVENT, ev) : error;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_end(r);
        return 0;
    case YAML_STREAM_END_EVENT:
        return 1;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return 0;
    }
    return 0;
}

/* reports what libyaml stumbled over */
static void report_syntax(struct reader *r, const yaml_parser_t *p)
{
    const char *problem = p->problem != NULL ? p->problem : "unreadable";
    struct config_place at = place_of(r, p->problem_mark);
    if (p->error == YAML_READER_ERROR) {
        /* the reader knows a byte's offset only; the mark is where the scanner was */
        at = place_of(r, p->mark);
        config_errors_add(r->errors, &at, "not valid UTF-8 text: %s near byte %zu", problem,
                          p->problem_offset);
    } else if (p->context != NULL) {
        config_errors_add(r->errors, &at, "syntax error %s: %s", p->context, problem);
    } else {
        config_errors_add(r->errors, &at, "syntax error: %s", problem);
    }
}

/* closes what a stopped reading left open, so that the span of every setting holds */
static void close_frames(struct reader *r)
{
    while (r->depth > 0) {
        const struct frame *f = &r->frames[--r->depth];
        if (!f->muted)
            r->out->v[f->setting].span = r->out->n - f->setting;
    }
}

/* pulls events until the end or an error */
static int read_events(struct reader *r, yaml_parser_t *p)
{
    for (;;) {
        yaml_event_t ev;
        if (yaml_parser_parse(p, &ev) == 0) {
            report_syntax(r, p);
            return -EBADMSG;
        }
        int result = on_event(r, &ev);
        yaml_event_delete(&ev);
        if (result != 0)
            return result > 0 ? 0 : result;
    }
}

/* frees the reader's own memory */
static void reader_clear(struct reader *r)
{
    struct map_node *node = map_next(&r->seen, NULL);
    while (node != NULL) {
        struct map_node *next = map_next(&r->seen, node);
        struct seen *s = MAP_ENTRY(node, struct seen, node);
        map_remove(&r->seen, node);
        mem_free(s->path);
        mem_free(s);
        node = next;
    }
    map_clear(&r->seen);
    buf_clear(&r->path);
    buf_clear(&r->text);
}

/* sets up libyaml and the reader, and reads */
int yaml_read(struct slice bytes, const struct yaml_opts *opts, struct settings *out,
              struct config_errors *errors)
{
    struct reader r = {.opts = opts, .out = out, .errors = errors};
    struct config_place at = {.file = opts->file};
    yaml_parser_t parser;
    buf_init(&r.path, YAML_READ_KEY_MAX);
    buf_init(&r.text, YAML_READ_TEXT_MAX);
    map_init(&r.seen, seen_eq);
    int error = -EBADMSG;
    if (buf_add_str(&r.path, opts->root) != 0 || yaml_parser_initialize(&parser) == 0) {
        config_errors_add(errors, &at, "cannot be read: key too long or out of memory");
    } else {
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&parser, (const unsigned char *)bytes.ptr, bytes.len);
        error = read_events(&r, &parser);
        close_frames(&r);
        yaml_parser_delete(&parser);
    }
    reader_clear(&r);
    return error;
}
