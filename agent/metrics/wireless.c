/*
 * metrics/wireless - set wireless
 *
 * "wlan0: 0000   54.  -56.  -256        0      0      0      0      0        0": a dot behind a
 * number says that it was updated since the last reading.
 */
#include "metrics/wireless.h"

#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "metrics/column.h"
#include "metrics/network.h"

#define HEADINGS 2

/* no level is farther from 0 */
#define LEVEL_MAX 1024.0

/* a level: digits, perhaps a sign, perhaps a dot at the end; false when it is none */
static bool take_level(struct slice *line, double *ret)
{
    struct slice word;
    int64_t v;
    if (!slice_next_word(line, &word))
        return false;
    if (slice_ends(word, SLICE_LIT(".")))
        word = slice_sub(word, 0, word.len - 1);
    if (num_i64(word, &v) < 0 || (double)v > LEVEL_MAX || (double)v < -LEVEL_MAX)
        return false;
    *ret = (double)v;
    return true;
}

/* one interface; false when the row is broken */
static bool take_row(struct slice line, struct wireless_interface *one)
{
    struct slice name, status;
    if (!slice_next(&line, ':', &name))
        return false;
    name = slice_trim(name);
    if (!network_is_name(name) || !slice_next_word(&line, &status) ||
        !take_level(&line, &one->link) || !take_level(&line, &one->level_dbm) ||
        !take_level(&line, &one->noise_dbm))
        return false;
    for (size_t i = 0; i < WIRELESS_DROPS; i++)
        if (column_number(&line, &one->drops[i]) < 0)
            return false;
    memcpy(one->name, name.ptr, name.len);
    one->name[name.len] = '\0';
    return true;
}

/* see header */
int wireless_parse(struct slice text, struct wireless_sample *ret)
{
    struct slice line;
    for (unsigned i = 0; i < HEADINGS; i++)
        if (!column_line(&text, &line))
            return -EBADMSG;
    ret->count = 0;
    while (ret->count < WIRELESS_INTERFACES_MAX && column_line(&text, &line)) {
        struct wireless_interface one = {0};
        if (take_row(line, &one))
            ret->interfaces[ret->count++] = one;
    }
    return 0;
}

/* one more sample */
static int sample(void *state, const struct set_source *source)
{
    struct slice text;
    int r = procfs_read(source->procfs, PROCFS_PROC, wireless_set.path, &text);
    return r < 0 ? r : wireless_parse(text, state);
}

/* one for each interface */
static size_t documents(const void *state)
{
    return ((const struct wireless_sample *)state)->count;
}

enum row { CRYPT, FRAG, MISC, MISSED_BEACON, NWID, RETRY, LEVEL, LINK, NAME, NOISE };

/* document of one interface */
static void values(const void *state, size_t i, struct value *v)
{
    const struct wireless_interface *one = &((const struct wireless_sample *)state)->interfaces[i];
    v[CRYPT] = value_long(one->drops[WIRELESS_CRYPT]);
    v[FRAG] = value_long(one->drops[WIRELESS_FRAG]);
    v[MISC] = value_long(one->drops[WIRELESS_MISC]);
    v[MISSED_BEACON] = value_long(one->drops[WIRELESS_MISSED_BEACON]);
    v[NWID] = value_long(one->drops[WIRELESS_NWID]);
    v[RETRY] = value_long(one->drops[WIRELESS_RETRY]);
    v[LEVEL] = value_real(one->level_dbm);
    v[LINK] = value_real(one->link);
    v[NAME] = value_text(slice_str(one->name));
    v[NOISE] = value_real(one->noise_dbm);
}

/* clang-format off */
#define DROPPED(name, text)                                                                        \
    FIELD_ROW_LONG("system.wireless.dropped." name, FIELD_NO_UNIT, FIELD_COUNTER, false, text)
/* clang-format on */

static const struct field fields[] = {
    DROPPED("crypt", "Packets that could not be decrypted."),
    DROPPED("frag", "Packets that could not be put together from fragments."),
    DROPPED("misc", "Packets lost for other reasons."),
    DROPPED("missed_beacon", "Beacons of the access point that were missed."),
    DROPPED("nwid", "Packets of another network."),
    DROPPED("retry", "Packets that were not acknowledged after the last try."),
    FIELD_ROW_REAL("system.wireless.level.dbm", 100, FIELD_NO_UNIT, false, "Signal level."),
    FIELD_ROW_REAL("system.wireless.link", 100, FIELD_NO_UNIT, false,
                   "Quality of the link, in the driver's own measure."),
    FIELD_ROW_KEYWORD("system.wireless.name", false, "Name of the interface."),
    FIELD_ROW_REAL("system.wireless.noise.dbm", 100, FIELD_NO_UNIT, false, "Noise level."),
};

const struct metric_set wireless_set = {
    .name = "wireless",
    .which = CONFIG_SET_WIRELESS,
    .root = PROCFS_PROC,
    .path = "net/wireless",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct wireless_sample),
    .sample = sample,
    .documents = documents,
    .values = values,
};
