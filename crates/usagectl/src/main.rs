//! `usagectl`: the Usage API from the command line. What it does is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    usagectl::run(std::env::args_os())
}
