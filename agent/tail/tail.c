/*
 * tail/tail - life cycle, events, ticks
 *
 * The pump reads hot files round robin, a quantum each. While there is more to read it runs again
 * with the next round of the loop, so that replies and events are not kept waiting; else it ticks
 * every TAIL_TICK_MS while a file is hot, and stands still when all are idle.
 */
#include "tail/tail.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "framing_internal.h"
#include "joins_internal.h"
#include "json_lines_internal.h"
#include "tail_internal.h"

/* see tail_internal.h */
const struct tail_input *tail_input_of(const struct file *f)
{
    return &f->tail->opts.inputs[f->input];
}

/* see tail_internal.h */
void tail_message(struct tail *t, enum log_level level, const char *fmt, ...)
{
    char text[PATH_MAX + 256];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (t->hooks.message != NULL)
        t->hooks.message(t->hooks.ctx, level, text);
}

/* see tail_internal.h */
void tail_note_failure(struct tail *t, int error)
{
    static const int failures[] = {EIO,       ESTALE,    ENOTCONN, ECONNABORTED,
                                   EHOSTDOWN, ETIMEDOUT, EREMOTEIO};
    for (size_t i = 0; i < ARRAY_LEN(failures); i++)
        t->unreadable += error == -failures[i];
}

/* see tail_internal.h */
void tail_pump_soon(struct tail *t)
{
    if (!t->stopped && !(t->blocked && loop_timer_is_set(t->pump_timer)))
        loop_timer_set(t->pump_timer, 0);
}

/* see tail_internal.h */
size_t tail_text_max(const struct tail_input *input)
{
    size_t text = input->max_bytes;
    if (text < input->partial_max_bytes)
        text = input->partial_max_bytes;
    return input->charset == CHARSET_UTF8 ? text : charset_room(text);
}

/* see header: constants, and the worst that a line of max_bytes can become */
size_t tail_slack(const struct tail_input *inputs, size_t count)
{
    size_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        size_t text = tail_text_max(&inputs[i]);
        if (text > longest)
            longest = text;
    }
    return longest * 6 + 1024 * 1024;
}

/* once: whether nothing is left to read */
static void check_finished(struct tail *t)
{
    if (!t->opts.once || t->finished || t->blocked || !list_is_empty(&t->hot) ||
        !list_is_empty(&t->copies) || !list_is_empty(&t->searches) || t->scan_soon)
        return;
    t->finished = true;
    if (t->hooks.finished != NULL)
        t->hooks.finished(t->hooks.ctx);
}

/* an unfinished line has waited long enough */
static bool wants_flush(const struct file *f)
{
    const struct tail *t = f->tail;
    int64_t limit = tail_input_of(f)->line_flush_ms;
    return limit > 0 && file_scanned_to(f) > file_at(f)->offset &&
           loop_now_ms(t->loop) - f->grown_ms >= limit;
}

/* nothing more to read now; files that wait for a line's end stay hot until its time-out */
static void at_end(struct file *f, uint64_t bytes)
{
    if (packed_waits(f))
        return;
    f->at_end = true;
    if (f->tail->opts.once) {
        if (f->extra->waiters > 0 ||
            joins_flush(f)) /* else blocked: tried again with the next tick */
            file_cool(f);
        return;
    }
    if (bytes > 0) {
        f->quiet_ticks = 0;
        return;
    }
    if (wants_flush(f))
        (void)read_flush_partial(f); /* blocked: tried again with the next tick */
    bool waits = tail_input_of(f)->line_flush_ms > 0 && file_scanned_to(f) > file_at(f)->offset;
    if (!waits && ++f->quiet_ticks >= TAIL_QUIET_TICKS)
        file_cool(f);
}

/* A file that cannot be read now is opened and tried again by the next scan; nobody waits for it.
 */
static void on_failed(struct file *f, int error)
{
    struct tail *t = f->tail;
    uint64_t held;
    parked_add(f);
    if (t->opts.once && f->extra->stop_at != UINT64_MAX && f->extra->stop_at > file_at(f)->offset)
        ledger_abandon(tail_input_of(f)->ledger, ABANDON_IO,
                       (struct ledger_count){f->extra->stop_at - file_at(f)->offset, 0});
    if (log_throttle_pass(&t->io_throttle, loop_now_ms(t->loop), &held))
        tail_message(t, LOG_WARN, "cannot read \"%s\" (%s), trying again later", f->entry->path,
                     strerror(-error));
    file_cool(f);
    fds_let_go(f);
}

