#ifndef BASE_BANNED_H
#define BASE_BANNED_H

/*
 * Force-included into every source of agent/ (gcc -include). Names that lose data, hide errors
 * or are not thread-safe do not compile. The system headers that declare them come first, so
 * that poisoning meets only our own uses.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef WHERRY_OPENSSL
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#endif
#ifdef __x86_64__
#include <mm_malloc.h> /* comes with the intrinsics */
#endif

/* macros in some C libraries */
#undef alloca
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat sprintf vsprintf strncpy strncat strtok gets
#pragma GCC poison atoi atol atof scanf sscanf fscanf
#pragma GCC poison gmtime localtime ctime asctime
#pragma GCC poison rand srand random system popen alloca

/* base/mem.c is the only caller of the allocator, base/num.c of strtod. */
#ifndef WHERRY_ALLOCATOR
#pragma GCC poison malloc calloc realloc reallocarray strdup strndup
#endif

#endif
