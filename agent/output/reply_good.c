/*
 * output/reply_good - the reply in which everything was created, compared as text
 *
 *     HEAD -> ITEM -> AFTER -> ITEM (",")
 *                          \-> TAIL ("]") -> END
 *
 * An empty list of items is not the usual reply. Nothing can fail.
 */
#include "output/reply_good.h"

#include <string.h>

enum part { HEAD, ITEM, AFTER, TAIL, END };

static const char head[] = "{\"errors\":false,\"items\":[";
static const char item[] = "{\"create\":{\"status\":201}}";
static const char item_and_more[] = "{\"create\":{\"status\":201}},";

#define HEAD_BYTES (sizeof(head) - 1)
#define ITEM_BYTES (sizeof(item) - 1)
#define MORE_BYTES (sizeof(item_and_more) - 1)

/* see header */
void reply_good_begin(struct reply_good *g)
{
    *g = (struct reply_good){.part = HEAD};
}

/* as much of a constant as the piece goes on with; whether that ends the constant */
static bool match_text(struct reply_good *g, struct slice piece, size_t *done, const char *text,
                       size_t bytes)
{
    size_t left = bytes - g->at;
    size_t n = piece.len - *done < left ? piece.len - *done : left;
    if (n == left && memcmp(piece.ptr + *done, text + g->at, n) == 0) {
        *done += n;
        g->at = 0;
        return true;
    }
    while (*done < piece.len && piece.ptr[*done] == text[g->at] && g->at + 1U < bytes) {
        (*done)++;
        g->at++;
    }
    return false;
}

/* what stands behind an item */
static bool match_after(struct reply_good *g, struct slice piece, size_t *done)
{
    if (*done == piece.len || (piece.ptr[*done] != ',' && piece.ptr[*done] != ']'))
        return false;
    g->part = piece.ptr[*done] == ',' ? ITEM : TAIL;
    (*done)++;
    return true;
}

/* whole items that another one follows: most of the text */
static size_t match_items(struct reply_good *g, struct slice piece)
{
    size_t done = 0;
    while (piece.len - done >= MORE_BYTES &&
           memcmp(piece.ptr + done, item_and_more, MORE_BYTES) == 0)
        done += MORE_BYTES;
    g->items += (uint32_t)(done / MORE_BYTES);
    return done;
}

/* see header */
size_t reply_good_match(struct reply_good *g, struct slice piece)
{
    size_t done = 0;
    bool goes_on = true;
    while (goes_on && g->part != END) {
        switch ((enum part)g->part) {
        case HEAD:
            goes_on = match_text(g, piece, &done, head, HEAD_BYTES);
            g->part = goes_on ? ITEM : HEAD;
            break;
        case ITEM:
            if (g->at == 0)
                done += match_items(g, slice_sub(piece, done, SIZE_MAX));
            goes_on = match_text(g, piece, &done, item, ITEM_BYTES);
            g->items += goes_on;
            g->part = goes_on ? AFTER : ITEM;
            break;
        case AFTER:
            goes_on = match_after(g, piece, &done);
            break;
        case TAIL:
            goes_on = match_text(g, piece, &done, "}", 1);
            g->part = goes_on ? END : TAIL;
            break;
        case END:
            break;
        }
    }
    return done;
}

/* see header */
int reply_good_replay(const struct reply_good *g, int (*give)(void *ctx, struct slice piece),
                      void *ctx)
{
    const bool in_head = g->part == HEAD;
    int err = give(ctx, slice_of(head, in_head ? g->at : HEAD_BYTES));
    for (uint32_t i = 0; i < g->items && err == 0; i++) {
        if (i > 0)
            err = give(ctx, SLICE_LIT(","));
        if (err == 0)
            err = give(ctx, slice_of(item, ITEM_BYTES));
    }
    if (err == 0 && g->part == ITEM && g->items > 0)
        err = give(ctx, SLICE_LIT(","));
    if (err == 0 && g->part == ITEM)
        err = give(ctx, slice_of(item, g->at));
    if (err == 0 && (g->part == TAIL || g->part == END))
        err = give(ctx, SLICE_LIT("]"));
    return err == 0 && g->part == END ? give(ctx, SLICE_LIT("}")) : err;
}

/* see header */
bool reply_good_is_whole(const struct reply_good *g)
{
    return g->part == END;
}
