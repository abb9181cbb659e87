/* Tasks: frames, a run queue that polls every task in turn, and the rows that wait. Included by
 * stub.c.
 *
 * Every task is polled again after each round, so most polls of an operation come too early; and
 * each poll is handed another thread state than the one before it. */
#include <stdlib.h>

typedef struct asr_frame {
    asr_ret (*poll)(struct asr_frame *, asr_thread *);
    uint32_t state, size_class;
    uint64_t value;
    struct asr_frame *parent;
    uint64_t words[];
} asr_frame;

typedef struct frame_point {
    uint64_t site;
    const uint32_t *refs, *slots, *children;
    uint32_t n_refs, n_slots, n_children, reserved;
} frame_point;

typedef struct frame_meta {
    const char *name;
    uint32_t name_len, size;
    const frame_point *points;
    uint32_t n_points, reserved;
} frame_meta;

typedef struct frame_table {
    uint64_t len;
    const struct {
        const void *poll;
        const frame_meta *meta;
    } *frames;
} frame_table;

typedef struct code_record {
    const void *base;
    uint64_t len;
    const void *sites;
    const frame_table *frames;
    uint64_t version;
} code_record;

typedef struct op_slot {
    void *vt;
    uint64_t value;
    uint32_t cancelled, reserved;
    uint64_t kind, left, answer;
} op_slot;

typedef struct task {
    asr_frame *root, *leaf;
    uint64_t size;
    asr_ret ret;
    bool started, done, cancelled;
} task;

enum { PENDING = 1, STOPPED = 99, DONE = 0x80000000, MAX_TASKS = 4096, MAX_ROUNDS = 100000 };
#define SUSPENDABLE ((uint64_t)1 << 63)
enum { OP_WAIT = 1, OP_YIELD, OP_JOIN };

static struct {
    task tasks[MAX_TASKS];
    unsigned count, current;
    uint64_t live, suspensions, stop_at, drop_at;
    bool suspend_probes, suspended, broken;
} run;

/* The records of JIT units; those of an object stand in its section. */
static const code_record *registered[64];
extern const code_record __start_asr_code[] __attribute__((weak, visibility("hidden")));
extern const code_record __stop_asr_code[] __attribute__((weak, visibility("hidden")));

uint32_t asr_stub_register(const code_record *record) {
    for (unsigned n = 0; n < sizeof registered / sizeof registered[0]; n++) {
        if (!registered[n]) {
            registered[n] = record;
            return OK;
        }
    }
    return 37;
}

uint32_t asr_stub_unregister(const code_record *record) {
    for (unsigned n = 0; n < sizeof registered / sizeof registered[0]; n++) {
        if (registered[n] == record) registered[n] = NULL;
    }
    return OK;
}

/* By bisection, so that an unsorted table is found out. */
static const frame_meta *find_in(const code_record *record, const void *poll) {
    const frame_table *table = record->frames;
    uint64_t low = 0, high = table->len;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        uintptr_t there = (uintptr_t)table->frames[middle].poll;
        if (there == (uintptr_t)poll) return table->frames[middle].meta;
        if (there < (uintptr_t)poll) low = middle + 1;
        else high = middle;
    }
    return NULL;
}

static const frame_meta *find_meta(const void *poll) {
    const frame_meta *meta = NULL;
    for (unsigned n = 0; n < sizeof registered / sizeof registered[0] && !meta; n++) {
        if (registered[n]) meta = find_in(registered[n], poll);
    }
    for (const code_record *r = __start_asr_code; r != __stop_asr_code && !meta; r++) {
        meta = find_in(r, poll);
    }
    if (!meta) abort();
    return meta;
}

asr_frame *asr_i_frame_alloc(asr_thread *th, uint64_t size) {
    (void)th;
    if (size < sizeof(asr_frame) || size % 16) abort();
    asr_frame *frame = aligned_alloc(16, size);
    memset(frame, 0xa5, size);
    run.live += size;
    return frame;
}

