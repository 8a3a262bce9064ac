/*
 * ceiling: what one core can do at all of an agent's work, and nothing else: reads of 256 KiB,
 * lines cut at newlines, each escaped by the best SIMD of the processor into the same document that
 * wherry writes, bodies of 1 MiB (compressed at level 1 or not) written whole to a connection.
 * There is no registry, no reply, no retry, no second thread: an upper bound.
 *
 * usage: ceiling [--document lean|default] [--format raw|cri] [--gzip none|libdeflate|isal]
 *                [--simd auto|avx512|avx2|sse2] [--core N] [--reader-core N] [--print] FILE...
 *
 * The other end of the connection is a process that throws away what comes. --print writes the
 * bodies, uncompressed, to stdout instead, so that they can be compared. Lines of --format cri have
 * the prefix that loggen writes, which is taken off by its length.
 * Prints one line of JSON: bytes and lines read, CPU seconds (user and system), wall seconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if WHERRY_ISAL
#include <isa-l/igzip_lib.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/def.h"

#define READ_BYTES ((size_t)256 * 1024)
#define BODY_BYTES ((size_t)1024 * 1024)
#define LINE_MAX_  ((size_t)64 * 1024)
#define BODY_ROOM  (BODY_BYTES + 8 * LINE_MAX_)
#define CRI_TIME   30u /* characters of loggen's time, */
#define CRI_PREFIX 40u /* and of " stdout F " with it */

#define GENERATION "Jx0yq2Zl8A_b"
#define AGENT_ID   "0b6f1c9e-6f5e-4c57-9a3e-2f1f1d4f8a10"

enum gzip { GZIP_NONE, GZIP_LIBDEFLATE, GZIP_ISAL };

typedef char *(*escape_fn)(char *dst, const char *src, size_t n);

static struct {
    bool is_default; /* the document */
    bool cri;
    bool print;
    enum gzip gzip;
    escape_fn escape;
    int core, reader_core; /* -1: anywhere */
    char before[8192];     /* of the document: between time and offset */
    size_t before_len;
    const char *after; /* behind the text */
    size_t after_len;
    int fd;
    char *body;
    size_t body_len;
    char *packed;
    size_t packed_room;
    struct libdeflate_compressor *deflater;
    uint64_t bytes, lines;
} me = {.core = -1, .reader_core = -1, .fd = -1};

/* prints why and ends the program */
static void die(const char *what)
{
    (void)fprintf(stderr, "ceiling: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- escaping: quote and backslash doubled by a backslash, control characters as \u00xx ---- */

/* one character that may need an escape */
static char *escape_one(char *d, char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char shorts[32] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    const unsigned char u = (unsigned char)c;

    if (u >= 0x20 && c != '"' && c != '\\') {
        *d++ = c;
        return d;
    }
    *d++ = '\\';
    if (u >= 0x20 || shorts[u] != 0) {
        *d++ = u >= 0x20 ? c : shorts[u];
        return d;
    }
    memcpy(d, "u00", 3);
    d[3] = hex[u >> 4];
    d[4] = hex[u & 15];
    return d + 5;
}

/* byte by byte */
static char *escape_scalar(char *d, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        d = escape_one(d, s[i]);
    return d;
}

#if defined(__x86_64__)

/* 16 bytes a step; a block that needs an escape goes byte by byte */
static char *escape_sse2(char *d, const char *s, size_t n)
{
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'),
                  top = _mm_set1_epi8(0x1f);

    for (; n >= 16; s += 16, n -= 16) {
        const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)s);
        const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, top), v);
        const __m128i two = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash));
        if (_mm_movemask_epi8(_mm_or_si128(low, two)) != 0) {
            d = escape_scalar(d, s, 16);
            continue;
        }
        _mm_storeu_si128((__m128i *)(void *)d, v);
        d += 16;
    }
    return escape_scalar(d, s, n);
}

/* 32 bytes a step; what stands behind a character that needs a backslash is stored once more,
 * one further. Reads and writes up to 32 bytes beyond. */
