//! `asr_fuzz::prox_text` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| asr_fuzz::prox_text(data));
