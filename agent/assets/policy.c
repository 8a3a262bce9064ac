/*
 * assets/policy - what becomes of old indices
 *
 * Data streams roll over, and their ages count from there. Indices named by the day never do:
 * rolling them over would need an alias that no dated index is behind, so they have the same ages
 * from their creation on.
 */
#include <stdio.h>

#include "assets/assets_internal.h"

#define MS_PER_S INT64_C(1000)

enum { PRIORITY_HOT = 100, PRIORITY_WARM = 50, PRIORITY_COLD = 0 };

/* see header */
void assets_age(int64_t ms, char dst[24])
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400 * MS_PER_S, "d"},
                 {3600 * MS_PER_S, "h"},
                 {60 * MS_PER_S, "m"},
                 {MS_PER_S, "s"},
                 {1, "ms"}};
    size_t i = 0;
    while (i < ARRAY_LEN(units) - 1 && (ms == 0 || ms % units[i].ms != 0))
        i++;
    (void)snprintf(dst, 24, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
}

/* see header */
void assets_size(uint64_t bytes, char dst[24])
{
    static const char *const units[] = {"b", "kb", "mb", "gb"};
    size_t i = 0;
    for (; i < ARRAY_LEN(units) - 1 && bytes % KIB == 0; i++)
        bytes /= KIB;
    (void)snprintf(dst, 24, "%llu%s", (unsigned long long)bytes, units[i]);
}

/* "key": age */
static void put_age(struct json_writer *w, const char *key, int64_t ms)
{
    char text[24];
    assets_age(ms, text);
    put_text(w, key, text);
}

/* "key": size */
static void put_size(struct json_writer *w, const char *key, uint64_t bytes)
{
    char text[24];
    assets_size(bytes, text);
    put_text(w, key, text);
}

/* "name": {"key": n} */
static void put_action(struct json_writer *w, const char *name, const char *key, uint64_t n)
{
    put_object(w, name);
    put_long(w, key, n);
    json_end_object(w);
}

/* whether indices roll over at all */
static bool has_rollover(const struct asset_opts *o)
{
    return o->rollover_age_ms > 0 || o->rollover_bytes > 0;
}

/* when, by the names that a product has for it */
static void put_rollover(const struct asset_opts *o, const char *age, const char *size,
                         struct json_writer *w)
{
    put_object(w, "rollover");
    if (o->rollover_age_ms > 0)
        put_age(w, age, o->rollover_age_ms);
    if (o->rollover_bytes > 0)
        put_size(w, size, o->rollover_bytes);
    json_end_object(w);
}

/* ---- Elasticsearch ---- */

/* opens "name": {"min_age": ..., "actions": { */
static void open_phase(struct json_writer *w, const char *name, int64_t min_age_ms)
{
    put_object(w, name);
    put_age(w, "min_age", min_age_ms);
    put_object(w, "actions");
}

/* closes both */
static void close_phase(struct json_writer *w)
{
    json_end_object(w);
    json_end_object(w);
}

/* the phases that have an age */
static void put_phases(const struct asset_opts *o, bool is_stream, struct json_writer *w)
{
    open_phase(w, "hot", 0);
    if (is_stream && has_rollover(o))
        put_rollover(o, "max_age", "max_primary_shard_size", w);
    put_action(w, "set_priority", "priority", PRIORITY_HOT);
    close_phase(w);
    if (o->warm_ms > 0) {
        open_phase(w, "warm", o->warm_ms);
        put_action(w, "shrink", "number_of_shards", 1);
        put_action(w, "forcemerge", "max_num_segments", 1);
        put_action(w, "set_priority", "priority", PRIORITY_WARM);
        close_phase(w);
    }
    if (o->cold_ms > 0) {
        open_phase(w, "cold", o->cold_ms);
        put_action(w, "set_priority", "priority", PRIORITY_COLD);
        close_phase(w);
    }
    if (o->delete_ms > 0) {
        open_phase(w, "delete", o->delete_ms);
        put_object(w, "delete");
        json_end_object(w);
        close_phase(w);
    }
}

/* see header */
void assets_put_ilm(const struct asset_opts *o, bool is_stream, struct json_writer *w)
{
    json_object(w);
    put_object(w, "policy");
    put_object(w, "phases");
    put_phases(o, is_stream, w);
    json_end_object(w);
    put_object(w, "_meta");
    assets_put_stamp(w);
    json_end_object(w);
    json_end_object(w);
    json_end_object(w);
}

/* see header */
void assets_put_retention(const struct asset_opts *o, struct json_writer *w)
{
    put_object(w, "lifecycle");
    if (o->delete_ms > 0)
        put_age(w, "data_retention", o->delete_ms);
    json_end_object(w);
}

/* ---- OpenSearch ---- */

/* A state of the policy. */
struct state {
    const char *name;
    int64_t after_ms; /* 0 = there is none; of the first, there is */
    int priority;     /* negative: none */
};

/* [{"name":{"key":n}}, ...], as the state needs */
static void put_actions(const struct asset_opts *o, bool is_stream, const struct state *state,
                        bool is_first, struct json_writer *w)
{
    put_array(w, "actions");
    if (is_first && is_stream && has_rollover(o)) {
        json_object(w);
        put_rollover(o, "min_index_age", "min_primary_shard_size", w);
        json_end_object(w);
    }
    if (state->priority == PRIORITY_WARM) {
        json_object(w);
        put_action(w, "force_merge", "max_num_segments", 1);
        json_end_object(w);
    }
    json_object(w);
    if (state->priority >= 0) {
        put_action(w, "index_priority", "priority", (uint64_t)state->priority);
    } else {
        put_object(w, "delete");
        json_end_object(w);
    }
    json_end_object(w);
    json_end_array(w);
}

/* The ages of streams count from the rollover; of what never rolls over, from the creation. There
 * is no shrink: it makes an index that is none of the stream's. */
void assets_put_ism(const struct asset_opts *o, const struct asset_target *t, struct json_writer *w)
{
    const struct state all[] = {
        {"hot", 0, PRIORITY_HOT},
        {"warm", o->warm_ms, PRIORITY_WARM},
        {"cold", o->cold_ms, PRIORITY_COLD},
        {"delete", o->delete_ms, -1},
    };
    const char *age = t->is_stream && has_rollover(o) ? "min_rollover_age" : "min_index_age";
    json_object(w);
    put_object(w, "policy");
    put_text(w, "default_state", all[0].name);
    put_array(w, "states");
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        size_t next = i + 1;
        if (i > 0 && all[i].after_ms == 0)
            continue;
        while (next < ARRAY_LEN(all) && all[next].after_ms == 0)
            next++;
        json_object(w);
        put_text(w, "name", all[i].name);
        put_actions(o, t->is_stream, &all[i], i == 0, w);
        put_array(w, "transitions");
        if (next < ARRAY_LEN(all)) {
            json_object(w);
            put_text(w, "state_name", all[next].name);
            put_object(w, "conditions");
            put_age(w, age, all[next].after_ms);
            json_end_object(w);
            json_end_object(w);
        }
        json_end_array(w);
        json_end_object(w);
    }
    json_end_array(w);
    put_array(w, "ism_template");
    json_object(w);
    put_array(w, "index_patterns");
    json_cstring(w, t->pattern);
    json_end_array(w);
    put_long(w, "priority", PRIORITY_HOT);
    json_end_object(w);
    json_end_array(w);
    assets_put_stamp_text(w, "description");
    json_end_object(w);
    json_end_object(w);
}
