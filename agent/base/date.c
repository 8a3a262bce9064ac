/*
 * base/date - UTC calendar arithmetic
 *
 * The year is counted from March, so that the leap day is the last of a year and the length of
 * the months before it is a linear function. 400 years (an era) have 146097 days. Times outside
 * 1970..9999 are clamped; nothing can fail.
 */
#include "base/date.h"

#define NS_PER_MS   INT64_C(1000000)
#define NS_PER_S    INT64_C(1000000000)
#define S_PER_DAY   INT64_C(86400)
#define MAX_SECONDS INT64_C(253402300799) /* 9999-12-31T23:59:59 */

enum {
    DAYS_PER_ERA = 146097,
    DAYS_PER_CENTURY = 36524, /* the era's last one has one more */
    DAYS_PER_4_YEARS = 1461,
    DAYS_TO_1970 = 719468, /* from 0000-03-01 to 1970-01-01 */
};

/* year, month and day of a day number counted from 1970-01-01, >= 0 */
static void split_day(int64_t day, struct date *d)
{
    int64_t n = day + DAYS_TO_1970;
    int64_t era = n / DAYS_PER_ERA;
    n %= DAYS_PER_ERA;
    /* the leap days of the era so far come off; what is left is years of 365 days */
    int64_t year =
        (n - n / (DAYS_PER_4_YEARS - 1) + n / DAYS_PER_CENTURY - n / (DAYS_PER_ERA - 1)) / 365;
    n -= 365 * year + year / 4 - year / 100;
    int64_t month = (5 * n + 2) / 153; /* 0 = March; five months have 153 days */
    d->day = (int)(n - (153 * month + 2) / 5) + 1;
    d->month = (int)(month < 10 ? month + 3 : month - 9);
    d->year = (int)(era * 400 + year + (d->month <= 2 ? 1 : 0));
}

/* the fields of whole seconds >= 0 and a rest, clamped to 9999 */
static void split(int64_t seconds, int64_t ns, struct date *d)
{
    if (seconds > MAX_SECONDS) {
        seconds = MAX_SECONDS;
        ns = NS_PER_S - 1;
    }
    split_day(seconds / S_PER_DAY, d);
    int rest = (int)(seconds % S_PER_DAY);
    d->hour = rest / 3600;
    d->minute = rest / 60 % 60;
    d->second = rest % 60;
    d->nanosecond = (int)ns;
}

/* fields of a wall time */
void date_from_ns(int64_t wall_ns, struct date *ret_date)
{
    if (wall_ns < 0)
        wall_ns = 0;
    split(wall_ns / NS_PER_S, wall_ns % NS_PER_S, ret_date);
}

/* n decimal digits of v with leading zeros */
static char *put_digits(char *dst, int v, int n)
{
    for (int i = n - 1; i >= 0; i--) {
        dst[i] = (char)('0' + v % 10);
        v /= 10;
    }
    return dst + n;
}

/* RFC 3339 text with n decimals of value `fraction` */
static void write_date(char *dst, const struct date *d, int fraction, int n)
{
    dst = put_digits(dst, d->year, 4);
    *dst++ = '-';
    dst = put_digits(dst, d->month, 2);
    *dst++ = '-';
    dst = put_digits(dst, d->day, 2);
    *dst++ = 'T';
    dst = put_digits(dst, d->hour, 2);
    *dst++ = ':';
    dst = put_digits(dst, d->minute, 2);
    *dst++ = ':';
    dst = put_digits(dst, d->second, 2);
    *dst++ = '.';
    dst = put_digits(dst, fraction, n);
    *dst = 'Z';
}

/* text with milliseconds */
void date_write_ms(char *dst, int64_t wall_ms)
{
    struct date d;
    if (wall_ms < 0)
        wall_ms = 0;
    split(wall_ms / 1000, wall_ms % 1000 * NS_PER_MS, &d);
    write_date(dst, &d, d.nanosecond / (int)NS_PER_MS, 3);
}

/* text with nanoseconds */
void date_write_ns(char *dst, int64_t wall_ns)
{
    struct date d;
    date_from_ns(wall_ns, &d);
    write_date(dst, &d, d.nanosecond, 9);
}

/* day number, rounded down before 1970 */
int32_t date_day_of(int64_t wall_ns)
{
    int64_t ns_per_day = S_PER_DAY * NS_PER_S;
    int64_t day = wall_ns / ns_per_day;
    return (int32_t)(wall_ns % ns_per_day < 0 ? day - 1 : day);
}
