/*
 * tail/identity - the decision table and the evidence it rests on
 *
 * identity_decide follows the rows of the table in ARCHITECTURE.md from the top. No fact is
 * gathered here that the caller can get wrong silently: a file that cannot be read has no evidence.
 */
#include "tail/identity.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"

static const char *const names[] = {
    [IDENTITY_NEW] = "new",
    [IDENTITY_REUSED] = "reused inode",
    [IDENTITY_RESUME] = "resume",
    [IDENTITY_MOVED] = "moved",
    [IDENTITY_COPY] = "copy",
    [IDENTITY_REWRITTEN] = "rewritten",
    [IDENTITY_RECOVERED] = "recovered",
    [IDENTITY_REGROWN] = "regrown",
};

/* for the log */
const char *identity_name(enum identity_decision d)
{
    return names[d];
}

/* rows of a file whose inode number the entry has */
static enum identity_decision decide_same(const struct identity_facts *f)
{
    if (f->births_differ)
        return IDENTITY_REUSED;
    if (f->evidence)
        return f->unclean_boot ? IDENTITY_RECOVERED : IDENTITY_RESUME;
    if (f->unclean_boot && f->older_evidence)
        return IDENTITY_REGROWN;
    return IDENTITY_REWRITTEN;
}

/* see header */
enum identity_decision identity_decide(const struct identity_facts *f)
{
    if (f->same_inode)
        return decide_same(f);
    if (!f->evidence || f->head_bytes < IDENTITY_MOVED_HEAD_BYTES)
        return IDENTITY_NEW;
    if (f->registered_lives)
        return IDENTITY_COPY;
    return f->unclean_boot ? IDENTITY_RECOVERED : IDENTITY_MOVED;
}

/* hash of n bytes (at most SPAN_HEAD_BYTES) before `end`; false when they cannot be read */
static bool hash_before(struct content *c, uint64_t end, size_t n, uint64_t *ret)
{
    char bytes[SPAN_HEAD_BYTES];
    if (n > sizeof(bytes) || n > end || content_read_at(c, bytes, n, end - n) != (ssize_t)n)
        return false;
    *ret = hash64(bytes, n);
    return true;
}

/* length of the anchor before an offset */
static size_t anchor_bytes(uint64_t offset)
{
    return offset < SPAN_ANCHOR_BYTES ? (size_t)offset : SPAN_ANCHOR_BYTES;
}

/* see header */
bool identity_evidence_holds(struct content *c, uint64_t size, const struct evidence *e)
{
    uint64_t hash;
    if (e->head_bytes == 0 || size < e->offset || e->head_bytes > size)
        return false;
    if (!hash_before(c, e->head_bytes, e->head_bytes, &hash) || hash != e->head)
        return false;
    if (e->offset == 0)
        return true;
    return hash_before(c, e->offset, anchor_bytes(e->offset), &hash) && hash == e->anchor;
}

/* see header */
int identity_evidence_of(struct content *c, uint64_t at, struct evidence *ret)
{
    struct evidence e = {.offset = at};
    e.head_bytes = (uint16_t)(at < SPAN_HEAD_BYTES ? at : SPAN_HEAD_BYTES);
    if (!hash_before(c, e.head_bytes, e.head_bytes, &e.head) ||
        !hash_before(c, at, anchor_bytes(at), &e.anchor))
        return -EIO;
    *ret = e;
    return 0;
}
