//! `asr_fuzz::air_text` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| asr_fuzz::air_text(data));