asr_frame *asr_i_frame_new(asr_thread *th, void *poll) {
    uint64_t size = find_meta(poll)->size;
    asr_frame *frame = asr_i_frame_alloc(th, size);
    memcpy(&frame->poll, &poll, sizeof poll);
    frame->state = 0;
    frame->size_class = size / 16;
    return frame;
}

void asr_i_frame_free(asr_thread *th, asr_frame *frame, uint64_t size) {
    (void)th;
    if (!size) size = 16 * (uint64_t)frame->size_class;
    if (size != 16 * (uint64_t)frame->size_class) abort();
    memset(frame, 0x5a, size);
    run.live -= size;
    free(frame);
}

asr_frame *asr_i_task_new(asr_thread *th, void *poll, uint64_t size) {
    if (run.count == MAX_TASKS) abort();
    asr_frame *frame = asr_i_frame_new(th, poll);
    if (size && size != 16 * (uint64_t)frame->size_class) abort();
    frame->parent = NULL;
    task made = {.root = frame, .leaf = frame};
    run.tasks[run.count++] = made;
    return frame;
}

/* A region of 13 is closing. */
asr_ret asr_i_task_start(asr_thread *th, uint64_t region, asr_frame *frame) {
    unsigned n = run.count - 1;
    if (run.tasks[n].root != frame) abort();
    if (region == 13) {
        run.count--;
        asr_i_frame_free(th, frame, 0);
        return (asr_ret){0, 5};
    }
    run.tasks[n].started = true;
    return (asr_ret){n + 1, OK};
}

static asr_ret start_op(op_slot *slot, uint64_t kind, uint64_t left, uint64_t answer) {
    memset(slot, 0, 48);
    slot->kind = kind;
    slot->left = left;
    slot->answer = answer;
    if ((uintptr_t)slot % 16) abort();
    if (kind == OP_JOIN ? run.tasks[left - 1].done : !left) {
        slot->kind = 0;
        if (kind != OP_JOIN) return (asr_ret){answer, OK};
    } else {
        return (asr_ret){0, PENDING};
    }
    asr_ret ret = run.tasks[left - 1].ret;
    if (ret.status == CANCELLED) ret = (asr_ret){(uint64_t)0xfffd << 48 | CANCELLED, THREW};
    return ret;
}

asr_ret asr_i_op_poll(asr_thread *th, op_slot *slot) {
    (void)th;
    uint64_t kind = slot->kind;
    if (!kind) abort();
    if (run.tasks[run.current].cancelled) {
        slot->kind = 0;
        return (asr_ret){0, CANCELLED};
    }
    if (kind == OP_YIELD) {
        slot->kind = 0;
        return (asr_ret){0, OK};
    }
    uint64_t left = slot->left;
    return start_op(slot, kind, kind == OP_JOIN ? left : left - 1, slot->answer);
}

asr_ret asr_i_test_wait(asr_thread *th, op_slot *slot, int64_t times, int64_t x) {
    (void)th;
    if (times < 0) return (asr_ret){(uint64_t)x, (uint64_t)-times};
    return start_op(slot, OP_WAIT, (uint64_t)times, (uint64_t)x);
}

asr_ret asr_i_yield_now(asr_thread *th, op_slot *slot) {
    (void)th;
    /* A slot of 32 bytes has room for the kind alone. */
    slot->value = 0;
    slot->kind = OP_YIELD;
    return (asr_ret){0, PENDING};
}

asr_ret asr_i_join(asr_thread *th, op_slot *slot, uint64_t id) {
    (void)th;
    return start_op(slot, OP_JOIN, id, 0);
}

asr_ret asr_i_task_detach(asr_thread *th, uint64_t id) {
    (void)th, (void)id;
    return (asr_ret){0, OK};
}

