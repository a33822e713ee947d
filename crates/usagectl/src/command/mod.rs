//! One file for each command.

pub(crate) mod database;
pub(crate) mod demo;
pub(crate) mod erase;
pub(crate) mod export;
pub(crate) mod forget;
pub(crate) mod preview;
pub(crate) mod register;
pub(crate) mod report;
pub(crate) mod report_status;
pub(crate) mod save;
pub(crate) mod serve;
pub(crate) mod summary;
pub(crate) mod tokens;
