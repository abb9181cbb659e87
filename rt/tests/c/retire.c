/* HEAL-38: eight threads report on objects while their owner retires and frees them. A slot's
 * reader count keeps a pointer valid up to the beginning of the report's own protection: the owner
 * takes the pointer out, waits for readers that may still begin a report, retires, frees. Run under
 * the address sanitizer. */
#include "asr_runtime_ext.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 8, SLOTS = 16, ROUNDS = 400, FAST = 1, SLOW = 2 };

typedef struct object {
    asr_object_header header;
    int repairs;
} object;

static _Atomic(object *) slots[SLOTS];
static pthread_rwlock_t guards[SLOTS];
static atomic_int stop;

static void repair(void *obj, void *ctx) {
    (void)ctx;
    ((object *)obj)->repairs++;
}

static asr_ret repair_slowly(const asr_thread *thread, void *obj, void *ctx) {
    asr_ret ok = {0, ASR_OK};
    (void)thread;
    repair(obj, ctx);
    return ok;
}

static void *reporter(void *seed) {
    unsigned random = (unsigned)(uintptr_t)seed;
    while (!atomic_load(&stop)) {
        unsigned at = (random = random * 1664525u + 1013904223u) >> 8;
        pthread_rwlock_rdlock(&guards[at % SLOTS]);
        object *found = atomic_load(&slots[at % SLOTS]);
        if (found)
            asr_report_anomaly(0x80000001u, found);
        pthread_rwlock_unlock(&guards[at % SLOTS]);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    if (asr_runtime_start(ASR_ABI_VERSION) != ASR_OK)
        return 1;
    asr_register_handler(FAST, repair);
    if (asr_handler_register(SLOW, repair_slowly, 0) != ASR_OK)
        return 1;
    for (int i = 0; i < SLOTS; i++)
        pthread_rwlock_init(&guards[i], NULL);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, reporter, (void *)(i + 1));
    for (int round = 0; round < ROUNDS; round++) {
        int at = round % SLOTS;
        object *fresh = calloc(1, sizeof *fresh);
        fresh->header.type_id = round % 3 ? SLOW : FAST;
        pthread_rwlock_wrlock(&guards[at]);
        object *old = atomic_exchange(&slots[at], fresh);
        pthread_rwlock_unlock(&guards[at]);
        if (old) {
            if (asr_object_retire(old) != ASR_OK)
                return 1;
            free(old);
        }
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SLOTS; i++) {
        if (asr_object_retire(slots[i]) != ASR_OK)
            return 1;
        free(slots[i]);
    }
    if (asr_runtime_stop() != ASR_OK)
        return 1;
    puts("retire: ok");
    return 0;
}
