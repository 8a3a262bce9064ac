/*
 * config/options - looking things up in the option table
 *
 * The table (options_table.c) has some forty rows, so every search is linear. A wrong key is
 * compared with all keys and sections by edit distance. Pure; fails only on a full buffer.
 */
#include "config/options.h"

#include "config/unit.h"

/* whether o may stand in that scope */
static bool in_scope(const struct option *o, bool in_input)
{
    return (o->group == OPTION_INPUT) == in_input;
}

/* whether s is prefix, a dot, and something more */
static bool is_below(struct slice s, struct slice prefix)
{
    return s.len > prefix.len + 1 && slice_starts(s, prefix) && s.ptr[prefix.len] == '.';
}

/* the table is short: a linear search */
const struct option *options_find(bool in_input, struct slice key, struct slice *ret_name)
{
    for (size_t i = 0; i < options_count; i++) {
        const struct option *o = &options_table[i];
        struct slice own = slice_str(o->key);
        if (!in_scope(o, in_input))
            continue;
        if (slice_eq(key, own)) {
            *ret_name = slice_of(NULL, 0);
            return o;
        }
        if (o->type == OPTION_MAP && is_below(key, own)) {
            *ret_name = slice_sub(key, own.len + 1, key.len);
            return o;
        }
    }
    return NULL;
}

/* looks for an option below the key */
bool options_is_section(bool in_input, struct slice key)
{
    for (size_t i = 0; i < options_count; i++) {
        const struct option *o = &options_table[i];
        if (in_scope(o, in_input) && is_below(slice_str(o->key), key))
            return true;
    }
    return false;
}

#define NEAR_MAX 64

/* edits (insert, delete, replace, swap of neighbours) from a to b, both at most NEAR_MAX long */
static size_t edit_distance(struct slice a, struct slice b)
{
    size_t row[3][NEAR_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *now = row[i % 3];
        const size_t *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t best = last[j - 1] + (a.ptr[i - 1] == b.ptr[j - 1] ? 0 : 1);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            bool swap =
                i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1];
            if (swap && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[a.len % 3][b.len];
}

/* takes candidate as *best when it is nearer to key */
static void consider(struct slice key, struct slice candidate, struct slice *best, size_t *limit)
{
    if (candidate.len > NEAR_MAX)
        return;
    size_t distance = edit_distance(key, candidate);
    if (distance < *limit) {
        *limit = distance;
        *best = candidate;
    }
}

/* by edit distance to options and sections, else by the end of a key: "hosts" */
int options_nearest(bool in_input, struct slice key, struct buf *out)
{
    struct slice best = {0}, ending = {0};
    if (key.len == 0 || key.len > NEAR_MAX)
        return 0;
    size_t limit = 2 + (key.len > 15 ? 15 : key.len) / 4;
    if (limit > key.len)
        limit = key.len;
    for (size_t i = 0; i < options_count; i++) {
        if (!in_scope(&options_table[i], in_input))
            continue;
        struct slice own = slice_str(options_table[i].key);
        consider(key, own, &best, &limit);
        for (size_t at = 0; at < own.len; at++) {
            if (own.ptr[at] == '.')
                consider(key, slice_sub(own, 0, at), &best, &limit);
        }
        if (slice_ends(own, key) && own.ptr[own.len - key.len - 1] == '.')
            ending = own;
    }
    return buf_add_slice(out, best.len > 0 ? best : ending);
}

/* "a, b" */
static int write_choices(const struct option *o, struct buf *out)
{
    int error = 0;
    for (size_t i = 0; error == 0 && o->choices[i] != NULL; i++)
        error = buf_printf(out, "%s%s", i == 0 ? "" : ", ", o->choices[i]);
    return error;
}

/* one bound in the unit of the option */
static int write_bound(const struct option *o, uint64_t bound, struct buf *out)
{
    if (o->type == OPTION_BYTES)
        return unit_write_bytes(bound, out);
    if (o->type == OPTION_DURATION)
        return unit_write_duration((int64_t)bound, out);
    return buf_add_u64(out, bound);
}

/* "min to max unit" */
static int write_range(const struct option *o, const char *unit, struct buf *out)
{
    if (o->min == 0 && o->max == 0)
        return 0;
    int error = write_bound(o, o->min, out);
    if (error == 0)
        error = buf_add_str(out, " to ");
    if (error == 0)
        error = write_bound(o, o->max, out);
    return error == 0 ? buf_add_str(out, unit) : error;
}

/* by type */
int options_write_allowed(const struct option *o, struct buf *out)
{
    int error = 0;
    switch (o->type) {
    case OPTION_BOOL:
        return buf_add_str(out, "true, false");
    case OPTION_STRING:
        return o->max == OPTION_PATH_MAX ? 0 : write_range(o, " bytes", out);
    case OPTION_LIST:
        return write_range(o, " elements", out);
    case OPTION_CHOICE:
    case OPTION_SET:
        return write_choices(o, out);
    case OPTION_DURATION:
        if ((o->flags & OPTION_OFF) != 0)
            error = buf_add_str(out, "off, or ");
        return error == 0 ? write_range(o, "", out) : error;
    case OPTION_BYTES:
    case OPTION_INTEGER:
        return write_range(o, "", out);
    case OPTION_MAP:
        return 0;
    }
    return 0;
}
