//! The life of a reporter, against its laws.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| testkit::targets::reporter(data));
