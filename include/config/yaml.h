#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

/*
 * YAML text to settings, by libyaml's events (the only user of yaml.h). The subset: one document of
 * maps, lists and scalars. Anchors, aliases, tags, keys that are not scalars, further documents and
 * keys given twice are errors. Hostile text is bounded by the limits below.
 */
#include "base/def.h"
#include "base/slice.h"
#include "config/errors.h"
#include "config/expand.h"
#include "config/setting.h"

#define YAML_READ_DEPTH      16
#define YAML_READ_KEY_MAX    1024 /* bytes of a whole key with its sections */
#define YAML_READ_TEXT_MAX   (64 * KIB)
#define YAML_READ_VALUES_MAX 10000

struct yaml_opts {
    const char *file;           /* shown in errors; must outlive the settings */
    const char *root;           /* key of the topmost node; "": it must be a map */
    const char *list_root;      /* key of the topmost node if it is a list; NULL: as root */
    expand_getenv_fn getenv_fn; /* NULL: variables are not expanded */
    void *ctx;
};

/*
 * Appends the settings of bytes to *out. 0: the text was read to its end, though single settings
 * may have been reported to errors and left out; -EBADMSG: reading stopped (syntax, a limit), one
 * more error was added and the settings up to there are in *out.
 */
int yaml_read(struct slice bytes, const struct yaml_opts *opts, struct settings *out,
              struct config_errors *errors) MUST_CHECK;

#endif
