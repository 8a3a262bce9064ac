/*
 * run/agent - one life, from the first open to the last record
 *
 * Start opens from the outside in (directory, lock, store, registry, feeds, output, inputs), stop
 * closes in the reverse order. Nothing here knows what a line or a metric is.
 */
#include "run/agent.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "agent_internal.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/version.h"
#include "os/fs.h"
#include "os/http.h"
#include "os/notify.h"
#include "os/watch.h"
#include "run/index.h"

#define LEDGER_MS      30000
#define PROC_FILE_MAX  ((size_t)4 * 1024 * 1024)
#define METRICS_BYTES  ((size_t)512 * 1024)
#define TARGET_BATCHES 16 /* open batches beyond those on their way, at most */

/* ---- drain and stop ---- */

/* the end of the life */
static void finish(struct agent *a, enum agent_result result)
{
    if (a->state == AGENT_STOPPED)
        return;
    a->state = AGENT_STOPPED;
    a->result = result;
    loop_stop(a->loop, 0);
}

/* what a once run amounts to */
static enum agent_result once_result(const struct agent *a)
{
    struct ledger sum;
    report_sum(a, &sum);
    uint64_t bad = sum.dead_lettered.lines + sum.dead_lettered.bytes;
    for (size_t i = 0; i < ABANDON_COUNT; i++)
        bad += sum.abandoned[i].lines + sum.abandoned[i].bytes;
    return bad == 0 ? AGENT_OK : AGENT_INCOMPLETE;
}

/* see agent_internal.h */
void agent_check_drained(struct agent *a)
{
    if (a->state != AGENT_DRAINING || flow_outstanding(a) > 0)
        return;
    finish(a, a->opts.once ? once_result(a) : AGENT_OK);
}

/* shutdown_timeout is over, or --timeout */
static void on_deadline(void *ctx)
{
    struct agent *a = ctx;
    if (a->opts.once) {
        log_error("not everything was shipped within the time-out");
        finish(a, AGENT_FAILED);
        return;
    }
    log_warn("shutdown_timeout is over with %u batches on their way; their log lines are read "
             "again at the next start",
             flow_outstanding(a));
    finish(a, AGENT_OK);
}

/* reads no more, ships what was read */
static void drain(struct agent *a)
{
    a->state = AGENT_DRAINING;
    (void)notify_send("STOPPING=1"); /* without a manager nobody asks */
    tail_stop(a->tail);
    if (a->metrics != NULL)
        metrics_stop(a->metrics);
    feed_flush(a->logs);
    if (a->docs != NULL)
        feed_flush(a->docs);
    loop_timer_set(a->deadline, a->config->shutdown_timeout_ms);
    agent_check_drained(a);
}

/* SIGTERM, SIGINT; the second one ends at once */
static void on_terminate(void *ctx, int signo)
{
    struct agent *a = ctx;
    if (a->state == AGENT_DRAINING && !a->opts.once) {
        log_warn("second signal, ending at once");
        _exit(1);
    }
    if (a->opts.once) {
        log_error("ended by signal %d before everything was shipped", signo);
        finish(a, AGENT_FAILED);
        return;
    }
    log_info("signal %d, shutting down", signo);
    drain(a);
}

/* SIGHUP */
static void on_hangup(void *ctx, int signo)
{
    struct agent *a = ctx;
    (void)signo; /* only SIGHUP comes here */
    if (a->config->output == CONFIG_OUTPUT_NONE)
        log_info("SIGHUP: nothing is read until the next start");
    else if (a->state == AGENT_RUNNING && !a->opts.once)
        reload_config(a);
}

/* every 30 s */
static void on_ledger(void *ctx)
{
    struct agent *a = ctx;
    report_ledger(a, false);
    loop_timer_set(a->ledger_timer, LEDGER_MS);
}

/* the service manager is told that the loop turns */
static void on_watchdog(void *ctx)
{
    struct agent *a = ctx;
    (void)notify_send("WATCHDOG=1"); /* a lost one is covered by the next */
    loop_timer_set(a->watchdog, notify_watchdog_ms());
}

/* ---- start ---- */

