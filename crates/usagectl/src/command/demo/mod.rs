//! `demo`: the API at work, from the registration of a customer to the rows in the database.

mod object;
mod play;
mod rows;
mod show;

use std::ffi::OsString;
use std::io::{self, Write as _};

use crate::cli::DemoArgs;
use crate::failure::Failure;
use crate::output;

/// `program` is the name that this command was called by.
pub(crate) fn run(args: &DemoArgs, json: bool, program: Option<&OsString>) -> Result<(), Failure> {
    let played = play::play(args.transport)?;
    if json {
        output::json(&object::Object::from(&played))?;
    } else {
        let program = program.map_or("usagectl".into(), |program| program.to_string_lossy());
        let mut text = Vec::new();
        show::show(&played, &program, &mut text)?;
        let mut stdout = anstream::AutoStream::auto(io::stdout().lock());
        stdout.write_all(&text)?;
        stdout.flush()?;
    }
    Ok(())
}
