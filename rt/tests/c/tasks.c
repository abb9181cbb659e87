/* A C program that embeds compiled tasks: it runs an asynchronous function, here written by hand as
 * a compiler lays it out, on one and on several workers, again and again, and finds threads, files
 * and memory as before. */
#include "asr_runtime.h"
#include "asr_runtime_ext.h"

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(what)                                                       \
    do {                                                                  \
        if (!(what)) {                                                    \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);     \
            exit(1);                                                      \
        }                                                                 \
    } while (0)

/* What compiled code calls. */
typedef struct frame {
    asr_poll_fn poll;
    uint32_t state;
    uint32_t size_class;
    uint64_t value;
    struct frame *parent;
    uint64_t word[4];
    _Alignas(16) unsigned char slot[128];
} frame;
asr_ret asr_i_sleep(const asr_thread *thread, void *slot, uint64_t ns);
asr_ret asr_i_join(const asr_thread *thread, void *slot, uint64_t task);
asr_ret asr_i_op_poll(const asr_thread *thread, void *slot);
void *asr_i_task_new(const asr_thread *thread, asr_poll_fn poll, uint64_t size);
asr_ret asr_i_task_start(const asr_thread *thread, uint64_t region, void *frame);

static asr_ret suspend(frame *f, const asr_thread *thread, uint32_t state) {
    asr_ret pending = {0, ASR_PENDING};
    f->state = state;
    ((void **)thread)[9] = f; /* the leaf, at offset 72 */
    return pending;
}

/* Sleeps word[0] ns, returns word[1]. */
static asr_ret sleeper(void *of, const asr_thread *thread) {
    frame *f = of;
    uint64_t now = 0;
    asr_ret got = f->state == 0 ? asr_i_sleep(thread, f->slot, f->word[0])
                                : asr_i_op_poll(thread, f->slot);
    if (got.status == ASR_PENDING) return suspend(f, thread, 1);
    if (got.status != ASR_OK) return got;
    /* C that is called from a task acts under its context, and never waits. */
    CHECK(asr_now(&now) == ASR_OK && now > 0);
    CHECK(asr_sleep(1) == ASR_CYCLE);
    CHECK(asr_run(sleeper, sizeof(frame), f->word, 2, 1, &now) == ASR_CYCLE);
    got.value = f->word[1];
    return got;
}

/* Starts a sleeper and adds one to what it returned; without word[1] it throws word[0]. */
static asr_ret parent(void *of, const asr_thread *thread) {
    frame *f = of;
    asr_ret got;
    if (f->word[1] == 0) {
        asr_ret thrown = {f->word[0], ASR_THREW};
        return thrown;
    }
    if (f->state == 0) {
        frame *child = asr_i_task_new(thread, sleeper, sizeof(frame));
        child->word[0] = f->word[0];
        child->word[1] = f->word[1];
        got = asr_i_task_start(thread, 0, child);
        if (got.status != ASR_OK) return got;
        got = asr_i_join(thread, f->slot, got.value);
    } else {
        got = asr_i_op_poll(thread, f->slot);
    }
    if (got.status == ASR_PENDING) return suspend(f, thread, 1);
    if (got.status == ASR_OK) got.value++;
    return got;
}

static int entries(const char *path) {
    int count = 0;
    DIR *dir = opendir(path);
    CHECK(dir != NULL);
    while (readdir(dir) != NULL) count++;
    closedir(dir);
    return count;
}

int main(void) {
    uint64_t words[2] = {1000000, 41}, out = 0;
    CHECK(asr_runtime_start(ASR_ABI_VERSION) == ASR_OK);
    /* Outside of a task nothing waits, and nothing acts. */
    CHECK(asr_sleep(1) == ASR_BAD_ARGUMENT);
    CHECK(asr_chan_new(1, &out) == ASR_BAD_ARGUMENT);
    CHECK(asr_chan_new(1, NULL) == ASR_BAD_ARGUMENT);
    CHECK(asr_run(NULL, 0, words, 2, 1, &out) == ASR_BAD_ARGUMENT);
    CHECK(asr_run(parent, sizeof(frame), words, 2, 1, NULL) == ASR_BAD_ARGUMENT);
    CHECK(asr_run(parent, sizeof(frame), NULL, 2, 1, &out) == ASR_BAD_ARGUMENT);
    CHECK(asr_run(parent, 0, words, 2, 1, &out) == ASR_BAD_ARGUMENT);
    CHECK(asr_run(parent, 16, words, 2, 1, &out) == ASR_BAD_ARGUMENT);

    int threads = 0, files = 0;
    size_t memory = 0;
    for (int round = 0; round < 50; round++) {
        CHECK(asr_run(parent, sizeof(frame), words, 2, 1 + round % 4, &out) == ASR_OK);
        CHECK(out == 42);
        uint64_t thrown[2] = {7, 0};
        CHECK(asr_run(parent, sizeof(frame), thrown, 2, 1, &out) == ASR_THREW && out == 7);
        if (round == 9) {
            threads = entries("/proc/self/task");
            files = entries("/proc/self/fd");
            memory = mallinfo2().uordblks;
        }
    }
    CHECK(entries("/proc/self/task") == threads);
    CHECK(entries("/proc/self/fd") == files);
    CHECK(mallinfo2().uordblks <= memory + 16 * 1024);
    CHECK(asr_runtime_stop() == ASR_OK);
    puts("tasks: ok");
    return 0;
}