/* loop, signals and timers */
static int start_loop(struct agent *a, struct err *e)
{
    int error = 0;
    a->loop = loop_new(clock_system(), &error);
    if (a->loop == NULL)
        return err_set_errno(e, error, "event loop");
    a->signals[0] = loop_signal_add(a->loop, SIGTERM, on_terminate, a);
    a->signals[1] = loop_signal_add(a->loop, SIGINT, on_terminate, a);
    a->signals[2] = loop_signal_add(a->loop, SIGHUP, on_hangup, a);
    a->deadline = loop_timer_new(a->loop, on_deadline, a);
    a->ledger_timer = loop_timer_new(a->loop, on_ledger, a);
    a->watchdog = loop_timer_new(a->loop, on_watchdog, a);
    return 0;
}

/* who this host is */
static void start_identity(struct agent *a)
{
    a->procfs =
        procfs_new(a->config->path_hostfs, getenv("HOST_PROC"), getenv("HOST_SYS"), PROC_FILE_MAX);
    sysinfo_read(&a->host, a->procfs);
    a->identity = (struct encode_agent){
        .host_name = a->host.hostname, .id = a->data.agent_id, .version = WHERRY_VERSION};
}

/* 32 hex digits to 16 bytes; zero if they are not */
static void machine_id_bytes(const char *text, uint8_t *dst)
{
    memset(dst, 0, 16);
    for (size_t i = 0; strlen(text) == 32 && i < 16; i++) {
        uint64_t byte;
        if (num_hex(slice_of(text + 2 * i, 2), &byte) < 0)
            return;
        dst[i] = (uint8_t)byte;
    }
}

/* what recovery found, in the log and in health */
static void report_recovery(struct agent *a)
{
    const struct journal_recovery *r = &a->recovery;
    if (r->text[0] != '\0')
        log_warn("registry: %s", r->text);
    if (r->read_only || r->newer_version)
        report_health(a, HEALTH_REGISTRY, OUTPUT_DEGRADED,
                      "offsets are kept in memory only and will be lost at the end");
    else if (r->bad_middles > 0)
        report_health(a, HEALTH_REGISTRY, OUTPUT_DEGRADED,
                      "a part of the registry was damaged; a copy was kept beside it");
    else if (r->lost_files > 0)
        report_health(a, HEALTH_REGISTRY, OUTPUT_DEGRADED,
                      "a file of the registry was lost; some lines may be sent again");
}

/* whose registry it is, as far as it says */
static void tell_origin(struct agent *a, const uint8_t machine_id[16])
{
    static const uint8_t unknown[16];
    const uint8_t *theirs = a->recovery.machine_id;
    bool other = memcmp(theirs, machine_id, 16) != 0 && memcmp(theirs, unknown, 16) != 0 &&
                 memcmp(machine_id, unknown, 16) != 0;
    int64_t up_ns = a->host.uptime_ms * 1000000;
    registry_set_origin(a->registry, other, up_ns > 0 ? loop_wall_ns(a->loop) - up_ns : 0);
}

/* whether this life measures */
static bool has_metrics(const struct agent *a)
{
    return a->config->metrics.enabled && !a->opts.once && a->config->output != CONFIG_OUTPUT_NONE;
}

/* what metrics an earlier life has left on disk */
static void start_spool(struct agent *a)
{
    struct spool_opts opts = {.fs = fs_system(),
                              .dir = a->data.spool,
                              .max_bytes = a->config->spool.max_bytes,
                              .now_ns = loop_wall_ns(a->loop)};
    struct spool_found found;
    if (a->data.spool < 0 || !has_metrics(a))
        return;
    a->spool = spool_open(&opts, &found);
    if (found.torn + found.damaged + found.newer > 0)
        log_warn("spool: %u files end within a block of metrics, %u are damaged, %u are of a newer "
                 "version; what could be read is sent",
                 found.torn, found.damaged, found.newer);
    if (found.blocks > 0)
        log_info("spool: %llu metric documents of an earlier run are sent now",
                 (unsigned long long)found.held.documents);
}

