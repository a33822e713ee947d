//! The command as its users meet it: the real binary, real sockets, a real database.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic fails a test")]

mod demo;
mod files;
mod help;
mod no_answer;
mod outcomes;
mod pipes;
mod preview;
mod reach;
mod register;
mod save;
mod scripted;
mod secrets;
mod serve;
mod serving;
mod usagectl;
