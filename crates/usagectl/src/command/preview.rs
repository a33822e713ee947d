//! `preview`: the request, and no socket.

use crate::cli::PreviewArgs;
use crate::failure::Failure;
use crate::output;
use crate::prepare::{self, Prepared};
use crate::request_text::RequestText;

pub(crate) fn run(args: &PreviewArgs, json: bool) -> Result<(), Failure> {
    let Prepared { request, .. } = prepare::prepare(&args.request)?;
    let text = RequestText::new(&request, args.show_token);
    if json {
        output::json(&text.to_object())?;
    } else {
        output::exactly(&text.to_bytes())?;
    }
    Ok(())
}