__attribute__((target("avx2,bmi"))) static char *escape_avx2(char *d, const char *s, size_t n)
{
    const __m256i quote = _mm256_set1_epi8('"'), slash = _mm256_set1_epi8('\\');
    const __m256i top = _mm256_set1_epi8(0x1f);

    for (; n >= 32; s += 32, n -= 32) {
        const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)s);
        const __m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(v, top), v);
        const __m256i two =
            _mm256_or_si256(_mm256_cmpeq_epi8(v, quote), _mm256_cmpeq_epi8(v, slash));
        unsigned mask = (unsigned)_mm256_movemask_epi8(two);
        if (_mm256_movemask_epi8(low) != 0) {
            d = escape_scalar(d, s, 32);
            continue;
        }
        _mm256_storeu_si256((__m256i *)(void *)d, v);
        for (; mask != 0; mask &= mask - 1) {
            const unsigned at = (unsigned)__builtin_ctz(mask);
            d[at] = '\\';
            d++;
            _mm256_storeu_si256((__m256i *)(void *)(d + at),
                                _mm256_loadu_si256((const __m256i *)(const void *)(s + at)));
        }
        d += 32;
    }
    return escape_scalar(d, s, n);
}

/* 32 bytes a step, however many need a backslash: each byte behind one, and those that are not
 * needed squeezed out */
__attribute__((target("avx512bw,avx512vbmi2,avx512vl,bmi2,avx2"))) static char *
escape_avx512(char *d, const char *s, size_t n)
{
    const __m256i quote = _mm256_set1_epi8('"'), slash = _mm256_set1_epi8('\\');
    const __m256i top = _mm256_set1_epi8(0x20);
    const __m512i slashes = _mm512_set1_epi16('\\');

    while (n > 0) {
        const unsigned step = n < 32 ? (unsigned)n : 32;
        const __mmask32 there = step == 32 ? UINT32_MAX : (1u << step) - 1;
        const __m256i v = _mm256_maskz_loadu_epi8(there, s);
        const __mmask32 two = _mm256_cmpeq_epi8_mask(v, quote) | _mm256_cmpeq_epi8_mask(v, slash);
        if (_mm256_mask_cmplt_epu8_mask(there, v, top) != 0) {
            d = escape_scalar(d, s, step);
        } else if (two == 0) {
            _mm256_storeu_si256((__m256i *)(void *)d, v);
            d += step;
        } else {
            const __m512i pairs =
                _mm512_or_si512(_mm512_slli_epi16(_mm512_cvtepu8_epi16(v), 8), slashes);
            const uint64_t keep = _pdep_u64(two, 0x5555555555555555u) | 0xaaaaaaaaaaaaaaaau;
            _mm512_storeu_si512(d, _mm512_maskz_compress_epi8(keep, pairs));
            d += step + (unsigned)__builtin_popcount(two);
        }
        s += step;
        n -= step;
    }
    return d;
}

#endif

/* the escape of that name; "auto": the best that the processor has */
static escape_fn escape_by_name(const char *name)
{
    const bool any = strcmp(name, "auto") == 0;
#if defined(__x86_64__)
    if ((any || strcmp(name, "avx512") == 0) && __builtin_cpu_supports("avx512vbmi2") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return escape_avx512;
    if ((any || strcmp(name, "avx2") == 0) && __builtin_cpu_supports("avx2"))
        return escape_avx2;
    if (any || strcmp(name, "sse2") == 0)
        return escape_sse2;
#endif
    return any || strcmp(name, "scalar") == 0 ? escape_scalar : NULL;
}

/* ---- the other end ---- */

/* runs this process on one core */
static void pin(int core)
{
    cpu_set_t set;

    if (core < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0)
        die("sched_setaffinity");
}

/* throws away what comes, until the end */
static void discard(int listener)
{
    const int fd = accept(listener, NULL, NULL);
    ssize_t n;

    pin(me.reader_core);
    if (fd < 0)
        die("accept");
    do
        n = recv(fd, NULL, BODY_BYTES, MSG_TRUNC);
    while (n > 0 || (n < 0 && errno == EINTR));
    _exit(n == 0 ? 0 : 1);
}

/* a connection to a process of our own that discards */
static pid_t connect_to_reader(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (listener < 0 || bind(listener, (struct sockaddr *)(void *)&at, sizeof(at)) != 0 ||
        listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)(void *)&at, &len) != 0)
        die("listen");
    const pid_t reader = fork();
    if (reader < 0)
        die("fork");
    if (reader == 0)
        discard(listener);
    (void)close(listener);
    me.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (me.fd < 0 || connect(me.fd, (struct sockaddr *)(void *)&at, sizeof(at)) != 0)
        die("connect");
    return reader;
}

/* ---- the chain ---- */

