/*
 * command_test - `wherry test config` and `wherry test output`
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "command.h"
#include "os/http.h"
#include "output/output.h"
#include "run/assemble.h"

/* the target of the first input, or of the default dataset */
static char *first_target(const struct config *c)
{
    const char *dataset = c->input_count > 0 ? c->inputs[0].dataset : "generic";
    return assemble_target("logs", dataset, c->namespace);
}

/* reaches the server */
static int test_output(const struct config *c)
{
    struct output_opts opts;
    struct buf report;
    if (http_global_init() < 0) {
        fprintf(stderr, "libcurl cannot be initialised\n");
        return EXIT_RUNTIME;
    }
    buf_init(&report, MIB);
    assemble_output(&opts, c);
    char *target = first_target(c);
    int r = output_test(&opts, target, &report);
    printf("%s", buf_cstr(&report));
    buf_clear(&report);
    assemble_output_clear(&opts);
    mem_free(target);
    return r < 0 ? EXIT_RUNTIME : EXIT_DONE;
}

/* see command.h */
int command_test(const struct cli *cli)
{
    int exit_code = EXIT_CONFIG;
    bool output = strcmp(cli->args[0], "output") == 0;
    if (!output && strcmp(cli->args[0], "config") != 0) {
        fprintf(stderr, "wherry: test what? \"config\" or \"output\", not \"%s\"\n", cli->args[0]);
        return EXIT_CONFIG;
    }
    struct config *config = command_load(cli);
    if (config == NULL)
        return EXIT_CONFIG;
    if (output) {
        exit_code = test_output(config);
    } else {
        printf("%s: configuration is right, %zu inputs\n", cli->config_path, config->input_count);
        exit_code = EXIT_DONE;
    }
    config_free(&config);
    return exit_code;
}
