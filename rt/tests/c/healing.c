/* A C11 and C++17 program that uses the healing part of the interface: registers handlers, reports
 * from a foreign thread and from a signal handler, retires an object, checks every argument. */
#include "asr_runtime.h"
#include "asr_runtime_ext.h"
#include "asr_runtime.h"
#include "asr_runtime_ext.h"

#include <pthread.h>
#include <signal.h>
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

typedef struct account {
    asr_object_header header;
    int balance;
    int repairs;
    uint32_t last_code;
    uint32_t last_path;
} account;

enum { ACCOUNT = 0x4143, SLOW = 0x534c, APP_ANOMALY = 0x80000001u };

static void repair(void *obj, void *ctx) {
    account *a = (account *)obj;
    asr_repair_context *c = (asr_repair_context *)ctx;
    CHECK(c->size >= sizeof(asr_repair_context));
    a->balance = 100;
    a->repairs++;
    a->last_code = c->code;
    a->last_path = c->path;
}

static asr_ret repair_slowly(const asr_thread *thread, void *obj, void *ctx) {
    asr_ret ok = {0, ASR_OK};
    CHECK(thread != NULL);
    repair(obj, ctx);
    return ok;
}

static asr_ledger ledger(void) {
    asr_ledger now;
    memset(&now, 0, sizeof now);
    now.size = sizeof now;
    CHECK(asr_ledger_read(&now) == ASR_OK);
    CHECK(now.size == sizeof now);
    return now;
}

static void *report_from_a_foreign_thread(void *obj) {
    CHECK(asr_thread_current() == NULL);
    asr_checkpoint(NULL); /* no state: nothing happens */
    asr_report_anomaly(APP_ANOMALY, obj);
    return NULL;
}

static account *signalled;

static void on_signal(int number) {
    (void)number;
    asr_signal_enter();
    asr_report_anomaly(APP_ANOMALY, signalled);
    asr_signal_leave();
}

static account *new_account(uint64_t type_id) {
    account *a = (account *)calloc(1, sizeof *a);
    CHECK(a != NULL);
    a->header.type_id = type_id;
    a->balance = -1;
    return a;
}

