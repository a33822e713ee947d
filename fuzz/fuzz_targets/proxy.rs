//! The choice of a proxy.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| testkit::targets::proxy(data));
