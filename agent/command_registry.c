/*
 * command_registry - `wherry registry`: what is known of followed files
 *
 *   list          replays without writing, also beside a running agent
 *   forget        takes entries out; only while no agent runs: it holds the lock meanwhile
 *   check FILE    verifies one file by itself
 *
 * A list beside a running agent may meet a switch of its files; it is read again then.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"
#include "base/json_write.h"
#include "command.h"
#include "os/fs.h"
#include "os/lock.h"
#include "os/loop.h"
#include "run/datadir.h"
#include "store/journal.h"
#include "store/journal_check.h"
#include "tail/registry.h"
#include "tail/registry_describe.h"

#define RECORDS_MAX ((size_t)64 * 1024 * 1024)
#define LINE_MAX    ((size_t)64 * 1024)
#define TRIES       10
#define PAUSE_NS    20000000

/* A registry, replayed. */
struct opened {
    int dir;
    struct loop *loop;
    struct registry *registry;
    struct journal *journal;
    struct journal_recovery found;
};

/* gives everything back */
static void close_registry(struct opened *o)
{
    journal_free(&o->journal);
    registry_free(&o->registry);
    if (o->loop != NULL)
        (void)loop_free(&o->loop); /* nothing is left in it */
}

/* Replays what the directory holds. To be written on, its files keep the machine that they are of.
 * A negative errno, said. */
static int open_registry(struct opened *o, int dir, bool read_only, const uint8_t *machine_id)
{
    struct registry_hooks hooks = {0};
    int r = 0;
    *o = (struct opened){.dir = dir};
    o->loop = loop_new(clock_system(), &r);
    if (o->loop == NULL) {
        fprintf(stderr, "wherry: event loop: %s\n", strerror(-r));
        return r;
    }
    struct journal_opts opts = {
        .fs = fs_system(), .dir = dir, .now_ns = loop_wall_ns(o->loop), .read_only = read_only};
    if (machine_id != NULL)
        memcpy(opts.machine_id, machine_id, sizeof(opts.machine_id));
    o->registry = registry_new(o->loop, &hooks);
    r = journal_open(&opts, registry_replay, o->registry, &o->found, &o->journal);
    if (r < 0) {
        fprintf(stderr, "wherry: read the registry: %s\n", strerror(-r));
        close_registry(o);
    }
    return r;
}

/* the same, until a running agent has not switched files meanwhile */
static int look_at_registry(struct opened *o, int dir)
{
    struct timespec pause = {.tv_nsec = PAUSE_NS};
    int r = open_registry(o, dir, true, NULL);
    for (int i = 1; i < TRIES && r == 0 && o->found.text[0] != '\0'; i++) {
        close_registry(o);
        (void)nanosleep(&pause, NULL); /* a shorter one does as well */
        r = open_registry(o, dir, true, NULL);
    }
    if (r == 0 && o->found.text[0] != '\0')
        fprintf(stderr, "wherry: registry: %s\n", o->found.text);
    return r;
}

/* ---- list ---- */

/* one entry as a JSON line */
static int print_json(const struct entry *e)
{
    struct buf line;
    struct json_writer w;
    char gen[DOCID_GENERATION_CHARS], time[DATE_RFC3339_MS_LEN];
    generation_write(gen, &e->gen);
    date_write_ms(time, e->seen_ns / 1000000);
    buf_init(&line, LINE_MAX);
    json_begin(&w, &line);
    json_object(&w);
    json_key(&w, "path");
    json_string(&w, slice_str(e->path));
    json_key(&w, "generation");
    json_string(&w, slice_of(gen, sizeof(gen)));
    json_key(&w, "updated");
    json_string(&w, slice_of(time, sizeof(time)));
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {{"offset", e->acked.offset},
                   {"sent_to", e->sent_to},
                   {"device", e->dev},
                   {"inode", e->ino},
                   {"head", e->acked.head_bytes}};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        json_key(&w, numbers[i].name);
        json_u64(&w, numbers[i].value);
    }
    json_end_object(&w);
    int r = json_done(&w);
    if (r == 0)
        printf("%s\n", buf_cstr(&line));
    buf_clear(&line);
    return r;
}

