#ifndef TESTS_TAIL_BENCH_H
#define TESTS_TAIL_BENCH_H

/*
 * A whole file input in one process: real directories, a real loop, feed, registry and store
 * thread, and a server that is a table of documents by id. Time is a fake clock's: it moves only by
 * bench_pass and while a condition is waited for.
 *
 *     feed --sealed--> waiting (for its registry ticket) --> server takes the documents -->
 * resolved
 *
 * The server answers as Elasticsearch does to `create`: a known id is a duplicate, and then its
 * document must be the one that is there. So a line that comes twice under two ids, and two lines
 * under one id, both show.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "os/compress.h"
#include "store/journal.h"
#include "tail/tail_internal.h"
#include "tail_test.h"
#include "tmp_dir.h"

#define INPUTS   2
#define PATTERNS 4
#define DOC_MAX  ((size_t)8 * 1024 * 1024)
#define BOOT     "boot-one"

/* one document that the server has */
struct doc {
    char id[DOCID_MAX + 1];
    char *path;
    char *message;
    size_t message_bytes;
    uint64_t offset;
    char flags[64];
};

struct bench {
    /* for the test to set before bench_start */
    char patterns[INPUTS][PATTERNS][512];
    struct tail_input inputs[INPUTS];
    size_t input_count;
    bool once;
    unsigned batches;
    size_t batch_bytes;
    const char *boot;
    /* the server's mood, to be changed at any time */
    bool server_down;  /* takes nothing */
    bool lose_answers; /* takes documents, and nobody hears of it */
    bool answer_oddly; /* the latest batch first */
    /* what there is */
    struct tmp_dir logs, state;
    struct clock_fake clock;
    struct loop *loop;
    struct journal *journal;
    struct writer *writer;
    struct registry *registry;
    struct feed *feed;
    struct tail *tail;
    struct encode_agent agent;
    struct ledger ledgers[INPUTS];
    struct list waiting;  /* sealed */
    struct list answered; /* taken by the server, answer under way */
    /* what was seen */
    struct doc *docs;
    size_t doc_count;
    unsigned duplicates;
    struct buf messages; /* one a line */
    char health[256];
    unsigned finished;
};

