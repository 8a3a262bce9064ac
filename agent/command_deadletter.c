/*
 * command_deadletter - `wherry deadletter`: looks into the box of rejected documents, sends them
 * again, throws them away
 *
 * Works beside a running agent: reading needs no lock, and letters are taken out under the box's
 * own. A replay that is cut short leaves letters that were accepted; the next one finds them with
 * the server (409) and takes them out.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/date.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/num.h"
#include "command.h"
#include "os/http.h"
#include "output/replay.h"
#include "run/assemble.h"
#include "store/deadbox.h"

#define IDS_BYTES_MAX (256 * MIB)
#define LINE_MAX      ((size_t)FRAME_PAYLOAD_MAX * 2)

/* Ids, ascending, as an array in a buffer. */
struct ids {
    struct buf bytes;
};

/* What a sub-command works on. */
struct box {
    const struct cli *cli;
    const struct config *config;
    int dir;
    struct ids asked; /* on the command line */
};

/* ---- ids ---- */

/* how many */
static size_t ids_count(const struct ids *ids)
{
    return ids->bytes.len / sizeof(struct dead_letter_id);
}

/* one of them */
static struct dead_letter_id ids_at(const struct ids *ids, size_t i)
{
    struct dead_letter_id id;
    memcpy(&id, ids->bytes.ptr + i * sizeof(id), sizeof(id));
    return id;
}

/* order of the box */
static int id_cmp(struct dead_letter_id a, struct dead_letter_id b)
{
    if (a.segment != b.segment)
        return a.segment < b.segment ? -1 : 1;
    return a.sequence < b.sequence ? -1 : a.sequence > b.sequence;
}

/* place of an id, or where it would stand */
static size_t ids_find(const struct ids *ids, struct dead_letter_id id, bool *ret_found)
{
    size_t from = 0, to = ids_count(ids);
    *ret_found = false;
    while (from < to && !*ret_found) {
        size_t middle = from + (to - from) / 2;
        int order = id_cmp(ids_at(ids, middle), id);
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
        *ret_found = order == 0;
    }
    return to;
}

/* keeps the order; false where there is no memory */
static bool ids_add(struct ids *ids, struct dead_letter_id id)
{
    bool found;
    size_t at = ids_find(ids, id, &found) * sizeof(id);
    if (found)
        return true;
    if (buf_add(&ids->bytes, &id, sizeof(id)) < 0)
        return false;
    memmove(ids->bytes.ptr + at + sizeof(id), ids->bytes.ptr + at,
            ids->bytes.len - at - sizeof(id));
    memcpy(ids->bytes.ptr + at, &id, sizeof(id));
    return true;
}

/* "3.17" */
static bool parse_id(const char *text, struct dead_letter_id *ret_id)
{
    struct slice s = slice_str(text);
    size_t dot = slice_find(s, '.');
    return num_u64(slice_sub(s, 0, dot), &ret_id->segment) == 0 &&
           num_u64(slice_sub(s, dot + 1, SIZE_MAX), &ret_id->sequence) == 0;
}

/* the ids on the command line; false = one is none, said */
static bool take_ids(struct box *b)
{
    buf_init(&b->asked.bytes, IDS_BYTES_MAX);
    for (int i = 1; i < b->cli->arg_count; i++) {
        struct dead_letter_id id;
        if (parse_id(b->cli->args[i], &id) && ids_add(&b->asked, id))
            continue;
        fprintf(stderr, "wherry: \"%s\" is no id of a dead letter; they look like 3.17\n",
                b->cli->args[i]);
        return false;
    }
    return true;
}

/* ---- showing ---- */

/* text from outside, with blanks up to a width and one more */
static void put_column(struct slice s, size_t width)
{
    command_put_text(s);
    for (size_t n = s.len; n < width; n++)
        putchar(' ');
    putchar(' ');
}

/* "3.17" into dst */
static struct slice id_text(struct dead_letter_id id, char dst[48])
{
    int n = snprintf(dst, 48, "%" PRIu64 ".%" PRIu64, id.segment, id.sequence);
    return slice_of(dst, (size_t)n);
}