/* one entry as a row */
static void print_row(const struct entry *e)
{
    char gen[DOCID_GENERATION_CHARS], time[DATE_RFC3339_MS_LEN];
    generation_write(gen, &e->gen);
    date_write_ms(time, e->seen_ns / 1000000);
    printf("%.*s %.*s %12" PRIu64 " %10" PRIu64 " ", (int)sizeof(gen), gen, (int)sizeof(time), time,
           e->acked.offset, e->ino);
    command_put_text(slice_str(e->path));
    putchar('\n');
}

/* `list` */
static int list(const struct cli *cli, int dir)
{
    struct opened o;
    int r = look_at_registry(&o, dir);
    if (r < 0)
        return EXIT_RUNTIME;
    if (!cli->json)
        printf("%-12s %-24s %12s %10s %s\n", "GENERATION", "UPDATED", "OFFSET", "INODE", "PATH");
    for (struct entry *e = registry_next(o.registry, NULL); e != NULL && r == 0;
         e = registry_next(o.registry, e)) {
        if (cli->json)
            r = print_json(e);
        else
            print_row(e);
    }
    bool whole = o.found.bad_middles + o.found.lost_files == 0 && !o.found.newer_version;
    close_registry(&o);
    return r < 0 || !whole ? EXIT_RUNTIME : EXIT_DONE;
}

/* ---- forget ---- */

