#ifndef TOOLS_SINK_STORE_H
#define TOOLS_SINK_STORE_H

/*
 * What the sink remembers: the ids that it holds (64-bit hashes of index and id in an open hash
 * table), a count per index, and for each writer of seqline.h a bit per sequence number. Memory is
 * bounded by STORE_IDS_MAX and STORE_SEQ_MAX; beyond them an id or number is refused and counted.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "seqline.h"

#define STORE_IDS_MAX     (UINT64_C(1) << 27)
#define STORE_SEQ_MAX     (UINT64_C(1) << 32)
#define STORE_INDICES_MAX 256u
#define STORE_WRITERS_MAX 256u
#define STORE_INDEX_NAME  256u

struct store_index {
    char name[STORE_INDEX_NAME];
    size_t len;
    uint64_t docs;
};

struct store_writer {
    struct seq_writer id;
    uint64_t *seen; /* bit per sequence number */
    uint64_t words;
    uint64_t unique;
    uint64_t highest;
};

struct store {
    uint64_t *slots; /* 0 = empty */
    uint64_t slot_count;
    uint64_t ids;
    struct store_index indices[STORE_INDICES_MAX];
    unsigned index_count;
    struct store_writer writers[STORE_WRITERS_MAX];
    unsigned writer_count;
    uint64_t lines;          /* verified, each once */
    uint64_t repeated_lines; /* a line that came under two ids */
    uint64_t altered;        /* content is not what loggen wrote */
};

enum store_result { STORE_NEW, STORE_HELD, STORE_FULL };

static inline uint64_t store_mix(uint64_t a, uint64_t b)
{
    const unsigned __int128 m = (unsigned __int128)(a ^ 0x9E3779B97F4A7C15u) * (b | 1);

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Hash of a short string, never 0 */
static inline uint64_t store_hash(const char *p, size_t n, uint64_t seed)
{
    uint64_t h = store_mix(seed ^ n, 0xD6E8FEB86659FD93u);
    uint64_t v;

    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&v, p, 8);
        h = store_mix(h ^ v, 0xA0761D6478BD642Fu);
    }
    v = 0;
    memcpy(&v, p, n);
    h = store_mix(h ^ v, 0xE7037ED1A0B428DBu);
    return h ? h : 1;
}

/* The slot of the hash: where it is, or where it belongs */
static inline uint64_t store_slot(const uint64_t *slots, uint64_t count, uint64_t hash)
{
    uint64_t i = (hash ^ (hash >> 29)) & (count - 1);

    while (slots[i] != 0 && slots[i] != hash)
        i = (i + 1) & (count - 1);
    return i;
}

/* Doubles the table; false when memory or the bound is reached */
static inline bool store_grow(struct store *s)
{
    const uint64_t count = s->slot_count ? 2 * s->slot_count : 1 << 16;
    uint64_t *slots;

    if (count > 2 * STORE_IDS_MAX || (slots = calloc(count, sizeof(*slots))) == NULL)
        return false;
    for (uint64_t i = 0; i < s->slot_count; i++) {
        if (s->slots[i] != 0)
            slots[store_slot(slots, count, s->slots[i])] = s->slots[i];
    }
    free(s->slots);
    s->slots = slots;
    s->slot_count = count;
    return true;
}

static inline enum store_result store_add(struct store *s, uint64_t hash)
{
    if (s->ids * 2 >= s->slot_count && !store_grow(s))
        return STORE_FULL;
    const uint64_t i = store_slot(s->slots, s->slot_count, hash);
    if (s->slots[i] == hash)
        return STORE_HELD;
    s->slots[i] = hash;
    s->ids++;
    return STORE_NEW;
}

/* The counter of an index; the last one holds what is over the bound */
static inline struct store_index *store_index(struct store *s, const char *name, size_t len)
{
    static unsigned last;

    if (len >= STORE_INDEX_NAME)
        len = STORE_INDEX_NAME - 1;
    if (last < s->index_count && s->indices[last].len == len &&
        memcmp(s->indices[last].name, name, len) == 0)
        return &s->indices[last];
    for (last = 0; last < s->index_count; last++) {
        if (s->indices[last].len == len && memcmp(s->indices[last].name, name, len) == 0)
            return &s->indices[last];
    }
    if (s->index_count == STORE_INDICES_MAX) {
        last = STORE_INDICES_MAX - 1;
        return &s->indices[last];
    }
    s->index_count++;
    memcpy(s->indices[last].name, name, len);
    s->indices[last].len = len;
    return &s->indices[last];
}

/* The writer of that name, NULL when there are too many or the name is none */
static inline struct store_writer *store_writer(struct store *s, const char *name, size_t len)
{
    for (unsigned i = 0; i < s->writer_count; i++) {
        if (s->writers[i].id.len == len && memcmp(s->writers[i].id.name, name, len) == 0)
            return &s->writers[i];
    }
    if (s->writer_count == STORE_WRITERS_MAX ||
        !seq_writer_init(&s->writers[s->writer_count].id, name, len))
        return NULL;
    return &s->writers[s->writer_count++];
}

static inline bool store_seq_has(const struct store_writer *w, uint64_t seq)
{
    return seq / 64 < w->words && (w->seen[seq / 64] >> (seq % 64) & 1) != 0;
}

/* Marks a number as seen; false when it was, or is out of bounds */
static inline bool store_seq_mark(struct store_writer *w, uint64_t seq)
{
    if (seq >= STORE_SEQ_MAX || store_seq_has(w, seq))
        return false;
    if (seq / 64 >= w->words) {
        uint64_t words = w->words ? w->words : 1024;
        while (words <= seq / 64)
            words *= 2;
        uint64_t *seen = realloc(w->seen, words * sizeof(*seen));
        if (seen == NULL)
            return false;
        memset(seen + w->words, 0, (words - w->words) * sizeof(*seen));
        w->seen = seen;
        w->words = words;
    }
    w->seen[seq / 64] |= UINT64_C(1) << (seq % 64);
    w->unique++;
    if (seq > w->highest)
        w->highest = seq;
    return true;
}

/* Checks one line against what loggen writes; *ret_seq is its number. False: altered, or repeated
 */
static inline bool store_verify(struct store *s, enum seq_format format, const char *text,
                                size_t len, char *scratch, uint64_t *ret_seq)
{
    struct store_writer *w;
    const char *name;
    size_t name_len;
    uint64_t seq;

    if (!seq_parse(format, text, len, &name, &name_len, &seq) ||
        (w = store_writer(s, name, name_len)) == NULL ||
        seq_write(scratch, format, &w->id, seq, len) != len || memcmp(scratch, text, len) != 0) {
        s->altered++;
        return false;
    }
    if (!store_seq_mark(w, seq)) {
        s->repeated_lines++;
        return false;
    }
    s->lines++;
    *ret_seq = seq;
    return true;
}

#endif
