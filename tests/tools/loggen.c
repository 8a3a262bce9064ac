/*
 * loggen: writes numbered log lines that can be verified (seqline.h), at a rate, with rotation.
 *
 * usage: loggen --path F --lines N [--rate L/s] [--writer ID] [--size BYTES] [--format seq|nginx|
 *               json|cri] [--start-seq S] [--burst LINES] [--rotate-every N] [--rotate rename|
 *               copytruncate|truncate|delete] [--keep K] [--stamps F]
 *
 * Each line, or each burst of lines, is one write(2), so that a line is never torn by another
 * writer. Rotation happens between two writes, every N lines:
 *   rename        F.(k) -> F.(k+1) ..., F -> F.1, then F is created anew; the file beyond --keep
 *                 is lost (keep 0, the default, keeps all)
 *   copytruncate  F is copied to F.1 (shifted as above), then cut to 0
 *   truncate      F is cut to 0
 *   delete        F is removed and created anew
 * --stamps writes to F when each line's write began: its number-th eight bytes are nanoseconds of
 * CLOCK_MONOTONIC.
 *
 * Prints one line at the end: what was written. Exit 0, or 1 with a message when anything failed,
 * 2 for wrong arguments. A line is counted only when its write was whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/def.h"
#include "seqline.h"

#define PATH_LIMIT  4096
#define BURST_BYTES (4 * MIB)
#define LINE_BYTES  (64 * MIB) /* the longest line */

enum rotation { ROTATE_RENAME, ROTATE_COPYTRUNCATE, ROTATE_TRUNCATE, ROTATE_DELETE };

struct options {
    const char *path;
    struct seq_writer writer;
    enum seq_format format;
    enum rotation rotation;
    uint64_t lines;
    uint64_t rate; /* lines per second, 0: as fast as possible */
    uint64_t size; /* of a line with its line end */
    uint64_t first;
    uint64_t burst;
    uint64_t rotate_every; /* 0: never */
    uint64_t keep;         /* 0: all */
    FILE *stamps;          /* NULL: none */
};

struct output {
    int fd;
    uint64_t lines;
    uint64_t bytes;
    uint64_t rotations;
};

/* prints why and ends the program */
static void PRINTF_LIKE(2, 3) die(int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)fprintf(stderr, "loggen: ");
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    exit(status);
}

/* opens the log file for appending */
static int open_log(const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    if (fd < 0)
        die(1, "open %s: %s", path, strerror(errno));
    return fd;
}

/* the name of the n-th rotated file */
static void rotated_name(char *dst, const char *path, uint64_t n)
{
    const int len = snprintf(dst, PATH_LIMIT, "%s.%" PRIu64, path, n);

    if (len < 0 || len >= PATH_LIMIT)
        die(1, "%s: name too long", path);
}

/* how many rotated files an earlier run left */
static uint64_t count_rotated(const char *path)
{
    char name[PATH_LIMIT];
    uint64_t n = 0;

    do
        rotated_name(name, path, ++n);
    while (access(name, F_OK) == 0);
    return n - 1;
}

/* moves F.k to F.(k+1) from the oldest on, so that F.1 is free */
static void shift_rotated(const struct options *o)
{
    char from[PATH_LIMIT];
    char to[PATH_LIMIT];
    uint64_t last = count_rotated(o->path);

    if (o->keep != 0 && last >= o->keep)
        last = o->keep - 1;
    for (uint64_t n = last; n > 0; n--) {
        rotated_name(from, o->path, n);
        rotated_name(to, o->path, n + 1);
        if (rename(from, to) != 0 && errno != ENOENT)
            die(1, "rename %s: %s", from, strerror(errno));
    }
}