/* all fields as one JSON line; with what may hold content of the document, if asked */
static int write_json(const struct dead_letter *l, bool whole, struct buf *out)
{
    struct json_writer w;
    char id[48], time[DATE_RFC3339_MS_LEN];
    date_write_ms(time, l->wall_ms);
    json_begin(&w, out);
    json_object(&w);
    json_key(&w, "id");
    json_string(&w, id_text(l->at, id));
    json_key(&w, "time");
    json_string(&w, slice_of(time, sizeof(time)));
    json_key(&w, "status");
    json_u64(&w, l->status);
    const struct {
        const char *name;
        struct slice value;
        bool shown;
    } texts[] = {{"type", l->type, true},      {"reason", l->reason, whole},
                 {"target", l->target, true},  {"pipeline", l->pipeline, l->pipeline.len > 0},
                 {"document_id", l->id, true}, {"source", l->source, true}};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (!texts[i].shown)
            continue;
        json_key(&w, texts[i].name);
        json_string(&w, texts[i].value);
    }
    json_key(&w, "offset");
    json_u64(&w, l->offset);
    json_key(&w, "bytes");
    json_u64(&w, l->document.len);
    if (whole) {
        json_key(&w, "document");
        json_raw(&w, l->document);
    }
    json_end_object(&w);
    return json_done(&w);
}

/* prints a letter as JSON */
static int print_json(const struct dead_letter *l, bool whole)
{
    struct buf line;
    buf_init(&line, LINE_MAX);
    int r = write_json(l, whole, &line);
    if (r == 0)
        printf("%s\n", buf_cstr(&line));
    buf_clear(&line);
    return r;
}

/* one line of the table */
static void print_row(const struct dead_letter *l)
{
    char id[48], time[DATE_RFC3339_MS_LEN];
    date_write_ms(time, l->wall_ms);
    put_column(id_text(l->at, id), 8);
    put_column(slice_of(time, sizeof(time)), sizeof(time));
    printf("%6u ", l->status);
    put_column(l->type, 30);
    put_column(l->target, 32);
    printf("%8zu ", l->document.len);
    command_put_text(l->source);
    printf("%s%" PRIu64 "\n", l->source.len > 0 ? ":" : "", l->offset);
}

/* a letter of the list */
static int on_listed(void *ctx, const struct dead_letter *l)
{
    const struct box *b = ctx;
    if (b->cli->json)
        return print_json(l, false);
    print_row(l);
    return 0;
}

/* `list` */
static int list(struct box *b)
{
    if (!b->cli->json)
        printf("%-8s %-24s %6s %-30s %-32s %8s %s\n", "ID", "TIME", "STATUS", "TYPE", "TARGET",
               "BYTES", "SOURCE");
    int r = deadbox_each(fs_system(), b->dir, on_listed, b);
    if (r < 0)
        fprintf(stderr, "wherry: read the dead letters: %s\n", strerror(-r));
    return r < 0 ? EXIT_RUNTIME : EXIT_DONE;
}

/* a name and a text */
static void put_field(const char *name, struct slice value)
{
    printf("%-10s ", name);
    command_put_text(value);
    putchar('\n');
}

/* prints the letter that is asked for, and ends the visit */
static int on_shown(void *ctx, const struct dead_letter *l)
{
    const struct box *b = ctx;
    char time[DATE_RFC3339_MS_LEN], id[48];
    if (id_cmp(l->at, ids_at(&b->asked, 0)) != 0)
        return 0;
    if (b->cli->json) {
        int r = print_json(l, true);
        return r < 0 ? r : 1;
    }
    date_write_ms(time, l->wall_ms);
    put_field("id", id_text(l->at, id));
    put_field("time", slice_of(time, sizeof(time)));
    printf("%-10s %u\n", "status", l->status);
    put_field("type", l->type);
    put_field("reason", l->reason);
    put_field("target", l->target);
    put_field("_id", l->id);
    put_field("source", l->source);
    printf("%-10s %" PRIu64 "\n", "offset", l->offset);
    put_field("document", l->document);
    return 1;
}