/* Whether a file need not be looked at: what is read for its target would only wait. Where the
 * target goes by the day, the last read has found out. */
static bool is_held(struct file *f)
{
    const struct tail_input *input = tail_input_of(f);
    if (input->index == NULL)
        f->held = feed_holds(f->tail->feed, input->encode.target);
    return f->held;
}

/* Reads a file that is open. False: no free batch, stop. */
static bool read_turn(struct file *f, uint64_t *bytes, bool *more)
{
    switch (read_some(f, bytes)) {
    case READ_END:
        parked_remove(f);
        at_end(f, *bytes);
        return true;
    case READ_MORE:
        *more = true;
        return true;
    case READ_HELD:
        return true;
    case READ_FAILED:
        on_failed(f, -EIO);
        return true;
    case READ_BLOCKED:
        break;
    }
    return false;
}

/* One file's turn. False: no free batch, stop. */
static bool take_turn(struct file *f, uint64_t *bytes, bool *more)
{
    bool follows = f->extra->after != NULL && !f->extra->after->at_end && !f->extra->after->failed;
    if (f->found || f->behind_search || is_held(f) || follows) {
        content_rest(&f->content); /* what it waits for may need the stream */
        read_watch(f);
        if (follows && !f->held)
            file_heat(f->extra->after);
        return true;
    }
    joins_before_read(f);
    lineage_wait(f, NULL);
    int r = fds_open(f);
    if (r == -EBUSY)
        return true; /* asked again with the next tick */
    if (r == -ENOENT) {
        fds_lost(f);
        return true;
    }
    if (r < 0) {
        on_failed(f, r);
        return true;
    }
    bool go_on = read_turn(f, bytes, more);
    fds_rest(f);
    if (f->tail->hot_count > TAIL_PREBUILT)
        extra_drop_encode(f);
    return go_on;
}

/* Writes beside a hot file are not told, so idle files there are asked now and then. */
static void look_around(struct tail *t)
{
    int64_t now = loop_now_ms(t->loop);
    if (now - t->looked_ms < TAIL_LOOK_MS)
        return;
    t->looked_ms = now;
    LIST_EACH(node, &t->dirs) {
        struct dir *d = LIST_ENTRY(node, struct dir, link);
        if (d->hot > 0 && d->watch >= 0)
            file_look(d);
    }
}

/* Puts the files that had their turn back behind the others; whether one of them may go on before
 * the feed says so. */
static bool requeue(struct tail *t, struct list *turns)
{
    bool any = false;
    struct list *node;
    while ((node = list_pop_front(turns)) != NULL) {
        any |= !LIST_ENTRY(node, struct file, queue)->held;
        list_push_back(&t->hot, node);
    }
    return any;
}

/* While nothing can be read some files are looked at in each tick, those first that wait longest.
 */
static void watch_over(struct tail *t)
{
    struct list turns;
    struct list *node;
    list_init(&turns);
    for (unsigned i = 0; i < TAIL_WATCHED && (node = list_pop_front(&t->hot)) != NULL; i++) {
        list_push_back(&turns, node);
        read_watch(LIST_ENTRY(node, struct file, queue));
    }
    while ((node = list_pop_front(&turns)) != NULL)
        list_push_back(&t->hot, node);
    if (!list_is_empty(&t->hot))
        loop_timer_set(t->pump_timer, TAIL_TICK_MS);
}

/* once round the hot files; the one after the last read comes first the next time */
static void pump(void *ctx)
{
    struct tail *t = ctx;
    bool more = false;
    size_t total = 0;
    struct list turns;
    if (t->stopped)
        return;
    if (t->blocked) {
        watch_over(t);
        return;
    }
    date_write_ms(t->time, loop_wall_ns(t->loop) / 1000000);
    look_around(t);
    list_init(&turns);
    while (!list_is_empty(&t->hot) && total < TAIL_ROUND_BYTES) {
        uint64_t bytes = 0;
        struct file *f = LIST_ENTRY(t->hot.next, struct file, queue);
        list_remove(&f->queue);
        list_push_back(&turns, &f->queue);
        if (!take_turn(f, &bytes, &more)) {
            t->blocked = true;
            break;
        }
        total += (size_t)bytes;
    }
    bool unfinished = more || !list_is_empty(&t->hot);
    if (!requeue(t, &turns) && !unfinished)
        ; /* all are held, or none is hot */
    else if (!list_is_empty(&t->hot))
        loop_timer_set(t->pump_timer, unfinished && !t->blocked ? 0 : TAIL_TICK_MS);
    check_finished(t);
}

