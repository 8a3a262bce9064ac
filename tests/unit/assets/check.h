#ifndef TESTS_UNIT_ASSETS_CHECK_H
#define TESTS_UNIT_ASSETS_CHECK_H

/* cmocka with the headers it wants, and a check that names the case of a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define CHECK(name, condition)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("case \"%s\": %s", (name), #condition);                                       \
    } while (0)

#endif
