//! Base URLs, registration URLs and redirects.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| usage_tests::targets::url(data));