static void add_watch(struct tail *t);

/* a scan, and when the next one is */
static void scan(struct tail *t)
{
    unsigned before = t->unreadable;
    discover_scan(t);
    bool soon = t->watch == NULL || t->unreadable != before;
    if (!t->opts.once)
        loop_timer_set(t->reconcile_timer, soon ? TAIL_POLL_MS : TAIL_RECONCILE_MS);
}

/* the truth, once in a while */
static void on_reconcile(void *ctx)
{
    struct tail *t = ctx;
    if (t->stopped)
        return;
    if (t->watch == NULL)
        add_watch(t);
    scan(t);
}

/* directories of which events do not tell all */
static void on_poll(void *ctx)
{
    struct tail *t = ctx;
    if (!t->stopped)
        poll_look(t);
}

/* entries that nobody reads, once an hour, and soon after one has ended */
static void on_life(void *ctx)
{
    struct tail *t = ctx;
    if (!t->stopped)
        life_check(t);
}

/* see tail_internal.h */
void tail_scan_soon(struct tail *t)
{
    t->scan_soon = true;
    if (!loop_timer_is_set(t->check_timer))
        loop_timer_set(t->check_timer, TAIL_CHECK_MS);
}

/* copies and orphans, once a second while there are any */
static void on_check(void *ctx)
{
    struct tail *t = ctx;
    if (t->stopped)
        return;
    bool scan = t->scan_soon;
    t->scan_soon = false;
    adopt_check_copies(t, NULL);
    orphan_check(t);
    joins_check(t);
    parked_check(t);
    if (scan)
        discover_scan(t);
    check_finished(t);
    if (t->scan_soon || !list_is_empty(&t->copies) || !list_is_empty(&t->joining) ||
        !list_is_empty(&t->orphans) || !list_is_empty(&t->parked))
        loop_timer_set(t->check_timer, TAIL_CHECK_MS);
}

/* searches among compressed siblings, while there are any */
static void on_search(void *ctx)
{
    struct tail *t = ctx;
    if (t->stopped)
        return;
    siblings_search_on(t);
    check_finished(t);
}

/* inotify has something */
static void on_watch(void *ctx, uint32_t events)
{
    struct tail *t = ctx;
    (void)events; /* EPOLLIN, or an error that dispatch reports */
    if (watch_dispatch(t->watch) < 0)
        loop_timer_set(t->reconcile_timer, 0);
}

/* see tail_internal.h */
void tail_catch_up(struct tail *t)
{
    if (t->watch != NULL)
        on_watch(t, EPOLLIN);
}

/* one event */
static void on_event(void *ctx, const struct watch_event *ev)
{
    struct tail *t = ctx;
    if (!t->stopped)
        discover_event(t, ev);
}

/* watching, or why not; files are then found by scans alone */
static void add_watch(struct tail *t)
{
    int error = 0;
    if (t->opts.once)
        return;
    t->watch = watch_new(on_event, t, &error);
    if (t->watch == NULL) {
        char why[160];
        t->blind = true;
        (void)snprintf(why, sizeof(why),
                       "inotify cannot be had (%s): looking every %d s instead; raise "
                       "fs.inotify.max_user_instances",
                       strerror(-error), TAIL_POLL_MS / 1000);
        if (t->hooks.health != NULL)
            t->hooks.health(t->hooks.ctx, why);
        return;
    }
    t->watch_io = loop_io_add(t->loop, watch_fd(t->watch), EPOLLIN, on_watch, t);
    if (t->blind && t->hooks.health != NULL)
        t->hooks.health(t->hooks.ctx, NULL);
    t->blind = false;
}

/* see tail_internal.h */
const char *tail_index_of(struct tail *t, unsigned input, int32_t day)
{
    struct dated_name *n = &t->names[input];
    if (!n->made || n->day != day)
        target_name(t->opts.inputs[input].index, day, n->name);
    n->made = true;
    n->day = day;
    return n->name;
}

