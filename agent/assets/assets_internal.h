#ifndef ASSETS_INTERNAL_H
#define ASSETS_INTERNAL_H

/* What the files of this room share. */
#include "assets/assets.h"
#include "assets/put.h"

/* Whether the plan has targets of a kind. */
bool assets_has(const struct asset_opts *o, bool is_stream);
/* Name of the policy of a target's indices. */
const char *assets_policy_name(bool is_stream);
/* "wherry-" and the pattern up to its first star. */
void assets_target_name(const struct asset_target *t, char dst[ASSET_NAME_MAX + 1]);

/* The stamp, as members of the object that is open: what was written before it is its hash. */
void assets_put_stamp(struct json_writer *w);
/* The same as a text, where an API has no place for an object. */
void assets_put_stamp_text(struct json_writer *w, const char *key);

/* policy.c: bodies */
void assets_put_ilm(const struct asset_opts *o, bool is_stream, struct json_writer *w);
void assets_put_ism(const struct asset_opts *o, const struct asset_target *t,
                    struct json_writer *w);
/* "lifecycle" of a data stream without policies */
void assets_put_retention(const struct asset_opts *o, struct json_writer *w);

/* template.c: bodies */
void assets_put_settings(const struct asset_opts *o, const struct asset_server *s, bool is_stream,
                         struct json_writer *w);
void assets_put_mappings(const struct asset_mapping *m, const struct asset_server *s,
                         struct json_writer *w);
void assets_put_template(const struct asset_opts *o, const struct asset_server *s,
                         const struct asset_target *t, struct json_writer *w);

/* role.c: bodies */
void assets_put_role(const struct asset_opts *o, const struct asset_server *s,
                     struct json_writer *w);

#endif
