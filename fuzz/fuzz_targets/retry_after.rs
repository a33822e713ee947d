//! `Retry-After` and `Date`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| testkit::targets::retry_after(data));
