//! Base URLs, registration URLs and redirects.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| testkit::targets::url(data));
