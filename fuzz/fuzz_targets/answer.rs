//! Judging an answer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| usage_tests::targets::answer(data));
