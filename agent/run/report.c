/*
 * run/report - what the agent says of itself
 */
#include <stdlib.h>
#include <string.h>

#include "agent_internal.h"
#include "base/json_write.h"
#include "base/log.h"

#define LEDGER_TEXT_MAX    ((size_t)16 * 1024)
#define HEALTH_INTERVAL_MS 60000
#define HEALTH_BURST       4

static const char *const part_names[HEALTH_PARTS] = {
    [HEALTH_REGISTRY] = "registry", [HEALTH_TAIL] = "tail",   [HEALTH_MOUNTS] = "mounts",
    [HEALTH_OUTPUT] = "output",     [HEALTH_STATE] = "state",
};

/* see agent_internal.h */
void report_message(void *agent, enum log_level level, const char *text)
{
    (void)agent; /* the hooks of every room have a context */
    log_write(level, "%s", text);
}

/* see agent_internal.h */
void report_health(struct agent *a, enum agent_part part, enum output_health level, const char *why)
{
    static const enum log_level levels[] = {
        [OUTPUT_OK] = LOG_INFO, [OUTPUT_DEGRADED] = LOG_WARN, [OUTPUT_FAILED] = LOG_ERROR};
    struct health *h = &a->health[part];
    if (why == NULL)
        why = "";
    if (h->level == level && strcmp(h->why, why) == 0)
        return;
    h->level = level;
    (void)snprintf(h->why, sizeof(h->why), "%s", why);
    if (h->throttle.interval_ms == 0)
        h->throttle = (struct log_throttle)LOG_THROTTLE(HEALTH_INTERVAL_MS, HEALTH_BURST);
    log_throttled(&h->throttle, loop_now_ms(a->loop), levels[level], "health: %s %s%s%s",
                  part_names[part], output_health_name(level), why[0] == '\0' ? "" : ": ", why);
}

/* one more for the total */
static void add_to_sum(void *ctx, const char *id, const struct ledger *ledger)
{
    (void)id; /* all alike */
    ledger_sum(ctx, ledger);
}

/* see agent_internal.h */
void report_sum(const struct agent *a, struct ledger *ret_sum)
{
    *ret_sum = (struct ledger){0};
    ledgers_each(&a->ledgers, add_to_sum, ret_sum);
    ledger_sum(ret_sum, &a->metrics_ledger);
}

/* "ledger NAME {json}"; a ledger that does not add up is our own defect and says so */
static void write_one(const char *name, const struct ledger *l)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, LEDGER_TEXT_MAX);
    json_begin(&w, &text);
    ledger_write(l, &w);
    if (json_done(&w) == 0)
        log_info("ledger %s %s", name, buf_cstr(&text));
    if (!ledger_adds_up(l))
        log_error("the ledger of %s does not add up: this is a defect of wherry", name);
    buf_clear(&text);
}

/* that of one input */
static void write_input(void *ctx, const char *id, const struct ledger *ledger)
{
    char name[128];
    (void)ctx; /* the log is all it needs */
    (void)snprintf(name, sizeof(name), "input %s", id);
    write_one(name, ledger);
}

/* see agent_internal.h */
void report_ledger(const struct agent *a, bool final)
{
    struct ledger sum;
    if (final)
        ledgers_each(&a->ledgers, write_input, NULL);
    if (final && a->docs != NULL)
        write_one("metrics", &a->metrics_ledger);
    report_sum(a, &sum);
    write_one("total", &sum);
}
