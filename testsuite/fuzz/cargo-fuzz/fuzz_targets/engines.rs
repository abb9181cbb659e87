//! `asr_fuzz::engines` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| asr_fuzz::engines(data));