asr_ret asr_i_task_cancel(asr_thread *th, uint64_t id) {
    (void)th;
    run.tasks[id - 1].cancelled = true;
    return (asr_ret){0, OK};
}

asr_ret asr_i_region_open(asr_thread *th) {
    (void)th;
    return (asr_ret){1, OK};
}
asr_ret asr_i_region_close(asr_thread *th, op_slot *slot, uint64_t region) {
    (void)th, (void)slot, (void)region;
    return (asr_ret){0, OK};
}

/* What a probe of a task is answered, if not OK. */
static uint32_t task_action(asr_thread *th) {
    if (run.tasks[run.current].cancelled) return CANCELLED;
    if (!run.suspend_probes || !(th->site & SUSPENDABLE)) return OK;
    run.suspended = !run.suspended;
    return run.suspended ? PENDING : OK;
}

/* Frees what a suspended task holds, by the tables alone (rule ABI-28). */
static void drop_task(asr_thread *th, task *t) {
    for (asr_frame *frame = t->leaf; frame;) {
        asr_frame *parent = frame->parent;
        void *poll;
        memcpy(&poll, &frame->poll, sizeof poll);
        const frame_meta *meta = find_meta(poll);
        if (frame->state > meta->n_points) abort();
        if (frame->state) {
            const frame_point *point = &meta->points[frame->state - 1];
            for (uint32_t n = 0; n < point->n_refs; n++) {
                if (point->refs[n] < 32 || point->refs[n] + 8 > meta->size) abort();
            }
            for (uint32_t n = 0; n < point->n_slots; n++) {
                op_slot *slot = (op_slot *)((char *)frame + point->slots[n]);
                if (!slot->kind) abort();
                slot->kind = 0;
            }
            /* The child is where we came from, so nothing reads it any more. */
            for (uint32_t n = 0; n < point->n_children; n++) {
                asr_frame *child;
                memcpy(&child, (char *)frame + point->children[n], sizeof child);
                asr_i_frame_free(th, child, 0);
            }
        }
        frame = parent;
    }
    asr_i_frame_free(th, t->root, 0);
    t->done = true;
    t->ret = (asr_ret){0, CANCELLED};
}

static void poll_task(asr_thread *th, task *t) {
    run.current = (unsigned)(t - run.tasks);
    asr_frame *frame = t->leaf;
    for (;;) {
        asr_ret ret = frame->poll(frame, th);
        if (ret.status == PENDING) {
            t->leaf = th->leaf;
            run.suspensions++;
            if (run.suspensions == run.stop_at) {
                for (unsigned n = 0; n < run.count; n++) run.tasks[n].cancelled = true;
            }
            return;
        }
        asr_frame *parent = frame->parent;
        if (!parent) {
            t->ret = ret;
            t->done = true;
            asr_i_frame_free(th, t->root, 0);
            return;
        }
        frame->value = ret.value;
        frame->state = DONE | (uint32_t)ret.status;
        frame = parent;
    }
}

/* Runs a task from its first poll to its end, and all that it spawned. */
static asr_ret run_task(asr_thread *th, void *poll, const uint64_t *words) {
    asr_frame *root = asr_i_task_new(&th[0], poll, 0);
    uint64_t room = 16 * (uint64_t)root->size_class - sizeof *root;
    memcpy(root->words, words, room < 40 ? room : 40);
    asr_i_task_start(&th[0], 0, root);
    bool running = true;
    for (unsigned round = 0; running; round++) {
        running = false;
        for (unsigned n = 0; n < run.count; n++) {
            task *t = &run.tasks[n];
            if (t->done || !t->started) continue;
            running = true;
            if (round == MAX_ROUNDS || (run.drop_at && run.suspensions >= run.drop_at)) {
                drop_task(&th[0], t);
                if (round == MAX_ROUNDS) t->ret = (asr_ret){0, STOPPED};
            } else {
                poll_task(&th[(n + round) % 2], t);
            }
        }
    }
    return run.tasks[0].ret;
}