int main(void) {
    pthread_t thread;
    asr_thread *th;
    account *a = new_account(ACCOUNT), *b = new_account(ACCOUNT), *s = new_account(SLOW);
    const asr_abi_info_t *info = asr_abi_info();

    CHECK(info->size >= sizeof *info && info->version == ASR_ABI_VERSION);
    CHECK(info->object_header == sizeof(asr_object_header));
    CHECK(info->repair_context == sizeof(asr_repair_context));
    CHECK(info->thread >= sizeof(asr_thread) && asr_abi_version() == ASR_ABI_VERSION);

    /* Before start: handlers are kept, a report is handled inline. */
    asr_register_handler(ACCOUNT, repair);
    CHECK(asr_runtime_start(ASR_ABI_VERSION + 0x10000) == ASR_VERSION_UNSUPPORTED);
    asr_report_anomaly(APP_ANOMALY, a);
    CHECK(a->repairs == 1 && a->balance == 100);
    CHECK(asr_runtime_start(ASR_ABI_VERSION) == ASR_OK);
    CHECK(asr_runtime_start(ASR_ABI_VERSION) == ASR_DUPLICATE);

    /* A handler compiled against 1.0 works with the longer context of a later runtime. */
    {
        struct {
            asr_repair_context known;
            uint64_t later[4];
        } context;
        memset(&context, 0xff, sizeof context);
        context.known.size = sizeof context;
        context.known.result = ASR_REPAIRED;
        repair(a, &context);
        CHECK(a->repairs == 2 && context.known.result == ASR_REPAIRED);
        a->repairs = 1;
    }

    /* From a thread that the runtime does not know. */
    a->balance = -1;
    CHECK(pthread_create(&thread, NULL, report_from_a_foreign_thread, a) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(a->repairs == 2 && a->balance == 100);
    CHECK(a->last_code == APP_ANOMALY && a->last_path == 0);

    /* In a signal handler no repair handler runs: the supervisor repairs. */
    signalled = b;
    CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
    CHECK(raise(SIGUSR1) == 0);
    CHECK(asr_object_retire(b) == ASR_OK);
    CHECK(b->repairs == 1 && b->last_path == 1);
    free(b);

    /* A slow handler, registered through the row; the checked one refuses a second. */
    CHECK(asr_handler_register_new(SLOW, repair_slowly, 0) == ASR_OK);
    CHECK(asr_handler_register_new(SLOW, repair_slowly, 0) == ASR_DUPLICATE);
    CHECK(asr_checked_access(s) == ASR_OK);
    asr_report_anomaly(APP_ANOMALY, s);
    CHECK(asr_object_retire(s) == ASR_OK);
    CHECK(s->repairs == 1 && s->last_path == 1);
    CHECK(asr_checked_access(s) == ASR_POISONED);
    free(s);

    /* A checkpoint of this thread. */
    th = (asr_thread *)asr_thread_adopt();
    CHECK(th != NULL && asr_thread_current() == th && ((uintptr_t)th & 63) == 0);
    __atomic_fetch_or(&th->flag, ASR_FLAG_CANCEL, __ATOMIC_RELEASE);
    asr_checkpoint(NULL);
    CHECK(th->action == ASR_CANCELLED && th->flag == 0);
    asr_checkpoint(th);
    CHECK(th->action == ASR_OK);

    /* Intents nest; taint only grows, but through a sanitizer. */
    CHECK(asr_intent_push(7) == ASR_OK && th->intent == 7);
    CHECK(asr_intent_pop() == ASR_OK && th->intent == 0);
    CHECK(asr_taint_add(5) == ASR_OK && th->taint == 5);
    CHECK(asr_taint_sanitize(1, 4) == ASR_CAP_DENIED && th->taint == 5);
    CHECK(asr_sanitizer_register(1, 4) == ASR_OK);
    CHECK(asr_taint_sanitize(1, 4) == ASR_OK && th->taint == 1);

    /* Bad arguments: statuses, and counted no-ops where there is no status. */
    {
        uint64_t before = ledger().bad_arguments;
        asr_report_anomaly(APP_ANOMALY, (char *)a + 1);
        asr_checkpoint((char *)th + 1);
        asr_register_handler(UINT64_MAX, repair);
        CHECK(ledger().bad_arguments == before + 3);
        CHECK(asr_object_retire(NULL) == ASR_BAD_ARGUMENT);
        CHECK(asr_object_retire((char *)a + 1) == ASR_BAD_ARGUMENT);
        CHECK(asr_checked_access(NULL) == ASR_BAD_ARGUMENT);
        CHECK(asr_ledger_read(NULL) == ASR_BAD_ARGUMENT);
        CHECK(asr_code_register(NULL) == ASR_BAD_ARGUMENT);
        CHECK(asr_code_unregister(NULL) == ASR_BAD_ARGUMENT);
        CHECK(asr_code_register((char *)th + 1) == ASR_BAD_ARGUMENT);
        CHECK(asr_code_unregister((char *)th + 1) == ASR_BAD_ARGUMENT);
        CHECK(asr_checked_access((char *)a + 1) == ASR_BAD_ARGUMENT);
        CHECK(asr_handler_register(UINT64_MAX, repair_slowly, 0) == ASR_BAD_ARGUMENT);
        CHECK(asr_handler_register_new(5, NULL, 0) == ASR_BAD_ARGUMENT);
        CHECK(asr_handler_register(5, NULL, 0) == ASR_OK); /* unregisters nothing */
        CHECK(asr_anomaly(APP_ANOMALY, (char *)a + 1) == ASR_OK);
        CHECK(ledger().bad_arguments == before + 4);
        {
            asr_ledger small;
            memset(&small, 0xee, sizeof small);
            small.size = 2;
            CHECK(asr_ledger_read(&small) == ASR_BAD_ARGUMENT);
            CHECK(asr_ledger_read((asr_ledger *)((char *)&small + 1)) == ASR_BAD_ARGUMENT);
            small.size = 16; /* a caller of an earlier version: what fits is written */
            CHECK(asr_ledger_read(&small) == ASR_OK && small.size == 16);
            CHECK(small.reported > 0 && small.inline_repaired == 0xeeeeeeeeeeeeeeeeu);
        }
    }

    /* After stop: reports are counted, not handled. */
    CHECK(asr_runtime_stop() == ASR_OK);
    CHECK(asr_runtime_stop() == ASR_CLOSED);
    {
        asr_ledger before = ledger(), after;
        asr_report_anomaly(APP_ANOMALY, a);
        after = ledger();
        CHECK(a->repairs == 2);
        CHECK(after.reported == before.reported + 1 && after.unhandled == before.unhandled + 1);
        CHECK(after.reported == after.inline_repaired + after.coalesced + after.enqueued +
                                    after.quarantined_direct + after.unhandled);
        CHECK(after.enqueued == after.repaired + after.dead + after.quarantined);
    }
    free(a);
    puts("healing: ok");
    return 0;
}
