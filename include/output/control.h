#ifndef OUTPUT_CONTROL_H
#define OUTPUT_CONTROL_H

/* What the answers to control requests say: product and version, data-stream templates, privileges.
 * Pure; an answer that cannot be read says nothing. Behaviour never depends on the product alone,
 * only on what a known version is known to understand. */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/slice.h"

enum product_kind { PRODUCT_UNKNOWN, PRODUCT_ELASTICSEARCH, PRODUCT_OPENSEARCH };

struct product {
    enum product_kind kind;
    bool serverless;
    unsigned major, minor; /* 0.0 = unknown */
    char version[32];      /* "" = unknown */
};

/* Body of `GET /`. */
void product_from_root(struct product *p, struct slice json);
/* Body of `GET /_nodes/_local?filter_path=nodes.*.version`. */
void product_from_nodes(struct product *p, struct slice json);
/* Headers of any answer: X-Elastic-Product, and the number of X-OpenSearch-Version ("" = none). */
void product_from_headers(struct product *p, bool elastic, const char *opensearch_version);
/* Whether `_bulk` knows `require_data_stream`; elsewhere it is a 400 for the whole request. */
bool product_knows_require_data_stream(const struct product *p);
/* "elasticsearch 8.19.21", "opensearch 3.6.0", "unknown product" into dst, with NUL. */
void product_describe(const struct product *p, char *dst, size_t dst_bytes);

#define CONTROL_TEMPLATES_URL                                                                      \
    "/_index_template?filter_path=index_templates.index_template.index_patterns,"                  \
    "index_templates.index_template.priority,index_templates.index_template.data_stream"
/* Body of CONTROL_TEMPLATES_URL: 1 = of the templates whose patterns match target the one with the
 * highest priority makes a data stream; 0 = it does not, or none matches; -EBADMSG. */
int control_has_stream_template(struct slice json, struct slice target) MUST_CHECK;
/* `*` in pattern stands for any run of characters. */
bool control_pattern_matches(struct slice pattern, struct slice name);

/* Body of `POST /_security/user/_has_privileges`: 1 all, 0 not all, -EBADMSG. Those that are not
 * there are appended to missing: "create_doc on logs-a-b, ...". */
int control_privileges(struct slice json, struct buf *missing) MUST_CHECK;

/* What an asset on a server says of itself. */
struct control_stamp {
    bool ours; /* managed_by wherry */
    unsigned version;
    char hash[17]; /* "" = none */
    /* of the answer, for OpenSearch's policies, which are changed by number */
    int64_t seq_no, primary_term;
};
/* Body of `GET` of an asset. path: where the stamp is, names between dots, * is the first member;
 * an object, or the text "managed_by wherry, version N, hash H". -EBADMSG: no JSON object. */
int control_stamp(struct slice json, const char *path, struct control_stamp *ret) MUST_CHECK;

/* Body of `POST /_security/api_key`: appends "id:key". -EBADMSG. */
int control_api_key(struct slice json, struct buf *out) MUST_CHECK;

/* Appends the search for ids: as many hits as there are ids, without their documents. ids: a line
 * each, characters that need no escape. */
int control_search(struct buf *out, struct slice ids, size_t count) MUST_CHECK;
#define CONTROL_SEARCH_PATH                                                                        \
    "/_search?filter_path=timed_out,_shards.failed,hits.hits._id&"                                 \
    "ignore_unavailable=true"
/* Appends the ids of the hits to out, a line each. -EBADMSG: no such answer, or not all shards
 * answered. */
int control_hits(struct slice json, struct buf *out) MUST_CHECK;

/* error.type of an answer (maybe cut short), "" if it has none: letters, digits and _ only, so
 * that it can be shown. Servers give none for a path that they do not know: that is
 * CONTROL_NO_HANDLER. */
#define CONTROL_NO_HANDLER "no_handler_found"
struct slice control_error_type(struct slice body);
/* error.reason likewise, up to its first escape. It may quote documents. */
struct slice control_error_reason(struct slice body);

#endif
