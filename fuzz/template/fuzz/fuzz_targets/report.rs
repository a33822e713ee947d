#![no_main]

use usage_client::oracles::check_request;
libfuzzer_sys::fuzz_target!(|report: tinykv::Report| {
    check_request(&report);
});
