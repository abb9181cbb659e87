//! `asr_fuzz::tasks` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| asr_fuzz::tasks(data));
