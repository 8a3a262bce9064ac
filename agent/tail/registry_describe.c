/*
 * tail/registry_describe - a record of the registry in words
 *
 * Payloads are hostile bytes: they are read by record_read, which checks them.
 */
#include "tail/registry_describe.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
#include "registry_record.h"

/* see header */
const char *registry_type_name(uint8_t type, char *dst)
{
    static const char *const names[] = {
        [FRAME_GEN] = "GEN",   [FRAME_OFFSET] = "OFFSET", [FRAME_SENT_TO] = "SENT_TO",
        [FRAME_DONE] = "DONE", [FRAME_CLEAN] = "CLEAN",   [FRAME_CURSOR] = "CURSOR",
    };
    if (type < ARRAY_LEN(names) && names[type] != NULL)
        return names[type];
    (void)snprintf(dst, 12, "type %u", type);
    return dst;
}

/* a boot: its id, when, and whether it is a stop */
static int describe_boot(const struct record *rec, struct buf *out)
{
    char time[DATE_RFC3339_MS_LEN];
    date_write_ms(time, rec->seen_ns / 1000000);
    return buf_printf(out, "%s %.*s boot %.*s", rec->stopped ? "stop" : "start", (int)sizeof(time),
                      time, (int)rec->boot_id.len, rec->boot_id.ptr);
}

/* a generation's state */
static int describe_gen(const struct record *rec, struct buf *out)
{
    int r = buf_printf(
        out,
        " offset %" PRIu64 " head %u sent to %" PRIu64 " device %" PRIu64 " inode %" PRIu64 " ",
        rec->evidence.offset, rec->evidence.head_bytes, rec->sent_to, rec->dev, rec->ino);
    return r == 0 ? buf_add(out, rec->path.ptr, rec->path.len) : r;
}

/* an acknowledged offset */
static int describe_offset(const struct record *rec, struct buf *out)
{
    char time[DATE_RFC3339_MS_LEN];
    date_write_ms(time, rec->seen_ns / 1000000);
    return buf_printf(out, " offset %" PRIu64 " head %u older %" PRIu64 " %.*s",
                      rec->evidence.offset, rec->evidence.head_bytes, rec->older.offset,
                      (int)sizeof(time), time);
}

/* see header */
int registry_describe(const struct frame *f, struct buf *out)
{
    struct record rec;
    char gen[DOCID_GENERATION_CHARS];
    if (f->type < FRAME_GEN || f->type > FRAME_CLEAN || record_read(f, &rec) < 0)
        return buf_printf(out, "%zu bytes", f->payload.len);
    if (f->type == FRAME_CLEAN)
        return describe_boot(&rec, out);
    generation_write(gen, &rec.gen);
    int r = buf_add(out, gen, sizeof(gen));
    if (r == 0 && f->type == FRAME_GEN)
        r = describe_gen(&rec, out);
    else if (r == 0 && f->type == FRAME_OFFSET)
        r = describe_offset(&rec, out);
    else if (r == 0 && f->type == FRAME_SENT_TO)
        r = buf_printf(out, " sent to %" PRIu64, rec.sent_to);
    return r;
}
