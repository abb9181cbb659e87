/* The three functions of the ASR runtime. Written by `cargo xtask gen`; do not edit.
 * Everything else stands in asr_runtime_ext.h. */
#ifndef ASR_RUNTIME_H
#define ASR_RUNTIME_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*asr_handler_fn)(void* obj, void* ctx);
void asr_register_handler(uint64_t type_id, asr_handler_fn handler);
void asr_checkpoint(void* thread_state);
void asr_report_anomaly(uint32_t code, void* data);

#ifdef __cplusplus
}
#endif

#endif
