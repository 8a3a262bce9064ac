/*
 * metrics/thermal - set thermal
 *
 * A sensor that cannot be read now (EAGAIN, ENODATA, EIO) is left out, the others are not. Names
 * come from drivers and device trees: any bytes, cut to a length.
 */
#include "metrics/thermal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "metrics/column.h"

#define ZONES "class/thermal"
#define CHIPS "class/hwmon"

#define PATH_BYTES 512

/* no sensor reads more, in its own unit */
#define READING_MAX INT64_C(1000000000000)

#define MILLI 1000.0
#define MICRO 1000000.0

/* see header */
bool thermal_kind_of(const char *file, enum thermal_kind *ret, struct slice *ret_stem)
{
    static const struct {
        const char *prefix;
        enum thermal_kind kind;
    } kinds[] = {
        {"temp", THERMAL_TEMPERATURE},
        {"fan", THERMAL_FAN},
        {"in", THERMAL_VOLTAGE},
        {"power", THERMAL_POWER},
    };
    struct slice stem, rest = slice_str(file);
    if (!slice_ends(rest, SLICE_LIT("_input")))
        return false;
    stem = slice_sub(rest, 0, rest.len - strlen("_input"));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t n = strlen(kinds[i].prefix);
        if (stem.len <= n || !slice_starts(stem, slice_str(kinds[i].prefix)) ||
            !isdigit((unsigned char)stem.ptr[n]))
            continue;
        *ret = kinds[i].kind;
        *ret_stem = stem;
        return true;
    }
    return false;
}

/* see header */
int thermal_parse(struct slice text, int64_t *ret)
{
    struct slice line;
    int64_t v;
    if (!column_line(&text, &line) || num_i64(slice_trim(line), &v) < 0 || v > READING_MAX ||
        v < -READING_MAX)
        return -EBADMSG;
    *ret = v;
    return 0;
}

/* what the walk over one class is for */
struct walk {
    struct procfs *procfs;
    struct thermal_sample *sample;
    char dir[PATH_BYTES]; /* of the present chip */
    char chip[THERMAL_NAME_BYTES];
};

/* dir/file, or false when it is too long to be true */
static bool join(char path[PATH_BYTES], const char *dir, const char *file)
{
    int n = snprintf(path, PATH_BYTES, "%s/%s", dir, file);
    return n > 0 && n < PATH_BYTES;
}

/* copies the first line of a text, cut to the room */
static void copy_line(char dst[THERMAL_NAME_BYTES], struct slice text)
{
    struct slice line = slice_trim(slice_sub(text, 0, slice_find(text, '\n')));
    size_t n = line.len < THERMAL_NAME_BYTES - 1 ? line.len : THERMAL_NAME_BYTES - 1;
    memcpy(dst, line.ptr, n);
    dst[n] = '\0';
}

/* the first line of a file; false when there is none */
static bool read_name(struct walk *w, const char *dir, const char *file,
                      char dst[THERMAL_NAME_BYTES])
{
    char path[PATH_BYTES];
    struct slice text;
    if (!join(path, dir, file) || procfs_read_once(w->procfs, PROCFS_SYS, path, &text) < 0)
        return false;
    copy_line(dst, text);
    return dst[0] != '\0';
}

/* one sensor's reading; left out when it cannot be had */
static void take(struct walk *w, const char *dir, const char *file, enum thermal_kind kind,
                 struct slice label)
{
    char path[PATH_BYTES];
    struct slice text;
    struct thermal_sensor *s = &w->sample->sensors[w->sample->count];
    *s = (struct thermal_sensor){.kind = kind};
    copy_line(s->label, label);
    (void)snprintf(s->chip, sizeof(s->chip), "%s", w->chip); /* of the same size */
    if (!join(path, dir, file) || procfs_read_once(w->procfs, PROCFS_SYS, path, &text) < 0 ||
        thermal_parse(text, &s->reading) < 0)
        return;
    w->sample->count++;
}

/* one name of a chip's directory */
static bool on_sensor(void *ctx, const char *name)
{
    struct walk *w = ctx;
    char file[PATH_BYTES];
    char label[THERMAL_NAME_BYTES];
    enum thermal_kind kind;
    struct slice stem;
    if (!thermal_kind_of(name, &kind, &stem))
        return true;
    int n = snprintf(file, sizeof(file), "%.*s_label", (int)stem.len, stem.ptr);
    if (n > 0 && (size_t)n < sizeof(file) && read_name(w, w->dir, file, label))
        stem = slice_str(label);
    take(w, w->dir, name, kind, stem);
    return w->sample->count < THERMAL_SENSORS_MAX;
}

