/*
 * tail/registry on a real journal in a temporary directory, with the real store thread and a loop
 * whose clock is a fake one. Most tests open it a second time and look at what is there.
 */
#include "tail/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/prng.h"
#include "fault_fs.h"
#include "tail_test.h"
#include "tmp_dir.h"

#define BOOT "0b007000-1111"
#define WALL ((int64_t)1764000000 * 1000000000)

struct bench {
    struct tmp_dir dir;
    struct clock_fake clock;
    struct loop *loop;
    struct journal *journal;
    struct journal_recovery recovery;
    struct writer *writer;
    struct span_pool *pool;
    struct registry *registry;
    struct ledger ledger;
    const struct fs *fs;
    size_t file_bytes;  /* first size of each file, 0 = the usual */
    bool other_machine; /* told to the registry */
    int64_t boot_ns;
    unsigned durable_calls;
    unsigned health_calls;
    char health[256]; /* "" = well */
    void (*on_durable)(struct bench *b);
};

static struct bench bench;
static struct fault_fs faults;

static void note_durable(void *ctx)
{
    struct bench *b = ctx;
    b->durable_calls++;
    if (b->on_durable != NULL)
        b->on_durable(b);
}

static void note_health(void *ctx, const char *why)
{
    struct bench *b = ctx;
    b->health_calls++;
    (void)snprintf(b->health, sizeof(b->health), "%s", why == NULL ? "" : why);
}

/* opens what is in the directory, as the agent does at its start */
static void open_all(const char *boot)
{
    struct bench *b = &bench;
    struct registry_hooks hooks = {.durable = note_durable, .health = note_health, .ctx = b};
    struct journal_opts opts = {
        .fs = b->fs,
        .dir = b->dir.fd,
        .now_ns = b->clock.wall,
        .log_bytes = b->file_bytes,
        .checkpoint_bytes = b->file_bytes,
    };
    b->registry = registry_new(b->loop, &hooks);
    assert_int_equal(journal_open(&opts, registry_replay, b->registry, &b->recovery, &b->journal),
                     0);
    b->writer = writer_new(b->loop, b->journal, NULL);
    assert_non_null(b->writer);
    b->pool = span_pool_new();
    registry_set_origin(b->registry, b->other_machine, b->boot_ns);
    registry_start(b->registry, b->writer, b->pool, boot);
}

/* gives back every span that is still on its way */
static void drop_spans(void)
{
    for (struct entry *e = registry_next(bench.registry, NULL); e != NULL;
         e = registry_next(bench.registry, e)) {
        while (!list_is_empty(&e->extra->spans))
            span_put(bench.pool, LIST_ENTRY(e->extra->spans.next, struct span, link));
    }
}

/* the end of a life: clean, or as if the process were killed after its last write */
static void close_all(bool clean)
{
    if (clean)
        registry_close(bench.registry);
    writer_free(&bench.writer);
    drop_spans();
    registry_free(&bench.registry);
    span_pool_free(&bench.pool);
    journal_free(&bench.journal);
}

static int setup(void **state)
{
    (void)state;
    int error = 0;
    bench = (struct bench){.fs = fs_system()};
    tmp_dir_make(&bench.dir);
    clock_fake_init(&bench.clock, 1000000000000, WALL);
    bench.loop = loop_new(&bench.clock.clock, &error);
    return bench.loop != NULL ? 0 : error;
}

static int teardown(void **state)
{
    (void)state;
    if (bench.registry != NULL)
        close_all(true);
    assert_int_equal(loop_free(&bench.loop), 0);
    tmp_dir_remove(&bench.dir);
    return 0;
}

