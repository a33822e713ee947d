//! One exchange as bytes: the answer in any pieces, and the calls in any order.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| testkit::targets::exchange(data));
