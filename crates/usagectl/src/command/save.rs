//! `save`: the request is sent, and the answer told.

use std::io;

use usage_proto::{Deadlines, Saved, Token};

use crate::cli::SaveArgs;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::prepare::{self, Prepared};
use crate::{api, output, text};

/// How much of an answer's body is shown.
const WIDTH: usize = 200;

pub(crate) fn run(args: &SaveArgs, json: bool) -> Result<(), Failure> {
    let Prepared { api, request } = prepare::prepare(&args.request)?;
    let deadlines = Deadlines::new().total(args.timeout).connect(args.connect_timeout);
    let client = args.request.api.transport.client(api.clone(), deadlines)?;
    let answer = client.execute(request).map_err(|error| {
        let proxied = api::is_proxied(api.base_url());
        if proxied { Failure::ThroughProxy(error) } else { Failure::Transport(error) }
    })?;
    let saved = api.parse_response(answer)?;
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
    let body = text::redact(&String::from_utf8_lossy(saved.body()), token);
    let body = match text::excerpt(&body, WIDTH) {
        body if body.is_empty() || body == "{}" => String::new(),
        body => format!(": {body}"),
    };
    let broken = if saved.is_complete() { "" } else { " (the rest of the answer is missing)" };
    let whose = if token.is_some() { "" } else { ", for no organisation: there was no token" };
    format!("saved{whose}; the API answered {}{body}{broken}", saved.status())
}
