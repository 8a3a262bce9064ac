/*
 * assets/role - what those who ship may do
 *
 * The role is for all hosts of a cluster, so it names every stream that wherry can have; a key is
 * one host's, and names its targets. Neither may read, delete or write anything else.
 */
#include "assets/assets_internal.h"

/* the rights themselves, by product */
static const char *const rights[2][5] = {
    {"auto_configure", "create_doc"},
    {"create_index", "indices:data/write/index", "indices:data/write/bulk*",
     "indices:admin/mapping/put"},
};
static const char *const cluster_rights[2][3] = {
    {"monitor"},
    {"cluster_monitor", "indices:data/write/bulk", "indices:admin/index_template/get"},
};
/* for the question which documents have arrived */
static const char *const reading[2][2] = {
    {"read", "maintenance"},
    {"read", "indices:admin/refresh*"},
};

/* as many texts as there are */
static void put_texts(struct json_writer *w, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count && texts[i] != NULL; i++)
        json_cstring(w, texts[i]);
}

/* patterns: those of all hosts, or the targets' alone */
static void put_patterns(const struct asset_opts *o, bool of_all, struct json_writer *w)
{
    if (of_all && assets_has(o, true)) {
        json_cstring(w, "logs-*-*");
        json_cstring(w, "metrics-system.*-*");
    }
    for (size_t i = 0; i < o->target_count; i++)
        if (!of_all || !o->targets[i].is_stream)
            json_cstring(w, o->targets[i].pattern);
}

/* the two members, by the names that a product has for them */
static void put_rights(const struct asset_opts *o, bool opensearch, bool of_all,
                       struct json_writer *w)
{
    put_array(w, opensearch ? "cluster_permissions" : "cluster");
    put_texts(w, cluster_rights[opensearch], ARRAY_LEN(cluster_rights[0]));
    json_end_array(w);
    put_array(w, opensearch ? "index_permissions" : "indices");
    json_object(w);
    put_array(w, opensearch ? "index_patterns" : "names");
    put_patterns(o, of_all, w);
    json_end_array(w);
    put_array(w, opensearch ? "allowed_actions" : "privileges");
    put_texts(w, rights[opensearch], ARRAY_LEN(rights[0]));
    if (o->may_read)
        put_texts(w, reading[opensearch], ARRAY_LEN(reading[0]));
    json_end_array(w);
    json_end_object(w);
    json_end_array(w);
}

/* see header */
void assets_put_role(const struct asset_opts *o, const struct asset_server *s,
                     struct json_writer *w)
{
    json_object(w);
    put_rights(o, s->opensearch, true, w);
    if (s->opensearch) {
        assets_put_stamp_text(w, "description");
    } else {
        put_object(w, "metadata");
        assets_put_stamp(w);
        json_end_object(w);
    }
    json_end_object(w);
}

/* see header */
int assets_write_api_key(const struct asset_opts *o, struct buf *out)
{
    struct json_writer w;
    json_begin(&w, out);
    json_object(&w);
    put_text(&w, "name", "wherry");
    put_object(&w, "role_descriptors");
    put_object(&w, ASSET_ROLE);
    put_rights(o, false, false, &w);
    json_end_object(&w);
    json_end_object(&w);
    put_object(&w, "metadata");
    assets_put_stamp(&w);
    json_end_object(&w);
    json_end_object(&w);
    return json_done(&w);
}
