#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4): SSE4.2 where the processor has it, table elsewhere;
 * both give the same value. */
#include <stddef.h>
#include <stdint.h>

/* Continues `crc` (0 at the start) over n bytes. crc32c(0, "123456789", 9) == 0xe3069283. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

#endif