/* real ms, for deadlines */
static int64_t real_ms(void)
{
    struct timespec ts;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* fake time passes, round by round */
static void pass_ms(int64_t ms)
{
    for (int64_t left = ms; left > 0; left -= 100) {
        clock_fake_advance_ms(&bench.clock, left < 100 ? left : 100);
        loop_once(bench.loop, 0);
    }
}

/* rounds until nothing is under way, without that time passes */
static void finish_jobs(void)
{
    int64_t deadline = real_ms() + 20000;
    loop_once(bench.loop, 0); /* timers of 0 ms */
    while (writer_pending(bench.writer) > 0) {
        assert_true(real_ms() < deadline);
        loop_once(bench.loop, 5);
    }
}

/* until everything is written, dirty offsets too */
static void settle(void)
{
    int64_t deadline = real_ms() + 20000;
    while (!registry_is_idle(bench.registry)) {
        assert_true(real_ms() < deadline);
        pass_ms(100);
        finish_jobs();
    }
}

/* closes and opens: a restart within one boot */
static void restart(bool clean)
{
    close_all(clean);
    open_all(BOOT);
}

/* the identity of inode number n */
static struct fs_identity identity(uint64_t ino)
{
    return (struct fs_identity){.dev = 5, .ino = ino, .birth_ns = 100 + (int64_t)ino};
}

/* evidence at an offset, recognisable */
static struct evidence evidence_at(uint64_t offset)
{
    return (struct evidence){
        .offset = offset,
        .anchor = offset * 3 + 1,
        .head = 4711,
        .head_bytes = (uint16_t)(offset < 1024 ? offset : 1024),
    };
}

/* a new generation that begins at 0 */
static struct entry *mint(uint64_t ino, const char *path)
{
    struct fs_identity id = identity(ino);
    struct evidence start = {0};
    struct entry *e = registry_mint(bench.registry, &id, path, &start, false);
    e->owner.ledger = &bench.ledger;
    return e;
}

/* the next span of an entry: bytes from the end of the last one up to `to` */
static struct span *send(struct entry *e, uint64_t to)
{
    uint64_t from = list_is_empty(&e->extra->spans)
                        ? e->acked.offset
                        : LIST_ENTRY(e->extra->spans.prev, struct span, link)->to;
    struct span *s = span_get(bench.pool, &e->owner, from);
    registry_span_added(e, s);
    s->to = to;
    s->evidence = evidence_at(to);
    return s;
}

/* its items are acknowledged */
static void ack(struct span *s)
{
    s->resolved = true;
    s->owner->ops->resolved(s->owner, s);
}

/* the entry of a path; NULL */
static struct entry *entry_at(const char *path)
{
    for (struct entry *e = registry_next(bench.registry, NULL); e != NULL;
         e = registry_next(bench.registry, e))
        if (strcmp(e->path, path) == 0)
            return e;
    return NULL;
}

/* ---- */

static void minted_is_durable_before_its_ticket(void **state)
{
    (void)state;
    open_all(BOOT);
    struct entry *e = mint(7, "/var/log/a");
    struct generation gen = e->gen;
    assert_true(e->extra->sent_ticket > registry_durable(bench.registry));
    assert_true(e->sent_to == REGISTRY_SENT_STEP && e->sent_day == 20416);
    assert_false(registry_is_idle(bench.registry));
    uint64_t ticket = e->extra->sent_ticket;
    finish_jobs();
    assert_true(registry_durable(bench.registry) >= ticket);
    assert_true(bench.durable_calls > 0);
    assert_true(registry_is_idle(bench.registry));
    restart(false);
    assert_int_equal(registry_count(bench.registry), 1);
    e = registry_next(bench.registry, NULL);
    assert_true(generation_eq(&e->gen, &gen) && e->dev == 5 && e->ino == 7 && e->birth_ns == 107);
    assert_string_equal(e->path, "/var/log/a");
    assert_true(e->loaded && e->file == NULL && !e->done);
    assert_true(e->acked.offset == 0 && e->sent_to == REGISTRY_SENT_STEP);
    assert_true(e->sent_day == 20416 && e->extra->sent_ticket == 0);
    assert_true(e->seen_ns == WALL); /* when it was last written, also without an offset */
    assert_null(registry_next(bench.registry, e));
}

/* Two generations had an inode number, one after the other: it is the younger one's, whatever is
 * written of the older one later. */
static void number_of_the_younger(void **state)
{
    (void)state;
    open_all(BOOT);
    struct entry *older = mint(7, "/var/log/a");
    struct entry *younger = mint(7, "/var/log/b");
    struct generation gen = younger->gen;
    finish_jobs();
    registry_set_unsettled(older, true);
    (void)mint(8, "/var/log/c"); /* written with it, at once */
    finish_jobs();
    for (int i = 0; i < 2; i++) {
        restart(i > 0);
        struct entry *e = registry_find_inode(bench.registry, 5, 7);
        assert_true(e != NULL && generation_eq(&e->gen, &gen));
        assert_true(entry_at("/var/log/a")->unsettled);
    }
}

/* several within one round of the loop are one write */
static void urgent_records_share_a_write(void **state)
{
    (void)state;
    open_all(BOOT);
    finish_jobs();
    unsigned before = bench.durable_calls;
    uint64_t ticket = mint(1, "/1")->extra->sent_ticket;
    for (uint64_t i = 2; i < 20; i++)
        assert_true(mint(i, "/x")->extra->sent_ticket == ticket);
    finish_jobs();
    assert_int_equal(bench.durable_calls, before + 1);
    assert_true(mint(20, "/y")->extra->sent_ticket > ticket);
}

static void offset_moves_over_the_contiguous_prefix(void **state)
{
    (void)state;
    static const struct {
        unsigned order[5];
        uint64_t offsets[5]; /* acknowledged after each step */
    } cases[] = {
        {{0, 1, 2, 3, 4}, {10, 20, 30, 40, 50}}, {{4, 3, 2, 1, 0}, {0, 0, 0, 0, 50}},
        {{1, 0, 3, 2, 4}, {0, 20, 20, 40, 50}},  {{2, 1, 4, 0, 3}, {0, 0, 0, 30, 50}},
        {{0, 4, 1, 3, 2}, {10, 10, 20, 20, 50}},
    };
    open_all(BOOT);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct span *spans[5];
        struct entry *e = mint(i + 1, "/a");
        for (unsigned k = 0; k < 5; k++)
            spans[k] = send(e, 10 * (k + 1));
        for (unsigned k = 0; k < 5; k++) {
            ack(spans[cases[i].order[k]]);
            assert_true(e->acked.offset == cases[i].offsets[k]);
            if (e->acked.offset > 0)
                assert_true(e->acked.anchor == e->acked.offset * 3 + 1);
        }
        assert_true(list_is_empty(&e->extra->spans));
    }
    assert_int_equal(span_pool_used(bench.pool), 0);
}

static void offsets_survive(void **state)
{
    (void)state;
    open_all(BOOT);
    struct entry *a = mint(1, "/a"), *b = mint(2, "/b");
    ack(send(a, 100));
    struct span *open = send(a, 200);
    ack(send(a, 300)); /* behind an open one: does not count */
    ack(send(b, 5000));
    (void)open;
    settle();
    restart(false);
    a = entry_at("/a");
    b = entry_at("/b");
    struct evidence at = evidence_at(100);
    assert_true(a->acked.offset == 100 && a->acked.anchor == at.anchor);
    assert_true(a->acked.head == at.head && a->acked.head_bytes == 100);
    assert_true(b->acked.offset == 5000 && b->acked.head_bytes == 1024);
    assert_true(list_is_empty(&a->extra->spans));
    /* and again, with what comes next */
    a->owner.ledger = &bench.ledger;
    ack(send(a, 150));
    settle();
    restart(true);
    assert_true(entry_at("/a")->acked.offset == 150);
}

/* offsets wait a second for each other */
static void group_commit(void **state)
{
    (void)state;
    open_all(BOOT);
    struct entry *e = mint(1, "/a");
    settle();
    unsigned before = bench.durable_calls;
    for (uint64_t i = 1; i <= 9; i++) {
        ack(send(e, 10 * i));
        pass_ms(100);
        finish_jobs();
    }
    assert_int_equal(bench.durable_calls, before);
    assert_false(registry_is_idle(bench.registry));
    pass_ms(100);
    finish_jobs();
    assert_int_equal(bench.durable_calls, before + 1);
    assert_true(registry_is_idle(bench.registry));
    /* registry_commit does not wait */
    ack(send(e, 200));
    registry_commit(bench.registry);
    finish_jobs();
    assert_int_equal(bench.durable_calls, before + 2);
    assert_true(registry_is_idle(bench.registry));
    pass_ms(5000);
    finish_jobs();
    assert_int_equal(bench.durable_calls, before + 2); /* quiet: nothing is written */
}