/* one chip of hwmon */
static bool on_chip(void *ctx, const char *name)
{
    struct walk *w = ctx;
    if (!join(w->dir, CHIPS, name))
        return true;
    if (!read_name(w, w->dir, "name", w->chip))
        copy_line(w->chip, slice_str(name));
    int r = procfs_list(w->procfs, PROCFS_SYS, w->dir, on_sensor, w);
    (void)r; /* a chip that is gone again has no sensors */
    return w->sample->count < THERMAL_SENSORS_MAX;
}

/* one zone of the thermal class */
static bool on_zone(void *ctx, const char *name)
{
    struct walk *w = ctx;
    if (strncmp(name, "thermal_zone", strlen("thermal_zone")) != 0 || !join(w->dir, ZONES, name))
        return true;
    if (!read_name(w, w->dir, "type", w->chip))
        copy_line(w->chip, slice_str(name));
    take(w, w->dir, "temp", THERMAL_TEMPERATURE, slice_str(name));
    return w->sample->count < THERMAL_SENSORS_MAX;
}

/* by chip, then by label: directories are in no order */
static int compare(const void *a, const void *b)
{
    const struct thermal_sensor *x = a;
    const struct thermal_sensor *y = b;
    int order = strcmp(x->chip, y->chip);
    return order != 0 ? order : strcmp(x->label, y->label);
}

/* zones and chips; off when the host has neither class */
static int sample(void *state, const struct set_source *source)
{
    struct thermal_sample *s = state;
    struct walk w = {.procfs = source->procfs, .sample = s};
    s->count = 0;
    int zones = procfs_list(source->procfs, PROCFS_SYS, ZONES, on_zone, &w);
    int chips = 0;
    if (s->count < THERMAL_SENSORS_MAX)
        chips = procfs_list(source->procfs, PROCFS_SYS, CHIPS, on_chip, &w);
    qsort(s->sensors, s->count, sizeof(s->sensors[0]), compare);
    return zones < 0 && chips < 0 ? zones : 0;
}

/* one for each sensor */
static size_t documents(const void *state)
{
    return ((const struct thermal_sample *)state)->count;
}

enum row { CHIP, FAN, LABEL, POWER, TEMPERATURE, VOLTAGE };

/* document of one sensor */
static void values(const void *state, size_t i, struct value *v)
{
    const struct thermal_sensor *s = &((const struct thermal_sample *)state)->sensors[i];
    v[CHIP] = value_text(slice_str(s->chip));
    v[LABEL] = value_text(slice_str(s->label));
    switch (s->kind) {
    case THERMAL_TEMPERATURE:
        v[TEMPERATURE] = value_real((double)s->reading / MILLI);
        break;
    case THERMAL_FAN:
        v[FAN] = value_real((double)s->reading);
        break;
    case THERMAL_VOLTAGE:
        v[VOLTAGE] = value_real((double)s->reading / MILLI);
        break;
    case THERMAL_POWER:
        v[POWER] = value_real((double)s->reading / MICRO);
        break;
    }
}

static const struct field fields[] = {
    FIELD_ROW_KEYWORD("system.thermal.chip", false, "Name of the chip, or type of the zone."),
    FIELD_ROW_REAL("system.thermal.fan.rpm", 100, FIELD_NO_UNIT, true,
                   "Speed of a fan in revolutions per minute."),
    FIELD_ROW_KEYWORD("system.thermal.label", false, "Name of the sensor."),
    FIELD_ROW_REAL("system.thermal.power.watts", 1000, FIELD_NO_UNIT, true, "Power in watts."),
    FIELD_ROW_REAL("system.thermal.temperature.celsius", 1000, FIELD_NO_UNIT, true,
                   "Temperature in degrees Celsius."),
    FIELD_ROW_REAL("system.thermal.voltage.volts", 1000, FIELD_NO_UNIT, true, "Voltage in volts."),
};

const struct metric_set thermal_set = {
    .name = "thermal",
    .which = CONFIG_SET_THERMAL,
    .root = PROCFS_SYS,
    .path = ZONES,
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct thermal_sample),
    .sample = sample,
    .documents = documents,
    .values = values,
};