/* writes all of it */
static void put(const char *p, size_t n)
{
    while (n > 0) {
        const ssize_t done = write(me.fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            die("write");
        p += done;
        n -= (size_t)done;
    }
}

/* one gzip member of the body by ISA-L, level 1; its length */
static size_t pack_isal(void)
{
#if WHERRY_ISAL
    static struct isal_zstream stream;
    static uint8_t tokens[ISAL_DEF_LVL1_DEFAULT];

    isal_deflate_stateless_init(&stream);
    stream.level = 1;
    stream.level_buf = tokens;
    stream.level_buf_size = sizeof(tokens);
    stream.gzip_flag = IGZIP_GZIP;
    stream.end_of_stream = 1;
    stream.next_in = (uint8_t *)me.body;
    stream.avail_in = (uint32_t)me.body_len;
    stream.next_out = (uint8_t *)me.packed;
    stream.avail_out = (uint32_t)me.packed_room;
    return isal_deflate_stateless(&stream) == COMP_OK ? stream.total_out : 0;
#else
    return 0;
#endif
}

/* sends the body */
static void flush(void)
{
    size_t n;

    switch (me.gzip) {
    case GZIP_NONE:
        put(me.body, me.body_len);
        break;
    case GZIP_LIBDEFLATE:
    case GZIP_ISAL:
        n = me.gzip == GZIP_ISAL ? pack_isal()
                                 : libdeflate_gzip_compress(me.deflater, me.body, me.body_len,
                                                            me.packed, me.packed_room);
        if (n == 0)
            die("compress");
        put(me.packed, n);
        break;
    }
    me.body_len = 0;
}

static char *put_text(char *d, const char *s, size_t n)
{
    memcpy(d, s, n);
    return d + n;
}

#define PUT(d, literal) put_text((d), (literal), sizeof(literal) - 1)

/* a number of 13 hex digits */
static char *put_hex13(char *d, uint64_t v)
{
    for (unsigned i = 13; i-- > 0; v >>= 4)
        d[i] = "0123456789abcdef"[v & 15];
    return d + 13;
}

static char *put_decimal(char *d, uint64_t v)
{
    char text[20];
    size_t at = sizeof(text);

    do
        text[--at] = (char)('0' + v % 10);
    while ((v /= 10) != 0);
    return put_text(d, text + at, sizeof(text) - at);
}

/* one line that begins at an offset of its file */
static void take(const char *line, size_t n, uint64_t offset)
{
    static const char time[] = "2026-01-01T00:00:00.000Z";
    char *d = me.body + me.body_len;

    me.lines++;
    d = PUT(d, "{\"create\":{\"_id\":\"" GENERATION);
    d = put_hex13(d, offset);
    d = PUT(d, "\"}}\n{\"@timestamp\":\"");
    if (me.cri)
        d = put_text(d, line, CRI_TIME);
    else
        d = PUT(d, time);
    d = put_text(d, me.before, me.before_len);
    if (me.is_default) {
        d = PUT(d, ",\"offset\":");
        d = put_decimal(d, offset);
    }
    if (me.cri) {
        d = PUT(d, "},\"stream\":\"stdout\",\"message\":\"");
        d = me.escape(d, line + CRI_PREFIX, n - CRI_PREFIX);
    } else {
        d = PUT(d, "},\"message\":\"");
        d = me.escape(d, line, n);
    }
    d = put_text(d, me.after, me.after_len);
    me.body_len = (size_t)(d - me.body);
    if (me.body_len >= BODY_BYTES)
        flush();
}

/* what is constant for a file */
static void prepare(const char *path)
{
    static const char host[] = "bench";
    static char after[1024];
    const int n =
        snprintf(me.before, sizeof(me.before), "\",\"log\":{\"file\":{\"path\":\"%s\"}", path);
    const int m = snprintf(
        after, sizeof(after),
        "\",\"data_stream\":{\"type\":\"logs\",\"dataset\":\"generic\",\"namespace\":\"default\"},"
        "\"event\":{\"dataset\":\"generic\"},\"host\":{\"name\":\"%s\"},\"agent\":{\"type\":"
        "\"wherry\","
        "\"version\":\"0.1.0\",\"id\":\"" AGENT_ID
        "\",\"name\":\"%s\"},\"ecs\":{\"version\":\"8.11.0\"},"
        "\"input\":{\"type\":\"filestream\"}}\n",
        host, host);

    if (n < 0 || (size_t)n >= sizeof(me.before) || m < 0 || (size_t)m >= sizeof(after))
        die(path);
    me.before_len = (size_t)n;
    me.after = me.is_default ? after : "\"}\n";
    me.after_len = strlen(me.after);
}

/* drains one file */
static void drain(const char *path)
{
    static char buffer[READ_BYTES + LINE_MAX_ + 64];
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t kept = 0;
    uint64_t offset = 0;
    ssize_t n;

    if (fd < 0)
        die(path);
    prepare(path);
    while ((n = read(fd, buffer + kept, READ_BYTES)) > 0) {
        const char *p = buffer;
        const char *end = buffer + kept + n;
        const char *newline;
        me.bytes += (uint64_t)n;
        while ((newline = memchr(p, '\n', (size_t)(end - p))) != NULL) {
            take(p, (size_t)(newline - p), offset);
            offset += (uint64_t)(newline + 1 - p);
            p = newline + 1;
        }
        kept = (size_t)(end - p);
        if (kept > LINE_MAX_)
            die("a line of more than 64 KiB");
        memmove(buffer, p, kept);
    }
    if (n < 0 || close(fd) != 0)
        die(path);
}

/* ---- the program ---- */

/* the place of a word among the choices; ends the program when it is none */
static int choice(const char *word, const char *const *choices)
{
    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(word, choices[i]) == 0)
            return i;
    }
    (void)fprintf(stderr, "ceiling: \"%s\" is not known\n", word);
    exit(2);
}

