/* A host for objects: a thread state, the runtime functions that compiled code calls, and a `main`
 * shim's other half. Prints what the test compares. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct { uint64_t value, status; } asr_ret;
typedef struct { uint64_t words[56]; } thread __attribute__((aligned(64)));
typedef struct { uint32_t func, line, col, code; } site;
typedef struct {
    const uint8_t *entry, *name, *file;
    const struct { uint32_t offset, line; } *lines;
    uint32_t len, name_len, file_len, n_lines;
} func;
typedef struct {
    uint32_t unit, n_sites;
    const site *sites;
    const func *funcs;
    uint32_t n_funcs, reserved;
} site_table;
typedef struct {
    const uint8_t *base;
    uint64_t len;
    const site_table *sites;
    const uint64_t *frames;
    uint64_t version;
} record;
typedef struct { uint64_t type_id; const void *handler; uint64_t bound_ns; } start;

extern const record __start_asr_code[], __stop_asr_code[];
extern const start __start_asr_start[] __attribute__((weak));
extern const start __stop_asr_start[] __attribute__((weak));

void asr_checkpoint(void *th) { *(uint32_t *)((char *)th + 4) = 0; }
asr_ret asr_i_fault(thread *th, uint64_t at, uint32_t code) {
    (void)th;
    printf("fault %" PRIx32 " at unit %u site %u\n", code, (unsigned)(at >> 32), (unsigned)at);
    return (asr_ret){(uint64_t)0xFFFC << 48 | at, 2};
}
asr_ret asr_i_trace(thread *th, uint64_t at) {
    (void)th;
    const site_table *t = __start_asr_code->sites;
    const site *s = &t->sites[(uint32_t)at - 1];
    const func *f = &t->funcs[s->func];
    printf("trace %.*s (%.*s:%u:%u)\n", (int)f->name_len, f->name, (int)f->file_len, f->file,
           s->line, s->col);
    return (asr_ret){0, 0};
}

int asr_program_start(int argc, char **argv, asr_ret (*entry)(thread *)) {
    static thread th;
    (void)argv;
    for (const record *r = __start_asr_code; r < __stop_asr_code; r++) {
        const site_table *t = r->sites;
        int inside = 1, sorted = 1;
        for (uint32_t i = 0; i < t->n_funcs; i++) {
            const func *f = &t->funcs[i];
            inside &= r->base <= f->entry && f->entry + f->len <= r->base + r->len;
            sorted &= i == 0 || t->funcs[i - 1].entry < f->entry;
        }
        printf("record version %" PRIx64 " unit %u sites %u funcs %u ", r->version, t->unit,
               t->n_sites, t->n_funcs);
        printf("inside %d sorted %d frames %u\n", inside, sorted, (unsigned)r->frames[0]);
    }
    for (const start *s = __start_asr_start; s < __stop_asr_start; s++)
        printf("handler for %" PRIx64 " bound %" PRIu64 " %d\n", s->type_id, s->bound_ns,
               s->handler != 0);
    asr_ret ret = entry(&th);
    printf("argc %d value %" PRIx64 " status %" PRIu64 "\n", argc, ret.value, ret.status);
    return 7;
}
