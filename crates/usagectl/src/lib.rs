//! The inside of the command `usagectl`: the Usage API from the command line.
//!
//! It shows the API at work (`demo`), is one (`serve`), reports to one (`save`, `preview`), does so
//! on a schedule (`report`, `status`), and makes the address at which a customer registers
//! (`register`). `usagectl --help` tells the rest.
//!
//! This is a library so that a test can do what the command does, over an HTTP library of its
//! choice: [`carry()`]. The command is what its users rely on; these functions may change with any
//! release.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod carrier;
mod carry;
mod cli;
mod command;
mod dispatch;
mod duration;
mod exit_status;
mod failure;
mod forget_words;
mod help;
mod help_database;
mod help_serve;
mod hidden_secrets;
mod json_file;
mod log_thread;
mod lossless;
mod moment;
mod outcome_object;
mod output;
mod plural;
mod prepare;
mod reach;
mod request_text;
mod runtime;
mod signals;
mod table;
mod terminal_text;
mod token_file;

pub use carrier::Carrier;
pub use carry::{Adapter, carry};
pub use dispatch::run;