/* real ms, for deadlines */
static inline int64_t real_ms(void)
{
    struct timespec ts;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- documents ---- */

/* takes one document apart */
struct doc_reader {
    struct doc *doc;
    char keys[4][16]; /* by depth */
};

/* one event of a document */
static inline int read_doc(void *ctx, enum json_event event, unsigned depth, struct slice text,
                           bool cut)
{
    struct doc_reader *r = ctx;
    assert_false(cut);
    if (event == JSON_KEY && depth < 4) {
        (void)snprintf(r->keys[depth], sizeof(r->keys[depth]), "%.*s", (int)text.len, text.ptr);
        return 0;
    }
    bool in_log = depth >= 2 && strcmp(r->keys[1], "log") == 0;
    if (event == JSON_STRING && depth == 1 && strcmp(r->keys[1], "message") == 0) {
        r->doc->message = mem_strndup(text.ptr, text.len);
        r->doc->message_bytes = text.len;
    } else if (event == JSON_STRING && in_log && strcmp(r->keys[2], "file") == 0) {
        assert_string_equal(r->keys[3], "path");
        r->doc->path = mem_strndup(text.ptr, text.len);
    } else if (event == JSON_STRING && in_log && strcmp(r->keys[2], "flags") == 0) {
        size_t n = strlen(r->doc->flags);
        (void)snprintf(r->doc->flags + n, sizeof(r->doc->flags) - n, "%s%.*s", n > 0 ? "," : "",
                       (int)text.len, text.ptr);
    } else if (event == JSON_NUMBER && in_log && strcmp(r->keys[2], "offset") == 0) {
        r->doc->offset = strtoull(text.ptr, NULL, 10);
    }
    return 0;
}

/* the document of one item */
static inline struct doc doc_of(const struct batch *b, const struct batch_item *item)
{
    struct doc d = {0};
    struct doc_reader r = {.doc = &d};
    struct slice id = batch_action_value(b, item, "_id");
    assert_in_range(id.len, DOCID_CHARS, DOCID_MAX);
    memcpy(d.id, id.ptr, id.len);
    struct json_scan *scan = json_scan_new(DOC_MAX, read_doc, &r);
    assert_int_equal(json_scan_feed(scan, batch_document(b, item)), 0);
    assert_int_equal(json_scan_finish(scan), 0);
    json_scan_free(&scan);
    assert_non_null(d.path);
    assert_non_null(d.message);
    /* the id says the offset */
    char digits[DOCID_OFFSET_DIGITS + 1] = {0};
    memcpy(digits, d.id + DOCID_GENERATION_CHARS, DOCID_OFFSET_DIGITS);
    assert_true(strtoull(digits, NULL, 16) == d.offset);
    return d;
}

/* frees what a document holds */
static inline void doc_clear(struct doc *d)
{
    mem_free(d->path);
    mem_free(d->message);
}

/* the server takes one document */
static inline enum item_state take_doc(struct bench *b, struct doc d)
{
    for (size_t i = 0; i < b->doc_count; i++) {
        const struct doc *have = &b->docs[i];
        if (strcmp(have->id, d.id) != 0)
            continue;
        if (have->message_bytes != d.message_bytes ||
            memcmp(have->message, d.message, d.message_bytes) != 0)
            fail_msg("two lines with the id %s: \"%.60s\" and \"%.60s\"", d.id, have->message,
                     d.message);
        b->duplicates++;
        doc_clear(&d);
        return ITEM_DUPLICATE;
    }
    if (b->doc_count % 256 == 0)
        b->docs = mem_resize(b->docs, (b->doc_count + 256) * sizeof(*b->docs));
    b->docs[b->doc_count++] = d;
    return ITEM_CREATED;
}

/* ---- the way of a batch ---- */

/* the feed's hook */
static inline void bench_sealed(void *ctx, struct batch *batch)
{
    struct bench *b = ctx;
    list_push_back(&b->waiting, &batch->link);
}

/* the feed's hook */
static inline void bench_ready(void *ctx)
{
    struct bench *b = ctx;
    if (b->tail != NULL)
        tail_resume(b->tail);
}

/* a batch arrives at the server */
static inline void take_batch(struct bench *b, struct batch *batch)
{
    assert_true(batch->barrier <= registry_durable(b->registry));
    assert_string_equal(batch->item_count > 0 ? batch->target : "t", "t");
    for (uint32_t i = 0; i < batch->item_count; i++)
        batch->items[i].state = (uint8_t)take_doc(b, doc_of(batch, &batch->items[i]));
    list_remove(&batch->link);
    list_push_back(&b->answered, &batch->link);
}

/* an answer arrives */
static inline void resolve_batch(struct bench *b, struct batch *batch)
{
    list_remove(&batch->link);
    assert_int_equal(batch_resolve(batch), 0);
    feed_return(b->feed, batch);
}

/* moves what can be moved */
static inline void bench_deliver(struct bench *b)
{
    LIST_EACH(node, &b->waiting) {
        struct batch *batch = LIST_ENTRY(node, struct batch, link);
        if (!b->server_down && batch->barrier <= registry_durable(b->registry))
            take_batch(b, batch);
    }
    while (!b->lose_answers && !list_is_empty(&b->answered))
        resolve_batch(b, LIST_ENTRY(b->answer_oddly ? b->answered.prev : b->answered.next,
                                    struct batch, link));
}

/* ---- time ---- */

/* One round of the loop after ms milliseconds; time stands still while the store thread works, so
 * that a slow disk changes nothing. */
static inline void bench_turn(struct bench *b, int64_t ms)
{
    int64_t deadline = real_ms() + 20000;
    clock_fake_advance_ms(&b->clock, ms);
    loop_once(b->loop, 0);
    while (writer_pending(b->writer) > 0) {
        assert_true(real_ms() < deadline);
        loop_once(b->loop, 5);
    }
    bench_deliver(b);
}

/* ms of fake time pass, in steps of 10 */
static inline void bench_pass(struct bench *b, int64_t ms)
{
    for (int64_t left = ms; left > 0; left -= 10)
        bench_turn(b, 10);
}

/* waits for a condition; fake time passes meanwhile, but less than to the next full scan */
#define UNTIL(b, condition)                                                                        \
    do {                                                                                           \
        int64_t deadline = real_ms() + 20000;                                                      \
        while (!(condition)) {                                                                     \
            if (real_ms() > deadline)                                                              \
                fail_msg("waited in vain for: %s", #condition);                                    \
            bench_turn(b, 2);                                                                      \
        }                                                                                          \
    } while (0)

/* ---- life ---- */

/* the tail's hook */
static inline void bench_message(void *ctx, enum log_level level, const char *text)
{
    struct bench *b = ctx;
    assert_in_range(level, LOG_WARN, LOG_DEBUG);
    if (level <= LOG_INFO)
        assert_int_equal(buf_printf(&b->messages, "%s\n", text), 0);
}

/* the tail's hook */
static inline void bench_health(void *ctx, const char *why)
{
    struct bench *b = ctx;
    (void)snprintf(b->health, sizeof(b->health), "%s", why == NULL ? "" : why);
}

/* the tail's hook */
static inline void bench_finished(void *ctx)
{
    struct bench *b = ctx;
    b->finished++;
}

/* the registry's hook; the bench looks at tickets itself */
static inline void bench_registry_health(void *ctx, const char *why)
{
    (void)ctx;
    assert_null(why);
}

/* how many messages hold a text */
static inline unsigned said(struct bench *b, const char *text)
{
    unsigned n = 0;
    for (const char *p = buf_cstr(&b->messages); (p = strstr(p, text)) != NULL; p++)
        n++;
    return n;
}

/* adds a pattern below the log directory to an input */
static inline void bench_pattern(struct bench *b, size_t input, const char *pattern)
{
    struct tail_input *in = &b->inputs[input];
    assert_true(in->path_count < PATTERNS);
    (void)snprintf(b->patterns[input][in->path_count++], sizeof(b->patterns[0][0]), "%s/%s",
                   b->logs.path, pattern);
}

/* empty directories, one input without a pattern */
static inline void bench_init(struct bench *b)
{
    int error = 0;
    *b = (struct bench){.input_count = 1, .batches = 4, .batch_bytes = 64 * KIB, .boot = BOOT};
    tmp_dir_make(&b->logs);
    tmp_dir_make(&b->state);
    clock_fake_init(&b->clock, 1000000000000, (int64_t)time(NULL) * 1000000000);
    b->loop = loop_new(&b->clock.clock, &error);
    assert_non_null(b->loop);
    list_init(&b->waiting);
    list_init(&b->answered);
    buf_init(&b->messages, MIB);
    b->agent = (struct encode_agent){.host_name = "h", .id = "i", .version = "0"};
    for (size_t i = 0; i < INPUTS; i++)
        b->inputs[i] = (struct tail_input){
            .id = "x",
            .encode = {.parts = PART_OFFSET, .target = "t", .input_type = "filestream"},
            .max_bytes = MIB,
            .partial_max_bytes = MIB,
            .partial_timeout_ms = 60000,
            .deleted_max_bytes = UINT64_MAX,
            .deleted_max_age_ms = INT64_MAX,
            .ledger = &b->ledgers[i],
        };
}

/* everything from the store up, without reading yet */
static inline void bench_assemble(struct bench *b)
{
    static char *pointers[INPUTS][PATTERNS];
    struct journal_recovery recovery;
    struct journal_opts opts = {.fs = fs_system(), .dir = b->state.fd, .now_ns = b->clock.wall};
    struct registry_hooks registry_hooks = {.health = bench_registry_health, .ctx = b};
    struct feed_hooks feed_hooks = {.sealed = bench_sealed, .ready = bench_ready, .ctx = b};
    struct feed_opts feed_opts = {.batches = b->batches,
                                  .max_bytes = b->batch_bytes,
                                  .slack_bytes = tail_slack(b->inputs, b->input_count),
                                  .linger_ms = 20};
    struct tail_hooks hooks = {
        .message = bench_message, .health = bench_health, .finished = bench_finished, .ctx = b};
    for (size_t i = 0; i < b->input_count; i++) {
        for (size_t p = 0; p < PATTERNS; p++)
            pointers[i][p] = b->patterns[i][p];
        b->inputs[i].paths = pointers[i];
        b->ledgers[i] = (struct ledger){0}; /* a process counts from its own start */
    }
    b->registry = registry_new(b->loop, &registry_hooks);
    assert_int_equal(journal_open(&opts, registry_replay, b->registry, &recovery, &b->journal), 0);
    assert_string_equal(recovery.text, "");
    b->writer = writer_new(b->loop, b->journal, NULL);
    assert_non_null(b->writer);
    b->feed = feed_new(b->loop, &feed_opts, &feed_hooks);
    registry_start(b->registry, b->writer, feed_spans(b->feed), b->boot);
    struct tail_opts tail_opts = {.inputs = b->inputs,
                                  .input_count = b->input_count,
                                  .agent = &b->agent,
                                  .once = b->once,
                                  .unclean_boot = registry_is_unclean_boot(b->registry)};
    struct err e = {0};
    b->tail = tail_new(b->loop, &tail_opts, &hooks, b->feed, b->registry, &e);
    assert_string_equal(e.text, "");
    assert_non_null(b->tail);
}

/* a start of the agent */
static inline void bench_start(struct bench *b)
{
    loop_once(b->loop, 0); /* its time is read once a round */
    bench_assemble(b);
    tail_start(b->tail);
}

/* every byte is accounted for, and nothing is left */
static inline void bench_check_ledger(struct bench *b)
{
    for (size_t i = 0; i < b->input_count; i++) {
        const struct ledger *l = &b->ledgers[i];
        if (!ledger_adds_up(l))
            fail_msg("ledger %zu does not add up", i);
        assert_int_equal(l->in_flight.bytes, 0);
        assert_int_equal(l->in_flight.lines, 0);
    }
}

/* Its end. clean: everything that was read is delivered first; else batches under way are lost, as
 * by kill -9, at a moment when the store thread is idle. */
static inline void bench_stop(struct bench *b, bool clean)
{
    tail_stop(b->tail);
    if (clean) {
        feed_flush(b->feed);
        UNTIL(b, feed_outstanding(b->feed) == 0);
        bench_check_ledger(b);
    }
    tail_free(&b->tail);
    if (clean)
        registry_close(b->registry);
    writer_free(&b->writer);
    list_init(&b->waiting);
    list_init(&b->answered);
    feed_free(&b->feed);
    registry_free(&b->registry);
    journal_free(&b->journal);
}

/* stop and start */
static inline void bench_restart(struct bench *b, bool clean)
{
    bench_stop(b, clean);
    bench_start(b);
}

/* the end of the test: what is under way is delivered, then nothing may be left over */
static inline void bench_end(struct bench *b)
{
    if (b->tail != NULL) {
        b->server_down = b->lose_answers = false;
        feed_flush(b->feed);
        UNTIL(b, feed_outstanding(b->feed) == 0);
        bench_check_ledger(b);
        assert_int_equal(span_pool_used(feed_spans(b->feed)), 0);
        bench_stop(b, true);
    }
    assert_int_equal(loop_free(&b->loop), 0);
    for (size_t i = 0; i < b->doc_count; i++)
        doc_clear(&b->docs[i]);
    mem_free(b->docs);
    buf_clear(&b->messages);
    tmp_dir_remove(&b->logs);
    tmp_dir_remove(&b->state);
}

/* ---- what came ---- */

/* the file's last component */
static inline const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* Messages of the documents from number `from` on, each followed by '|', in order of arrival; only
 * of files called `name`, NULL = of all. */
static inline const char *lines_from(const struct bench *b, size_t from, const char *name)
{
    static char text[64 * 1024];
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = from; i < b->doc_count; i++)
        if (name == NULL || strcmp(name_of(b->docs[i].path), name) == 0)
            at += (size_t)snprintf(text + at, sizeof(text) - at, "%s|", b->docs[i].message);
    return text;
}

/* number of '|' */
static inline size_t count_lines(const char *lines)
{
    size_t n = 0;
    for (const char *p = lines; *p != '\0'; p++)
        n += *p == '|';
    return n;
}

/* Waits until documents number `from` and on are these lines of the file, and looks whether more
 * come within a while. */
#define EXPECT_FROM(b, from, name, expected)                                                       \
    do {                                                                                           \
        int64_t until = real_ms() + 20000;                                                         \
        for (int64_t fake = 0; fake < 50000 && real_ms() < until &&                                \
                               count_lines(lines_from(b, from, name)) < count_lines(expected);     \
             fake += 2)                                                                            \
            bench_turn(b, 2);                                                                      \
        bench_pass(b, 400);                                                                        \
        assert_string_equal(lines_from(b, from, name), expected);                                  \
    } while (0)

/* all lines of all files since the beginning of the test */
#define EXPECT(b, expected) EXPECT_FROM(b, 0, NULL, expected)
/* the same of one file */
#define EXPECT_OF(b, name, expected) EXPECT_FROM(b, 0, name, expected)

/* ---- what writers do ---- */

/* opens below the log directory */
static inline int log_open(struct bench *b, const char *name, int flags)
{
    int fd = openat(b->logs.fd, name, flags | O_CLOEXEC, 0644);
    if (fd < 0)
        fail_msg("%s: %s", name, strerror(errno));
    return fd;
}

/* writes all of a text to an open file */
static inline void write_fd(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t r = write(fd, text, n);
        assert_true(r > 0);
        text += r;
        n -= (size_t)r;
    }
}

