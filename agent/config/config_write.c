/*
 * config/config_write - dump, sample file and reference page
 *
 * Three walks over the option table. In the sample, comments begin with "# " and options that stand
 * at their default with "#" alone, so that removing that one character sets the option. Fails only
 * when the buffer's limit is reached.
 */
#include <string.h>

#include "config/config_internal.h"
#include "config/value.h"

#define WIDTH 96

/* appends "prefix word word ..." in lines of at most WIDTH characters */
static int write_wrapped(const char *prefix, const char *text, struct buf *out)
{
    struct slice rest = slice_str(text), word;
    size_t column = 0;
    int error = 0;
    while (error == 0 && slice_next_word(&rest, &word)) {
        if (column > 0 && column + 1 + word.len > WIDTH) {
            error = buf_add_byte(out, '\n');
            column = 0;
        }
        if (error == 0)
            error = buf_add_str(out, column == 0 ? prefix : " ");
        column += (column == 0 ? strlen(prefix) : 1) + word.len;
        if (error == 0)
            error = buf_add_slice(out, word);
    }
    return error == 0 ? buf_add_byte(out, '\n') : error;
}

/* a list's or set's default, "a,b", as YAML */
static int write_default_list(const struct option *o, struct buf *out)
{
    struct slice rest = slice_str(o->standard), piece;
    const char *quote = o->type == OPTION_LIST ? "\"" : "";
    const char *comma = "";
    int error = buf_add_byte(out, '[');
    while (error == 0 && slice_next(&rest, ',', &piece)) {
        error = buf_printf(out, "%s%s%.*s%s", comma, quote, (int)piece.len, piece.ptr, quote);
        comma = ", ";
    }
    return error == 0 ? buf_add_byte(out, ']') : error;
}

/* the default as YAML */
static int write_default(const struct option *o, struct buf *out)
{
    switch (o->type) {
    case OPTION_STRING:
        return buf_printf(out, "\"%s\"", o->standard);
    case OPTION_LIST:
    case OPTION_SET:
        return write_default_list(o, out);
    case OPTION_MAP:
        return buf_add_str(out, "{}");
    case OPTION_BOOL:
    case OPTION_BYTES:
    case OPTION_DURATION:
    case OPTION_INTEGER:
    case OPTION_CHOICE:
        return buf_add_str(out, o->standard);
    }
    return 0;
}

/* one option of the sample: its help as a comment, then its line */
static int write_sample_option(const struct option *o, struct buf *out)
{
    const char *indent = "";
    if (o->group == OPTION_INPUT)
        indent = o->active != NULL ? "  " : "    ";
    else if (options_sections[o->group].prefix[0] != '\0')
        indent = "  ";
    struct buf text;
    buf_init(&text, 4096);
    int error = buf_add_str(&text, o->help);
    if (error == 0 && (o->type == OPTION_SET || o->type == OPTION_CHOICE)) {
        error = buf_add_str(&text, " Choices: ");
        if (error == 0)
            error = options_write_allowed(o, &text);
        if (error == 0)
            error = buf_add_byte(&text, '.');
    }
    struct buf prefix;
    buf_init(&prefix, 16);
    if (error == 0)
        error = buf_printf(&prefix, "%s# ", indent);
    if (error == 0)
        error = write_wrapped(buf_cstr(&prefix), buf_cstr(&text), out);
    const char *key = o->key + strlen(options_sections[o->group].prefix);
    if (error == 0)
        error = buf_printf(out, "%s%s%s: ", indent,
                           o->active == NULL          ? "#"
                           : o->group == OPTION_INPUT ? "- "
                                                      : "",
                           key);
    if (error == 0)
        error = o->active != NULL ? buf_add_str(out, o->active) : write_default(o, out);
    buf_clear(&text);
    buf_clear(&prefix);
    return error == 0 ? buf_add_byte(out, '\n') : error;
}

/* the head of a group of the sample */
static int write_sample_group(enum option_group group, struct buf *out)
{
    const struct option_section *s = &options_sections[group];
    int error = buf_printf(out, "\n# ---- %s ----\n", s->title);
    if (error == 0 && s->intro[0] != '\0')
        error = write_wrapped("# ", s->intro, out);
    if (error == 0 && group == OPTION_INPUT)
        error = buf_add_str(out, "inputs:\n");
    if (error == 0 && s->prefix[0] != '\0')
        error = buf_printf(out, "%.*s:\n", (int)strlen(s->prefix) - 1, s->prefix);
    return error;
}

/* all options, in the order of the table */
int config_write_sample(struct buf *out)
{
    int error = buf_add_str(
        out, "# Configuration of wherry. Generated from the option table (make docs).\n"
             "#\n"
             "# Every option is here. A line that begins with \"#\" and no blank shows a default; "
             "remove\n"
             "# the \"#\" to change it. Values may hold variables: ${NAME} or ${NAME:default}.\n"
             "# Check a change with: wherry test config\n");
    for (size_t i = 0; error == 0 && i < options_count; i++) {
        const struct option *o = &options_table[i];
        if (i == 0 || options_table[i - 1].group != o->group)
            error = write_sample_group(o->group, out);
        if (error == 0)
            error = write_sample_option(o, out);
    }
    return error;
}

