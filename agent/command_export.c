/*
 * command_export - `wherry export`: texts made from the program's own tables
 *
 * What setup puts onto a server is one JSON object: the path of each PUT, and its body.
 */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "metrics/reference.h"
#include "run/assets.h"

#define TEXT_MAX (4 * MIB)

static const struct {
    const char *name;
    int (*write)(struct buf *out);
} texts[] = {
    {"sample", config_write_sample},
    {"options", config_write_reference},
    {"metrics", reference_write},
};

static const struct {
    const char *name;
    unsigned kinds; /* bits of enum asset_kind */
} groups[] = {
    {"templates", 1U << ASSET_COMPONENT | 1U << ASSET_TEMPLATE},
    {"policies", 1U << ASSET_POLICY},
    {"roles", 1U << ASSET_ROLE_KIND},
};

static const struct {
    const char *name;
    struct asset_server server;
} products[] = {
    {"elasticsearch", {.lifecycle = ASSET_ILM}},
    {"opensearch", {.opensearch = true, .lifecycle = ASSET_ISM}},
    {"serverless", {.serverless = true, .lifecycle = ASSET_RETENTION}},
};

/* prints a text that was made without an error */
static int print(int r, struct buf *text)
{
    bool written = r == 0 && fwrite(text->ptr, 1, text->len, stdout) == text->len;
    buf_clear(text);
    return written ? EXIT_DONE : EXIT_RUNTIME;
}

/* the assets of some kinds */
static int write_assets(const struct asset_opts *opts, const struct asset_server *server,
                        unsigned kinds, struct buf *out)
{
    const char *between = "{\n";
    struct asset a;
    asset_init(&a);
    int r = 0;
    for (size_t i = 0; i < assets_count(opts, server) && r == 0; i++) {
        r = assets_make(opts, server, i, &a);
        if (r < 0 || (kinds & 1U << a.kind) == 0)
            continue;
        r = buf_printf(out, "%s\"%s\": %s", between, a.path, buf_cstr(&a.body));
        between = ",\n";
    }
    if (r == 0)
        r = buf_printf(out, "%s}\n", between[0] == '{' ? "{" : "\n");
    asset_clear(&a);
    return r;
}

/* those of a configuration */
static int export_assets(const struct cli *cli, const struct asset_server *product, unsigned kinds)
{
    struct assets_plan *plan;
    struct err e = {0};
    struct buf text;
    struct asset_server server = *product;
    int exit_code = EXIT_CONFIG;
    struct config *config = command_load(cli);
    if (config == NULL)
        return EXIT_CONFIG;
    if (!config->setup.lifecycle)
        server.lifecycle = ASSET_NO_LIFECYCLE;
    buf_init(&text, TEXT_MAX);
    if (assets_plan_new(config, &plan, &e) < 0) {
        fprintf(stderr, "wherry: %s\n", e.text);
    } else {
        int r = write_assets(assets_plan_opts(plan), &server, kinds, &text);
        exit_code = print(r, &text);
        assets_plan_free(&plan);
    }
    buf_clear(&text);
    config_free(&config);
    return exit_code;
}

/* NULL with a message when there is none of that name */
static const struct asset_server *product_of(const struct cli *cli)
{
    if (cli->arg_count < 2)
        return &products[0].server;
    for (size_t i = 0; i < ARRAY_LEN(products); i++)
        if (strcmp(cli->args[1], products[i].name) == 0)
            return &products[i].server;
    fprintf(stderr, "wherry: no product \"%s\"; there is: elasticsearch, opensearch, serverless\n",
            cli->args[1]);
    return NULL;
}

/* see command.h */
int command_export(const struct cli *cli)
{
    struct buf text;
    for (size_t i = 0; i < ARRAY_LEN(texts) && cli->arg_count == 1; i++) {
        if (strcmp(cli->args[0], texts[i].name) != 0)
            continue;
        buf_init(&text, TEXT_MAX);
        int r = texts[i].write(&text);
        return print(r, &text);
    }
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (strcmp(cli->args[0], groups[i].name) != 0)
            continue;
        const struct asset_server *product = product_of(cli);
        return product != NULL ? export_assets(cli, product, groups[i].kinds) : EXIT_CONFIG;
    }
    fprintf(stderr,
            "wherry: nothing called \"%s\" to export; there is: sample, options, metrics, "
            "templates, policies, roles\n",
            cli->args[0]);
    return EXIT_CONFIG;
}
