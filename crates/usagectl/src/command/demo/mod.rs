//! `demo`: the API at work, from the registration of a customer to the rows in the database.

mod play;
mod rows;
mod show;

use std::ffi::OsString;
use std::io;

use crate::failure::Failure;

/// `program` is the name that this command was called by.
pub(crate) fn run(program: Option<&OsString>) -> Result<(), Failure> {
    let program = program.map_or("usagectl".into(), |program| program.to_string_lossy());
    let stdout = anstream::AutoStream::auto(io::stdout().lock());
    let mut show = show::Show::new(stdout, &program);
    play::play(|event| show.tell(event))
}
