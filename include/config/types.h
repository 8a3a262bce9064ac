#ifndef CONFIG_TYPES_H
#define CONFIG_TYPES_H

/* The compound types of options. Everything is owned by the configuration. */
#include <stddef.h>

struct config_list {
    char **v;
    size_t n;
};

struct config_pair {
    char *name;
    char *value;
};

/* No name is given twice, and none is the beginning of another up to a dot ("a" and "a.b"). */
struct config_map {
    struct config_pair *v;
    size_t n;
};

#endif