/* registry, dead letters, and the thread that writes them */
static int start_store(struct agent *a, struct err *e)
{
    struct registry_hooks hooks = flow_registry_hooks(a);
    struct journal_opts opts = {
        .fs = fs_system(), .dir = a->data.registry, .now_ns = loop_wall_ns(a->loop)};
    machine_id_bytes(a->host.machine_id, opts.machine_id);
    a->registry = registry_new(a->loop, &hooks);
    int r = journal_open(&opts, registry_replay, a->registry, &a->recovery, &a->journal);
    if (r < 0)
        return err_set_errno(e, r, "registry");
    r = state_copy_open(a, &opts);
    if (r < 0)
        return err_set_errno(e, r, "copy of the registry");
    report_recovery(a);
    tell_origin(a, opts.machine_id);
    r = deadbox_open(fs_system(), a->data.dead_letter, a->config->dead_letter.max_bytes,
                     opts.now_ns, &a->deadbox);
    if (r < 0)
        return err_set_errno(e, r, "dead letters");
    if (a->config->dead_letter.when_full == CONFIG_WHEN_FULL_DROP_OLDEST)
        deadbox_drop_oldest(a->deadbox);
    start_spool(a);
    a->writer = writer_new(a->loop, a->journal, a->deadbox);
    if (a->writer == NULL)
        return err_set(e, -EAGAIN, "cannot start the store thread");
    writer_set_copy(a->writer, a->saved_journal);
    return 0;
}

/* batches for logs: those on their way, one being filled for each target */
static void start_feeds(struct agent *a)
{
    const struct config_elasticsearch *es = &a->config->elasticsearch;
    struct feed_hooks logs = flow_logs_hooks(a);
    struct feed_hooks docs = flow_metrics_hooks(a);
    unsigned open = a->inputs.target_count;
    struct feed_opts opts = {
        .kind = BATCH_LOGS,
        .batches = es->workers + 1 + (open < TARGET_BATCHES ? open : TARGET_BATCHES),
        .max_bytes = (size_t)es->bulk_max_bytes,
        .slack_bytes = tail_slack(a->inputs.inputs, a->inputs.count),
        .max_items = es->bulk_max_size,
        .max_per_target = open > 1 ? es->workers + 1 : 0,
        .linger_ms = es->linger_ms,
    };
    a->slack_bytes = opts.slack_bytes;
    a->logs = feed_new(a->loop, &opts, &logs);
    registry_start(a->registry, a->writer, feed_spans(a->logs), a->host.boot_id);
    if (!has_metrics(a))
        return;
    opts = (struct feed_opts){.kind = BATCH_METRICS,
                              .batches = 1,
                              .max_bytes = METRICS_BYTES,
                              .linger_ms = es->linger_ms};
    a->docs = feed_new(a->loop, &opts, &docs);
}

/* the output */
static int start_output(struct agent *a, struct err *e)
{
    struct output_hooks hooks = flow_output_hooks(a);
    return outputs_open(&a->output, a->loop, a->config, &hooks, a->writer, e);
}

/* host metrics */
static void start_metrics(struct agent *a)
{
    struct metrics_opts opts = {
        .procfs = a->procfs,
        .hostfs = a->config->path_hostfs,
        .host = &a->host,
        .agent = &a->identity,
        .namespace = a->config->namespace,
        .config = &a->config->metrics,
        .isp_index = a->metrics_index,
        .message = report_message,
        .ctx = a,
        .spool = a->spool,
        .writer = a->writer,
    };
    if (a->docs != NULL)
        a->metrics = metrics_new(a->loop, &opts, a->docs, &a->metrics_ledger);
}

/* file inputs */
static int start_tail(struct agent *a, struct err *e)
{
    struct tail_hooks hooks = flow_tail_hooks(a);
    struct tail_opts opts = {
        .inputs = a->inputs.inputs,
        .input_count = a->inputs.count,
        .agent = &a->identity,
        .once = a->opts.once,
        .unclean_boot = registry_is_unclean_boot(a->registry),
    };
    a->tail = tail_new(a->loop, &opts, &hooks, a->logs, a->registry, e);
    return a->tail == NULL ? -EINVAL : 0;
}

