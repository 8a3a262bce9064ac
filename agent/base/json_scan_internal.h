#ifndef BASE_JSON_SCAN_INTERNAL_H
#define BASE_JSON_SCAN_INTERNAL_H

/* The grammar of numbers (RFC 8259 section 6), for json_scan.c; may stop at any byte. */
#include <stdbool.h>

/* How far a number is. */
enum json_number {
    JSON_NUMBER_BAD,
    JSON_NUMBER_START,
    JSON_NUMBER_MINUS,
    JSON_NUMBER_ZERO, /* a first 0, which no digit may follow */
    JSON_NUMBER_INTEGER,
    JSON_NUMBER_POINT,
    JSON_NUMBER_FRACTION,
    JSON_NUMBER_E,
    JSON_NUMBER_E_SIGN,
    JSON_NUMBER_EXPONENT,
};

/* Passes over the bytes a number may hold, taking *n along; returns the first other byte or end.
 * Stops with JSON_NUMBER_BAD where the grammar is broken. */
const char *json_scan_number(enum json_number *n, const char *p, const char *end);

/* Whether a number may end here. */
bool json_scan_number_is_whole(enum json_number n);

#endif
