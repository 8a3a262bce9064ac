/*
 * metrics/column - lines and numbers of /proc tables
 *
 * Numbers beyond 2^63 - 1 are refused here, once, because Elasticsearch would refuse the document.
 */
#include "metrics/column.h"

#include <errno.h>

#include "base/num.h"

/* a line counts when its end is there */
bool column_line(struct slice *text, struct slice *ret_line)
{
    size_t at = slice_find(*text, '\n');
    if (at == text->len)
        return false;
    *ret_line = slice_sub(*text, 0, at);
    *text = slice_sub(*text, at + 1, text->len);
    return true;
}

/* next word, as a number */
int column_number(struct slice *line, uint64_t *ret)
{
    struct slice word;
    uint64_t v;
    if (!slice_next_word(line, &word))
        return -ENODATA;
    int r = num_u64(word, &v);
    if (r < 0)
        return r;
    if (v > INT64_MAX)
        return -ERANGE;
    *ret = v;
    return 0;
}
