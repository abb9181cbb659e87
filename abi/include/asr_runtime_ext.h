/* The ASR runtime for C and C++, beyond the three functions of asr_runtime.h.
 * Written by `cargo xtask gen`; do not edit.
 *
 * Who owns what: objects belong to the caller; the runtime refers to one between a report and its
 * repair, and asr_object_retire returns when it does no more. Strings and tables passed in a code
 * record stay the caller's until asr_code_unregister. A C++ exception or a longjmp must not leave a
 * handler. */
#ifndef ASR_RUNTIME_EXT_H
#define ASR_RUNTIME_EXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asr_runtime.h"

#ifdef __cplusplus
extern "C" {
#define ASR_ASSERT(what) static_assert(what, #what)
#else
#define ASR_ASSERT(what) _Static_assert(what, #what)
#endif

/* Version of the ABI: major << 16 | minor. */
#define ASR_ABI_VERSION 0x10000u

/* Statuses. */
enum {
    ASR_OK = 0, /* done */
    ASR_PENDING = 1, /* not yet; the waker is registered */
    ASR_THREW = 2, /* an exception was thrown or a fault occurred; the value refers to it */
    ASR_CANCELLED = 3, /* cancel observed; nothing committed by this call */
    ASR_CLOSED = 4, /* channel or peer endpoint closed; a value offered is handed back */
    ASR_REGION_CLOSING = 5, /* region no longer admits; closure or token handed back */
    ASR_REGION_CLOSED = 6, /* region reached its outcome; read it instead */
    ASR_STALE_HANDLE = 7, /* id refers to a former occupant; nothing changed */
    ASR_ALREADY_RESOLVED = 8, /* obligation or handle used before; first resolution stands */
    ASR_NOT_HOLDER = 9, /* caller does not hold this obligation */
    ASR_QUOTA_EXCEEDED = 10, /* admission limit, names the limit */
    ASR_FULL = 11, /* no capacity now (try form); value handed back */
    ASR_EMPTY = 12, /* nothing to receive now (try form) */
    ASR_LAGGED = 13, /* receiver fell behind by the stated count */
    ASR_TIMED_OUT = 14, /* the call's own deadline passed */
    ASR_WRONG_TYPE = 15, /* type tag differs */
    ASR_CAP_DENIED = 16, /* capability absent from this `Cx` */
    ASR_NO_HANDLER = 17, /* no repair handler for the type */
    ASR_DUPLICATE = 18, /* name, handler or key already registered */
    ASR_UNKNOWN_COMPUTATION = 19, /* no such named computation */
    ASR_IDEMPOTENCY_CONFLICT = 20, /* key reused with different input */
    ASR_VERSION_UNSUPPORTED = 21, /* unknown major version */
    ASR_BAD_FRAME = 22, /* malformed bytes; connection is closed */
    ASR_LEASE_EXPIRED = 23, /* not renewed in time */
    ASR_CYCLE = 24, /* would wait for itself */
    ASR_POISONED = 25, /* holder ended badly; data possibly inconsistent */
    ASR_REJECTED = 26, /* breaker open, bulkhead full or rate exceeded */
    ASR_UNSUPPORTED = 27, /* not built in, or not on this platform */
    ASR_BAD_ARGUMENT = 28, /* value outside its domain, names the argument */
    ASR_DIVERGED = 29, /* replay differs from recording, names the event */
    ASR_CORRUPT = 30, /* checksum, hash or authentication failed */
    ASR_SHUTDOWN = 31, /* runtime is stopping */
    ASR_QUARANTINED = 32, /* object or type is isolated from repair */
    ASR_CONFLICT = 33, /* distributed state merged to conflict */
    ASR_STEP_LIMIT = 34, /* lab step bound reached */
    ASR_MASK_LIMIT = 35, /* mask nesting bound reached */
    ASR_IO = 36, /* operating-system error, with errno */
    ASR_BUSY = 37, /* still in use: a module with live frames, handlers or cells; nothing changed */
};

/* Codes of anomalies; the high byte is the class, 0x80 to 0xff are yours. */
/* division or remainder by zero */
#define ASR_ANOMALY_DIVISION_BY_ZERO UINT32_C(0x01000001)
/* a float does not fit the integer type */
#define ASR_ANOMALY_CONVERSION UINT32_C(0x01000002)
/* an index is not below the length */
#define ASR_ANOMALY_BOUNDS UINT32_C(0x01000003)
/* a null address was used */
#define ASR_ANOMALY_NULL_ACCESS UINT32_C(0x01000004)
/* code that cannot run was reached */
#define ASR_ANOMALY_UNREACHABLE UINT32_C(0x01000005)
/* the native stack is nearly used up */
#define ASR_ANOMALY_RECURSION_DEPTH UINT32_C(0x01000006)
/* a quotient does not fit: the least integer divided by -1 */
#define ASR_ANOMALY_OVERFLOW UINT32_C(0x01000007)
/* a signal in compiled code: a wild address or a bug of the compiler */
#define ASR_ANOMALY_SIGNAL UINT32_C(0x010000f0)
/* a contract, type state or assertion was broken */
#define ASR_ANOMALY_CONTRACT UINT32_C(0x02000001)
/* an expiry passed */
#define ASR_ANOMALY_EXPIRED UINT32_C(0x03000001)
/* a checksum or a reference does not agree */
#define ASR_ANOMALY_INTEGRITY UINT32_C(0x05000001)

/* Value and status of compiled code, in two registers. */
typedef struct asr_ret {
    uint64_t value;
    uint64_t status;
} asr_ret;

/* The public prefix of a thread's state. Other threads write the flag only, by atomic or. */
typedef struct asr_thread {
    uint32_t flag;       /* what is asked: ASR_FLAG_*; zero when nothing is */
    uint32_t action;     /* answer of a checkpoint, a status */
    uint64_t site;       /* site of the probe being taken */
    uint64_t intent;     /* current intent, 0 = none */
    uint64_t expiry_ns;  /* earliest expiry, all ones = none */
    uint32_t taint;      /* current taint set */
    uint32_t mask_depth; /* depth of masks */
    uint64_t task_id;    /* task being polled, 0 = none */
    void *context;       /* its capability context */
    uint64_t logical;    /* logical time of the last event */
    /* private from here */
} asr_thread;

enum {
    ASR_FLAG_CANCEL = 1 << 0,
    ASR_FLAG_REPAIR = 1 << 1,
    ASR_FLAG_EXPIRY = 1 << 2,
    ASR_FLAG_SAMPLE = 1 << 3,
    ASR_FLAG_YIELD = 1 << 4,
    ASR_FLAG_STOP = 1 << 5,
    ASR_FLAG_SHUTDOWN = 1 << 7,
    ASR_FLAG_COLLECT = 1 << 8
};

ASR_ASSERT(offsetof(asr_thread, flag) == 0);
ASR_ASSERT(offsetof(asr_thread, action) == 4);
ASR_ASSERT(offsetof(asr_thread, site) == 8);
ASR_ASSERT(offsetof(asr_thread, intent) == 16);
ASR_ASSERT(offsetof(asr_thread, expiry_ns) == 24);
ASR_ASSERT(offsetof(asr_thread, taint) == 32);
ASR_ASSERT(offsetof(asr_thread, mask_depth) == 36);
ASR_ASSERT(offsetof(asr_thread, task_id) == 40);
ASR_ASSERT(offsetof(asr_thread, context) == 48);
ASR_ASSERT(offsetof(asr_thread, logical) == 56);
ASR_ASSERT(sizeof(asr_thread) == 64);

/* The first 32 bytes of an object that the healer knows. A zeroed repair word is a healthy object;
 * after that only the runtime writes it, and the link. */
typedef struct asr_object_header {
    uint64_t type_id;
    uint64_t repair; /* bits 0-3 state, 4 re-examine, 8-15 attempts, 16-23 node, 32-63 generation */
    void *link;
    uint64_t owner; /* region, or 0 */
} asr_object_header;

enum {
    ASR_HEALTHY = 0,
    ASR_MARKED = 1,
    ASR_QUEUED = 2,
    ASR_REPAIRING = 3,
    ASR_DELAYED = 4,
    ASR_QUARANTINED_STATE = 5,
    ASR_DEAD = 6
};

ASR_ASSERT(offsetof(asr_object_header, repair) == 8);
ASR_ASSERT(offsetof(asr_object_header, link) == 16);
ASR_ASSERT(offsetof(asr_object_header, owner) == 24);
ASR_ASSERT(sizeof(asr_object_header) == 32);

/* What a handler gets as ctx. A later version only appends and raises size. */
typedef struct asr_repair_context {
    uint32_t size;
    uint32_t code;
    uint64_t site;
    uint64_t intent;
    uint64_t expiry_ns;
    uint32_t taint;
    uint32_t attempt;   /* from 0 */
    uint32_t path;      /* 0 inline, 1 supervisor */
    uint32_t result;    /* written by the handler: ASR_REPAIRED, ... */
    uint64_t budget_ns; /* time that the handler may take */
    uint64_t logical;
} asr_repair_context;

enum { ASR_REPAIRED = 0, ASR_NEEDS_SLOW = 1, ASR_RETRY = 2, ASR_FAILED = 3 };

ASR_ASSERT(offsetof(asr_repair_context, code) == 4);
ASR_ASSERT(offsetof(asr_repair_context, site) == 8);
ASR_ASSERT(offsetof(asr_repair_context, intent) == 16);
ASR_ASSERT(offsetof(asr_repair_context, expiry_ns) == 24);
ASR_ASSERT(offsetof(asr_repair_context, taint) == 32);
ASR_ASSERT(offsetof(asr_repair_context, attempt) == 36);
ASR_ASSERT(offsetof(asr_repair_context, path) == 40);
ASR_ASSERT(offsetof(asr_repair_context, result) == 44);
ASR_ASSERT(offsetof(asr_repair_context, budget_ns) == 48);
ASR_ASSERT(offsetof(asr_repair_context, logical) == 56);
ASR_ASSERT(sizeof(asr_repair_context) == 64);

/* What the handler of type 0 gets as obj: reports without an object. */
typedef struct asr_null_report {
    asr_object_header header;
    uint64_t count; /* reports that this job stands for */
    uint64_t task;
    uint32_t code;
    uint32_t ticket;
} asr_null_report;

/* Code that the runtime calls: thread state first, then the arguments of its row. */
typedef asr_ret (*asr_code_fn)(const asr_thread *thread, void *obj, void *ctx);

/* Version and sizes, to be compared with those of this header. */
typedef struct asr_abi_info_t {
    uint32_t size;
    uint32_t version;
    uint32_t thread;
    uint32_t frame;
    uint32_t object_header;
    uint32_t repair_context;
    uint32_t code_record;
    uint32_t reserved;
} asr_abi_info_t;

/* The account of reports: reported = inline_repaired + coalesced + enqueued + quarantined_direct +
 * unhandled; enqueued = repaired + dead + quarantined + delayed + queued + in_repair. */
typedef struct asr_ledger {
    uint64_t size; /* in: bytes that you have; out: bytes written */
    uint64_t reported;
    uint64_t inline_repaired;
    uint64_t coalesced;
    uint64_t enqueued;
    uint64_t quarantined_direct;
    uint64_t unhandled;
    uint64_t repaired;
    uint64_t dead;
    uint64_t quarantined;
    uint64_t delayed;
    uint64_t queued;
    uint64_t in_repair;
    uint64_t bad_arguments;
} asr_ledger;

/* Version of the runtime's ABI: major << 16 | minor. */
uint32_t asr_abi_version(void);

/* Version and sizes; lives as long as the process. */
const asr_abi_info_t *asr_abi_info(void);

/* Starts the runtime; pass ASR_ABI_VERSION. ASR_OK, ASR_DUPLICATE when it runs, or
 * ASR_VERSION_UNSUPPORTED, ASR_IO with a message on stderr. */
uint32_t asr_runtime_start(uint32_t version);

/* Stops it after every pending repair: ASR_OK, or ASR_CLOSED when it does not run. */
uint32_t asr_runtime_stop(void);

/* The state of the calling thread; null when it has none. */
const asr_thread *asr_thread_current(void);

/* The same, made now if there is none. Not for signal handlers. */
const asr_thread *asr_thread_adopt(void);

/* Reads the account; set out->size first. */
uint32_t asr_ledger_read(asr_ledger *out);

/* The poll function of an asynchronous function. */
typedef asr_ret (*asr_poll_fn)(void *frame, const asr_thread *thread);

/* Runs an asynchronous function as the main task of a runtime with so many worker threads (0: one
 * for each processor), waits for all that it started, and ends that runtime. size is that of its
 * frames, or 0 if its code is registered. ASR_OK with the word that it returned, ASR_THREW with its
 * exception, ASR_CANCELLED, the status that it failed with, ASR_BAD_ARGUMENT, ASR_CYCLE in a task,
 * or ASR_IO. */
uint32_t asr_run(asr_poll_fn poll, uint64_t size, const uint64_t *arguments, uint32_t count,
                 uint32_t workers, uint64_t *out);

/* Reports the fault of the site (anomaly class 01) and refuses with `THREW` and the
 * fault word of the site. */
uint32_t asr_fault(uint64_t site, uint32_t code);

/* Notes that the error in flight passed this site; called on error edges only. */
uint32_t asr_trace(uint64_t site);

/* Forgets the noted sites: the error has been caught. */
uint32_t asr_trace_clear(void);

/* Registers `handler` for objects of `type_id`: fast with `bound_ns`, or slow if it is 0.
 * Replaces an earlier one; a null handler unregisters. */
uint32_t asr_handler_register(uint64_t type_id, asr_code_fn handler, uint64_t bound_ns);

/* Like `handler_register`, but refuses with `DUPLICATE` when the type has a handler. */
uint32_t asr_handler_register_new(uint64_t type_id, asr_code_fn handler, uint64_t bound_ns);

/* Enters an intent; it is the current one until the matching `intent_pop`. */
uint32_t asr_intent_push(uint64_t intent);

/* Leaves the innermost intent. */
uint32_t asr_intent_pop(void);

/* Adds labels to the taint set of the current context. */
uint32_t asr_taint_add(uint32_t labels);

/* Removes labels from the taint set, through the registered sanitizer `sanitizer`. */
uint32_t asr_taint_sanitize(uint64_t sanitizer, uint32_t labels);

/* Allows `sanitizer` to remove these labels. */
uint32_t asr_sanitizer_register(uint64_t sanitizer, uint32_t labels);

/* Sets the earliest expiry of the current context, in ns of the runtime's clock. */
uint32_t asr_expiry_set(uint64_t at_ns);

/* Reports an anomaly of `object` (null, or an object header). */
uint32_t asr_anomaly(uint32_t code, void *object);

/* Refuses unless the object is healthy: `POISONED` during repair, `QUARANTINED`, ... */
uint32_t asr_checked_access(void *object);

/* Returns when no repair refers to the object any more; it may then be freed. `BUSY` from
 * a handler while a repair of it is pending. */
uint32_t asr_object_retire(void *object);

/* Registers the code record of a unit before its first execution. */
uint32_t asr_code_register(void *record);

/* Removes the code record of a unit; `BUSY` while a handler refers to it. */
uint32_t asr_code_unregister(void *record);

/* Tells the runtime that what follows on this thread runs inside a signal handler. */
uint32_t asr_signal_enter(void);

/* Ends the innermost `signal_enter`. */
uint32_t asr_signal_leave(void);

/* Regions, tasks, channels and locks: for C that is called from a task, under the context of that
 * task. Elsewhere all of them are ASR_BAD_ARGUMENT. Those that may wait are ASR_CYCLE here: the
 * thread has other tasks to run. */

/* Opens a region below that of the current task. */
uint32_t asr_region_open(uint64_t *out);

/* Closes the region and waits until nothing of it runs: 0 if all went well, 1 if it was
 * cancelled. A child that failed is THREW with its exception. A cancel of the task goes
 * on to the region, which is waited for all the same, and is CANCELLED then. */
uint32_t asr_region_close(uint64_t region, uint64_t *out);

/* Cancels the region and closes it, masked: what a way out by failure does. */
uint32_t asr_region_abandon(uint64_t region);

/* Asks all of the region to cancel. */
uint32_t asr_region_cancel(uint64_t region);

/* Registers `run(th, argument)` as a finalizer of the region. */
uint32_t asr_region_defer(uint64_t region, asr_code_fn run, uint64_t argument);

/* Waits for the task and gives the word that it returned. THREW with its exception if it
 * failed, CANCELLED if the waiting task was cancelled; a joined task that was cancelled
 * is THREW with the exception made of CANCELLED. */
uint32_t asr_join(uint64_t task, uint64_t *out);

/* Gives up the interest in the task; it goes on in its region. */
uint32_t asr_task_detach(uint64_t task);

/* Asks the task to cancel. */
uint32_t asr_task_cancel(uint64_t task);

/* Whether the task has completed. */
uint32_t asr_task_is_done(uint64_t task, bool *out);

/* Lets the other tasks of the lane run first. */
uint32_t asr_yield_now(void);

/* Whether a cancel of the current task is pending; no cancel point. */
uint32_t asr_cancel_requested(bool *out);

/* Begins a masked block: no cancel point in it is CANCELLED. */
uint32_t asr_mask_enter(void);

/* Ends the innermost masked block. */
uint32_t asr_mask_leave(void);

/* Begins a commit section of at most `bound` polls. */
uint32_t asr_commit_enter(uint32_t bound);

/* Ends the innermost commit section. */
uint32_t asr_commit_leave(void);

/* Makes an obligation of this kind (a number of `Kind`), without anything behind it. */
uint32_t asr_reserve(uint32_t kind, uint64_t *out);

/* Resolves an obligation as committed. */
uint32_t asr_commit(uint64_t permit);

/* Resolves an obligation as aborted, whatever is behind it: a lock is released, a place in
 * a channel given back. */
uint32_t asr_abort(uint64_t permit);

/* Gives an obligation to a task, which will not know its id unless it is told. */
uint32_t asr_transfer(uint64_t permit, uint64_t to);

/* The time of the runtime's clock in ns. */
uint32_t asr_now(uint64_t *out);

/* Waits for so many ns. */
uint32_t asr_sleep(uint64_t ns);

/* Waits until this time. */
uint32_t asr_sleep_until(uint64_t at_ns);

/* A random number, from the seed in the lab. */
uint32_t asr_random_u64(uint64_t *out);

/* What is left of a component of the budget: 0 the deadline in ns, 1 polls, 2 cost,
 * 3 the priority; all ones is without bound. */
uint32_t asr_budget_get(uint32_t component, uint64_t *out);

/* Charges this cost to the task and the quotas above. */
uint32_t asr_charge(uint64_t cost);

/* A channel for `capacity` words; any task may send and receive. */
uint32_t asr_chan_new(uint32_t capacity, uint64_t *out);

/* Waits for a place in the channel. */
uint32_t asr_chan_reserve(uint64_t chan, uint64_t *out);

/* Takes a place in the channel if there is one. */
uint32_t asr_chan_try_reserve(uint64_t chan, uint64_t *out);

/* Sends a word into the place. Handed back if nobody receives any more. */
uint32_t asr_chan_send(uint64_t permit, uint64_t word);

/* Waits for the next word. CLOSED once the channel is closed and empty. */
uint32_t asr_chan_recv(uint64_t chan, uint64_t *out);

/* The next word, if there is one. */
uint32_t asr_chan_try_recv(uint64_t chan, uint64_t *out);

/* Closes the channel: nothing is sent any more, what is in it is still received. */
uint32_t asr_chan_close(uint64_t chan);

/* Closes the channel and frees it with what is in it. */
uint32_t asr_chan_free(uint64_t chan);

/* A semaphore with so many units; a mutex is one with a single unit. */
uint32_t asr_sem_new(uint32_t units, uint64_t *out);

/* Waits for so many units, first come first served; `commit` or `abort` releases them. */
uint32_t asr_sem_acquire(uint64_t sem, uint32_t units, uint64_t *out);

/* Takes so many units if they are there. */
uint32_t asr_sem_try_acquire(uint64_t sem, uint32_t units, uint64_t *out);

/* Frees the semaphore; those who wait get CLOSED. */
uint32_t asr_sem_free(uint64_t sem);

/* A signal that tasks wait for. */
uint32_t asr_notify_new(uint64_t *out);

/* Waits for a notification. */
uint32_t asr_notify_wait(uint64_t notify);

/* Wakes one who waits, or the next who will. */
uint32_t asr_notify_one(uint64_t notify);

/* Wakes all who wait. */
uint32_t asr_notify_all(uint64_t notify);

/* Frees the signal; those who wait get CLOSED. */
uint32_t asr_notify_free(uint64_t notify);

#ifdef __cplusplus
}
#endif

#endif
