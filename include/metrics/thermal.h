#ifndef METRICS_THERMAL_H
#define METRICS_THERMAL_H

/*
 * Set thermal: temperatures of /sys/class/thermal and temperatures, fans, voltages and power of
 * /sys/class/hwmon (Documentation/hwmon/sysfs-interface.rst). One document for each sensor.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/def.h"
#include "base/slice.h"
#include "metrics/set.h"

#define THERMAL_NAME_BYTES                                                                         \
    64 /* of a chip, a zone or a sensor: with the NUL; longer ones are cut                         \
        */
#define THERMAL_SENSORS_MAX 256

enum thermal_kind {
    THERMAL_TEMPERATURE, /* in thousandths of a degree Celsius */
    THERMAL_FAN,         /* in revolutions per minute */
    THERMAL_VOLTAGE,     /* in millivolts */
    THERMAL_POWER,       /* in microwatts */
};

struct thermal_sensor {
    char chip[THERMAL_NAME_BYTES];  /* type of the zone, or name of the chip */
    char label[THERMAL_NAME_BYTES]; /* temp1, or what its label says */
    enum thermal_kind kind;
    int64_t reading;
};

struct thermal_sample {
    struct thermal_sensor sensors[THERMAL_SENSORS_MAX];
    size_t count;
};

/* Kind of the sensor whose input file has that name: temp1_input, fan2_input. False when it is
 * none. *ret_stem is the part before the underscore. */
bool thermal_kind_of(const char *file, enum thermal_kind *ret, struct slice *ret_stem);

/* The number in a sensor's file, within what can be measured. 0, or -EBADMSG. */
int thermal_parse(struct slice text, int64_t *ret) MUST_CHECK;

extern const struct metric_set thermal_set;

#endif