/* appends bytes, making the file */
static inline void append_bytes(struct bench *b, const char *name, const char *text, size_t n)
{
    int fd = log_open(b, name, O_WRONLY | O_CREAT | O_APPEND);
    write_fd(fd, text, n);
    (void)close(fd);
}

/* appends text */
static inline void append(struct bench *b, const char *name, const char *text)
{
    append_bytes(b, name, text, strlen(text));
}

/* appends n bytes of one character */
static inline void append_run(struct bench *b, const char *name, char c, size_t n)
{
    char *run = mem_zalloc(n + 1);
    memset(run, c, n);
    append_bytes(b, name, run, n);
    mem_free(run);
}

/* truncates the file to a size */
static inline void cut(struct bench *b, const char *name, off_t size)
{
    int fd = log_open(b, name, O_WRONLY);
    assert_int_equal(ftruncate(fd, size), 0);
    (void)close(fd);
}

/* new content in the same inode */
static inline void rewrite(struct bench *b, const char *name, const char *text)
{
    int fd = log_open(b, name, O_WRONLY | O_TRUNC);
    write_fd(fd, text, strlen(text));
    (void)close(fd);
}

/* renames below the log directory */
static inline void move(struct bench *b, const char *from, const char *to)
{
    assert_int_equal(renameat(b->logs.fd, from, b->logs.fd, to), 0);
}

