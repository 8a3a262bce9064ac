/*
 * assets/template - component and index templates
 *
 * Settings and mappings are components of their own: putting one anew cannot erase the other.
 */
#include <stdio.h>

#include "assets/assets_internal.h"

#define REFRESH_INTERVAL "5s"

/* Above 500 nothing of Elastic's own overlaps, and Fleet's templates stand at 200; indices by name
 * have no rivals but the built-in ones at 100. */
enum { PRIORITY_STREAM = 501, PRIORITY_INDEX = 200 };

/* the stamp as a member */
static void put_meta(struct json_writer *w)
{
    put_object(w, "_meta");
    assets_put_stamp(w);
    json_end_object(w);
}

/* see header */
void assets_put_settings(const struct asset_opts *o, const struct asset_server *s, bool is_stream,
                         struct json_writer *w)
{
    json_object(w);
    put_object(w, "template");
    put_object(w, "settings");
    put_long(w, "index.number_of_shards", o->shards);
    put_long(w, "index.number_of_replicas", o->replicas);
    put_text(w, "index.refresh_interval", REFRESH_INTERVAL);
    put_text(w, "index.codec", "best_compression");
    if (s->lifecycle == ASSET_ILM)
        put_text(w, "index.lifecycle.name", assets_policy_name(is_stream));
    json_end_object(w);
    json_end_object(w);
    put_meta(w);
    json_end_object(w);
}

/* see header */
void assets_put_mappings(const struct asset_mapping *m, const struct asset_server *s,
                         struct json_writer *w)
{
    unsigned lacks = s->lacks;
    if (s->opensearch) /* it has the type, but only with a fixed value */
        lacks |= MAPPING_NO_CONSTANT_KEYWORD;
    json_object(w);
    put_object(w, "template");
    json_key(w, "mappings");
    mapping_write(m->fields, lacks, w);
    json_end_object(w);
    put_meta(w);
    json_end_object(w);
}

/* the names of the components */
static void put_components(const struct asset_opts *o, const struct asset_server *s,
                           const struct asset_target *t, struct json_writer *w)
{
    char name[ASSET_NAME_MAX + 1];
    put_array(w, "composed_of");
    (void)snprintf(name, sizeof(name), "wherry-mappings-%s", o->mappings[t->mapping].name);
    json_cstring(w, name);
    if (!s->serverless) {
        (void)snprintf(name, sizeof(name), "%s-settings", assets_policy_name(t->is_stream));
        json_cstring(w, name);
    }
    json_end_array(w);
}

/* see header */
void assets_put_template(const struct asset_opts *o, const struct asset_server *s,
                         const struct asset_target *t, struct json_writer *w)
{
    json_object(w);
    put_array(w, "index_patterns");
    json_cstring(w, t->pattern);
    json_end_array(w);
    if (t->is_stream) {
        put_object(w, "data_stream");
        json_end_object(w);
    }
    put_long(w, "priority", t->is_stream ? PRIORITY_STREAM : PRIORITY_INDEX);
    put_components(o, s, t, w);
    if (!s->opensearch)
        put_bool(w, "allow_auto_create", true);
    if (s->lifecycle == ASSET_RETENTION && t->is_stream) {
        put_object(w, "template");
        assets_put_retention(o, w);
        json_end_object(w);
    }
    put_meta(w);
    json_end_object(w);
}
