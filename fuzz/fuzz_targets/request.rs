//! Reading a request, as a server does.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| testkit::targets::request(data));
