#ifndef RUN_AGENT_INTERNAL_H
#define RUN_AGENT_INTERNAL_H

/*
 * What the files of the run room share: the one agent.
 *
 *   agent.c    start, drain, stop
 *   flow.c     batches: feed -> registry's ticket -> output -> feed
 *   reload.c   another configuration
 *   report.c   health and ledger
 *   state_copy.c  the copy of a registry that lies in memory
 */
#include "base/list.h"
#include "base/log.h"
#include "bulk/feed.h"
#include "metrics/metrics.h"
#include "os/loop.h"
#include "os/procfs.h"
#include "os/sysinfo.h"
#include "run/agent.h"
#include "run/assemble.h"
#include "run/datadir.h"
#include "run/ledgers.h"
#include "run/outputs.h"
#include "store/deadbox.h"
#include "store/journal.h"
#include "store/spool.h"
#include "store/writer.h"
#include "tail/registry.h"
#include "tail/tail.h"

enum agent_state { AGENT_STARTING, AGENT_RUNNING, AGENT_DRAINING, AGENT_STOPPED };

/* Parts whose health is told apart. */
enum agent_part {
    HEALTH_REGISTRY,
    HEALTH_TAIL,
    HEALTH_MOUNTS,
    HEALTH_OUTPUT,
    HEALTH_STATE,
    HEALTH_PARTS
};

struct health {
    enum output_health level;
    char why[256];
    struct log_throttle throttle; /* a part that flaps does not fill the log */
};

struct agent {
    struct agent_opts opts;
    const struct config *config; /* the present one */
    struct config *reloaded;     /* owned; the same, if it is not that of the start */
    enum agent_state state;
    enum agent_result result;
    struct loop *loop;
    struct loop_signal *signals[3];
    struct loop_timer *deadline; /* draining, or once with a time-out */
    struct loop_timer *ledger_timer;
    struct loop_timer *watchdog;
    struct datadir data;
    struct procfs *procfs;
    struct sysinfo host;
    struct encode_agent identity;
    struct assembled inputs;
    struct ledgers ledgers;
    size_t slack_bytes; /* the largest item that a batch for logs has room for */
    struct ledger metrics_ledger;
    struct journal *journal;
    struct journal_recovery recovery;
    struct journal *saved_journal; /* state volatile: its copy in path.data, else NULL */
    struct loop_timer *save_timer;
    bool saved_last; /* the last copy was written */
    struct deadbox *deadbox;
    struct spool *spool; /* of metrics; NULL = none */
    struct writer *writer;
    struct registry *registry;
    struct feed *logs;
    struct feed *docs; /* metrics: a batch of their own */
    struct outputs output;
    struct tail *tail;
    struct metrics *metrics;
    struct list waiting; /* sealed batches whose barrier is not durable yet */
    struct health health[HEALTH_PARTS];
};

/* ---- agent.c ---- */
/* Something came to its end: a drain may be over. */
void agent_check_drained(struct agent *a);

/* ---- flow.c ---- */
struct feed_hooks flow_logs_hooks(struct agent *a);
struct feed_hooks flow_metrics_hooks(struct agent *a);
struct registry_hooks flow_registry_hooks(struct agent *a);
struct output_hooks flow_output_hooks(struct agent *a);
struct tail_hooks flow_tail_hooks(struct agent *a);
/* Batches that are not free and not open, or what the output kept of them. */
unsigned flow_outstanding(const struct agent *a);

/* ---- state_copy.c ----
 *
 * `state: volatile`: the registry lies in memory (path.volatile), its copy in path.data. The copy
 * is written at a clean stop, which removes the registry from memory, and in between no more often
 * than state_save_interval. A start goes on from memory when something is there (the agent was
 * killed), else from the copy (the host was down). */
/* After the registry was opened with opts: opens its copy, and goes on from that when there was
 * nothing in memory; a->recovery is then what was found there. Does nothing where state is durable.
 * 0 or a negative errno. */
int state_copy_open(struct agent *a, const struct journal_opts *opts) MUST_CHECK;
/* At the end of a clean stop, before the store thread is ended: one more copy. */
void state_copy_last(struct agent *a);
/* After the journals are closed: removes from memory what the copy holds now. */
void state_copy_close(struct agent *a);
/* How a copy has ended: 0 or a negative errno. */
void state_copy_saved(struct agent *a, int result);

/* ---- reload.c ---- */
/* Takes another configuration over, or says why not. */
void reload_config(struct agent *a);

/* ---- report.c ---- */
/* Tells a change of health once; why "" or NULL = well. */
void report_health(struct agent *a, enum agent_part part, enum output_health level,
                   const char *why);
void report_message(void *agent, enum log_level level, const char *text);
/* The ledger as info lines: one per input and the total (final), or the total alone. */
void report_ledger(const struct agent *a, bool final);
void report_sum(const struct agent *a, struct ledger *ret_sum);

#endif
