//! `usagectl`: the Usage API from the command line.
//!
//! It shows the API at work (`demo`), is one (`serve`), reports to one (`save`, `preview`), does so
//! on a schedule (`report`, `status`), and makes the address at which a customer registers
//! (`register`). `usagectl --help` tells the rest.

mod api;
mod cli;
mod command;
mod duration;
mod failure;
mod help;
mod json_file;
mod log_thread;
mod outcome;
mod output;
mod prepare;
mod run;
mod runtime;
mod signals;
mod table;
mod text;
mod token;
mod transport;
mod wire;

use std::process::ExitCode;

fn main() -> ExitCode {
    run::run(std::env::args_os())
}
