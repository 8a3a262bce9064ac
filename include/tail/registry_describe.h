#ifndef TAIL_REGISTRY_DESCRIBE_H
#define TAIL_REGISTRY_DESCRIBE_H

/* A record of the registry in words, for people who look at a file of it. */
#include "base/buf.h"
#include "base/def.h"
#include "store/frame.h"

/* "GEN", "OFFSET" ...; "type 99" into the 12 bytes of dst for one that is not known. */
const char *registry_type_name(uint8_t type, char *dst);

/* Appends what a record says, without a newline: generation, offsets, at the end a path with its
 * bytes as they are. Types that are not known are told by their length, and so is a payload that
 * cannot be read. */
int registry_describe(const struct frame *f, struct buf *out) MUST_CHECK;

#endif