/* `show ID` */
static int show(struct box *b)
{
    if (ids_count(&b->asked) != 1) {
        fprintf(stderr, "usage: wherry deadletter show ID\n");
        return EXIT_CONFIG;
    }
    int r = deadbox_each(fs_system(), b->dir, on_shown, b);
    if (r < 0)
        fprintf(stderr, "wherry: read the dead letters: %s\n", strerror(-r));
    else if (r == 0)
        fprintf(stderr, "wherry: there is no dead letter %s\n", b->cli->args[1]);
    return r == 1 ? EXIT_DONE : EXIT_RUNTIME;
}

/* ---- replaying ---- */

struct replaying {
    const struct box *box;
    struct replay *replay;
    struct err e;
    struct ids accepted;
    uint64_t counts[REPLAY_REFUSED + 1];
    bool no_memory;
};

/* what became of a letter */
static void on_replayed(void *ctx, struct dead_letter_id at, enum replay_outcome outcome,
                        const char *why)
{
    struct replaying *p = ctx;
    char id[48];
    p->counts[outcome]++;
    if (outcome == REPLAY_CREATED || outcome == REPLAY_DUPLICATE)
        p->no_memory = !ids_add(&p->accepted, at) || p->no_memory;
    else
        printf("%s %s: %s\n", id_text(at, id).ptr,
               outcome == REPLAY_REJECTED ? "rejected again" : "not taken now", why);
}

/* sends a letter, if it is meant */
static int on_letter(void *ctx, const struct dead_letter *l)
{
    struct replaying *p = ctx;
    bool is_asked = true;
    if (ids_count(&p->box->asked) > 0)
        (void)ids_find(&p->box->asked, l->at, &is_asked);
    return is_asked ? replay_add(p->replay, l, &p->e) : 0;
}

/* whether a letter is in a list */
static bool is_in(void *ctx, const struct dead_letter *l)
{
    bool found;
    (void)ids_find(ctx, l->at, &found);
    return found;
}

/* takes letters out; says what went wrong */
static int take_out(const struct box *b, deadbox_gone_fn gone, void *ctx, uint64_t *ret_removed)
{
    int r = deadbox_remove(fs_system(), b->dir, gone, ctx, ret_removed);
    if (r == -EBUSY)
        fprintf(stderr, "wherry: another process is changing the dead letters\n");
    else if (r < 0)
        fprintf(stderr, "wherry: take out dead letters: %s\n", strerror(-r));
    return r;
}

/* takes out what was accepted, and sums up */
static int end_replay(struct replaying *p, int result)
{
    uint64_t removed = 0;
    uint64_t left = p->counts[REPLAY_REJECTED] + p->counts[REPLAY_REFUSED];
    int r = 0;
    if (ids_count(&p->accepted) > 0)
        r = take_out(p->box, is_in, &p->accepted, &removed);
    printf("%" PRIu64 " created, %" PRIu64 " were there, %" PRIu64 " rejected again, %" PRIu64
           " not taken now; %" PRIu64 " taken out of the box\n",
           p->counts[REPLAY_CREATED], p->counts[REPLAY_DUPLICATE], p->counts[REPLAY_REJECTED],
           p->counts[REPLAY_REFUSED], removed);
    if (result < 0)
        fprintf(stderr, "wherry: %s\n", p->e.code != 0 ? p->e.text : strerror(-result));
    if (result < 0 || r < 0 || p->no_memory)
        return EXIT_RUNTIME;
    return left > 0 ? EXIT_INCOMPLETE : EXIT_DONE;
}

