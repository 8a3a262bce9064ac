#ifndef BASE_DATE_H
#define BASE_DATE_H

/* Calendar dates in UTC, pure arithmetic (proleptic Gregorian), no libc time zone. */
#include <stddef.h>
#include <stdint.h>

#define DATE_RFC3339_MS_LEN 24 /* 2026-11-23T01:02:03.456Z */
#define DATE_RFC3339_NS_LEN 30 /* 2026-11-23T01:02:03.456789012Z */

struct date {
    int year;  /* 1970..9999 */
    int month; /* 1..12 */
    int day;   /* 1..31 */
    int hour, minute, second;
    int nanosecond;
};

/* From ns since 1970; negative times give 1970-01-01, times past 9999 the last instant of 9999. */
void date_from_ns(int64_t wall_ns, struct date *ret_date);

/* RFC 3339 in UTC with exactly three or nine decimals, no NUL. dst holds DATE_RFC3339_*_LEN bytes.
 * ms gives milliseconds. */
void date_write_ms(char *dst, int64_t wall_ms);
void date_write_ns(char *dst, int64_t wall_ns);

/* Days since 1970-01-01 of a wall time. */
int32_t date_day_of(int64_t wall_ns);

#endif
