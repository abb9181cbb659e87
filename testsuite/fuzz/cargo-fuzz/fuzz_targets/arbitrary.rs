//! `asr_fuzz::arbitrary` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| asr_fuzz::arbitrary(data));
