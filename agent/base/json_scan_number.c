/*
 * base/json_scan, part: the grammar of numbers
 *
 * A table of states and classes of bytes, in which what is not named is JSON_NUMBER_BAD; a byte of
 * no class ends the number. Nothing can fail.
 */
#include <stdint.h>

#include "base/json_scan_internal.h"

enum class {
    NONE,
    DIGIT, /* 1 to 9 */
    ZERO,
    POINT,
    E,
    PLUS,
    MINUS,
    CLASS_COUNT,
};

/* the table in short words */
#define INTEGER  JSON_NUMBER_INTEGER
#define FRACTION JSON_NUMBER_FRACTION
#define EXPONENT JSON_NUMBER_EXPONENT

static const uint8_t next_state[][CLASS_COUNT] = {
    [JSON_NUMBER_START] =
        {[DIGIT] = INTEGER, [ZERO] = JSON_NUMBER_ZERO, [MINUS] = JSON_NUMBER_MINUS},
    [JSON_NUMBER_MINUS] = {[DIGIT] = INTEGER, [ZERO] = JSON_NUMBER_ZERO},
    [JSON_NUMBER_ZERO] = {[POINT] = JSON_NUMBER_POINT, [E] = JSON_NUMBER_E},
    [JSON_NUMBER_INTEGER] =
        {[DIGIT] = INTEGER, [ZERO] = INTEGER, [POINT] = JSON_NUMBER_POINT, [E] = JSON_NUMBER_E},
    [JSON_NUMBER_POINT] = {[DIGIT] = FRACTION, [ZERO] = FRACTION},
    [JSON_NUMBER_FRACTION] = {[DIGIT] = FRACTION, [ZERO] = FRACTION, [E] = JSON_NUMBER_E},
    [JSON_NUMBER_E] = {[DIGIT] = EXPONENT,
                       [ZERO] = EXPONENT,
                       [PLUS] = JSON_NUMBER_E_SIGN,
                       [MINUS] = JSON_NUMBER_E_SIGN},
    [JSON_NUMBER_E_SIGN] = {[DIGIT] = EXPONENT, [ZERO] = EXPONENT},
    [JSON_NUMBER_EXPONENT] = {[DIGIT] = EXPONENT, [ZERO] = EXPONENT},
};

/* what a byte is to a number */
static enum class class_of(char c) {
    switch (c){
        case '0' : return ZERO; case '.' : return POINT; case 'e' : case 'E' : return E;
        case '+' : return PLUS;
        case '-' : return MINUS;
        default : return c >= '1' && c <= '9' ? DIGIT : NONE;
    }
}

/* takes bytes while they belong to a number */
const char *json_scan_number(enum json_number *n, const char *p, const char *end)
{
    enum json_number state = *n;
    for (; p < end && state != JSON_NUMBER_BAD; p++) {
        enum class class = class_of(*p);
        if (class == NONE)
            break;
        state = (enum json_number)next_state[state][class];
    }
    *n = state;
    return p;
}

/* whether a number may end here */
bool json_scan_number_is_whole(enum json_number n)
{
    return n == JSON_NUMBER_ZERO || n == INTEGER || n == FRACTION || n == EXPONENT;
}