/* whether the command line means an entry */
static bool is_meant(const struct cli *cli, const struct entry *e)
{
    struct stat st;
    if (!cli->missing)
        return strcmp(e->path, cli->args[1]) == 0;
    return lstat(e->path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* takes entries out of the memory of the registry; returns how many */
static unsigned take_out(const struct cli *cli, struct registry *r)
{
    unsigned count = 0;
    struct entry *e = registry_next(r, NULL);
    while (e != NULL) {
        struct entry *next = registry_next(r, e);
        if (is_meant(cli, e)) {
            registry_forget(e);
            count++;
        }
        e = next;
    }
    return count;
}

/* writes the state that is left */
static int write_back(struct opened *o)
{
    struct buf records;
    buf_init(&records, RECORDS_MAX);
    int r = registry_pack(o->registry, &records);
    if (r == 0)
        r = journal_checkpoint(o->journal, buf_slice(&records));
    buf_clear(&records);
    return r;
}

/* opens for writing, forgets, writes */
static int forget_in(const struct cli *cli, int dir)
{
    struct opened o;
    if (open_registry(&o, dir, true, NULL) < 0)
        return EXIT_RUNTIME;
    uint8_t machine_id[16];
    memcpy(machine_id, o.found.machine_id, sizeof(machine_id));
    close_registry(&o);
    if (open_registry(&o, dir, false, machine_id) < 0)
        return EXIT_RUNTIME;
    if (o.found.text[0] != '\0')
        fprintf(stderr, "wherry: registry: %s\n", o.found.text);
    unsigned count = take_out(cli, o.registry);
    int r = count > 0 ? write_back(&o) : 0;
    close_registry(&o);
    if (r < 0) {
        fprintf(stderr, "wherry: nothing is forgotten: %s\n", strerror(-r));
        return EXIT_RUNTIME;
    }
    if (count == 0 && !cli->missing) {
        fprintf(stderr, "wherry: \"%s\" is not in the registry\n", cli->args[1]);
        return EXIT_RUNTIME;
    }
    printf("%u forgotten\n", count);
    return EXIT_DONE;
}

/* `forget`: under the lock of an agent */
static int forget(const struct cli *cli, const struct config *config, int dir)
{
    struct err e = {0};
    int data = open(config->path_data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int lock = data < 0 ? err_set_errno(&e, -errno, "open \"%s\"", config->path_data)
                        : lock_take(data, "lock", &e);
    int exit_code = EXIT_RUNTIME;
    if (lock == -EBUSY)
        fprintf(stderr, "wherry: an agent runs on \"%s\", stop it first: %s\n", config->path_data,
                e.text);
    else if (lock < 0)
        fprintf(stderr, "wherry: %s\n", e.text);
    else
        exit_code = forget_in(cli, dir);
    if (lock >= 0)
        (void)close(lock); /* releases it */
    if (data >= 0)
        (void)close(data); /* a directory */
    return exit_code;
}

/* ---- check ---- */

/* prints one record */
static void on_record(void *ctx, uint64_t at, const struct frame *f)
{
    struct buf *text = ctx;
    char name[12];
    buf_reset(text);
    if (registry_describe(f, text) < 0)
        return; /* longer than any line: the next ones are still worth it */
    printf("%10" PRIu64 " %8" PRIu64 " %-8s ", at, f->sequence, registry_type_name(f->type, name));
    command_put_text(buf_slice(text));
    putchar('\n');
}

/* what a file is, after its records */
static void print_verdict(const struct journal_check *c)
{
    static const char *const texts[] = {
        [JOURNAL_GOOD] = "whole",
        [JOURNAL_UNUSED] = "never written",
        [JOURNAL_TORN] = "torn: the last write was not finished, as after a crash",
        [JOURNAL_DAMAGED] = "damaged: what follows had been written whole",
        [JOURNAL_NO_HEADER] = "damaged, or no file of a registry: the header does not verify",
        [JOURNAL_NEWER] = "of a newer version",
        [JOURNAL_OTHER_KIND] = "neither log nor checkpoint",
    };
    if (c->end > 0)
        printf("%s of epoch %" PRIu64 ", %" PRIu64 " records, ",
               c->header.kind == FRAME_KIND_LOG ? "log" : "checkpoint", c->header.epoch,
               c->records);
    if (c->verdict == JOURNAL_GOOD || c->verdict == JOURNAL_UNUSED || c->end == 0)
        printf("%s\n", texts[c->verdict]);
    else
        printf("first bad offset %" PRIu64 ", %s\n", c->end, texts[c->verdict]);
}

/* `check FILE` */
static int check(const char *path)
{
    struct buf bytes, text;
    struct journal_check c;
    buf_init(&bytes, JOURNAL_FILE_MAX);
    buf_init(&text, LINE_MAX);
    int r = fs_read_file(fs_system(), AT_FDCWD, path, &bytes);
    if (r < 0)
        fprintf(stderr, "wherry: read \"%s\": %s\n", path, strerror(-r));
    if (r == 0) {
        journal_check(buf_slice(&bytes), on_record, &text, &c);
        print_verdict(&c);
    }
    buf_clear(&bytes);
    buf_clear(&text);
    return r == 0 && (c.verdict == JOURNAL_GOOD || c.verdict == JOURNAL_UNUSED) ? EXIT_DONE
                                                                                : EXIT_RUNTIME;
}

/* ---- the command ---- */

/* list and forget: opens the directory; without one there is nothing to list */
static int run_on_registry(const struct cli *cli, bool forgets)
{
    struct config *config = command_load(cli);
    if (config == NULL)
        return EXIT_CONFIG;
    struct err e = {0};
    int exit_code = EXIT_RUNTIME;
    int dir = datadir_open_registry(config, &e);
    if (dir == -ENOENT && !forgets) {
        fprintf(stderr, "wherry: there is no registry in \"%s\"\n", config->path_data);
        exit_code = EXIT_DONE;
    } else if (dir < 0) {
        fprintf(stderr, "wherry: %s\n", e.text);
    } else {
        exit_code = forgets ? forget(cli, config, dir) : list(cli, dir);
        (void)close(dir); /* a directory */
    }
    config_free(&config);
    return exit_code;
}

/* see command.h */
int command_registry(const struct cli *cli)
{
    const char *action = cli->args[0];
    bool has_arg = cli->arg_count > 1;
    if (strcmp(action, "list") == 0 && !has_arg && !cli->missing)
        return run_on_registry(cli, false);
    if (strcmp(action, "forget") == 0 && has_arg != cli->missing && !cli->json)
        return run_on_registry(cli, true);
    if (strcmp(action, "check") == 0 && has_arg && !cli->missing && !cli->json)
        return check(cli->args[1]);
    fprintf(stderr,
            "usage: wherry registry list [--json] | forget PATH | forget --missing | check FILE\n");
    return EXIT_CONFIG;
}
