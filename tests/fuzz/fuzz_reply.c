/* rooms: base os config store bulk output */
/*
 * fuzz/reply - `_bulk` replies and control answers. First byte: items sent; second: size of the
 * pieces; the rest is the reply. It must give the same in one piece and in pieces, and nothing
 * that an intact reply does not hold.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/def.h"
#include "output/control.h"
#include "output/decisions.h"
#include "output/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* scans in pieces of step bytes */
static int scan(struct reply *r, struct slice text, uint32_t items, size_t step)
{
    reply_begin(r, items);
    while (text.len > 0) {
        int err = reply_feed(r, slice_sub(text, 0, step));
        if (err != 0)
            return err;
        text = slice_sub(text, step, SIZE_MAX);
    }
    return reply_finish(r);
}

/* the same with white space in front */
static int scan_behind_blank(struct reply *r, struct slice text, uint32_t items)
{
    reply_begin(r, items);
    int err = reply_feed(r, SLICE_LIT(" "));
    if (err == 0)
        err = reply_feed(r, text);
    return err != 0 ? err : reply_finish(r);
}

/* what a good result must be like */
static void check(const struct reply *whole, const struct reply *pieces, uint32_t items)
{
    for (uint32_t i = 0; i < items; i++) {
        const struct reply_item *a = &reply_items(whole)[i], *b = &reply_items(pieces)[i];
        if (a->status != b->status || a->row != b->row || a->status == 0 ||
            a->row >= decide_item_rows())
            abort();
    }
    size_t at = 0;
    struct reply_text text;
    while (reply_next_text(whole, &at, &text)) {
        if (text.item >= items || text.reason.len > REPLY_TOKEN_MAX || at > REPLY_TEXTS_MAX)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reply *whole, *pieces;
    if (whole == NULL) {
        whole = reply_new();
        pieces = reply_new();
    }
    if (size < 2)
        return 0;
    const uint32_t items = data[0] % 16;
    const size_t step = (size_t)data[1] + 1;
    const struct slice text = slice_of((const char *)data + 2, size - 2);
    /* the scanner alone: a blank in front is not the usual reply */
    int c = scan_behind_blank(pieces, text, items);
    int a = scan(whole, text, items, SIZE_MAX);
    if (a != c && (a == 0 || c == 0))
        abort();
    int b = scan(pieces, text, items, step);
    if (a != b)
        abort();
    if (a == 0)
        check(whole, pieces, items);
    struct product p = {0};
    product_from_root(&p, text);
    product_from_nodes(&p, text);
    char described[64];
    product_describe(&p, described, sizeof(described));
    if (strlen(p.version) >= sizeof(p.version))
        abort();
    (void)!control_has_stream_template(text, SLICE_LIT("logs-generic-default"));
    (void)!control_has_all_privileges(text);
    (void)control_error_type(text);
    (void)control_error_reason(text);
    struct buf hits;
    buf_init(&hits, 64 * KIB);
    (void)!control_hits(text, &hits);
    buf_clear(&hits);
    return 0;
}
