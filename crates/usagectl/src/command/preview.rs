//! `preview`: the request, and no socket.

use crate::cli::PreviewArgs;
use crate::failure::Failure;
use crate::output;
use crate::prepare::{self, Prepared};
use crate::wire::Wire;

pub(crate) fn run(args: &PreviewArgs, json: bool) -> Result<(), Failure> {
    let Prepared { request, .. } = prepare::prepare(&args.request)?;
    let wire = Wire::new(&request, args.request.api.transport, args.show_token);
    if json {
        output::json(&wire.to_object())?;
    } else {
        output::exactly(&wire.to_bytes())?;
    }
    Ok(())
}
