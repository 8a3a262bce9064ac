#ifndef BASE_CRC32C_INTERNAL_H
#define BASE_CRC32C_INTERNAL_H

/* The table form of crc32c, for the test that proves both forms equal. */
#include <stddef.h>
#include <stdint.h>

/* As crc32c, without the processor's instruction. */
uint32_t crc32c_by_table(uint32_t crc, const void *p, size_t n);

#endif
