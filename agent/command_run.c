/*
 * command_run - `wherry run`
 */
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/mem.h"
#include "command.h"
#include "os/http.h"
#include "run/agent.h"
#include "run/index.h"

/* SIGHUP: the configuration anew */
static struct config *reload(void *ctx)
{
    const struct cli *cli = ctx;
    struct config *config = command_read(cli);
    if (config == NULL)
        log_error("SIGHUP: \"%s\" has errors, going on with the present configuration",
                  cli->config_path);
    return config;
}

/* it is in force */
static void reloaded(void *ctx, const struct config *config)
{
    command_use(ctx, config);
}

/* says loudly what makes TLS pointless */
static void warn_unverified(const struct config *c)
{
    const struct config_elasticsearch *es = &c->elasticsearch;
    bool tls = false;
    for (size_t i = 0; i < es->hosts.n; i++)
        tls |= strncmp(es->hosts.v[i], "https:", 6) == 0;
    if (tls && es->enabled && es->verification_mode == CONFIG_VERIFICATION_NONE)
        log_warn("ssl.verification_mode is none: ANYBODY on the way to the server can read and "
                 "change what is sent, and take the password; use ssl.certificate_authorities or "
                 "ssl.ca_trusted_fingerprint");
}

/* Each followed file is an open file: takes as many as the hard limit allows. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        log_debug("the limit of open files stays as it is");
}

/* see command.h */
int command_run(const struct cli *cli)
{
    struct err e = {0};
    struct cli copy = *cli;
    struct config *config = command_load(cli);
    if (config == NULL)
        return EXIT_CONFIG;
    if (index_check(config, &e) < 0) {
        log_error("%s", e.text);
        config_free(&config);
        return EXIT_CONFIG;
    }
    int exit_code = EXIT_RUNTIME;
    raise_file_limit();
    warn_unverified(config);
    if (http_global_init() < 0) {
        log_error("libcurl cannot be initialised");
    } else {
        struct agent_opts opts = {
            .config = config,
            .once = cli->once,
            .once_timeout_ms = cli->timeout_ms,
            .reload = reload,
            .reloaded = reloaded,
            .ctx = &copy,
        };
        exit_code = (int)agent_run(&opts, &e);
    }
    if (e.code != 0)
        log_error("%s", e.text);
    log_debug("memory calls %" PRIu64, mem_calls());
    config_free(&config);
    return exit_code;
}
