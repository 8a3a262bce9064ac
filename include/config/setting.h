#ifndef CONFIG_SETTING_H
#define CONFIG_SETTING_H

/*
 * What a source says, before options give it a meaning: an ordered list of settings. Nested maps
 * and dotted keys give the same keys ("path: {data: x}" and "path.data: x"); elements of lists
 * carry their index ("inputs[0].paths[1]"). A map or list is a setting of its own, followed at once
 * by what it holds: `span` tells how many settings that
 * makes.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "config/errors.h"

enum setting_kind {
    SETTING_TEXT, /* a scalar */
    SETTING_NULL, /* a key without a value */
    SETTING_LIST,
    SETTING_MAP,
    SETTING_BAD, /* something was there, but it is reported as an error already */
};

struct setting {
    enum setting_kind kind;
    char *key;  /* owned */
    char *text; /* owned, SETTING_TEXT only, else NULL; NUL behind text_len bytes */
    size_t text_len;
    bool variable; /* text came, at least in part, from an environment variable */
    struct config_place key_at, value_at;
    size_t span; /* itself and the settings inside it; at least 1 */
};

struct settings {
    struct setting *v; /* owned */
    size_t n, cap;
};

/* Appends a setting without text whose span is 1; returns it, borrowed until the next add.
 * The key is copied. */
struct setting *settings_add(struct settings *s, enum setting_kind kind, struct slice key);

/* Makes *s a SETTING_TEXT with a copy of text. */
void setting_set_text(struct setting *s, struct slice text);
struct slice setting_text(const struct setting *s);

/* Frees all, wiping the texts; the list can be used again. */
void settings_clear(struct settings *s);

#endif
