/*
 * command - the table of commands, and what several of them need
 */
#include "command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "os/fsprobe.h"
#include "os/reach.h"

static const struct command commands[] = {
    {"run", "[--once [--timeout D]]", "ship logs and metrics until told to stop", COMMAND_ONCE, 0,
     0, command_run},
    {"test", "config|output", "check the configuration, or reach the server with it", 0, 1, 1,
     command_test},
    {"export", "sample|options|metrics",
     "print a sample configuration, the option reference, or the fields of metrics", 0, 1, 1,
     command_export},
    {"deadletter", "list|show|replay|drop",
     "look at rejected documents, send them again, drop them", COMMAND_LETTERS | COMMAND_JSON, 1,
     INT_MAX, command_deadletter},
    {"registry", "list|forget|check",
     "look at what is known of files, forget some, check its files", COMMAND_ENTRIES | COMMAND_JSON,
     1, 2, command_registry},
    {"version", "", "print the versions of wherry and its libraries", 0, 0, 0, command_version},
    {"help", "", "print this", 0, 0, 0, command_help},
    {FSPROBE_COMMAND, "", NULL, 0, 0, 0, command_statfs_helper},
    {REACH_COMMAND, "", NULL, 0, 0, 0, command_mount_helper},
};

/* see header */
const struct command *command_at(size_t i)
{
    return i < ARRAY_LEN(commands) ? &commands[i] : NULL;
}

/* see header */
const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* the environment, for ${VAR} and ELASTICSEARCH_* */
static const char *get_variable(void *ctx, const char *name)
{
    (void)ctx; /* one environment only */
    return getenv(name);
}

/* all errors of a load, one a line */
static void print_errors(const struct config_errors *errors)
{
    struct buf text;
    buf_init(&text, MIB);
    if (config_errors_write(errors, &text) == 0)
        (void)fputs(buf_cstr(&text), stderr); /* nowhere else to tell */
    buf_clear(&text);
}

/* see header */
struct config *command_read(const struct cli *cli)
{
    struct config_errors errors = {0};
    struct config *config = NULL;
    struct config_source source = {
        .path = cli->config_path,
        .getenv_fn = get_variable,
        .overrides = cli->overrides,
        .override_count = cli->override_count,
    };
    if (config_load(&source, &config, &errors) < 0)
        print_errors(&errors);
    config_errors_clear(&errors);
    return config;
}

/* see header */
void command_use(const struct cli *cli, const struct config *config)
{
    struct log_opts log = {
        .fd = STDERR_FILENO,
        .level = cli->verbose ? LOG_DEBUG : config->log_level,
        .style = log_style_for(STDERR_FILENO, getenv("JOURNAL_STREAM")),
    };
    log_init(&log);
    /* neither core dumps nor other processes of this user get to see secrets */
    if (config_has_secret(config) && prctl(PR_SET_DUMPABLE, 0) < 0)
        log_warn("secrets may show in core dumps: PR_SET_DUMPABLE: %s", strerror(errno));
}

/* see header */
struct config *command_load(const struct cli *cli)
{
    struct config *config = command_read(cli);
    if (config != NULL)
        command_use(cli, config);
    return config;
}

/* see header */
void command_put_text(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < ' ' || c == 0x7f)
            printf("\\x%02x", c);
        else
            putchar(c);
    }
}

/* see header */
int command_help(const struct cli *cli)
{
    (void)cli; /* the same for all */
    printf("wherry ships log files and host metrics to Elasticsearch and OpenSearch.\n\n"
           "usage: wherry COMMAND [-c FILE] [-E KEY=VALUE]... [-v]\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (commands[i].help == NULL)
            continue;
        int used = printf("  %s %s", commands[i].name, commands[i].arguments);
        printf("%*s%s\n", 39 - used, "", commands[i].help);
    }
    printf("\n"
           "  -c, --config FILE   configuration, default /etc/wherry/wherry.yml\n"
           "  -E KEY=VALUE        set one option, over the file\n"
           "  -v, --verbose       log at level debug\n"
           "      --once          read what is there, ship it, end\n"
           "      --timeout D     with --once: give up after D (30s, 5m)\n"
           "      --json          deadletter list, show, registry list: JSON\n"
           "      --all           deadletter drop: every letter\n"
           "      --older-than D  deadletter drop: those rejected longer ago than D (7d)\n"
           "      --missing       registry forget: entries at whose path there is no file\n\n"
           "exit: 0 all acknowledged, 1 run-time failure, 2 configuration, 3 something "
           "dead-lettered or abandoned\n");
    return EXIT_DONE;
}
