//! The C headers, from the tables and layouts.

use std::fmt::Write as _;

use asr_abi::codes::{self, Series};
use asr_intrinsics::{CORE, Row, SYNC, TASKS};

use super::reference::c_declaration;

/// `asr_runtime.h`: exactly the declarations of rule ABI-12.
pub(crate) fn runtime() -> String {
    String::from(
        "\
/* The three functions of the ASR runtime. Written by `cargo xtask gen`; do not edit.
 * Everything else stands in asr_runtime_ext.h. */
#ifndef ASR_RUNTIME_H
#define ASR_RUNTIME_H

#include <stdint.h>

#ifdef __cplusplus
extern \"C\" {
#endif

typedef void (*asr_handler_fn)(void* obj, void* ctx);
void asr_register_handler(uint64_t type_id, asr_handler_fn handler);
void asr_checkpoint(void* thread_state);
void asr_report_anomaly(uint32_t code, void* data);

#ifdef __cplusplus
}
#endif

#endif
",
    )
}

/// `asr_runtime_ext.h`: statuses, anomalies, layouts, start and stop, the rows of the runtime.
pub(crate) fn extended() -> String {
    let mut out = String::from(EXT_HEAD);
    let _ = write!(
        out,
        "\n/* Version of the ABI: major << 16 | minor. */\n#define ASR_ABI_VERSION 0x{:x}u\n",
        asr_abi::VERSION
    );
    out.push_str("\n/* Statuses. */\nenum {\n");
    for code in codes::rows(Series::S) {
        let _ = writeln!(
            out,
            "    ASR_{} = {}, /* {} */",
            code.name, code.number, code.meaning
        );
    }
    out.push_str(
        "};\n\n/* Codes of anomalies; the high byte is the class, 0x80 to 0xff are yours. */\n",
    );
    for code in codes::rows(Series::A) {
        let _ = writeln!(
            out,
            "/* {} */\n#define ASR_ANOMALY_{} UINT32_C(0x{:08x})",
            code.meaning, code.name, code.number
        );
    }
    out.push_str(EXT_LAYOUTS);
    for row in CORE.rows {
        declaration(&mut out, row);
    }
    out.push_str(EXT_TASKS);
    for row in TASKS.rows.iter().chain(SYNC.rows) {
        declaration(&mut out, row);
    }
    out.push_str(EXT_TAIL);
    out
}

/// One row of the core's table.
fn declaration(out: &mut String, row: &Row) {
    out.push_str("\n/*");
    for (n, line) in row.doc.iter().enumerate() {
        let _ = write!(out, "{}{}", if n == 0 { " " } else { "\n * " }, line.trim());
    }
    let _ = writeln!(out, " */\n{};", c_declaration(row));
}

const EXT_HEAD: &str = "\
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

#include \"asr_runtime.h\"

#ifdef __cplusplus
extern \"C\" {
#define ASR_ASSERT(what) static_assert(what, #what)
#else
#define ASR_ASSERT(what) _Static_assert(what, #what)
#endif
";

const EXT_LAYOUTS: &str = "
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
";

const EXT_TASKS: &str = "
/* Regions, tasks, channels and locks: for C that is called from a task, under the context of that
 * task. Elsewhere all of them are ASR_BAD_ARGUMENT. Those that may wait are ASR_CYCLE here: the
 * thread has other tasks to run. */
";

const EXT_TAIL: &str = "
#ifdef __cplusplus
}
#endif

#endif
";