/* copies the log file to F.1 */
static void copy_log(const char *path, const char *to)
{
    static char block[1 << 16];
    const int in = open(path, O_RDONLY | O_CLOEXEC);
    const int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ssize_t n;

    if (in < 0 || out < 0)
        die(1, "copy %s to %s: %s", path, to, strerror(errno));
    while ((n = read(in, block, sizeof(block))) > 0) {
        if (write(out, block, (size_t)n) != n)
            die(1, "write %s: %s", to, strerror(errno));
    }
    if (n < 0 || close(in) != 0 || close(out) != 0)
        die(1, "copy %s to %s: %s", path, to, strerror(errno));
}

/* rotates once, between two writes */
static void rotate(const struct options *o, struct output *out)
{
    char first[PATH_LIMIT];

    rotated_name(first, o->path, 1);
    if (o->rotation == ROTATE_RENAME || o->rotation == ROTATE_COPYTRUNCATE)
        shift_rotated(o);
    if (o->rotation == ROTATE_COPYTRUNCATE)
        copy_log(o->path, first);
    if (o->rotation == ROTATE_COPYTRUNCATE || o->rotation == ROTATE_TRUNCATE) {
        if (ftruncate(out->fd, 0) != 0)
            die(1, "truncate %s: %s", o->path, strerror(errno));
    } else {
        const int failed = o->rotation == ROTATE_RENAME ? rename(o->path, first) : unlink(o->path);
        if (failed != 0)
            die(1, "rotate %s: %s", o->path, strerror(errno));
        if (close(out->fd) != 0)
            die(1, "close %s: %s", o->path, strerror(errno));
        out->fd = open_log(o->path);
    }
    out->rotations++;
}

/* waits until the rate allows line number `done` */
static void keep_rate(const struct options *o, const struct timespec *start, uint64_t done)
{
    struct timespec due = *start;
    const uint64_t ns = (done % o->rate) * 1000000000u / o->rate + (uint64_t)due.tv_nsec;

    due.tv_sec += (time_t)(done / o->rate + ns / 1000000000u);
    due.tv_nsec = (long)(ns % 1000000000u);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
        ;
}

/* notes the time for the `count` lines that are written next */
static void stamp(const struct options *o, uint64_t count)
{
    struct timespec t;

    if (o->stamps == NULL)
        return;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
    const uint64_t ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    for (uint64_t i = 0; i < count; i++) {
        if (fwrite(&ns, sizeof(ns), 1, o->stamps) != 1)
            die(1, "stamps: %s", strerror(errno));
    }
}

/* one write(2), whole */
static void put(const struct options *o, struct output *out, const char *block, size_t len)
{
    ssize_t n;

    do
        n = write(out->fd, block, len);
    while (n < 0 && errno == EINTR);
    if (n < 0 || (size_t)n != len)
        die(1, "write %s: %s", o->path, n < 0 ? strerror(errno) : "written in part");
    out->bytes += len;
}

/* writes all lines */
static void run(const struct options *o, struct output *out)
{
    const size_t line_room = o->size + SEQ_FIXED_MAX + 1;
    char *block = malloc(BURST_BYTES + line_room);
    struct timespec start;
    size_t used = 0;
    uint64_t held = 0;

    if (block == NULL || clock_gettime(CLOCK_MONOTONIC, &start) != 0)
        die(1, "%s", strerror(errno));
    for (uint64_t done = 0; done < o->lines; done++) {
        used += seq_write(block + used, o->format, &o->writer, o->first + done, o->size - 1);
        block[used++] = '\n';
        held++;
        const bool turn = o->rotate_every != 0 && (done + 1) % o->rotate_every == 0;
        const bool last = done + 1 == o->lines;
        if (held < o->burst && used < BURST_BYTES && !turn && !last)
            continue;
        if (o->rate != 0)
            keep_rate(o, &start, done);
        stamp(o, held);
        put(o, out, block, used);
        out->lines += held;
        used = 0;
        held = 0;
        if (turn && !last)
            rotate(o, out);
    }
    free(block);
}

