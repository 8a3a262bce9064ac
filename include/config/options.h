#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

/*
 * The one table of options. Parser, checks, sample file, reference page and dump all walk it, so an
 * option is added by one row and one field in config/config.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/err.h"
#include "base/slice.h"

enum option_type {                  /* the field behind it */
                   OPTION_BOOL,     /* bool */
                   OPTION_STRING,   /* char *; min and max are its length in bytes */
                   OPTION_BYTES,    /* uint64_t */
                   OPTION_DURATION, /* int64_t, ms */
                   OPTION_INTEGER,  /* unsigned */
                   OPTION_CHOICE,   /* an enum whose values count from 0 in the order of choices */
                   OPTION_LIST,     /* struct config_list; min and max are the number of elements */
                   OPTION_SET,      /* unsigned, bit N = choice N is in the list */
                   OPTION_MAP,      /* struct config_map */
};

enum option_group {
    OPTION_GENERAL,
    OPTION_ISP,
    OPTION_INPUT, /* keys stand within an element of `inputs`, fields in struct config_input */
    OPTION_METRICS,
    OPTION_OUTPUT,
    OPTION_CLOUD,
    OPTION_SMALL_OUTPUTS,
    OPTION_DEAD_LETTER,
    OPTION_SPOOL,
    OPTION_SETUP,
};
#define OPTION_GROUPS 10

#define OPTION_NAME_MAX 256  /* bytes of a name in a map */
#define OPTION_PATH_MAX 4095 /* bytes of a path, and of any element of a list */

enum option_flag {
    OPTION_RELOADABLE = 1 << 0, /* a reload takes a new value over */
    OPTION_SECRET = 1 << 1,     /* never shown; refused in a file that everyone can read, and in -E;
                                 * of a map, the texts are meant */
    OPTION_OFF = 1 << 2,        /* a duration that may be "off", stored as 0 */
    OPTION_COMMAS = 1 << 3,     /* a list that a scalar may give, elements between commas */
    OPTION_CREDENTIAL = 1 << 4, /* path of a secret file; a relative one is looked up in the
                                 * directory of $CREDENTIALS_DIRECTORY when that is set */
};

/* Checks one text (of an element, for lists; "name: text", for maps) and appends it in its normal
 * form to *out. -EINVAL with why filled: what is wrong and what is allowed. */
typedef int (*option_check_fn)(struct slice text, struct buf *out, struct err *why);

struct option {
    const char *key; /* whole, or within its input */
    enum option_group group;
    enum option_type type;
    unsigned flags;             /* enum option_flag */
    const char *standard;       /* default as a text value; lists: elements between commas */
    uint64_t min, max;          /* both 0: no limits */
    const char *const *choices; /* NULL-ended; OPTION_CHOICE and OPTION_SET */
    option_check_fn check;      /* NULL: any text */
    const char *env;            /* variable below the file in precedence, or NULL */
    const char *standard_note;  /* how the reference shows a default that is computed, or NULL */
    const char *active;         /* value in the sample's part that is not commented out, or NULL */
    size_t offset;              /* of the field in struct config or struct config_input */
    const char *help;           /* sentences, for sample and reference */
};

struct option_section {
    const char *title;
    const char *intro;
    const char *prefix; /* of the keys of this group in a nested map of the sample, "" = none */
};

/* The table, in the order of the reference; static. */
extern const struct option options_table[];
extern const size_t options_count;
extern const struct option_section options_sections[OPTION_GROUPS];

/*
 * The option of a key (in_input: within an input), or NULL. For an OPTION_MAP, the key may go on
 * with ".NAME"; *ret_name is that name, else empty.
 */
const struct option *options_find(bool in_input, struct slice key, struct slice *ret_name);

/* Whether key is the beginning of option keys: "output", "output.elasticsearch". */
bool options_is_section(bool in_input, struct slice key);

/* The known key (or section) that was probably meant by an unknown one, appended to *out; nothing
 * when none is near. */
int options_nearest(bool in_input, struct slice key, struct buf *out) MUST_CHECK;

/* Appends what values are allowed: "1s to 24h", "none, gzip". Nothing where all are. */
int options_write_allowed(const struct option *o, struct buf *out) MUST_CHECK;

#endif
