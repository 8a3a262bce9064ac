/*
 * os/http_head - what a reply's head says of the server's make
 *
 * Each line is looked at once, as it comes. The lines are outside data: values of an unexpected
 * form or length count for nothing. Nothing here can fail.
 */
#include "os/http_internal.h"

#include <string.h>
#include <strings.h>

/* whether line is the named header; its value without blanks */
static bool is_header(struct slice line, const char *name, struct slice *ret_value)
{
    size_t n = strlen(name);
    if (line.len <= n || line.ptr[n] != ':' || strncasecmp(line.ptr, name, n) != 0)
        return false;
    *ret_value = slice_trim(slice_sub(line, n + 1, line.len));
    return true;
}

/* keeps the number of "OpenSearch/3.6.0 (opensearch)" */
static void keep_opensearch_version(struct slice value, struct http_reply *reply)
{
    const struct slice product = SLICE_LIT("OpenSearch/");
    if (!slice_starts(value, product))
        return;
    struct slice rest = slice_sub(value, product.len, value.len);
    struct slice number = slice_sub(rest, 0, slice_find(rest, ' '));
    if (number.len >= sizeof(reply->opensearch_version))
        return;
    for (size_t i = 0; i < number.len; i++) {
        if (number.ptr[i] <= ' ' || number.ptr[i] > '~')
            return;
    }
    memcpy(reply->opensearch_version, number.ptr, number.len);
    reply->opensearch_version[number.len] = '\0';
}

/* status line or header */
void http_head_line(struct slice line, struct http_reply *reply)
{
    struct slice value;
    if (slice_starts(line, SLICE_LIT("HTTP/"))) {
        reply->elastic_product = false;
        reply->opensearch_version[0] = '\0';
    } else if (is_header(line, "X-Elastic-Product", &value)) {
        reply->elastic_product = true;
    } else if (is_header(line, "X-OpenSearch-Version", &value)) {
        keep_opensearch_version(value, reply);
    }
}