/* arguments to settings; the files begin at the returned place */
static int parse(int argc, char **argv)
{
    static const struct option known[] = {
        {"document", 1, NULL, 'd'},    {"format", 1, NULL, 'f'},
        {"gzip", 1, NULL, 'g'},        {"core", 1, NULL, 'c'},
        {"reader-core", 1, NULL, 'r'}, {"simd", 1, NULL, 's'},
        {"print", 0, NULL, 'p'},       {NULL, 0, NULL, 0},
    };
    static const char *const documents[] = {"lean", "default", NULL};
    static const char *const formats[] = {"raw", "cri", NULL};
    static const char *const gzips[] = {"none", "libdeflate", "isal", NULL};
    int c;

    me.escape = escape_by_name("auto");
    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (c) {
        case 'd':
            me.is_default = choice(optarg, documents) == 1;
            break;
        case 'f':
            me.cri = choice(optarg, formats) == 1;
            break;
        case 'g':
            me.gzip = (enum gzip)choice(optarg, gzips);
            break;
        case 'c':
            me.core = (int)strtol(optarg, NULL, 10);
            break;
        case 'r':
            me.reader_core = (int)strtol(optarg, NULL, 10);
            break;
        case 's':
            me.escape = escape_by_name(optarg);
            break;
        case 'p':
            me.print = true;
            break;
        default:
            exit(2);
        }
    }
    if (optind == argc || me.escape == NULL) {
        (void)fprintf(stderr, "ceiling: no file, or no such SIMD here\n");
        exit(2);
    }
    return optind;
}

/* monotonic seconds */
static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* drains the files, says what it took */
int main(int argc, char **argv)
{
    int at = parse(argc, argv);
    pid_t reader = 0;
    struct rusage before, after;
    int status = 0;

    me.body = malloc(BODY_ROOM);
    me.packed_room = libdeflate_gzip_compress_bound(NULL, BODY_ROOM);
    me.packed = malloc(me.packed_room);
    me.deflater = libdeflate_alloc_compressor(1);
    if (me.body == NULL || me.packed == NULL || me.deflater == NULL)
        die("memory");
    if (me.print)
        me.fd = STDOUT_FILENO;
    else
        reader = connect_to_reader();
    pin(me.core);
    (void)getrusage(RUSAGE_SELF, &before); /* cannot fail for ourselves */
    const double start = now();
    for (; at < argc; at++)
        drain(argv[at]);
    if (me.body_len > 0)
        flush();
    const double wall = now() - start;
    (void)getrusage(RUSAGE_SELF, &after);
    if (me.print)
        return 0;
    if (close(me.fd) != 0 || waitpid(reader, &status, 0) != reader || status != 0)
        die("the reader");
    const double cpu = seconds(after.ru_utime) + seconds(after.ru_stime) -
                       seconds(before.ru_utime) - seconds(before.ru_stime);
    (void)printf("{\"bytes\":%" PRIu64 ",\"lines\":%" PRIu64 ",\"cpu_s\":%.6f,\"wall_s\":%.6f}\n",
                 me.bytes, me.lines, cpu, wall);
    libdeflate_free_compressor(me.deflater);
    free(me.body);
    free(me.packed);
    return 0;
}
