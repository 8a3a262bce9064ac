/* output/decisions: each row of both tables is hit by an answer that a real server gives */
#include "check.h"

#include <string.h>

#include "base/def.h"
#include "output/control.h"
#include "output/decisions.h"

#define SHARDS                                                                                     \
    "Validation Failed: 1: this action would add [1] shards, but this cluster currently has "      \
    "[23]/[1] maximum normal shards open;"

struct item_case {
    const char *name;
    unsigned status;
    const char *type, *reason;
    enum item_action action;
    const char *why;
};

static const struct item_case item_cases[] = {
    {"created", 201, "", "", DECIDE_ACK, "created"},
    {"dropped by a pipeline", 200, "", "", DECIDE_ACK, "created"},
    {"same id again", 409, "version_conflict_engine_exception",
     "[1]: version conflict, document already exists (current version [1])", DECIDE_DUPLICATE,
     "exists"},
    {"closed index", 400, "index_closed_exception", "closed", DECIDE_PAUSE_TARGET,
     "the index is closed"},
    {"shard limit", 400, "validation_exception", SHARDS, DECIDE_PAUSE_TARGET,
     "the cluster's shard limit is reached"},
    {"shard limit of ES 7", 400, "illegal_argument_exception",
     "Validation Failed: 1: this action would add [2] total shards, but this cluster",
     DECIDE_PAUSE_TARGET, "the cluster's shard limit is reached"},
    {"bad date", 400, "document_parsing_exception", "[1:42] failed to parse field [n]",
     DECIDE_REJECT, "bad document"},
    {"bad document of OpenSearch", 400, "mapper_parsing_exception", "failed to parse",
     DECIDE_REJECT, "bad document"},
    {"strict mapping", 400, "strict_dynamic_mapping_exception", "", DECIDE_REJECT, "bad document"},
    {"field limit of OpenSearch", 400, "illegal_argument_exception",
     "Limit of total fields [5] has been exceeded", DECIDE_REJECT, "bad document"},
    {"a line that quotes the shard limit", 400, "document_parsing_exception", SHARDS, DECIDE_REJECT,
     "bad document"},
    {"shard limit quoted later in the reason", 400, "illegal_argument_exception", "x " SHARDS,
     DECIDE_REJECT, "bad document"},
    {"name that no index may have", 400, "invalid_index_name_exception",
     "Invalid index name [Bad,name], must not contain", DECIDE_PAUSE_TARGET,
     "the server refuses its name"},
    {"no such pipeline", 400, "illegal_argument_exception",
     "pipeline with id [nope] does not exist", DECIDE_PAUSE_TARGET,
     "its ingest pipeline does not exist"},
    {"time series of Elasticsearch", 400, "document_parsing_exception",
     "[1:51] failed to parse: _id must be unset or set to [Y8yY88Ls6TYNXSHNAAABogixFig] but was "
     "[x] "
     "because [.ds-a-000001] is in time_series mode",
     DECIDE_DROP_IDS, "takes no ids of ours"},
    {"time series, told plainly", 400, "illegal_argument_exception",
     "_id must be unset or set to [Y8yY88Ls6TYNXSHNAAABogixFig] but was [x]", DECIDE_DROP_IDS,
     "takes no ids of ours"},
    {"serverless OpenSearch", 400, "illegal_argument_exception",
     "Document ID is not supported in create/index operation request", DECIDE_DROP_IDS,
     "takes no ids of ours"},
    {"a line that quotes a refusal of ids", 400, "document_parsing_exception",
     "[1:51] failed to parse field [a] of type [date]: '[1:1] failed to parse: _id must be unset "
     "or "
     "set to ['",
     DECIDE_REJECT, "bad document"},
    {"something else in front of a refusal of ids", 400, "document_parsing_exception",
     "[x:1] failed to parse: _id must be unset or set to [y]", DECIDE_REJECT, "bad document"},
    {"item 401", 401, "", "", DECIDE_PAUSE_TARGET, "credentials refused"},
    {"write block", 403, "cluster_block_exception",
     "index [blk1] blocked by: [FORBIDDEN/8/index write (api)];", DECIDE_PAUSE_TARGET,
     "blocked for writing"},
    {"no privilege", 403, "security_exception", "action [indices:admin/auto_create]",
     DECIDE_PAUSE_TARGET, "the credentials may not write to it"},
    {"no template", 404, "index_not_found_exception", "no such index [nope1]", DECIDE_PAUSE_TARGET,
     "no data-stream template matches: run \"wherry setup\""},
    {"item too large", 413, "", "", DECIDE_REJECT, "too large"},
    {"flood stage", 429, "cluster_block_exception", "index [x] blocked by: [TOO_MANY_REQUESTS/12/",
     DECIDE_PAUSE_TARGET, "blocked, the server's disk is nearly full"},
    {"queue full", 429, "es_rejected_execution_exception", "", DECIDE_RETRY, "busy"},
    {"queue full of OpenSearch", 429, "rejected_execution_exception", "", DECIDE_RETRY, "busy"},
    {"breaker", 429, "circuit_breaking_exception", "", DECIDE_RETRY, "busy"},
    {"fail processor", 500, "fail_processor_exception", "boom", DECIDE_RETRY_BOUNDED,
     "server error"},
    {"shard away", 503, "unavailable_shards_exception", "", DECIDE_RETRY, "unavailable"},
    {"item 502", 502, "", "", DECIDE_RETRY, "server error"},
    {"item 504", 504, "", "", DECIDE_RETRY, "server error"},
    {"item 302", 302, "", "", DECIDE_RETRY_BOUNDED, "unknown status"},
    {"item 418", 418, "", "", DECIDE_RETRY_BOUNDED, "unknown status"},
    {"item 999", 999, "", "", DECIDE_RETRY_BOUNDED, "unknown status"},
    {"item 0", 0, "", "", DECIDE_RETRY_BOUNDED, "unknown status"},
};

