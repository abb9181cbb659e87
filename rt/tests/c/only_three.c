/* A program that uses the three functions of asr_runtime.h and nothing else (rule ABI-12). */
#include "asr_runtime.h"
#include "asr_runtime.h"

#include <stdio.h>

static void never(void *obj, void *ctx) {
    (void)obj;
    (void)ctx;
}

int main(void) {
    asr_register_handler(1, never);
    asr_checkpoint(0);
    asr_report_anomaly(0x80000000u, 0);
    asr_register_handler(1, 0);
    puts("only three: ok");
    return 0;
}