/* everything, from the outside in */
static int start(struct agent *a, struct err *e)
{
    int r = datadir_open(&a->data, a->config, e);
    if (r == 0)
        r = start_loop(a, e);
    if (r < 0)
        return r;
    start_identity(a);
    if (index_is_used_for_metrics(a->config))
        r = index_of_metrics(a->config, &a->metrics_index, e);
    if (r < 0)
        return r;
    r = assemble_inputs(&a->inputs, a->config, &a->ledgers, a->host.hostname, loop_wall_ns(a->loop),
                        e);
    if (r == 0)
        r = start_store(a, e);
    if (r < 0)
        return r;
    start_feeds(a);
    r = start_output(a, e);
    if (r == 0)
        r = start_tail(a, e);
    if (r == 0)
        start_metrics(a);
    return r;
}

/* first scan, first timers */
static void begin(struct agent *a)
{
    log_info("wherry %s started, %zu inputs, %s backend, %s", WHERRY_VERSION, a->inputs.count,
             watch_backend(), http_library());
    a->state = AGENT_RUNNING;
    if (a->config->output == CONFIG_OUTPUT_NONE) {
        log_warn("ELASTICSEARCH_ENABLED is false: nothing is read and nothing is sent");
    } else {
        tail_start(a->tail);
    }
    if (a->metrics != NULL)
        metrics_start(a->metrics);
    loop_timer_set(a->ledger_timer, LEDGER_MS);
    if (notify_watchdog_ms() > 0)
        loop_timer_set(a->watchdog, notify_watchdog_ms());
    if (a->opts.once && a->opts.once_timeout_ms > 0)
        loop_timer_set(a->deadline, a->opts.once_timeout_ms);
    (void)notify_send("READY=1\nSTATUS=running"); /* without a manager nobody asks */
    if (a->config->output == CONFIG_OUTPUT_NONE && a->opts.once)
        finish(a, AGENT_OK);
}

/* ---- end ---- */

/* the last records, and the last copy */
static void end_registry(struct agent *a)
{
    registry_close(a->registry);
    state_copy_last(a);
}

/* In the reverse order. A sender thread that hangs in the kernel may still read its batch: then
 * nothing of it is freed, the process ends soon. */
static void stop(struct agent *a)
{
    bool hangs = a->output.ops != NULL && a->output.ops->stop(a->output.self) < 0;
    if (a->metrics != NULL) {
        metrics_stop(a->metrics);
        metrics_end(a->metrics);
    }
    tail_free(&a->tail);
    if (a->writer != NULL && a->logs != NULL)
        end_registry(a);
    writer_free(&a->writer);
    metrics_free(&a->metrics);
    if (a->state == AGENT_STOPPED)
        report_ledger(a, true);
    if (!hangs) {
        outputs_close(&a->output);
        registry_release(a->registry);
        feed_free(&a->docs);
        feed_free(&a->logs);
        registry_free(&a->registry);
    }
    journal_free(&a->journal);
    state_copy_close(a);
    deadbox_free(&a->deadbox);
    spool_free(&a->spool);
    assemble_clear(&a->inputs);
    target_free(&a->metrics_index);
    ledgers_clear(&a->ledgers);
    config_free(&a->reloaded);
    sysinfo_clear(&a->host);
    procfs_free(&a->procfs);
    for (size_t i = 0; i < ARRAY_LEN(a->signals); i++)
        loop_signal_cancel(&a->signals[i]);
    loop_timer_cancel(&a->deadline);
    loop_timer_cancel(&a->ledger_timer);
    loop_timer_cancel(&a->watchdog);
    if (a->loop != NULL && !hangs)
        (void)loop_free(&a->loop); /* what is left over is told at debug level */
    datadir_close(&a->data);
}

/* see header */
enum agent_result agent_run(const struct agent_opts *opts, struct err *e)
{
    struct agent *a = mem_zalloc(sizeof(*a));
    a->opts = *opts;
    a->config = opts->config;
    ledgers_init(&a->ledgers);
    a->result = AGENT_FAILED;
    list_init(&a->waiting);
    datadir_init(&a->data);
    if (start(a, e) == 0) {
        begin(a);
        (void)loop_run(a->loop); /* its code is ours: a->result says more */
    }
    enum agent_result result = a->result;
    stop(a);
    mem_free(a);
    return result;
}