/* a decimal number in [min, max], or the end of the program */
static uint64_t number(const char *name, const char *text, uint64_t min, uint64_t max)
{
    char *end;
    errno = 0;
    const uint64_t v = strtoull(text, &end, 10);

    if (errno != 0 || end == text || *end != 0 || text[0] == '-' || v < min || v > max)
        die(2, "--%s: \"%s\" is not a number from %" PRIu64 " to %" PRIu64, name, text, min, max);
    return v;
}

/* the rotation of that name */
static enum rotation rotation_of(const char *name)
{
    static const char *const names[] = {"rename", "copytruncate", "truncate", "delete"};

    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(name, names[i]) == 0)
            return (enum rotation)i;
    }
    die(2, "--rotate: \"%s\" is not known", name);
    return ROTATE_RENAME;
}

/* arguments to options */
static struct options parse(int argc, char **argv)
{
    static const struct option known[] = {
        {"path", 1, NULL, 'p'},      {"lines", 1, NULL, 'n'}, {"rate", 1, NULL, 'r'},
        {"writer", 1, NULL, 'w'},    {"size", 1, NULL, 's'},  {"rotate-every", 1, NULL, 'e'},
        {"rotate", 1, NULL, 'R'},    {"keep", 1, NULL, 'k'},  {"format", 1, NULL, 'f'},
        {"start-seq", 1, NULL, 'S'}, {"burst", 1, NULL, 'b'}, {"stamps", 1, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    struct options o = {.size = 120, .first = 1, .burst = 1};
    const char *writer = "w1";
    const uint64_t many = 999999999999u;
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (c) {
        case 'p':
            o.path = optarg;
            break;
        case 'n':
            o.lines = number("lines", optarg, 0, many);
            break;
        case 'r':
            o.rate = number("rate", optarg, 0, 1000000000);
            break;
        case 'w':
            writer = optarg;
            break;
        case 's':
            o.size = number("size", optarg, 2, LINE_BYTES);
            break;
        case 'e':
            o.rotate_every = number("rotate-every", optarg, 0, many);
            break;
        case 'R':
            o.rotation = rotation_of(optarg);
            break;
        case 'k':
            o.keep = number("keep", optarg, 0, 100000);
            break;
        case 'f':
            if (!seq_format_parse(optarg, &o.format))
                die(2, "--format: \"%s\" is not known", optarg);
            break;
        case 'S':
            o.first = number("start-seq", optarg, 0, many);
            break;
        case 'b':
            o.burst = number("burst", optarg, 1, many);
            break;
        case 't':
            o.stamps = fopen(optarg, "we");
            if (o.stamps == NULL)
                die(1, "%s: %s", optarg, strerror(errno));
            break;
        default:
            exit(2);
        }
    }
    if (optind != argc || o.path == NULL)
        die(2, "usage: loggen --path F --lines N [options]");
    if (!seq_writer_init(&o.writer, writer, strlen(writer)))
        die(2, "--writer: 1 to 32 of A-Z a-z 0-9 _ -");
    return o;
}

/* writes what was asked for, then says what was written */
int main(int argc, char **argv)
{
    const struct options o = parse(argc, argv);
    struct output out = {.fd = open_log(o.path)};

    /* stamps count from the file's beginning */
    if (o.stamps != NULL && fseek(o.stamps, (long)(o.first * sizeof(uint64_t)), SEEK_SET) != 0)
        die(1, "stamps: %s", strerror(errno));
    run(&o, &out);
    if (close(out.fd) != 0)
        die(1, "close %s: %s", o.path, strerror(errno));
    if (o.stamps != NULL && fclose(o.stamps) != 0)
        die(1, "stamps: %s", strerror(errno));
    const int printed = printf(
        "writer %s lines %" PRIu64 " bytes %" PRIu64 " rotations %" PRIu64 " last %" PRIu64 "\n",
        o.writer.name, out.lines, out.bytes, out.rotations, o.first + out.lines - (out.lines > 0));
    if (printed < 0 || fflush(stdout) != 0)
        die(1, "stdout: %s", strerror(errno));
    return 0;
}
