/*
 * command_test - `wherry test config` and `wherry test output`
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "command.h"
#include "os/http.h"
#include "output/output.h"
#include "run/assemble.h"
#include "run/index.h"
#include "run/outputs.h"

/* where the first input's documents go, or those of the default dataset; NULL with e filled */
static char *first_target(const struct config *c, struct err *e)
{
    struct assembled a;
    struct ledgers ledgers;
    char host[HOST_NAME_MAX + 1] = "";
    char *target = NULL;
    (void)gethostname(host, HOST_NAME_MAX); /* unknown stays empty */
    int64_t now_ns = clock_wall_ms(clock_system()) * 1000000;
    ledgers_init(&ledgers);
    if (assemble_inputs(&a, c, &ledgers, host, now_ns, e) == 0)
        target = a.count > 0 ? mem_strdup(a.targets[0])
                             : assemble_target("logs", "generic", c->namespace);
    assemble_clear(&a);
    ledgers_clear(&ledgers);
    return target;
}

/* another output than Elasticsearch */
static int test_other(const struct config *c)
{
    struct buf report;
    buf_init(&report, MIB);
    int r = outputs_test(c, &report);
    printf("%s", buf_cstr(&report));
    buf_clear(&report);
    return r < 0 ? EXIT_RUNTIME : EXIT_DONE;
}

/* reaches the server */
static int test_output(const struct config *c)
{
    struct err e = {0};
    struct output_opts opts;
    struct buf report;
    if (http_global_init() < 0) {
        fprintf(stderr, "libcurl cannot be initialised\n");
        return EXIT_RUNTIME;
    }
    buf_init(&report, MIB);
    assemble_output(&opts, c);
    char *target = first_target(c, &e);
    int r = target == NULL ? e.code : output_test(&opts, target, &report);
    if (target == NULL)
        fprintf(stderr, "wherry: %s\n", e.text);
    printf("%s", buf_cstr(&report));
    buf_clear(&report);
    assemble_output_clear(&opts);
    mem_free(target);
    return r < 0 ? EXIT_RUNTIME : EXIT_DONE;
}

/* see command.h */
int command_test(const struct cli *cli)
{
    struct err e = {0};
    int exit_code = EXIT_CONFIG;
    bool output = strcmp(cli->args[0], "output") == 0;
    if (!output && strcmp(cli->args[0], "config") != 0) {
        fprintf(stderr, "wherry: test what? \"config\" or \"output\", not \"%s\"\n", cli->args[0]);
        return EXIT_CONFIG;
    }
    struct config *config = command_load(cli);
    if (config == NULL)
        return EXIT_CONFIG;
    if (index_check(config, &e) < 0) {
        fprintf(stderr, "wherry: %s\n", e.text);
    } else if (output) {
        exit_code = config->output == CONFIG_OUTPUT_ELASTICSEARCH ? test_output(config)
                                                                  : test_other(config);
    } else {
        printf("%s: configuration is right, %zu inputs\n", cli->config_path, config->input_count);
        exit_code = EXIT_DONE;
    }
    config_free(&config);
    return exit_code;
}
