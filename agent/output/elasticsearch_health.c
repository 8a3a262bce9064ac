/*
 * output/elasticsearch_health - what is wrong, told once and then at a falling rate
 *
 * Each host, each target and the dead-letter box has a trouble of its own. A trouble is told when
 * it begins, then after 30 s, 1 min, 2 min ... up to an hour; one that comes and goes keeps its
 * pace, so flapping does not fill the log either. The output's health is the worst of them, but a
 * host that fails beside others that work only degrades it.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "output/elasticsearch_internal.h"

#define TELL_GAP_MIN_MS (30 * INT64_C(1000))
#define TELL_GAP_MAX_MS (60 * 60 * INT64_C(1000))

/* formats and hands on */
void es_tell(struct output *o, enum log_level level, const char *fmt, ...)
{
    char text[2 * WHY_BYTES];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    o->hooks.message(o->hooks.ctx, level, text);
}

/* formats, counts what was held back, hands on */
void es_tell_throttled(struct output *o, struct log_throttle *t, const char *fmt, ...)
{
    uint64_t held;
    if (!log_throttle_pass(t, loop_now_ms(o->loop), &held))
        return;
    char text[2 * WHY_BYTES];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (held > 0)
        es_tell(o, LOG_WARN, "%.*s (%" PRIu64 " similar held back)", WHY_BYTES, text, held);
    else
        o->hooks.message(o->hooks.ctx, LOG_WARN, text);
}

/* tells it if it is time, and doubles the time until the next */
static void tell_trouble(struct output *o, struct trouble *t)
{
    int64_t now = loop_now_ms(o->loop);
    if (now < t->tell_at_ms)
        return;
    bool is_old = t->gap_ms > 0 && now < t->tell_at_ms + t->gap_ms;
    t->gap_ms = is_old ? t->gap_ms * 2 : TELL_GAP_MIN_MS;
    if (t->gap_ms > TELL_GAP_MAX_MS)
        t->gap_ms = TELL_GAP_MAX_MS;
    t->tell_at_ms = now + t->gap_ms;
    t->told = true;
    es_tell(o, t->health == OUTPUT_FAILED ? LOG_ERROR : LOG_WARN, "%s, trying again", t->why);
}

/* keeps the newest reason */
void es_trouble(struct output *o, struct trouble *t, enum output_health health, const char *fmt,
                ...)
{
    if (o->stopped)
        return;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(t->why, sizeof(t->why), fmt, ap);
    va_end(ap);
    t->health = health;
    if (health != OUTPUT_OK)
        tell_trouble(o, t);
}

/* the good news only where the bad was told */
void es_trouble_end(struct output *o, struct trouble *t, const char *fmt, ...)
{
    if (t->health == OUTPUT_OK)
        return;
    t->health = OUTPUT_OK;
    t->why[0] = '\0';
    if (!t->told)
        return;
    t->told = false;
    char text[WHY_BYTES];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    o->hooks.message(o->hooks.ctx, LOG_INFO, text);
}

/* keeps the worse of two */
static void worse(const struct trouble *t, enum output_health most, enum output_health *health,
                  const char **why)
{
    enum output_health h = t->health < most ? t->health : most;
    if (h > *health) {
        *health = h;
        *why = t->why;
    }
}

/* whether some host has no trouble */
static bool some_host_works(const struct output *o)
{
    for (size_t i = 0; i < o->opts.host_count; i++) {
        if (o->hosts[i].trouble.health == OUTPUT_OK)
            return true;
    }
    return false;
}

/* the worst of all, reported when it changed */
void es_health_update(struct output *o)
{
    enum output_health health = OUTPUT_OK;
    const char *why = "";
    enum output_health most = some_host_works(o) ? OUTPUT_DEGRADED : OUTPUT_FAILED;
    for (size_t i = 0; i < o->opts.host_count; i++)
        worse(&o->hosts[i].trouble, most, &health, &why);
    LIST_EACH(node, &o->targets) {
        worse(&LIST_ENTRY(node, struct target, link)->trouble, OUTPUT_FAILED, &health, &why);
    }
    worse(&o->dead_trouble, OUTPUT_FAILED, &health, &why);
    if (health == o->health && strcmp(why, o->why) == 0)
        return;
    o->health = health;
    (void)snprintf(o->why, sizeof(o->why), "%s", why);
    o->hooks.health(o->hooks.ctx, health, o->why);
}
