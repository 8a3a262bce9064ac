#ifndef TESTS_STORE_MODEL_H
#define TESTS_STORE_MODEL_H

/*
 * A small registry on a journal, and the judge of what recovery gives back. Record number i sets
 * key i's value to i; the state after m records is thus known for every m, and any recovered state
 * must be one of them exactly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "store/journal.h"

#define KEYS       8
#define SMALL_FILE 2048
#define MAX_FILLER 80

/* the state of the registry, and what was promised */
struct model {
    uint64_t value[KEYS];
    uint64_t attempted; /* records handed to the journal */
    uint64_t acked;     /* of those, known to be durable */
};

/* the key that record i sets */
static inline unsigned model_key(uint64_t i)
{
    return (unsigned)(i * 2654435761u >> 7) % KEYS;
}

/* bytes of filler of record i */
static inline size_t model_filler(uint64_t i)
{
    return (size_t)(i * 37 % MAX_FILLER);
}

/* packs record i */
static inline void model_pack(struct buf *records, uint64_t i)
{
    struct buf p;
    buf_init(&p, 1024);
    assert_int_equal(frame_put_u64(&p, i), 0);
    assert_int_equal(frame_put_u8(&p, (uint8_t)model_key(i)), 0);
    for (size_t n = 0; n < model_filler(i); n++)
        assert_int_equal(buf_add_byte(&p, (char)(i + n)), 0);
    assert_int_equal(journal_pack(records, FRAME_OFFSET, buf_slice(&p)), 0);
    buf_clear(&p);
}

/* the value of each key after m records */
static inline void model_state(uint64_t m, uint64_t *value)
{
    memset(value, 0, KEYS * sizeof(*value));
    unsigned found = 0;
    for (uint64_t i = m; i > 0 && found < KEYS; i--) {
        if (value[model_key(i)] == 0) {
            value[model_key(i)] = i;
            found++;
        }
    }
}

/* packs the whole state after m records */
static inline void model_pack_state(struct buf *records, uint64_t m)
{
    uint64_t value[KEYS];
    model_state(m, value);
    for (unsigned k = 0; k < KEYS; k++)
        if (value[k] != 0)
            model_pack(records, value[k]);
}

/* a replayed record: must be one that was written, byte for byte */
static inline void model_replay(void *ctx, const struct frame *f)
{
    struct model *m = ctx;
    struct slice s = f->payload;
    uint64_t i;
    uint8_t key;
    assert_int_equal(f->type, FRAME_OFFSET);
    assert_true(frame_get_u64(&s, &i));
    assert_true(frame_get_u8(&s, &key));
    assert_int_equal(key, model_key(i));
    assert_int_equal(s.len, model_filler(i));
    for (size_t n = 0; n < s.len; n++)
        assert_int_equal((uint8_t)s.ptr[n], (uint8_t)(i + n));
    m->value[key] = i;
    if (i > m->attempted)
        m->attempted = i;
}

/* what a replay gave must be the state after exactly m records; returns m */
static inline uint64_t model_check(const struct model *replayed)
{
    uint64_t value[KEYS];
    model_state(replayed->attempted, value);
    assert_memory_equal(value, replayed->value, sizeof(value));
    return replayed->attempted;
}

/* small files, so that checkpoints and growth happen soon */
static inline struct journal_opts model_opts(const struct fs *fs, int dir)
{
    struct journal_opts opts = {
        .fs = fs,
        .dir = dir,
        .machine_id = {1, 2, 3},
        .now_ns = INT64_C(1795399323000000000), /* 2026-11-23T02:02:03Z */
        .log_bytes = SMALL_FILE,
        .checkpoint_bytes = SMALL_FILE,
    };
    return opts;
}

/* opens and judges; *m continues from what was found */
static inline struct journal *model_open(struct model *m, const struct fs *fs, int dir,
                                         struct journal_recovery *ret_rec)
{
    struct journal_opts opts = model_opts(fs, dir);
    struct journal *j = NULL;
    *m = (struct model){0};
    assert_int_equal(journal_open(&opts, model_replay, m, ret_rec, &j), 0);
    assert_non_null(j);
    m->acked = model_check(m);
    return j;
}

/* appends n more records at once */
static inline int model_append(struct model *m, struct journal *j, unsigned n)
{
    struct buf records;
    buf_init(&records, 1 << 20);
    for (unsigned i = 0; i < n; i++)
        model_pack(&records, ++m->attempted);
    int r = journal_append(j, buf_slice(&records));
    buf_clear(&records);
    if (r == 0)
        m->acked = m->attempted;
    return r;
}

/* writes the whole state: journal_checkpoint, or journal_renew if poisoned */
static inline int model_checkpoint(struct model *m, struct journal *j)
{
    struct buf records;
    buf_init(&records, 1 << 20);
    model_pack_state(&records, m->attempted);
    int r = journal_is_poisoned(j) ? journal_renew(j, buf_slice(&records))
                                   : journal_checkpoint(j, buf_slice(&records));
    buf_clear(&records);
    if (r == 0)
        m->acked = m->attempted;
    return r;
}

/* one step of an owner's life: append, checkpoint when it is due, renew when it must */
static inline void model_step(struct model *m, struct journal *j, unsigned n)
{
    int r = model_append(m, j, n);
    if (r < 0 || journal_wants_checkpoint(j))
        r = model_checkpoint(m, j);
    (void)r; /* the next step tries again; what counts is m->acked */
}

#endif
