#ifndef CONFIG_INTERNAL_H
#define CONFIG_INTERNAL_H

/* What the parts of config.c share: the state of one config_load. */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "config/config.h"
#include "config/options.h"
#include "config/setting.h"

enum config_origin {
    CONFIG_ORIGIN_DEFAULT,
    CONFIG_ORIGIN_ENV,
    CONFIG_ORIGIN_FILE,
    CONFIG_ORIGIN_E
};

/* What is known of one option outside the inputs. */
struct config_note {
    enum config_origin origin; /* of the value that counts */
    struct config_place at;
    bool bad; /* that value was refused */
};

struct config_input_note {
    struct config_place at;
    bool has_paths; /* the key was given, with whatever value */
};

struct config_loader {
    const struct config_source *src;
    struct config *cfg;
    struct config_errors *errors;
    enum config_origin origin; /* of what is applied now */
    mode_t mode;               /* of the file it comes from; 0 = none */
    bool only_inputs;          /* it is a file of inputs.d */
    size_t input_base;         /* what inputs[0] of the file at hand is in cfg->inputs */
    bool incomplete;           /* a file was not read to its end: what is missing may be there */
    struct config_note *notes; /* one for each row of the option table */
    struct config_input_note *input_notes;
    unsigned sections; /* bit N: the section of output N stood there, maybe empty */
    char **names;      /* of files, since places point to them */
    size_t name_count;
};

/* Sets every option of one scope to its default; base is a struct config or config_input. */
void config_apply_defaults(void *base, bool in_input);
/* Applies the ELASTICSEARCH_* variables, a list of settings, one -E text. */
void config_apply_env(struct config_loader *l);
void config_apply_settings(struct config_loader *l, const struct settings *list);
void config_apply_override(struct config_loader *l, const char *text);

/* Reads and applies the main file (or the bytes in its place), then inputs.d beside it. */
void config_read_files(struct config_loader *l);

/* Completes what is computed from other options, and checks what concerns several options. */
void config_finish(struct config_loader *l);

/* Its parts: what cloud.* stands for; the path of the hosts; the values of the preset; what
 * the profile decides; the one
 * active output; the ways to log in and their files; what TLS and the proxy need. */
void config_finish_cloud(struct config_loader *l);
void config_finish_hosts(struct config_loader *l);
void config_finish_preset(struct config_loader *l);
void config_finish_profile(struct config_loader *l);
void config_finish_output(struct config_loader *l);
void config_finish_login(struct config_loader *l);
void config_finish_tls(struct config_loader *l);

/* Notes that the section with this key stands in a source, with nothing in it perhaps. */
void config_note_section(struct config_loader *l, struct slice key);

/* The row of the field at this offset of struct config. */
const struct option *config_row_at(size_t offset);
#define CONFIG_ROW(field) config_row_at(offsetof(struct config, field))

/* What is known of a row of struct config. */
struct config_note *config_note_of(struct config_loader *l, const struct option *o);

/* Where to point when a row is wrong: its own place, or the main file's name. */
struct config_place config_place_of(struct config_loader *l, const struct option *o);

/* Whether a text (OPTION_STRING) was given, valid or not. */
bool config_is_given(struct config_loader *l, const struct option *o);

/* Replaces the value of a row by text, whose origin counts as that of `from`; or by the default.
 * The text has to be one that the row allows. */
void config_take_over(struct config_loader *l, const struct option *o, struct slice text,
                      const struct option *from);
void config_set_default(struct config_loader *l, const struct option *o);

/* Keeps the joined name of a source for as long as the loader lives; borrowed. */
const char *config_keep_name(struct config_loader *l, const char *prefix, const char *name);

/* The field of an option within its struct. */
static inline void *config_field(const struct option *o, void *base)
{
    return (char *)base + o->offset;
}

#endif