static void test_items(void **state)
{
    (void)state;
    bool hit[256] = {false};
    for (size_t i = 0; i < ARRAY_LEN(item_cases); i++) {
        const struct item_case *c = &item_cases[i];
        const struct item_decision *d =
            decide_item(c->status, slice_str(c->type), slice_str(c->reason));
        CHECK(c->name, d->action == c->action);
        CHECK(c->name, strcmp(d->why, c->why) == 0);
        CHECK(c->name, d->busy == (c->status == 429 && c->action == DECIDE_RETRY) ||
                           (d->busy && c->status == 503));
        CHECK(c->name, (d->health == OUTPUT_OK) == (d->action != DECIDE_PAUSE_TARGET));
        CHECK(c->name, decide_item_row(decide_item_index(d)) == d);
        hit[decide_item_index(d)] = true;
    }
    assert_true(decide_item_rows() < 256);
    for (size_t i = 0; i < decide_item_rows(); i++)
        CHECK(decide_item_row((uint8_t)i)->why, hit[i]);
}

static const struct {
    const char *name;
    enum http_outcome outcome;
    long status;
    const char *type;
    enum request_action action;
    bool busy;
    enum output_health health;
} request_cases[] = {
    {"refused", HTTP_REFUSED, 0, "", REQUEST_RETRY, false, OUTPUT_DEGRADED},
    {"reset", HTTP_BROKEN, 0, "", REQUEST_UNKNOWN, false, OUTPUT_DEGRADED},
    {"body cut short", HTTP_BROKEN, 200, "", REQUEST_UNKNOWN, false, OUTPUT_DEGRADED},
    {"interrupted", HTTP_INTERRUPTED, 200, "", REQUEST_UNKNOWN, false, OUTPUT_DEGRADED},
    {"answered", HTTP_REPLIED, 200, "", REQUEST_ITEMS, false, OUTPUT_OK},
    {"odd success", HTTP_REPLIED, 204, "", REQUEST_UNKNOWN, false, OUTPUT_DEGRADED},
    {"redirect", HTTP_REPLIED, 301, "", REQUEST_PAUSE_HOST, false, OUTPUT_FAILED},
    {"malformed", HTTP_REPLIED, 400, "", REQUEST_ISOLATE, false, OUTPUT_FAILED},
    {"unknown parameter", HTTP_REPLIED, 400, "illegal_argument_exception", REQUEST_ISOLATE, false,
     OUTPUT_FAILED},
    {"no credentials", HTTP_REPLIED, 401, "", REQUEST_CREDENTIALS, false, OUTPUT_FAILED},
    {"401 before the body was sent", HTTP_BROKEN, 401, "", REQUEST_CREDENTIALS, false,
     OUTPUT_FAILED},
    {"forbidden by a role", HTTP_REPLIED, 403, "security_exception", REQUEST_PAUSE_TARGET, false,
     OUTPUT_FAILED},
    {"forbidden", HTTP_REPLIED, 403, "", REQUEST_PAUSE_TARGET, false, OUTPUT_FAILED},
    {"cluster blocked", HTTP_REPLIED, 403, "cluster_block_exception", REQUEST_PAUSE_TARGET, false,
     OUTPUT_DEGRADED},
    {"no index", HTTP_REPLIED, 404, "index_not_found_exception", REQUEST_PAUSE_TARGET, false,
     OUTPUT_FAILED},
    {"wrong path", HTTP_REPLIED, 404, "", REQUEST_PAUSE_HOST, false, OUTPUT_FAILED},
    {"405", HTTP_REPLIED, 405, "", REQUEST_PAUSE_HOST, false, OUTPUT_FAILED},
    {"content type refused", HTTP_REPLIED, 406, "", REQUEST_MEDIA_TYPE, false, OUTPUT_FAILED},
    {"content type refused by a proxy", HTTP_REPLIED, 415, "", REQUEST_MEDIA_TYPE, false,
     OUTPUT_FAILED},
    {"path not known", HTTP_REPLIED, 400, CONTROL_NO_HANDLER, REQUEST_PAUSE_HOST, false,
     OUTPUT_FAILED},
    {"content type of another version", HTTP_REPLIED, 400, "media_type_header_exception",
     REQUEST_MEDIA_TYPE, false, OUTPUT_FAILED},
    {"request time-out", HTTP_REPLIED, 408, "", REQUEST_RETRY, false, OUTPUT_DEGRADED},
    {"too large", HTTP_REPLIED, 413, "", REQUEST_SPLIT, false, OUTPUT_OK},
    {"413 and reset", HTTP_BROKEN, 413, "", REQUEST_SPLIT, false, OUTPUT_OK},
    {"too early", HTTP_REPLIED, 425, "", REQUEST_RETRY, false, OUTPUT_DEGRADED},
    {"busy", HTTP_REPLIED, 429, "", REQUEST_RETRY, true, OUTPUT_DEGRADED},
    {"500", HTTP_REPLIED, 500, "", REQUEST_RETRY, false, OUTPUT_DEGRADED},
    {"502", HTTP_REPLIED, 502, "", REQUEST_RETRY, false, OUTPUT_DEGRADED},
    {"503", HTTP_REPLIED, 503, "", REQUEST_RETRY, true, OUTPUT_DEGRADED},
    {"504", HTTP_REPLIED, 504, "", REQUEST_RETRY, false, OUTPUT_DEGRADED},
    {"600", HTTP_REPLIED, 600, "", REQUEST_UNKNOWN, false, OUTPUT_DEGRADED},
};

static void test_requests(void **state)
{
    (void)state;
    bool hit[64] = {false};
    for (size_t i = 0; i < ARRAY_LEN(request_cases); i++) {
        const struct request_decision *d = decide_request(
            request_cases[i].outcome, request_cases[i].status, slice_str(request_cases[i].type));
        CHECK(request_cases[i].name, d->action == request_cases[i].action);
        CHECK(request_cases[i].name, d->busy == request_cases[i].busy);
        CHECK(request_cases[i].name, d->health == request_cases[i].health);
        for (size_t row = 0; decide_request_row(row) != NULL; row++)
            hit[row] |= decide_request_row(row) == d;
    }
    for (size_t row = 0; decide_request_row(row) != NULL; row++)
        assert_true(hit[row]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_requests),
    };
    return cmocka_run_group_tests_name("output/decisions", tests, NULL, NULL);
}