/* see header */
struct tail *tail_new(struct loop *loop, const struct tail_opts *opts,
                      const struct tail_hooks *hooks, struct feed *feed, struct registry *registry,
                      struct err *e)
{
    struct tail *t = mem_zalloc(sizeof(*t));
    t->loop = loop;
    t->opts = *opts;
    t->hooks = *hooks;
    t->feed = feed;
    t->registry = registry;
    t->io_throttle = (struct log_throttle)LOG_THROTTLE(60000, 5);
    list_init(&t->dirs);
    list_init(&t->hot);
    fds_init(t);
    list_init(&t->orphans);
    list_init(&t->parked);
    list_init(&t->candidates);
    list_init(&t->copies);
    list_init(&t->joining);
    list_init(&t->searches);
    list_init(&t->packed);
    list_init(&t->warned);
    lineage_init(t);
    slab_init(&t->file_slab, sizeof(struct file));
    extra_init(t);
    slab_init(&t->candidate_slab, sizeof(struct candidate));
    t->pump_timer = loop_timer_new(loop, pump, t);
    t->reconcile_timer = loop_timer_new(loop, on_reconcile, t);
    t->poll_timer = loop_timer_new(loop, on_poll, t);
    t->life_timer = loop_timer_new(loop, on_life, t);
    t->check_timer = loop_timer_new(loop, on_check, t);
    t->search_timer = loop_timer_new(loop, on_search, t);
    poll_start(t);
    if (reload_patterns(opts->inputs, opts->input_count, &t->patterns, &t->pattern_count, e) < 0 ||
        framing_setup(t, e) < 0) {
        tail_free(&t);
        return NULL;
    }
    t->names = mem_zalloc_array(opts->input_count, sizeof(*t->names));
    reload_buffer(t);
    json_lines_setup(t);
    registry_set_unread(registry, rewind_span);
    add_watch(t);
    return t;
}

/* see header */
void tail_free(struct tail **tp)
{
    struct tail *t = *tp;
    if (t == NULL)
        return;
    tail_stop(t);
    LIST_EACH(dir, &t->dirs) {
        struct list *files = &LIST_ENTRY(dir, struct dir, link)->files;
        while (!list_is_empty(files))
            file_free(LIST_ENTRY(files->next, struct file, in_dir));
    }
    adopt_free(t);
    siblings_free(t);
    packed_free(t);
    discover_free(t);
    warned_free(t);
    listing_free(t);
    table_clear(&t->files_by_birth);
    slab_clear(&t->file_slab);
    extra_free(t);
    slab_clear(&t->candidate_slab);
    loop_io_cancel(&t->watch_io);
    watch_free(&t->watch);
    loop_timer_cancel(&t->pump_timer);
    loop_timer_cancel(&t->reconcile_timer);
    loop_timer_cancel(&t->poll_timer);
    loop_timer_cancel(&t->life_timer);
    loop_timer_cancel(&t->check_timer);
    loop_timer_cancel(&t->search_timer);
    reload_patterns_free(t->patterns, t->pattern_count);
    poll_free(t);
    mem_free(t->names);
    framing_teardown(t);
    json_lines_teardown(t);
    mem_free(t->buffer);
    mem_free(t);
    *tp = NULL;
}

/* see header */
void tail_start(struct tail *t)
{
    scan(t);
    siblings_find(t);
    t->started = true;
    siblings_settle(t);
    loop_timer_set(t->check_timer, TAIL_CHECK_MS);
    loop_timer_set(t->life_timer, t->opts.once ? 0 : TAIL_LIFE_SOON_MS);
    tail_pump_soon(t);
    if (list_is_empty(&t->hot))
        loop_timer_set(t->pump_timer, 0); /* once with nothing to do is finished too */
}

/* see header */
void tail_resume(struct tail *t)
{
    t->blocked = false;
    LIST_EACH(node, &t->hot) {
        LIST_ENTRY(node, struct file, queue)->held = false;
    }
    tail_pump_soon(t);
}

/* see header */
void tail_stop(struct tail *t)
{
    t->stopped = true;
}

/* see header */
unsigned tail_file_count(const struct tail *t)
{
    return t->file_count;
}

/* see header */
unsigned tail_dir_count(const struct tail *t)
{
    return t->dir_count;
}
