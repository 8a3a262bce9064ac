/*
 * metrics/pressure - set pressure
 *
 * A kernel may have the three files and refuse to read one (EOPNOTSUPP, booted with psi=0): what
 * cannot be read is left out; the set is off when none can.
 */
#include "metrics/pressure.h"

#include <errno.h>

#include "base/num.h"
#include "metrics/column.h"
#include "metrics/counters.h"

#define PERCENT 100

/* fields of one line */
#define LINE_FIELDS (PRESSURE_WINDOWS + 1)

static const char *const files[PRESSURE_RESOURCES] = {
    [PRESSURE_CPU] = "pressure/cpu",
    [PRESSURE_IO] = "pressure/io",
    [PRESSURE_MEMORY] = "pressure/memory",
};

/* one word "avg10=0.12" or "total=123"; false when it is broken */
static bool take_word(struct slice word, struct pressure_line *l)
{
    static const char *const names[PRESSURE_WINDOWS] = {
        [PRESSURE_10] = "avg10", [PRESSURE_300] = "avg300", [PRESSURE_60] = "avg60"};
    struct slice name;
    double percent;
    if (!slice_next(&word, '=', &name))
        return true;
    if (slice_eq_str(name, "total"))
        return column_number(&word, &l->total_us) == 0;
    for (unsigned i = 0; i < PRESSURE_WINDOWS; i++) {
        if (!slice_eq_str(name, names[i]))
            continue;
        if (num_double(word, &percent) < 0 || percent > PERCENT)
            return false;
        l->average[i] = percent / PERCENT;
    }
    return true;
}

/* one line; false when it is broken */
static bool take_line(struct slice line, struct pressure_line lines[PRESSURE_SHARES])
{
    static const char *const names[PRESSURE_SHARES] = {
        [PRESSURE_FULL] = "full", [PRESSURE_SOME] = "some"};
    struct slice word;
    if (!slice_next_word(&line, &word))
        return true;
    for (unsigned i = 0; i < PRESSURE_SHARES; i++) {
        if (!slice_eq_str(word, names[i]))
            continue;
        while (slice_next_word(&line, &word))
            if (!take_word(word, &lines[i]))
                return false;
        lines[i].is_set = true;
    }
    return true;
}

/* see header */
int pressure_parse(struct slice text, struct pressure_line ret[PRESSURE_SHARES])
{
    struct pressure_line lines[PRESSURE_SHARES] = {0};
    struct slice line;
    while (column_line(&text, &line))
        if (!take_line(line, lines))
            return -EBADMSG;
    if (!lines[PRESSURE_SOME].is_set)
        return -EBADMSG;
    for (unsigned i = 0; i < PRESSURE_SHARES; i++)
        ret[i] = lines[i];
    return 0;
}

/* what can be read of the three files */
static int sample(void *state, const struct set_source *source)
{
    struct pressure_sample now = {0};
    int error = 0;
    unsigned count = 0;
    for (unsigned i = 0; i < PRESSURE_RESOURCES; i++) {
        struct slice text;
        int r = procfs_read(source->procfs, PROCFS_PROC, files[i], &text);
        if (r == 0)
            r = pressure_parse(text, now.lines[i]);
        if (r == 0)
            count++;
        else if (error == 0)
            error = r == -EOPNOTSUPP ? -ENOENT : r;
    }
    if (count == 0)
        return error;
    *(struct pressure_sample *)state = now;
    return 0;
}

/* the only document; rows and enums have the same order */
static void values(const void *state, size_t i, struct value *v)
{
    const struct pressure_sample *s = state;
    (void)i;
    for (unsigned r = 0; r < PRESSURE_RESOURCES; r++) {
        for (unsigned k = 0; k < PRESSURE_SHARES; k++, v += LINE_FIELDS) {
            const struct pressure_line *l = &s->lines[r][k];
            if (!l->is_set)
                continue;
            for (unsigned w = 0; w < PRESSURE_WINDOWS; w++)
                v[w] = value_real(l->average[w]);
            v[PRESSURE_WINDOWS] = value_long(l->total_us);
        }
    }
}

/* clang-format off */
#define LINE(resource, share, who, what)                                                           \
    FIELD_ROW_PCT("linux.pressure." resource "." share ".10.pct", true,                            \
                  "Time in which " who " waited for " what ", as a fraction of the last 10 s."),   \
    FIELD_ROW_PCT("linux.pressure." resource "." share ".300.pct", true,                           \
                  "Time in which " who " waited for " what ", as a fraction of the last 300 s."),  \
    FIELD_ROW_PCT("linux.pressure." resource "." share ".60.pct", true,                            \
                  "Time in which " who " waited for " what ", as a fraction of the last 60 s."),   \
    FIELD_ROW_LONG("linux.pressure." resource "." share ".total.time.us", FIELD_MICROS,            \
                   FIELD_COUNTER, true, "Time in which " who " waited for " what ", since boot.")
/* clang-format on */

static const struct field fields[] = {
    LINE("cpu", "full", "all tasks", "a processor"),
    LINE("cpu", "some", "a task", "a processor"),
    LINE("io", "full", "all tasks", "input or output"),
    LINE("io", "some", "a task", "input or output"),
    LINE("memory", "full", "all tasks", "memory"),
    LINE("memory", "some", "a task", "memory"),
};

const struct metric_set pressure_set = {
    .name = "pressure",
    .which = CONFIG_SET_PRESSURE,
    .root = PROCFS_PROC,
    .path = "pressure/cpu",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct pressure_sample),
    .sample = sample,
    .documents = counters_one_document,
    .values = values,
};
