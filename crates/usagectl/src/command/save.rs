//! `save`: the request is sent, and the answer told.

use std::error::Error;
use std::io;

use usage_proto::{Api, Deadlines, Saved, Token};

use crate::carrier::Carrier;
use crate::cli::{DeadlineArgs, SaveArgs};
use crate::failure::Failure;
use crate::outcome_object::Outcome;
use crate::prepare::{self, Prepared};
use crate::{output, reach, terminal_text};

type BoxError = Box<dyn Error + Send + Sync>;

/// How much of an answer's body is shown.
const WIDTH: usize = 200;

/// `connect` makes the client.
pub(crate) fn run(
    args: &SaveArgs,
    connect: impl FnOnce(Api, Deadlines) -> Result<Carrier, BoxError>,
    json: bool,
) -> Result<(), Failure> {
    let Prepared { api, request } = prepare::prepare(&args.request)?;
    let DeadlineArgs { timeout, connect_timeout } = args.deadlines;
    let deadlines = Deadlines::new().total(timeout).connect(connect_timeout);
    let carrier = connect(api.clone(), deadlines).map_err(Failure::Client)?;
    let answer = carrier.execute(request).map_err(|error| {
        let proxied = reach::is_proxied(api.base_url());
        if proxied { Failure::ThroughProxy(error) } else { Failure::Transport(error) }
    })?;
    // Nobody has taken the report where a page answers, whatever its status is.
    let saved = api.parse_response(answer)?.refuse_page()?;
    let told = if json {
        output::json(&Outcome::saved(&saved, api.token()))
    } else {
        output::line(&success(&saved, api.token()))
    };
    told.inspect_err(|error| {
        if error.kind() != io::ErrorKind::BrokenPipe {
            output::note("usagectl: the report was saved; do not save it again");
        }
    })?;
    Ok(())
}

/// One line for people.
fn success(saved: &Saved, token: Option<&Token>) -> String {
    let body = terminal_text::redact(&String::from_utf8_lossy(saved.body()), token);
    let body = match terminal_text::excerpt(&body, WIDTH) {
        body if body.is_empty() || body == "{}" => String::new(),
        body => format!(": {body}"),
    };
    let broken = if saved.is_complete() { "" } else { " (the rest of the answer is missing)" };
    let whose = if token.is_some() { "" } else { ", for no organisation: there was no token" };
    format!("saved{whose}; the API answered {}{body}{broken}", saved.status())
}
