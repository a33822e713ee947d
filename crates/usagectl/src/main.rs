//! The usagectl command.
fn main() {}