static const char reference_head[] =
    "# Options\n"
    "\n"
    "This page is generated from the option table (`make docs`).\n"
    "\n"
    "- The main file is YAML. Dotted keys and nested maps mean the same: `path.data: x` is\n"
    "  `path: {data: x}`. Anchors, aliases, tags and further documents are refused, and so is a\n"
    "  key that is given twice.\n"
    "- Sizes: `65536`, `64KiB`, `1MiB`, `1GiB`. Durations: `200ms`, `5s`, `1m30s`, `24h`.\n"
    "- Precedence, highest first: `-E key=value`, the files, `ELASTICSEARCH_*` variables, the\n"
    "  defaults.\n"
    "- Values may hold variables: `${NAME}` is an error when NAME is not set, `${NAME:default}`\n"
    "  takes the default when it is unset or empty, `$${` is a literal `${`. They are replaced\n"
    "  after parsing: what a variable holds is never read as YAML.\n"
    "- `-E inputs[0].dataset=web` reaches into a list. Lists are given as `[a, b]`, maps as\n"
    "  `{a: b}`.\n"
    "- A file that everyone can read and that spells out a secret is refused, and so is a secret "
    "in\n"
    "  `-E`.\n"
    "- A relative name in an option `*_file` and in `ssl.key` is looked up in\n"
    "  `$CREDENTIALS_DIRECTORY` when that is set (systemd: `LoadCredential=`).\n";

/* appends text with what Markdown would read as markup escaped */
static int write_cell(const char *text, struct buf *out)
{
    int error = 0;
    for (; error == 0 && *text != '\0'; text++) {
        if (strchr("|*_<>[]`\\", *text) != NULL)
            error = buf_add_byte(out, '\\');
        if (error == 0)
            error = buf_add_byte(out, *text);
    }
    return error;
}

/* the word for a type */
static const char *type_word(enum option_type type)
{
    switch (type) {
    case OPTION_BOOL:
        return "boolean";
    case OPTION_STRING:
        return "text";
    case OPTION_BYTES:
        return "size";
    case OPTION_DURATION:
        return "duration";
    case OPTION_INTEGER:
        return "number";
    case OPTION_CHOICE:
        return "choice";
    case OPTION_LIST:
        return "list";
    case OPTION_SET:
        return "list of choices";
    case OPTION_MAP:
        return "map";
    }
    return "";
}

/* the default and the allowed values of a row, as two cells */
static int write_reference_values(const struct option *o, struct buf *out)
{
    int error;
    if (o->standard_note != NULL) {
        error = write_cell(o->standard_note, out);
    } else {
        error = buf_add_byte(out, '`');
        if (error == 0)
            error = write_default(o, out);
        if (error == 0)
            error = buf_add_byte(out, '`');
    }
    if (error == 0)
        error = buf_add_str(out, " | ");
    return error == 0 ? options_write_allowed(o, out) : error;
}

/* one row of a table */
static int write_reference_row(const struct option *o, struct buf *out)
{
    int error = buf_printf(out, "| `%s` | %s | ", o->key, type_word(o->type));
    if (error == 0)
        error = write_reference_values(o, out);
    if (error == 0)
        error = buf_add_str(out, " | ");
    if (error == 0)
        error = write_cell(o->help, out);
    if (error == 0 && o->env != NULL)
        error = buf_printf(out, " Variable: `%s`.", o->env);
    if (error == 0 && (o->flags & OPTION_SECRET) != 0)
        error = buf_add_str(out, " Secret.");
    return error == 0 ? buf_add_str(out, " |\n") : error;
}

/* the head of a group and of its table */
static int write_reference_group(enum option_group group, struct buf *out)
{
    const struct option_section *s = &options_sections[group];
    int error = buf_printf(out, "\n## %s\n\n", s->title);
    if (error == 0 && s->intro[0] != '\0')
        error = buf_printf(out, "%s\n\n", s->intro);
    if (error == 0)
        error = buf_add_str(out, "| option | type | default | allowed | meaning |\n"
                                 "|---|---|---|---|---|\n");
    return error;
}

/* all options, in the order of the table */
int config_write_reference(struct buf *out)
{
    int error = buf_add_str(out, reference_head);
    for (size_t i = 0; error == 0 && i < options_count; i++) {
        const struct option *o = &options_table[i];
        if (i == 0 || options_table[i - 1].group != o->group)
            error = write_reference_group(o->group, out);
        if (error == 0)
            error = write_reference_row(o, out);
    }
    return error;
}

/* "key: value" lines of one scope; first stands before the first key, then before the others */
static int dump_scope(const void *base, bool in_input, const char *first, const char *then,
                      struct buf *out)
{
    const char *lead = first;
    for (size_t i = 0; i < options_count; i++) {
        const struct option *o = &options_table[i];
        if ((o->group == OPTION_INPUT) != in_input)
            continue;
        int error = buf_printf(out, "%s%s: ", lead, o->key);
        if (error == 0)
            error = value_write(o, (const char *)base + o->offset, true, out);
        if (error == 0)
            error = buf_add_byte(out, '\n');
        if (error != 0)
            return error;
        lead = then;
    }
    return 0;
}

/* the options outside the inputs, then the inputs */
int config_dump(const struct config *c, struct buf *out)
{
    int error = dump_scope(c, false, "", "", out);
    if (error == 0)
        error = buf_add_str(out, c->input_count > 0 ? "inputs:\n" : "inputs: []\n");
    for (size_t i = 0; error == 0 && i < c->input_count; i++)
        error = dump_scope(&c->inputs[i], true, "  - ", "    ", out);
    return error;
}
