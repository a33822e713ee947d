//! `Retry-After` and `Date`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| usage_tests::targets::retry_after(data));
