/*
 * command_setup - `wherry setup`
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/slice.h"
#include "command.h"
#include "os/http.h"
#include "run/index.h"
#include "run/setup.h"

/* a line on standard output */
static void say(void *ctx, const char *line)
{
    (void)ctx; /* one output only */
    command_put_text(slice_str(line));
    putchar('\n');
    (void)fflush(stdout); /* what is under way may take its time */
}

/* a word as a shell takes it */
static void add_word(struct buf *out, const char *word)
{
    bool is_plain = word[0] != '\0' && word[strspn(word, "abcdefghijklmnopqrstuvwxyz"
                                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                         "0123456789/._-=:,")] == '\0';
    (void)!buf_add_str(out, is_plain ? " " : " '");
    for (const char *c = word; *c != '\0'; c++)
        (void)!(*c == '\'' ? buf_add_str(out, "'\\''") : buf_add_byte(out, *c));
    (void)!buf_add_str(out, is_plain ? "" : "'");
}

/* how it was called, with what decides about names and servers; what has no room is left out */
static void write_command(const struct cli *cli, struct buf *out)
{
    (void)!buf_add_str(out, "wherry setup -c");
    add_word(out, cli->config_path);
    for (size_t i = 0; i < cli->override_count; i++) {
        (void)!buf_add_str(out, " -E");
        add_word(out, cli->overrides[i]);
    }
}

/* with a configuration */
static int run(const struct cli *cli, const struct config *config)
{
    static const int codes[] = {
        [SETUP_DONE] = EXIT_DONE,
        [SETUP_LEFT] = EXIT_INCOMPLETE,
        [SETUP_FAILED] = EXIT_RUNTIME,
    };
    struct err e = {0};
    struct buf command;
    enum setup_outcome outcome = SETUP_DONE;
    buf_init(&command, 8 * KIB);
    write_command(cli, &command);
    const struct setup_opts opts = {
        .dry_run = cli->dry_run,
        .force = cli->force,
        .names = cli->args,
        .name_count = (size_t)cli->arg_count,
        .key_file = cli->key_file,
        .command = buf_cstr(&command),
        .say = say,
    };
    int r = setup_run(config, &opts, &outcome, &e);
    buf_clear(&command);
    if (r < 0) {
        fprintf(stderr, "wherry: %s\n", e.text);
        return EXIT_RUNTIME;
    }
    return codes[outcome];
}

/* see command.h */
int command_setup(const struct cli *cli)
{
    struct err e = {0};
    int exit_code = EXIT_CONFIG;
    struct config *config = command_load(cli);
    if (config == NULL)
        return EXIT_CONFIG;
    if (config->output != CONFIG_OUTPUT_ELASTICSEARCH) {
        fprintf(stderr, "wherry: setup is for output.elasticsearch\n");
    } else if (index_check(config, &e) < 0) {
        fprintf(stderr, "wherry: %s\n", e.text);
    } else if (http_global_init() < 0) {
        fprintf(stderr, "libcurl cannot be initialised\n");
        exit_code = EXIT_RUNTIME;
    } else {
        exit_code = run(cli, config);
    }
    config_free(&config);
    return exit_code;
}