/* `replay` */
static int replay(struct box *b)
{
    struct replaying p = {.box = b};
    struct output_opts opts;
    if (b->config->output != CONFIG_OUTPUT_ELASTICSEARCH) {
        fprintf(stderr, "wherry: dead letters go to Elasticsearch, and the configuration has "
                        "another output\n");
        return EXIT_CONFIG;
    }
    if (http_global_init() < 0) {
        fprintf(stderr, "wherry: libcurl cannot be initialised\n");
        return EXIT_RUNTIME;
    }
    buf_init(&p.accepted.bytes, IDS_BYTES_MAX);
    assemble_output(&opts, b->config);
    p.replay = replay_new(&opts, on_replayed, &p, &p.e);
    int r = p.replay == NULL ? p.e.code : deadbox_each(fs_system(), b->dir, on_letter, &p);
    if (r == 0)
        r = replay_flush(p.replay, &p.e);
    int exit_code = end_replay(&p, r);
    replay_free(&p.replay);
    assemble_output_clear(&opts);
    buf_clear(&p.accepted.bytes);
    return exit_code;
}

/* ---- dropping ---- */

/* `--all` */
static bool is_any(void *ctx, const struct dead_letter *l)
{
    (void)ctx; /* all */
    (void)l;
    return true;
}

/* `--older-than`: rejected before a wall time in ms */
static bool is_older(void *ctx, const struct dead_letter *l)
{
    return l->wall_ms < *(const int64_t *)ctx;
}

/* `drop` */
static int drop(struct box *b)
{
    const struct cli *cli = b->cli;
    const bool by_age = cli->older_than_ms > 0;
    size_t asked = ids_count(&b->asked);
    int64_t limit = clock_wall_ms(clock_system()) - cli->older_than_ms;
    uint64_t removed = 0;
    if (cli->all + by_age + (asked > 0) != 1) {
        fprintf(stderr, "usage: wherry deadletter drop ID...|--all|--older-than D\n");
        return EXIT_CONFIG;
    }
    deadbox_gone_fn gone = cli->all ? is_any : by_age ? is_older : is_in;
    void *ctx = by_age ? (void *)&limit : (void *)&b->asked;
    int r = take_out(b, gone, ctx, &removed);
    printf("%" PRIu64 " taken out of the box\n", removed);
    if (r == 0 && removed < asked)
        fprintf(stderr, "wherry: %zu of the ids are not in the box\n", asked - (size_t)removed);
    return r < 0 || removed < asked ? EXIT_RUNTIME : EXIT_DONE;
}

/* ---- the command ---- */

static const struct {
    const char *name;
    int (*run)(struct box *b);
    bool takes_ids;
} actions[] = {
    {"list", list, false}, {"show", show, true}, {"replay", replay, true}, {"drop", drop, true}};

/* opens the box; without one there is nothing to do, and that is no failure */
static int run_action(struct box *b, int (*run)(struct box *b))
{
    const char *path = b->config->dead_letter.path;
    b->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (b->dir < 0 && errno != ENOENT) {
        fprintf(stderr, "wherry: open \"%s\": %s\n", path, strerror(errno));
        return EXIT_RUNTIME;
    }
    if (b->dir < 0) {
        fprintf(stderr, "wherry: there are no dead letters in \"%s\"\n", path);
        return b->asked.bytes.len > 0 ? EXIT_RUNTIME : EXIT_DONE;
    }
    int exit_code = run(b);
    (void)close(b->dir); /* a directory */
    return exit_code;
}

/* see command.h */
int command_deadletter(const struct cli *cli)
{
    struct box b = {.cli = cli};
    size_t i = 0;
    while (i < ARRAY_LEN(actions) && strcmp(actions[i].name, cli->args[0]) != 0)
        i++;
    if (i == ARRAY_LEN(actions) || (!actions[i].takes_ids && cli->arg_count > 1)) {
        fprintf(stderr, "usage: wherry deadletter list [--json] | show ID | replay [ID...] | "
                        "drop ID...|--all|--older-than D\n");
        return EXIT_CONFIG;
    }
    if (!take_ids(&b)) {
        buf_clear(&b.asked.bytes);
        return EXIT_CONFIG;
    }
    int exit_code = EXIT_CONFIG;
    struct config *config = command_load(cli);
    if (config != NULL) {
        b.config = config;
        exit_code = run_action(&b, actions[i].run);
    }
    config_free(&config);
    buf_clear(&b.asked.bytes);
    return exit_code;
}
