/*
 * config/unit - sizes and durations as text
 *
 * Pure. Fails only when the buffer's limit is reached; a part may be in it then.
 */
#include "config/unit.h"

/* the largest unit that divides */
int unit_write_bytes(uint64_t bytes, struct buf *out)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < ARRAY_LEN(units)) {
        bytes /= 1024;
        unit++;
    }
    int error = buf_add_u64(out, bytes);
    return error == 0 ? buf_add_str(out, units[unit]) : error;
}

/* the sum of units that num_duration reads back */
int unit_write_duration(int64_t ms, struct buf *out)
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    if (ms == 0)
        return buf_add_str(out, "0");
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (ms < units[i].ms || (units[i].ms == 86400000 && ms % units[i].ms != 0))
            continue;
        int error = buf_add_u64(out, (uint64_t)(ms / units[i].ms));
        if (error == 0)
            error = buf_add_str(out, units[i].name);
        if (error != 0)
            return error;
        ms %= units[i].ms;
    }
    return 0;
}
