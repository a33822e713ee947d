//! Encoding a payload, and reading it back.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| testkit::targets::payload(data));
