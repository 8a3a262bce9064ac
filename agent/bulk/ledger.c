/*
 * bulk/ledger - where every byte went
 *
 * The names of reasons stand in one table each; the compiler checks their number.
 */
#include "bulk/ledger.h"

#include "base/def.h"

static const char *const skip_names[SKIP_COUNT] = {
    [SKIP_EMPTY] = "empty",
    [SKIP_NUL] = "nul",
    [SKIP_OVERSIZE_TAIL] = "oversize_tail",
    [SKIP_IGNORE_OLDER] = "ignore_older",
    [SKIP_START_AT] = "start_at",
    [SKIP_FILTERED] = "filtered",
};

static const char *const abandon_names[ABANDON_COUNT] = {
    [ABANDON_DELETED] = "deleted", [ABANDON_TRUNCATED] = "truncated",
    [ABANDON_WINDOW] = "window",   [ABANDON_CORRUPT] = "corrupt",
    [ABANDON_IO] = "io",           [ABANDON_QUEUE] = "queue_full",
    [ABANDON_SPOOL] = "spool",     [ABANDON_SHUTDOWN] = "shutdown",
};

static const char *const document_names[DOCUMENT_COUNT] = {
    [DOCUMENT_ENCODED] = "encoded",        [DOCUMENT_CREATED] = "created",
    [DOCUMENT_DUPLICATE] = "duplicate",    [DOCUMENT_DEAD] = "dead_lettered",
    [DOCUMENT_RESENT] = "resent",          [DOCUMENT_TRUNCATED] = "truncated",
    [DOCUMENT_BAD_UTF8] = "bad_utf8",      [DOCUMENT_PARTIAL] = "partial",
    [DOCUMENT_UNDECODED] = "undecoded",    [DOCUMENT_MAYBE_REPEAT] = "maybe_repeated",
    [DOCUMENT_MOUNT_AWAY] = "mounts_away", [DOCUMENT_FILE_CUT] = "file_cuts",
};

/* name of a skip reason */
const char *ledger_skip_name(enum ledger_skip s)
{
    return skip_names[s];
}

/* name of an abandon reason */
const char *ledger_abandon_name(enum ledger_abandon a)
{
    return abandon_names[a];
}

/* name of a document counter */
const char *ledger_document_name(enum ledger_document d)
{
    return document_names[d];
}

/* to += c */
static void add(struct ledger_count *to, struct ledger_count c)
{
    to->bytes += c.bytes;
    to->lines += c.lines;
}

/* from -= c */
static void take(struct ledger_count *from, struct ledger_count c)
{
    from->bytes -= c.bytes;
    from->lines -= c.lines;
}

/* read and not yet resolved */
void ledger_read(struct ledger *l, struct ledger_count c)
{
    add(&l->read, c);
    add(&l->in_flight, c);
}

/* as if it had not been read */
void ledger_unread(struct ledger *l, struct ledger_count c)
{
    take(&l->read, c);
    take(&l->in_flight, c);
}

/* read and passed over */
void ledger_skip(struct ledger *l, enum ledger_skip why, struct ledger_count c)
{
    add(&l->read, c);
    add(&l->skipped[why], c);
}

/* never to be read */
void ledger_abandon(struct ledger *l, enum ledger_abandon why, struct ledger_count c)
{
    add(&l->read, c);
    add(&l->abandoned[why], c);
}

/* from in flight to its end */
void ledger_resolve(struct ledger *l, struct ledger_count acked, struct ledger_count dead)
{
    take(&l->in_flight, acked);
    take(&l->in_flight, dead);
    add(&l->acknowledged, acked);
    add(&l->dead_lettered, dead);
}

/* sum of n counts */
static struct ledger_count sum_of(const struct ledger_count *c, size_t n)
{
    struct ledger_count sum = {0};
    for (size_t i = 0; i < n; i++)
        add(&sum, c[i]);
    return sum;
}

/* everything on the right side of the equation */
static struct ledger_count accounted(const struct ledger *l)
{
    struct ledger_count sum = l->in_flight;
    add(&sum, l->acknowledged);
    add(&sum, l->dead_lettered);
    add(&sum, sum_of(l->skipped, SKIP_COUNT));
    add(&sum, sum_of(l->abandoned, ABANDON_COUNT));
    return sum;
}

/* both in bytes and in lines */
bool ledger_adds_up(const struct ledger *l)
{
    struct ledger_count sum = accounted(l);
    return sum.bytes == l->read.bytes && sum.lines == l->read.lines;
}

/* adds every counter of l */
COLD void ledger_sum(struct ledger *sum, const struct ledger *l)
{
    add(&sum->read, l->read);
    add(&sum->acknowledged, l->acknowledged);
    add(&sum->dead_lettered, l->dead_lettered);
    add(&sum->in_flight, l->in_flight);
    for (size_t i = 0; i < SKIP_COUNT; i++)
        add(&sum->skipped[i], l->skipped[i]);
    for (size_t i = 0; i < ABANDON_COUNT; i++)
        add(&sum->abandoned[i], l->abandoned[i]);
    for (size_t i = 0; i < DOCUMENT_COUNT; i++)
        sum->documents[i] += l->documents[i];
}

/* the two members of a count, inside an open object */
static void write_members(struct json_writer *w, struct ledger_count c)
{
    json_key(w, "bytes");
    json_u64(w, c.bytes);
    json_key(w, "lines");
    json_u64(w, c.lines);
}

/* {"bytes":..,"lines":..} under a key */
static void write_count(struct json_writer *w, const char *key, struct ledger_count c)
{
    json_key(w, key);
    json_object(w);
    write_members(w, c);
    json_end_object(w);
}

/* a sum and its reasons, those that are not zero */
static void write_reasons(struct json_writer *w, const char *key, const struct ledger_count *counts,
                          const char *const *names, size_t n)
{
    json_key(w, key);
    json_object(w);
    write_members(w, sum_of(counts, n));
    json_key(w, "reasons");
    json_object(w);
    for (size_t i = 0; i < n; i++)
        if (counts[i].bytes != 0 || counts[i].lines != 0)
            write_count(w, names[i], counts[i]);
    json_end_object(w);
    json_end_object(w);
}

/* see header */
COLD void ledger_write(const struct ledger *l, struct json_writer *w)
{
    json_object(w);
    write_count(w, "read", l->read);
    write_count(w, "acknowledged", l->acknowledged);
    write_count(w, "dead_lettered", l->dead_lettered);
    write_reasons(w, "abandoned", l->abandoned, abandon_names, ABANDON_COUNT);
    write_reasons(w, "skipped", l->skipped, skip_names, SKIP_COUNT);
    write_count(w, "in_flight", l->in_flight);
    json_key(w, "documents");
    json_object(w);
    for (size_t i = 0; i < DOCUMENT_COUNT; i++) {
        json_key(w, document_names[i]);
        json_u64(w, l->documents[i]);
    }
    json_end_object(w);
    json_end_object(w);
}
