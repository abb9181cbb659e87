/* A small stand-in for the runtime, in C, for every target that `cc` or a cross compiler serves.
 *
 * It answers probes as it is told, remembers the last fault, and says OK to everything else. The
 * filetests load it beside JIT code and link it with objects, so that all engines meet the same
 * answers; `filetest/run/eval.rs` is the same for the evaluator.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Public prefix of the thread state (rule ABI-41), then the stack limit at 64. */
typedef struct asr_thread {
    uint32_t flag;
    uint32_t action;
    uint64_t site, intent, expiry;
    uint32_t taint, mask_depth;
    uint64_t task_id, context, logical;
    uint64_t stack_limit;
    void *leaf;
    uint64_t private_fields[118];
} asr_thread __attribute__((aligned(64)));

typedef struct asr_ret {
    uint64_t value, status;
} asr_ret;

/* Every argument register of both kinds; a callee takes those that it declares. */
typedef asr_ret (*any_fn)(asr_thread *, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, double,
                          double, double, double, double, double, double, double);

typedef struct asr_stub_call {
    any_fn func;
    uint64_t armed; /* 0: flag clear; 1: slow, all OK; 2: the n-th probe says CANCELLED; 3: every
                       other one that may says PENDING; 4: the tasks are cancelled after the n-th
                       suspension; 5: they are dropped there */
    uint64_t n;
    uint64_t is_async;  /* then `func` is the poll of one, and `ints` has its parameters */
    uint64_t ints[5];
    uint64_t floats[8]; /* bits; an f32 in the low half */
    /* Filled in by the call. */
    uint64_t value, status, probes, fault;
    uint64_t live, suspensions; /* bytes of frames that are left; polls that were PENDING */
} asr_stub_call;

enum { OK = 0, THREW = 2, CANCELLED = 3 };

static uint64_t probes_taken, cancel_at, last_fault;

#include "tasks.c"

void asr_checkpoint(void *thread_state) {
    asr_thread *th = thread_state;
    probes_taken++;
    th->action = probes_taken == cancel_at ? CANCELLED : task_action(th);
}

asr_ret asr_i_fault(asr_thread *th, uint64_t site, uint32_t code) {
    (void)th;
    last_fault = code;
    asr_ret ret = {(uint64_t)0xFFFC << 48 | site, THREW};
    return ret;
}

#define ROW(name)                                                                                  \
    asr_ret asr_i_##name(asr_thread *th) {                                                         \
        (void)th;                                                                                  \
        asr_ret ret = {0, OK};                                                                     \
        return ret;                                                                                \
    }
ROW(trace)
ROW(trace_clear)
ROW(handler_register)
ROW(handler_register_new)
ROW(intent_push)
ROW(intent_pop)
ROW(taint_add)
ROW(taint_sanitize)
ROW(expiry_set)
ROW(anomaly)
ROW(checked_access)
ROW(object_retire)
ROW(code_register)
ROW(code_unregister)
ROW(signal_enter)
ROW(signal_leave)

/* The rows of `filetest/table.rs`. */
asr_ret asr_i_test_alloc(asr_thread *th, int64_t size) {
    static uint64_t room[8];
    (void)th, (void)size;
    memset(room, 0, sizeof room);
    asr_ret ret = {(uint64_t)(uintptr_t)room, OK};
    return ret;
}
asr_ret asr_i_test_park(asr_thread *th, int64_t x) {
    (void)th;
    asr_ret ret = {(uint64_t)x + 1, OK};
    return ret;
}
asr_ret asr_i_test_refuse(asr_thread *th, int64_t status) {
    (void)th;
    asr_ret ret = {10 * (uint64_t)status, (uint64_t)status};
    return ret;
}
asr_ret asr_i_test_kinds(asr_thread *th, int32_t a, uint32_t b, int64_t c, double d, _Bool e) {
    (void)th;
    double sum = a + (double)b + (double)c + d + e;
    asr_ret ret = {0, OK};
    memcpy(&ret.value, &sum, sizeof sum);
    return ret;
}
asr_ret asr_i_test_word(asr_thread *th, uint64_t v) {
    (void)th;
    asr_ret ret = {v, OK};
    return ret;
}

/* Foreign functions that filetests call. */
int64_t asr_test_twice(int64_t x) { return 2 * x; }
double asr_test_half(double x) { return x / 2; }

void asr_stub_run(asr_stub_call *call) {
    static asr_thread th[2];
    double f[8];
    char here;
    memset(th, 0, sizeof th);
    memset(&run, 0, sizeof run);
    memcpy(f, call->floats, sizeof f);
    for (unsigned n = 0; n < 2; n++) {
        th[n].stack_limit = (uint64_t)(uintptr_t)&here - 512 * 1024;
        th[n].flag = call->armed != 0;
    }
    probes_taken = last_fault = 0;
    cancel_at = call->armed == 2 ? call->n : 0;
    run.suspend_probes = call->armed >= 3;
    run.stop_at = call->armed == 4 ? call->n : 0;
    run.drop_at = call->armed == 5 ? call->n : 0;
    const uint64_t *i = call->ints;
    asr_ret ret;
    if (call->is_async) {
        void *poll;
        memcpy(&poll, &call->func, sizeof poll);
        ret = run_task(th, poll, i);
    } else {
        ret = call->func(th, i[0], i[1], i[2], i[3], i[4], f[0], f[1], f[2], f[3], f[4], f[5],
                         f[6], f[7]);
    }
    call->live = run.live;
    call->suspensions = run.suspensions;
    call->value = ret.value;
    call->status = ret.status;
    call->probes = probes_taken;
    call->fault = last_fault;
}
