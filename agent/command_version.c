/*
 * command_version - `wherry version`
 */
#include <stdio.h>

#include "base/version.h"
#include "command.h"
#include "os/compress.h"
#include "os/http.h"
#include "os/watch.h"

/* see command.h */
int command_version(const struct cli *cli)
{
    struct compress *c = compress_new(COMPRESS_AUTO, COMPRESS_LEVEL_MIN);
    (void)cli; /* takes nothing */
    printf("wherry %s\n%s\nwatch: %s\ngzip: %s\n", WHERRY_VERSION, http_library(), watch_backend(),
           c == NULL ? "none" : compress_name(c));
    compress_free(&c);
    return EXIT_DONE;
}
