//! `asr_fuzz::channels` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| asr_fuzz::channels(data));
