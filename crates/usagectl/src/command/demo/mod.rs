//! `demo`: the API at work, from the registration of a customer to the rows in the database.

mod object;
mod play;
mod rows;
mod show;

use std::ffi::OsString;
use std::io;

use crate::cli::DemoArgs;
use crate::failure::Failure;
use crate::output;

/// `program` is the name that this command was called by.
pub(crate) fn run(args: &DemoArgs, json: bool, program: Option<&OsString>) -> Result<(), Failure> {
    if json {
        let played = play::play(args.transport, |_| Ok(()))?;
        output::json(&object::Object::from(&played))?;
    } else {
        let program = program.map_or("usagectl".into(), |program| program.to_string_lossy());
        let stdout = anstream::AutoStream::auto(io::stdout().lock());
        let mut show = show::Show::new(stdout, args.transport, &program);
        play::play(args.transport, |event| show.tell(event))?;
    }
    Ok(())
}