/* the first head of a file that was empty when it was found */
static void head_is_urgent(void **state)
{
    (void)state;
    open_all(BOOT);
    struct entry *e = mint(1, "/a");
    finish_jobs();
    struct evidence first = evidence_at(80);
    registry_head(e, &first);
    uint64_t ticket = registry_sending(e, 80);
    assert_true(ticket > registry_durable(bench.registry));
    assert_true(e->acked.offset == 0);
    finish_jobs();
    assert_true(ticket <= registry_durable(bench.registry));
    restart(false);
    e = entry_at("/a");
    assert_true(e->acked.offset == 0 && e->acked.head == first.head && e->acked.head_bytes == 80);
}

static void sent_to_moves_in_steps(void **state)
{
    (void)state;
    open_all(BOOT);
    struct entry *e = mint(1, "/a");
    uint64_t first = registry_sending(e, 0);
    finish_jobs();
    static const struct {
        uint64_t to, sent_to;
        bool waits;
    } cases[] = {
        {1, REGISTRY_SENT_STEP, false},
        {REGISTRY_SENT_STEP, REGISTRY_SENT_STEP, false},
        {REGISTRY_SENT_STEP + 1, 2 * REGISTRY_SENT_STEP + 1, true},
        {2 * REGISTRY_SENT_STEP, 2 * REGISTRY_SENT_STEP + 1, false},
        {10 * REGISTRY_SENT_STEP, 11 * REGISTRY_SENT_STEP, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        clock_fake_advance_ms(&bench.clock, 24 * 3600 * 1000);
        loop_once(bench.loop, 0);
        uint64_t ticket = registry_sending(e, cases[i].to);
        assert_true(ticket >= first);
        assert_int_equal(ticket > registry_durable(bench.registry), cases[i].waits);
        assert_true(e->sent_to == cases[i].sent_to);
        finish_jobs();
        assert_true(ticket <= registry_durable(bench.registry));
    }
    restart(false);
    e = entry_at("/a");
    assert_true(e->sent_to == 11 * REGISTRY_SENT_STEP);
    assert_int_equal(e->sent_day, 20416 + 5); /* of the latest step */
}

static void done_entries_are_forgotten(void **state)
{
    (void)state;
    open_all(BOOT);
    struct entry *plain = mint(1, "/plain");
    struct entry *open = mint(2, "/open");
    struct entry *held = mint(3, "/held");
    struct entry *kept = mint(4, "/kept");
    struct span *first = send(open, 10), *second = send(open, 20);
    registry_hold(held);
    registry_hold(held);
    registry_finish(plain);
    assert_int_equal(registry_count(bench.registry), 3);
    registry_finish(open);
    registry_finish(held);
    assert_int_equal(registry_count(bench.registry), 3);
    assert_null(registry_find_inode(bench.registry, 5, 2)); /* found no more, though it is there */
    ack(second);
    assert_int_equal(registry_count(bench.registry), 3);
    ack(first);
    assert_int_equal(registry_count(bench.registry), 2);
    registry_unhold(held);
    assert_int_equal(registry_count(bench.registry), 2);
    registry_unhold(held);
    assert_int_equal(registry_count(bench.registry), 1);
    registry_hold(kept); /* what is not done stays */
    registry_unhold(kept);
    settle();
    restart(false);
    assert_int_equal(registry_count(bench.registry), 1);
    assert_non_null(entry_at("/kept"));
}

static void found_by_inode(void **state)
{
    (void)state;
    open_all(BOOT);
    struct entry *a = mint(1, "/a");
    assert_ptr_equal(registry_find_inode(bench.registry, 5, 1), a);
    assert_ptr_equal(registry_find_inode(bench.registry, 6, 1), a); /* device numbers change */
    assert_null(registry_find_inode(bench.registry, 5, 2));
    struct fs_identity id = identity(1);
    struct evidence start = {0};
    id.dev = 6;
    struct entry *b = registry_mint(bench.registry, &id, "/b", &start, false);
    assert_ptr_equal(registry_find_inode(bench.registry, 5, 1), a); /* the same device first */
    assert_ptr_equal(registry_find_inode(bench.registry, 6, 1), b);
    struct entry *newer = mint(1, "/newer");
    assert_ptr_equal(registry_find_inode(bench.registry, 5, 1), newer);
    registry_finish(newer);
    assert_ptr_equal(registry_find_inode(bench.registry, 5, 1), b);
    /* moved: under its new number only */
    id.ino = 9;
    registry_moved(b, &id, "/moved");
    assert_ptr_equal(registry_find_inode(bench.registry, 6, 9), b);
    assert_null(registry_find_inode(bench.registry, 6, 1));
}

/* entries that registry_next_at visits under a path */
static unsigned count_at(const char *path)
{
    unsigned n = 0;
    for (struct entry *e = registry_next_at(bench.registry, path, NULL); e != NULL;
         e = registry_next_at(bench.registry, path, e)) {
        assert_string_equal(e->path, path);
        n++;
    }
    return n;
}

static void found_by_path(void **state)
{
    (void)state;
    open_all(BOOT);
    for (uint64_t i = 0; i < 40; i++)
        (void)mint(i + 1, i % 4 == 0 ? "/a" : "/b");
    assert_true(count_at("/a") == 10 && count_at("/b") == 30 && count_at("/c") == 0);
    struct fs_identity id = identity(100);
    registry_moved(registry_next_at(bench.registry, "/b", NULL), &id, "/c");
    registry_finish(registry_next_at(bench.registry, "/a", NULL));
    assert_true(count_at("/a") == 9 && count_at("/b") == 29 && count_at("/c") == 1);
    assert_int_equal(registry_next_at(bench.registry, "/c", NULL)->ino, 100);
    settle();
    restart(false);
    assert_true(count_at("/a") == 9 && count_at("/b") == 29 && count_at("/c") == 1);
}

static void moved_is_kept(void **state)
{
    (void)state;
    open_all(BOOT);
    struct entry *e = mint(1, "/a");
    ack(send(e, 70));
    settle();
    struct fs_identity id = {.dev = 8, .ino = 9, .birth_ns = 10};
    registry_moved(e, &id, "/renamed");
    assert_string_equal(e->owner.source, "/renamed");
    settle();
    restart(false);
    assert_null(entry_at("/a"));
    e = entry_at("/renamed");
    assert_true(e->dev == 8 && e->ino == 9 && e->birth_ns == 10 && e->acked.offset == 70);
    assert_string_equal(e->owner.source, "/renamed");
    assert_int_equal(registry_count(bench.registry), 1);
}

/* at every moment the older anchor was acknowledged at least a minute before; while offsets move it
 * is not much older */
static void older_anchor_is_old_enough(void **state)
{
    (void)state;
    enum { STEPS = 400 };
    static int64_t acked_at[STEPS + 1];
    struct prng random;
    prng_init(&random, 41);
    open_all(BOOT);
    struct entry *e = mint(1, "/a");
    int64_t now = 0;
    for (uint64_t i = 1; i <= STEPS; i++) {
        int64_t gap = prng_upto(&random, i % 50 == 0 ? 200000 : 8000);
        clock_fake_advance_ms(&bench.clock, gap);
        now += gap;
        loop_once(bench.loop, 0);
        struct anchor before = e->older;
        acked_at[i] = now;
        ack(send(e, i));
        if (e->older.offset != before.offset) {
            assert_true(e->older.offset > before.offset);
            assert_true(e->older.hash == e->older.offset * 3 + 1);
            assert_true(now - acked_at[e->older.offset] >= REGISTRY_OLDER_MS);
        }
        if (i % 50 > 45) /* some minutes after the last long gap */
            assert_true(now - acked_at[e->older.offset] < 3 * REGISTRY_OLDER_MS);
    }
    struct anchor older = e->older;
    assert_true(older.offset > 0);
    settle();
    restart(false);
    e = entry_at("/a");
    assert_true(e->older.offset == older.offset && e->older.hash == older.hash);
}

/* what an entry needed while its bytes were under way goes when its anchor is old; what is unusual
 * stays */
static void idle_entries_need_little(void **state)
{
    (void)state;
    open_all(BOOT);
    struct entry *a = mint(1, "/a");
    struct entry *b = mint(2, "/b");
    struct entry *c = mint(3, "/c");
    struct entry *d = mint(4, "/d");
    ack(send(a, 10));
    ack(send(a, 20));
    struct span *open = send(b, 10);
    registry_hold(c);
    uint64_t until;
    (void)registry_day(d, 0, &until);
    finish_jobs();
    for (int i = 0; i < REGISTRY_OLDER_MS / 1000 + 6; i++) {
        clock_fake_advance_ms(&bench.clock, 1000);
        loop_once(bench.loop, 0);
    }
    finish_jobs();
    assert_ptr_equal(a->extra, &entry_extra_none);
    assert_true(list_is_empty(&a->extra->spans) && a->acked.offset == 20);
    assert_true(b->extra->spans.next == &open->link && c->extra->holds == 1 &&
                d->extra->days != NULL);
    ack(open);
    registry_unhold(c);
    clock_fake_advance_ms(&bench.clock, 2 * REGISTRY_OLDER_MS);
    loop_once(bench.loop, 0);
    assert_ptr_equal(b->extra, &entry_extra_none);
    assert_ptr_equal(c->extra, &entry_extra_none);
    assert_true(b->older.offset == 0 && d->extra->days != NULL);
    ack(send(b, 20));
    clock_fake_advance_ms(&bench.clock, 2 * REGISTRY_OLDER_MS);
    loop_once(bench.loop, 0);
    assert_true(b->older.offset == 10 && b->older.hash == 31); /* acknowledged before that */
}

/* ---- many entries ---- */

static void more_than_a_log_holds(void **state)
{
    (void)state;
    enum { FILES = 12000 };
    static struct entry *entries[FILES];
    open_all(BOOT);
    for (uint64_t i = 0; i < FILES; i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "/var/log/many/%llu.log", (unsigned long long)i);
        entries[i] = mint(i + 1, path);
        if (i % 500 == 0)
            loop_once(bench.loop, 0);
    }
    finish_jobs();
    assert_true(registry_durable(bench.registry) >= entries[FILES - 1]->extra->sent_ticket);
    assert_int_equal(bench.health_calls, 0);
    /* each round of offsets is larger than the first log */
    for (uint64_t round = 1; round <= 4; round++) {
        for (uint64_t i = 0; i < FILES; i++)
            ack(send(entries[i], 1000 * round + i % 7));
        settle();
    }
    for (uint64_t i = 0; i < FILES; i += 3)
        registry_finish(entries[i]);
    settle();
    assert_string_equal(bench.health, "");
    restart(false);
    assert_string_equal(bench.recovery.text, "");
    assert_int_equal(registry_count(bench.registry), FILES - FILES / 3);
    for (struct entry *e = registry_next(bench.registry, NULL); e != NULL;
         e = registry_next(bench.registry, e)) {
        assert_true(e->ino % 3 != 1);
        assert_true(e->acked.offset == 4000 + (e->ino - 1) % 7);
        assert_ptr_equal(registry_find_inode(bench.registry, 5, e->ino), e);
    }
}

