//! The command as its users meet it: the real binary, real sockets, a real database.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic fails a test")]

mod database;
mod demo;
mod erase;
mod export;
mod files;
mod forget;
mod help;
mod kill;
mod no_answer;
mod operating;
mod outcomes;
mod pipes;
mod postgres;
mod preview;
mod reach;
mod register;
mod registering;
mod report;
mod report_command;
mod report_signals;
mod report_token;
mod reporting;
mod save;
mod secrets;
mod serve;
mod serve_config;
mod serve_log;
mod serve_metrics;
mod serve_sockets;
mod serving;
mod soak;
mod status;
mod summary;
mod terminal;
mod tokens;
mod unread_log;
mod usagectl;