/* removes a file */
static inline void unlink_log(struct bench *b, const char *name)
{
    assert_int_equal(unlinkat(b->logs.fd, name, 0), 0);
}

/* a copy of a file, of all or of its first n bytes, as cp(1) makes it: piece by piece */
static inline void copy(struct bench *b, const char *from, const char *to, size_t n)
{
    char bytes[4096];
    int in = log_open(b, from, O_RDONLY);
    int out = log_open(b, to, O_WRONLY | O_CREAT | O_APPEND);
    struct stat st;
    assert_int_equal(fstat(out, &st), 0);
    assert_int_equal(lseek(in, st.st_size, SEEK_SET), st.st_size);
    n -= n < (size_t)st.st_size ? n : (size_t)st.st_size;
    while (n > 0) {
        ssize_t r = read(in, bytes, n < sizeof(bytes) ? n : sizeof(bytes));
        assert_true(r >= 0);
        if (r == 0)
            break;
        write_fd(out, bytes, (size_t)r);
        n -= (size_t)r;
    }
    (void)close(in);
    (void)close(out);
}

/* its last write was ms before now, by the fake clock */
static inline void set_age(struct bench *b, const char *name, int64_t ms)
{
    int64_t ns = b->clock.wall - ms * 1000000;
    struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT},
        {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)}};
    assert_int_equal(utimensat(b->logs.fd, name, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* a file compressed as rotation does it, written last so long ago */
static inline void put_packed(struct bench *b, const char *name, const char *text, int64_t age_ms)
{
    struct compress *c = compress_new(COMPRESS_AUTO, 1);
    struct buf out;
    buf_init(&out, 64 * 1024);
    assert_int_equal(compress_gzip(c, slice_str(text), &out), 0);
    append_bytes(b, name, out.ptr, out.len);
    set_age(b, name, age_ms);
    buf_clear(&out);
    compress_free(&c);
}

#endif
