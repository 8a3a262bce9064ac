/*
 * command_test - `wherry test config` and `wherry test output`
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/date.h"
#include "base/mem.h"
#include "command.h"
#include "os/http.h"
#include "output/output.h"
#include "run/assemble.h"
#include "run/index.h"
#include "run/outputs.h"

/* Where the configuration's documents go: of the inputs each target once, of the metrics one of the
 * data streams. */
struct targets {
    struct assembled inputs;
    struct output_target *v;
    size_t n;
    char *metrics;
};

/* one more, unless it is there already */
static void add_target(struct targets *t, const char *name, bool plain_index)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->v[i].name, name) == 0)
            return;
    t->v[t->n++] = (struct output_target){name, plain_index};
}

/* where metrics go today */
static int find_metrics(struct targets *t, const struct config *c, int64_t now_ns, struct err *e)
{
    char name[BATCH_TARGET_MAX + 1];
    struct target *index;
    if (!index_is_used_for_metrics(c)) {
        t->metrics = assemble_target("metrics", "system.cpu", c->namespace);
        add_target(t, t->metrics, false);
        return 0;
    }
    int r = index_of_metrics(c, &index, e);
    if (r < 0)
        return r;
    target_name(index, date_day_of(now_ns), name);
    target_free(&index);
    t->metrics = mem_strdup(name);
    add_target(t, t->metrics, true);
    return 0;
}

/* all of them; after a failure to be cleared, too */
static int find_targets(struct targets *t, const struct config *c, struct err *e)
{
    struct ledgers ledgers;
    char *host = index_host_name(c);
    int64_t now_ns = clock_wall_ms(clock_system()) * 1000000;
    ledgers_init(&ledgers);
    int r = assemble_inputs(&t->inputs, c, &ledgers, host, now_ns, e);
    t->v = mem_zalloc_array(t->inputs.count + 1, sizeof(*t->v));
    for (size_t i = 0; i < t->inputs.count && r == 0; i++)
        add_target(t, t->inputs.targets[i], index_is_used(c));
    if (c->metrics.enabled && r == 0)
        r = find_metrics(t, c, now_ns, e);
    ledgers_clear(&ledgers);
    mem_free(host);
    return r;
}

/* frees them */
static void clear_targets(struct targets *t)
{
    assemble_clear(&t->inputs);
    mem_free(t->metrics);
    mem_free(t->v);
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
    struct targets targets = {0};
    struct buf report;
    if (http_global_init() < 0) {
        fprintf(stderr, "libcurl cannot be initialised\n");
        return EXIT_RUNTIME;
    }
    buf_init(&report, MIB);
    assemble_output(&opts, c);
    int r = find_targets(&targets, c, &e);
    if (r < 0)
        fprintf(stderr, "wherry: %s\n", e.text);
    else
        r = output_test(&opts, targets.v, targets.n, &report);
    printf("%s", buf_cstr(&report));
    buf_clear(&report);
    clear_targets(&targets);
    assemble_output_clear(&opts);
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
