#![no_main]

use usage_client::oracles::{Answer, check_answer};
libfuzzer_sys::fuzz_target!(|answer: Answer| {
    let _judged = check_answer(&answer);
});
