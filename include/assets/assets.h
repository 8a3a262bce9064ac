#ifndef ASSETS_ASSETS_H
#define ASSETS_ASSETS_H

/*
 * What `wherry setup` puts onto a server and `wherry export` prints: lifecycle policies, component
 * and index templates, the role of those who ship. Pure: options and what the server is like in,
 * names and bodies out. The same input gives the same bytes.
 *
 * Each body carries a stamp: managed_by wherry, the version of this set of assets, and a hash of
 * the body. So what is ours, and what has changed, is told without comparing how a server words it.
 *
 *     policy  wherry, wherry-daily             of data streams, of indices named by the day (ILM)
 *             wherry-logs-nginx                of one target (ISM: a policy names its patterns)
 *     component  wherry-settings, wherry-daily-settings, wherry-mappings-<mapping>
 *     template   wherry-logs-nginx             for the pattern logs-nginx-*
 *     role       wherry-writer
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assets/mapping.h"
#include "base/buf.h"
#include "base/def.h"

#define ASSETS_VERSION 1   /* raised when bodies change in what they mean */
#define ASSET_NAME_MAX 255 /* bytes */
#define ASSET_PATH_MAX 320
#define ASSET_BODY_MAX (256 * KIB)
#define ASSET_ROLE     "wherry-writer"

enum asset_kind { ASSET_POLICY, ASSET_COMPONENT, ASSET_TEMPLATE, ASSET_ROLE_KIND };
#define ASSET_KINDS 4

/* What deletes old indices. */
enum asset_lifecycle {
    ASSET_NO_LIFECYCLE,
    ASSET_ILM,       /* policies of Elasticsearch */
    ASSET_ISM,       /* policies of OpenSearch */
    ASSET_RETENTION, /* data streams keep documents for a time, which their template tells */
};

struct asset_server {
    bool opensearch;
    bool serverless; /* has neither shards nor replicas to set */
    enum asset_lifecycle lifecycle;
    unsigned lacks; /* enum mapping_lack */
};

struct asset_mapping {
    const char *name; /* "logs" */
    struct mapping *fields;
};

/* Where documents go. */
struct asset_target {
    const char *pattern; /* logs-nginx-*; begins with a letter or digit */
    bool is_stream;      /* data streams; else indices named by the day */
    unsigned mapping;    /* index in asset_opts.mappings */
};

/* All borrowed. Ages in ms, 0 = never. */
struct asset_opts {
    const struct asset_target *targets;
    size_t target_count;
    const struct asset_mapping *mappings;
    size_t mapping_count;
    unsigned shards, replicas;
    int64_t rollover_age_ms;
    uint64_t rollover_bytes; /* of a primary shard; 0 = any */
    int64_t warm_ms, cold_ms, delete_ms;
    bool may_read; /* the role may read and refresh, too: documents are asked for before they are
                    * sent again */
};

/* One of them, filled by assets_make. */
struct asset {
    enum asset_kind kind;
    const char *label;             /* "index template", static */
    char name[ASSET_NAME_MAX + 1]; /* as its API knows it */
    char path[ASSET_PATH_MAX];     /* of GET and PUT */
    const char *stamp;             /* where an answer to GET has the stamp: names between dots, *
                                    * is the first member; static */
    char hash[17];                 /* that of the stamp */
    struct buf body;               /* with a NUL behind it */
};

void asset_init(struct asset *a);
void asset_clear(struct asset *a);

/* In the order in which they must be put. */
size_t assets_count(const struct asset_opts *o, const struct asset_server *s);
/* The i-th of them. 0, -ENOBUFS, -ENOMEM, -ENAMETOOLONG. */
int assets_make(const struct asset_opts *o, const struct asset_server *s, size_t i,
                struct asset *ret) MUST_CHECK;

/* Body of the request for an API key (Elasticsearch) that may do what the role may, to the targets
 * alone. */
int assets_write_api_key(const struct asset_opts *o, struct buf *out) MUST_CHECK;

/* Ages and sizes as the servers take them: "7d", "36h", "10gb"; the largest unit without a rest. */
void assets_age(int64_t ms, char dst[24]);
void assets_size(uint64_t bytes, char dst[24]);

#endif
