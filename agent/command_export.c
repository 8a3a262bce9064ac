/*
 * command_export - `wherry export`: texts made from the program's own tables
 */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "metrics/reference.h"

static const struct {
    const char *name;
    int (*write)(struct buf *out);
} exports[] = {
    {"sample", config_write_sample},
    {"options", config_write_reference},
    {"metrics", reference_write},
};

/* see command.h */
int command_export(const struct cli *cli)
{
    struct buf text;
    for (size_t i = 0; i < ARRAY_LEN(exports); i++) {
        if (strcmp(cli->args[0], exports[i].name) != 0)
            continue;
        buf_init(&text, MIB);
        int r = exports[i].write(&text);
        bool written = r == 0 && fwrite(text.ptr, 1, text.len, stdout) == text.len;
        buf_clear(&text);
        return written ? EXIT_DONE : EXIT_RUNTIME;
    }
    fprintf(stderr, "wherry: nothing called \"%s\" to export; there is: sample, options, metrics\n",
            cli->args[0]);
    return EXIT_CONFIG;
}
