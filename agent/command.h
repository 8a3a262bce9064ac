#ifndef COMMAND_H
#define COMMAND_H

/* The commands of the program: one table (command.c), one file each. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "config/config.h"

/* Exit codes. */
enum {
    EXIT_DONE = 0,       /* everything acknowledged */
    EXIT_RUNTIME = 1,    /* run-time failure */
    EXIT_CONFIG = 2,     /* configuration or command line */
    EXIT_INCOMPLETE = 3, /* something dead-lettered or abandoned */
};

/* The command line, parsed. Strings borrowed from argv. */
struct cli {
    const char *config_path;
    const char **overrides; /* -E */
    size_t override_count;
    bool verbose;
    bool once;
    int64_t timeout_ms; /* 0 = none */
    bool json;
    bool all;
    bool missing;
    int64_t older_than_ms; /* 0 = not given */
    char **args;           /* after the command's name */
    int arg_count;
};

/* Options that only some commands take. */
enum command_option {
    COMMAND_ONCE = 1 << 0,    /* --once, --timeout */
    COMMAND_LETTERS = 1 << 1, /* --all, --older-than */
    COMMAND_JSON = 1 << 2,    /* --json */
    COMMAND_ENTRIES = 1 << 3, /* --missing */
};

struct command {
    const char *name;
    const char *arguments; /* for help */
    const char *help;      /* NULL: not for users, help does not show it */
    unsigned options;      /* enum command_option */
    int min_args, max_args;
    int (*run)(const struct cli *cli);
};

/* NULL at the end of the table. */
const struct command *command_at(size_t i);
const struct command *command_find(const char *name);

int command_run(const struct cli *cli);
int command_test(const struct cli *cli);
int command_deadletter(const struct cli *cli);
int command_registry(const struct cli *cli);
int command_export(const struct cli *cli);
int command_version(const struct cli *cli);
int command_help(const struct cli *cli);
int command_statfs_helper(const struct cli *cli);
int command_mount_helper(const struct cli *cli);

/* Reads and checks the configuration; prints every error. NULL: EXIT_CONFIG. */
struct config *command_read(const struct cli *cli);
/* Sets the log up by it. */
void command_use(const struct cli *cli, const struct config *config);
/* Both. */
struct config *command_load(const struct cli *cli);
/* Prints text from outside for a terminal: control characters as \xNN. */
void command_put_text(struct slice s);

#endif
