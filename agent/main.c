/*
 * main - the command line
 *
 * Options may stand before and behind the command's name.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/slice.h"
#include "command.h"

#define CONFIG_DEFAULT "/etc/wherry/wherry.yml"

enum {
    OPT_ONCE = 256,
    OPT_TIMEOUT,
    OPT_VERSION,
    OPT_JSON,
    OPT_ALL,
    OPT_OLDER_THAN,
    OPT_MISSING,
    OPT_DRY_RUN,
    OPT_FORCE,
    OPT_KEY_FILE,
};

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPT_VERSION},
    {"once", no_argument, NULL, OPT_ONCE},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"json", no_argument, NULL, OPT_JSON},
    {"all", no_argument, NULL, OPT_ALL},
    {"older-than", required_argument, NULL, OPT_OLDER_THAN},
    {"missing", no_argument, NULL, OPT_MISSING},
    {"dry-run", no_argument, NULL, OPT_DRY_RUN},
    {"force", no_argument, NULL, OPT_FORCE},
    {"create-api-key", required_argument, NULL, OPT_KEY_FILE},
    {NULL, 0, NULL, 0},
};

/* What the options ask for besides what stands in struct cli. */
struct asked {
    bool help, version;
};

/* a duration; false = it is none, said */
static bool take_duration(const char *name, int64_t min_ms, int64_t *ret_ms)
{
    if (num_duration(slice_str(optarg), ret_ms) == 0 && *ret_ms >= min_ms)
        return true;
    fprintf(stderr, "wherry: --%s \"%s\" is no duration (30s, 5m)\n", name, optarg);
    return false;
}

/* one option; false = its value is wrong, said */
static bool take_option(struct cli *cli, struct asked *asked, int option)
{
    switch (option) {
    case 'c':
        cli->config_path = optarg;
        return true;
    case 'E':
        cli->overrides[cli->override_count++] = optarg;
        return true;
    case 'v':
        cli->verbose = true;
        return true;
    case 'h':
        asked->help = true;
        return true;
    case OPT_VERSION:
        asked->version = true;
        return true;
    case OPT_ONCE:
        cli->once = true;
        return true;
    case OPT_TIMEOUT:
        return take_duration("timeout", 0, &cli->timeout_ms);
    case OPT_JSON:
        cli->json = true;
        return true;
    case OPT_ALL:
        cli->all = true;
        return true;
    case OPT_MISSING:
        cli->missing = true;
        return true;
    case OPT_DRY_RUN:
        cli->dry_run = true;
        return true;
    case OPT_FORCE:
        cli->force = true;
        return true;
    case OPT_KEY_FILE:
        cli->key_file = optarg;
        return true;
    case OPT_OLDER_THAN:
        return take_duration("older-than", 1, &cli->older_than_ms);
    default:
        return false; /* getopt has said why */
    }
}

/* whether the command may be called so; says why not */
static bool is_proper(const struct command *c, const struct cli *cli)
{
    if ((cli->once || cli->timeout_ms > 0) && !(c->options & COMMAND_ONCE)) {
        fprintf(stderr, "wherry: --once and --timeout go with \"run\"\n");
        return false;
    }
    if (cli->timeout_ms > 0 && !cli->once) {
        fprintf(stderr, "wherry: --timeout goes with --once\n");
        return false;
    }
    if (cli->json && !(c->options & COMMAND_JSON)) {
        fprintf(stderr, "wherry: --json goes with \"deadletter\" and \"registry\"\n");
        return false;
    }
    if ((cli->all || cli->older_than_ms > 0) && !(c->options & COMMAND_LETTERS)) {
        fprintf(stderr, "wherry: --all and --older-than go with \"deadletter\"\n");
        return false;
    }
    if (cli->missing && !(c->options & COMMAND_ENTRIES)) {
        fprintf(stderr, "wherry: --missing goes with \"registry forget\"\n");
        return false;
    }
    if ((cli->dry_run || cli->force || cli->key_file != NULL) && !(c->options & COMMAND_SETUP)) {
        fprintf(stderr, "wherry: --dry-run, --force and --create-api-key go with \"setup\"\n");
        return false;
    }
    if (cli->arg_count < c->min_args || cli->arg_count > c->max_args) {
        fprintf(stderr, "usage: wherry %s %s\n", c->name, c->arguments);
        return false;
    }
    return true;
}

/* finds and runs the command */
static int dispatch(struct cli *cli, const struct asked *asked, int argc, char **argv)
{
    if (asked->version)
        return command_version(cli);
    if (asked->help || optind >= argc) {
        (void)command_help(cli); /* always succeeds */
        return asked->help ? EXIT_DONE : EXIT_CONFIG;
    }
    const struct command *c = command_find(argv[optind]);
    if (c == NULL) {
        fprintf(stderr, "wherry: no command \"%s\"; see wherry help\n", argv[optind]);
        return EXIT_CONFIG;
    }
    cli->args = argv + optind + 1;
    cli->arg_count = argc - optind - 1;
    return is_proper(c, cli) ? c->run(cli) : EXIT_CONFIG;
}

/* see file head */
int main(int argc, char **argv)
{
    struct cli cli = {.config_path = CONFIG_DEFAULT};
    struct asked asked = {0};
    mem_setup();
    struct log_opts log = {STDERR_FILENO, LOG_INFO,
                           log_style_for(STDERR_FILENO, getenv("JOURNAL_STREAM"))};
    log_init(&log);
    (void)signal(SIGPIPE, SIG_IGN); /* a closed peer is an error of write(2) */
    cli.overrides = mem_zalloc_array((size_t)argc, sizeof(char *));
    int option;
    bool good = true;
    while (good && (option = getopt_long(argc, argv, "c:E:vh", options, NULL)) != -1)
        good = take_option(&cli, &asked, option);
    int exit_code = good ? dispatch(&cli, &asked, argc, argv) : EXIT_CONFIG;
    mem_free(cli.overrides);
    return exit_code;
}