/* the last write may find the log full */
static void clean_stop_with_a_full_log(void **state)
{
    (void)state;
    enum { FILES = 3000 };
    open_all(BOOT);
    for (uint64_t i = 0; i < FILES; i++) {
        struct entry *e = mint(i + 1, "/a");
        ack(send(e, 10 + i));
    }
    close_all(true); /* nothing was written before */
    open_all("another boot");
    assert_int_equal(registry_count(bench.registry), FILES);
    assert_false(registry_is_unclean_boot(bench.registry));
    for (struct entry *e = registry_next(bench.registry, NULL); e != NULL;
         e = registry_next(bench.registry, e))
        assert_true(e->acked.offset == 9 + e->ino);
}

/* ---- boots ---- */

static void unclean_boots(void **state)
{
    (void)state;
    static const struct {
        const char *name, *before, *now;
        bool clean, unclean;
    } cases[] = {
        {"killed, same boot", "b1", "b1", false, false},
        {"killed, other boot", "b1", "b2", false, true},
        {"stopped, same boot", "b1", "b1", true, false},
        {"stopped, other boot", "b1", "b2", true, false},
        {"killed, boot unknown before", "", "b2", false, false},
        {"stopped, boot unknown before", "", "b2", true, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tmp_dir old = bench.dir;
        tmp_dir_make(&bench.dir);
        open_all(cases[i].before);
        CHECK(cases[i].name, !registry_is_unclean_boot(bench.registry)); /* nothing is known */
        (void)mint(1, "/a");
        settle();
        close_all(cases[i].clean);
        open_all(cases[i].now);
        CHECK(cases[i].name, registry_is_unclean_boot(bench.registry) == cases[i].unclean);
        settle();
        close_all(false);
        /* the start itself was noted: killed once more, within that boot */
        open_all(cases[i].now);
        CHECK(cases[i].name, !registry_is_unclean_boot(bench.registry));
        close_all(true);
        tmp_dir_remove(&bench.dir);
        bench.dir = old;
    }
}

/* a checkpoint does not make an unclean stop a clean one */
static void unclean_after_a_checkpoint(void **state)
{
    (void)state;
    bench.file_bytes = 4096;
    open_all("b1");
    close_all(true);
    open_all("b1");
    for (uint64_t i = 0; i < 200; i++) {
        struct entry *e = mint(i + 1, "/a");
        ack(send(e, 5));
        settle();
    }
    close_all(false);
    open_all("b2");
    assert_true(registry_is_unclean_boot(bench.registry));
}

/* ---- copies of another machine's registry ---- */

/* counts records of an unknown type */
static void count_unknown(void *ctx, const struct frame *f)
{
    unsigned *count = ctx;
    if (f->type == 99 || f->type == FRAME_CURSOR) {
        assert_true(slice_starts(f->payload, SLICE_LIT("not ours ")));
        (*count)++;
    }
}

static void copies_are_recognised(void **state)
{
    (void)state;
    const int64_t minute = (int64_t)60 * 1000000000;
    const struct {
        const char *name;
        bool other_machine;
        const char *boot; /* of the second life */
        int64_t began;    /* that boot, after the last record of the first life; 0 = unknown */
        int64_t later;    /* the second life, after the first */
        bool copied;
    } cases[] = {
        {"the same boot", false, BOOT, -60 * minute, minute, false},
        {"the next boot", false, "b2", 5 * minute, 6 * minute, false},
        {"the next boot, clock a little off", false, "b2", -4 * minute, minute, false},
        {"a boot that ran at that time", false, "b2", -60 * minute, minute, true},
        {"the same, unknown when it began", false, "b2", 0, minute, false},
        {"the same, before the clock was set", false, "b2", -60 * minute, -30 * minute, false},
        {"boot unknown", false, "", -60 * minute, minute, false},
        {"another machine", true, BOOT, -60 * minute, minute, true},
        {"another machine, next boot", true, "b2", 5 * minute, 6 * minute, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tmp_dir old = bench.dir;
        tmp_dir_make(&bench.dir);
        bench.clock.wall = WALL;
        loop_once(bench.loop, 0);
        open_all(BOOT);
        struct entry *e = mint(1, "/a");
        struct generation gen = e->gen;
        ack(send(e, 100));
        settle();
        close_all(true);
        bench.other_machine = cases[i].other_machine;
        bench.boot_ns = cases[i].began == 0 ? 0 : bench.clock.wall + cases[i].began;
        bench.clock.wall += cases[i].later;
        loop_once(bench.loop, 0);
        open_all(cases[i].boot);
        e = registry_next(bench.registry, NULL);
        CHECK(cases[i].name, generation_eq(&e->gen, &gen) != cases[i].copied);
        CHECK(cases[i].name, (bench.health[0] != '\0') == cases[i].copied);
        CHECK(cases[i].name, e->acked.offset == 100 && e->ino == 1);
        if (cases[i].copied)
            CHECK(cases[i].name, e->resend_to == 0 && e->sent_to == 100 + REGISTRY_SENT_STEP);
        gen = e->gen;
        settle();
        CHECK(cases[i].name, bench.health[0] == '\0'); /* made good */
        close_all(false);
        bench.other_machine = false;
        bench.boot_ns = 0;
        open_all(cases[i].boot);
        CHECK(cases[i].name, registry_count(bench.registry) == 1);
        CHECK(cases[i].name, generation_eq(&registry_next(bench.registry, NULL)->gen, &gen));
        close_all(true);
        tmp_dir_remove(&bench.dir);
        bench.dir = old;
    }
}

/* nothing of a copy is sent before the files name this machine */
static void copies_wait_for_their_checkpoint(void **state)
{
    (void)state;
    open_all(BOOT);
    for (uint64_t i = 0; i < 50; i++)
        ack(send(mint(i + 1, "/a"), 100));
    close_all(true);
    bench.other_machine = true;
    bench.on_durable = NULL;
    open_all(BOOT);
    uint64_t before = registry_durable(bench.registry);
    struct entry *e = registry_next(bench.registry, NULL);
    assert_true(e->extra->sent_ticket > before);
    int64_t deadline = real_ms() + 20000;
    while (registry_durable(bench.registry) < e->extra->sent_ticket) {
        assert_true(real_ms() < deadline);
        assert_string_not_equal(bench.health, "");
        loop_once(bench.loop, 5);
    }
    close_all(false);
    struct journal *j = NULL;
    struct journal_opts opts = {.fs = fs_system(), .dir = bench.dir.fd, .read_only = true};
    unsigned count = 0;
    assert_int_equal(journal_open(&opts, count_unknown, &count, &bench.recovery, &j), 0);
    assert_true(bench.recovery.records >= 100 && bench.recovery.records < 110); /* a checkpoint */
    journal_free(&j);
}

/* ---- in memory, with a copy ---- */

static struct fault_fs memory_faults;

/* a journal in a directory of its own */
static struct journal *open_journal(const struct fs *fs, const struct tmp_dir *dir, bool read_only,
                                    journal_replay_fn fn, void *ctx)
{
    struct journal *j = NULL;
    struct journal_opts opts = {.fs = fs, .dir = dir->fd, .now_ns = WALL, .read_only = read_only};
    assert_int_equal(journal_open(&opts, fn, ctx, &bench.recovery, &j), 0);
    return j;
}

/* counts entries of a journal on disk */
static size_t entries_in(const struct tmp_dir *dir)
{
    struct registry_hooks hooks = {0};
    struct registry *r = registry_new(bench.loop, &hooks);
    struct journal *j = open_journal(fs_system(), dir, true, registry_replay, r);
    size_t n = registry_count(r);
    journal_free(&j);
    registry_free(&r);
    return n;
}

/* replays the bench's directory, writes to `memory`; as after a reboot */
static void open_elsewhere(const struct tmp_dir *memory)
{
    struct bench *b = &bench;
    struct registry_hooks hooks = {.durable = note_durable, .health = note_health, .ctx = b};
    b->registry = registry_new(b->loop, &hooks);
    struct journal *copy = open_journal(fs_system(), &b->dir, true, registry_replay, b->registry);
    journal_free(&copy);
    b->journal = open_journal(&memory_faults.fs, memory, false, count_unknown, NULL);
    b->writer = writer_new(b->loop, b->journal, NULL);
    assert_non_null(b->writer);
    b->pool = span_pool_new();
    registry_set_elsewhere(b->registry);
    registry_start(b->registry, b->writer, b->pool, "b2");
}

/* whenever it dies, the new files hold nothing or everything */
static void moved_whole_or_not_at_all(void **state)
{
    (void)state;
    enum { FILES = 20 };
    open_all(BOOT);
    for (uint64_t i = 0; i < FILES; i++)
        ack(send(mint(i + 1, "/a"), 100));
    close_all(true);
    unsigned empty = 0, whole = 0;
    for (unsigned n = 1; whole == 0 || memory_faults.has_fired; n++) {
        struct tmp_dir memory;
        tmp_dir_make(&memory);
        fault_fs_init(&memory_faults, fs_system());
        memory_faults.kinds = FAULT_WRITES;
        fault_fs_crash(&memory_faults, n, n % 2 == 0 ? 0 : 100);
        open_elsewhere(&memory);
        (void)mint(FILES + 1, "/b");
        finish_jobs();
        close_all(false);
        size_t found = entries_in(&memory);
        assert_true(bench.recovery.records == 0 ? found == 0 : found >= FILES);
        empty += found == 0;
        whole += found >= FILES;
        if (found == 0)
            assert_true(memory_faults.has_fired);
        tmp_dir_remove(&memory);
    }
    assert_true(empty > 20 && whole >= 3);
}

static unsigned saves;
static int last_save;

static void note_saved(void *ctx, int result)
{
    (void)ctx;
    saves++;
    last_save = result;
}

/* the copy holds what was known when it was asked for, and is written only when that changed */
static void copies_of_what_changed(void **state)
{
    (void)state;
    struct tmp_dir dir;
    struct registry_hooks hooks = {.saved = note_saved, .ctx = &bench};
    tmp_dir_make(&dir);
    fault_fs_init(&memory_faults, fs_system());
    struct journal *copy = open_journal(&memory_faults.fs, &dir, false, count_unknown, NULL);
    saves = 0;
    bench.registry = registry_new(bench.loop, &hooks);
    bench.journal = open_journal(fs_system(), &bench.dir, false, registry_replay, bench.registry);
    bench.writer = writer_new(bench.loop, bench.journal, NULL);
    writer_set_copy(bench.writer, copy);
    bench.pool = span_pool_new();
    registry_start(bench.registry, bench.writer, bench.pool, BOOT);
    finish_jobs();
    registry_save(bench.registry);
    finish_jobs();
    assert_int_equal(saves, 0); /* nothing but the boot */
    struct entry *e = mint(1, "/a");
    uint64_t ticket = e->extra->sent_ticket;
    registry_save(bench.registry); /* behind what is urgent: the ticket holds */
    finish_jobs();
    assert_true(saves == 1 && last_save == 0 && registry_durable(bench.registry) >= ticket);
    assert_int_equal(entries_in(&bench.dir), 1);
    assert_int_equal(entries_in(&dir), 1);
    registry_save(bench.registry);
    finish_jobs();
    assert_int_equal(saves, 1);
    (void)mint(2, "/b");
    settle();
    assert_int_equal(entries_in(&dir), 1);
    fault_fs_fail(&memory_faults, 1, EIO);
    memory_faults.kinds = FAULT_ALL;
    memory_faults.is_sticky = true;
    registry_save(bench.registry);
    finish_jobs();
    assert_true(saves == 2 && last_save == -EIO);
    assert_string_equal(bench.health, ""); /* what is in memory is well */
    fault_fs_reset(&memory_faults);
    registry_save(bench.registry); /* still not copied */
    finish_jobs();
    assert_true(saves == 3 && last_save == 0);
    assert_int_equal(entries_in(&dir), 2);
    registry_close(bench.registry);
    registry_save(bench.registry);
    finish_jobs();
    assert_int_equal(saves, 4);
    close_all(false);
    journal_free(&copy);
    assert_int_equal(entries_in(&dir), 2);
    assert_int_equal(journal_remove(fs_system(), dir.fd), 0);
    assert_int_equal(tmp_dir_count(&dir), 0);
    tmp_dir_remove(&dir);
}

/* ---- other versions ---- */

/* how many there are on disk */
static unsigned unknown_on_disk(void)
{
    unsigned count = 0;
    struct journal *j = NULL;
    struct journal_opts opts = {.fs = fs_system(), .dir = bench.dir.fd, .now_ns = 1};
    assert_int_equal(journal_open(&opts, count_unknown, &count, &bench.recovery, &j), 0);
    journal_free(&j);
    return count;
}

static void unknown_records_are_kept(void **state)
{
    (void)state;
    struct journal *j = NULL;
    struct journal_opts opts = {.fs = fs_system(), .dir = bench.dir.fd, .now_ns = 1};
    struct buf records;
    unsigned count = 0;
    assert_int_equal(journal_open(&opts, count_unknown, &count, &bench.recovery, &j), 0);
    buf_init(&records, MIB);
    for (int i = 0; i < 5; i++)
        assert_int_equal(
            journal_pack(&records, i % 2 == 0 ? 99 : FRAME_CURSOR, SLICE_LIT("not ours at all")),
            0);
    assert_int_equal(journal_append(j, buf_slice(&records)), 0);
    buf_clear(&records);
    journal_free(&j);
    for (int round = 0; round < 3; round++) {
        open_all(BOOT);
        assert_int_equal(registry_count(bench.registry), (unsigned)round * 2000);
        for (uint64_t i = 0; i < 2000; i++) /* more than a log: checkpoints */
            (void)mint((unsigned)round * 2000 + i + 1, "/a");
        settle();
        close_all(true);
        assert_int_equal(unknown_on_disk(), 5);
    }
}

/* ---- failures ---- */

/* opens on the failing file system */
static void open_on_faults(void)
{
    fault_fs_init(&faults, fs_system());
    bench.fs = &faults.fs;
    open_all(BOOT);
    finish_jobs();
    assert_string_equal(bench.health, "");
}

static void degraded_and_well_again(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum fault_kind kind;
        int error;
    } cases[] = {
        {"write", FAULT_PWRITE, EIO},
        {"disk full", FAULT_PWRITE, ENOSPC},
        {"sync", FAULT_FDATASYNC, EIO},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *name = cases[i].name;
        open_on_faults();
        struct entry *e = mint(100 + i, name);
        settle();
        faults.kinds = FAULT_BIT(cases[i].kind);
        fault_fs_fail(&faults, 1, cases[i].error);
        uint64_t ticket = mint(200 + i, "/during")->extra->sent_ticket;
        ack(send(e, 50));
        CHECK(name, registry_durable(bench.registry) < ticket);
        finish_jobs();
        /* shipping goes on, and it is said why that is no longer safe */
        CHECK(name, registry_durable(bench.registry) >= ticket);
        CHECK(name, bench.health[0] != '\0');
        ack(send(e, 60));
        pass_ms(999);
        finish_jobs();
        CHECK(name, bench.health[0] != '\0');
        pass_ms(200); /* the first pause is a second */
        finish_jobs();
        CHECK(name, bench.health[0] == '\0');
        settle();
        close_all(false);
        open_all(BOOT);
        CHECK(name, entry_at(name)->acked.offset == 60);
        CHECK(name, entry_at("/during") != NULL);
        registry_finish(entry_at("/during"));
        settle();
        close_all(true);
    }
}

/* a disk that stays bad: pauses grow, nothing is told twice, and the state comes back whole */
static void long_failure(void **state)
{
    (void)state;
    open_on_faults();
    struct entry *e = mint(1, "/a");
    settle();
    faults.kinds = FAULT_BIT(FAULT_FDATASYNC) | FAULT_BIT(FAULT_FSYNC);
    fault_fs_crash(&faults, 1, 0);
    unsigned calls = bench.health_calls;
    unsigned attempts = 0;
    for (uint64_t i = 1; i <= 600; i++) { /* ten minutes */
        unsigned before = fault_fs_calls(&faults);
        ack(send(e, 10 * i));
        pass_ms(1000);
        finish_jobs();
        assert_true(registry_durable(bench.registry) > 0);
        attempts += fault_fs_calls(&faults) != before;
    }
    (void)attempts;
    assert_int_equal(bench.health_calls, calls + 1);
    assert_true(bench.health[0] != '\0');
    fault_fs_reset(&faults);
    pass_ms(61000); /* the longest pause */
    finish_jobs();
    assert_string_equal(bench.health, "");
    assert_int_equal(bench.health_calls, calls + 2);
    settle();
    restart(false);
    assert_true(entry_at("/a")->acked.offset == 6000);
}

/* no file can be made at all: in memory, from the start */
static void nothing_can_be_written(void **state)
{
    (void)state;
    fault_fs_init(&faults, fs_system());
    fault_fs_crash(&faults, 1, 0);
    faults.error = EROFS;
    bench.fs = &faults.fs;
    open_all(BOOT);
    assert_true(bench.recovery.read_only);
    struct entry *e = mint(1, "/a");
    uint64_t ticket = e->extra->sent_ticket;
    finish_jobs();
    assert_true(registry_durable(bench.registry) >= ticket);
    assert_true(bench.health[0] != '\0');
    ack(send(e, 10));
    fault_fs_reset(&faults);
    pass_ms(2000);
    finish_jobs();
    assert_string_equal(bench.health, "");
    settle();
    restart(false);
    assert_true(entry_at("/a")->acked.offset == 10);
}

static bool disk_is_full; /* changed only while no job is under way */

/* no new file, no larger one */
static int openat_without_space(const struct fs *fs, int dir, const char *name, int flags,
                                mode_t mode)
{
    (void)fs;
    if (disk_is_full && (flags & O_CREAT))
        return -ENOSPC;
    return fs_system()->openat(fs_system(), dir, name, flags, mode);
}

/* A full disk stops neither offsets, while they fit, nor shipping, nor the stop. */
static void full_disk(void **state)
{
    (void)state;
    struct fs fs = *fs_system();
    fs.openat = openat_without_space;
    bench.fs = &fs;
    bench.file_bytes = 8192;
    disk_is_full = false;
    open_all(BOOT);
    finish_jobs();
    disk_is_full = true;
    struct entry *first = mint(1, "/first");
    for (uint64_t i = 1; i <= 500; i++) { /* many logs full of offsets of one file */
        ack(send(first, i));
        settle();
    }
    assert_string_equal(bench.health, "");
    for (uint64_t i = 2; i <= 300; i++) { /* more state than the files hold */
        uint64_t ticket = mint(i, "/more")->extra->sent_ticket;
        finish_jobs();
        assert_true(registry_durable(bench.registry) >= ticket);
    }
    assert_true(bench.health[0] != '\0');
    assert_int_equal(bench.health_calls, 1);
    disk_is_full = false;
    pass_ms(61000);
    finish_jobs();
    assert_string_equal(bench.health, "");
    settle();
    restart(false);
    assert_int_equal(registry_count(bench.registry), 300);
    assert_true(entry_at("/first")->acked.offset == 500);
    /* and a stop on a full disk ends */
    disk_is_full = true;
    for (uint64_t i = 1000; i < 4000; i++)
        (void)mint(i, "/more");
    close_all(true);
    bench.fs = fs_system();
}

/* ---- what a ticket promises ---- */

/* copies the journal's files as they are now */
static void copy_files(const struct tmp_dir *to)
{
    static const char *const names[] = {"log.0", "log.1", "checkpoint.0", "checkpoint.1"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct buf b;
        buf_init(&b, 64 * MIB);
        if (fs_read_file(fs_system(), bench.dir.fd, names[i], &b) == 0)
            tmp_dir_write(to, names[i], b.ptr, b.len);
        buf_clear(&b);
    }
}

/* Power is cut now: every generation whose ticket counts as reached must be on the disk. */
static void check_promise(struct bench *b)
{
    struct tmp_dir copy;
    struct journal *j = NULL;
    struct journal_recovery recovery;
    uint64_t durable = registry_durable(b->registry);
    struct registry_hooks hooks = {0};
    tmp_dir_make(&copy);
    copy_files(&copy);
    struct registry *seen = registry_new(b->loop, &hooks);
    struct journal_opts opts = {.fs = fs_system(),
                                .dir = copy.fd,
                                .now_ns = 1,
                                .log_bytes = b->file_bytes,
                                .checkpoint_bytes = b->file_bytes};
    assert_int_equal(journal_open(&opts, registry_replay, seen, &recovery, &j), 0);
    for (struct entry *e = registry_next(b->registry, NULL); e != NULL;
         e = registry_next(b->registry, e)) {
        struct entry *found = registry_find_inode(seen, e->dev, e->ino);
        if (e->extra->sent_ticket > durable || e->done)
            continue;
        if (found == NULL || !generation_eq(&found->gen, &e->gen))
            fail_msg("generation of inode %llu, ticket %llu: not on disk at %llu",
                     (unsigned long long)e->ino, (unsigned long long)e->extra->sent_ticket,
                     (unsigned long long)durable);
        assert_true(found->sent_to >= e->sent_to);
    }
    journal_free(&j);
    registry_free(&seen);
    tmp_dir_remove(&copy);
}

static void reached_tickets_are_on_disk(void **state)
{
    (void)state;
    struct prng random;
    prng_init(&random, 51);
    bench.file_bytes = 8192; /* full every few dozen records */
    open_all(BOOT);
    finish_jobs();
    bench.on_durable = check_promise;
    static char path[1000];
    memset(path, 'p', sizeof(path) - 1);
    for (uint64_t i = 1; i <= 150; i++) {
        /* large and small jobs, in different rounds, so that some fit the log and some do not */
        for (int64_t n = prng_upto(&random, i % 5 == 0 ? 8 : 1); n >= 0; n--)
            (void)mint(1000 * i + (uint64_t)n, i % 3 == 0 ? path : "/small");
        struct entry *e = mint(1000 * i + 500, "/step");
        if (prng_upto(&random, 1) == 0)
            (void)registry_sending(e, 3 * REGISTRY_SENT_STEP);
        for (int64_t rounds = prng_upto(&random, 2); rounds >= 0; rounds--)
            loop_once(bench.loop, 0);
        while (registry_count(bench.registry) > 60)
            registry_finish(registry_next(bench.registry, NULL));
    }
    finish_jobs();
    bench.on_durable = NULL;
}

/* A job that does not fit the log, and behind it one that does: neither is safe before the
 * checkpoint that the first one asks for. */
static void a_small_job_does_not_overtake(void **state)
{
    (void)state;
    static char path[1000];
    memset(path, 'p', sizeof(path) - 1);
    bench.file_bytes = 65536;
    open_all(BOOT);
    finish_jobs();
    bench.on_durable = check_promise;
    uint64_t ino = 1;
    for (int i = 0; i < 20; i++) {
        (void)mint(ino++, "/keeps the thread busy");
        loop_once(bench.loop, 0);
        for (int n = 0; n < 100; n++) /* more than is gathered to one write */
            (void)mint(ino++, path);
        loop_once(bench.loop, 0);
        (void)mint(ino++, "/small");
        loop_once(bench.loop, 0);
        finish_jobs();
        while (registry_count(bench.registry) > 0)
            registry_finish(registry_next(bench.registry, NULL));
        settle();
    }
    bench.on_durable = NULL;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(minted_is_durable_before_its_ticket),
        TEST(number_of_the_younger),
        TEST(urgent_records_share_a_write),
        TEST(offset_moves_over_the_contiguous_prefix),
        TEST(offsets_survive),
        TEST(group_commit),
        TEST(head_is_urgent),
        TEST(sent_to_moves_in_steps),
        TEST(done_entries_are_forgotten),
        TEST(found_by_inode),
        TEST(found_by_path),
        TEST(moved_is_kept),
        TEST(older_anchor_is_old_enough),
        TEST(idle_entries_need_little),
        TEST(more_than_a_log_holds),
        TEST(clean_stop_with_a_full_log),
        TEST(unclean_boots),
        TEST(unclean_after_a_checkpoint),
        TEST(copies_are_recognised),
        TEST(copies_wait_for_their_checkpoint),
        TEST(moved_whole_or_not_at_all),
        TEST(copies_of_what_changed),
        TEST(unknown_records_are_kept),
        TEST(degraded_and_well_again),
        TEST(long_failure),
        TEST(nothing_can_be_written),
        TEST(full_disk),
        TEST(reached_tickets_are_on_disk),
        TEST(a_small_job_does_not_overtake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
