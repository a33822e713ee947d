//! `forget`: what a state has reported is to be erased.

use std::time::SystemTime;

use bytes::Bytes;
use http::Request;
use serde::Serialize;
use usage_proto::{Api, Server, Usage};
use usage_reporter::{ForgetMe, ForgetOutcome, State, StateFile};

use crate::carrier::Carrier;
use crate::cli::{DeadlineArgs, ForgetArgs};
use crate::failure::Failure;
use crate::forget_words::forget_words;
use crate::outcome_object::Outcome;
use crate::request_text::{RequestObject, RequestText};
use crate::{output, prepare, terminal_text};

pub(crate) fn run(args: &ForgetArgs, json: bool) -> Result<(), Failure> {
    let api = prepare::api(&args.api)?;
    // A product that cannot stand in a path is told before anything is given up.
    api.build_request(&Usage::new(&*args.product))?;
    let server = args.server.as_deref().map(|path| prepare::server(path, Some(&args.product)));
    let server = server.transpose()?;
    let DeadlineArgs { timeout, connect_timeout } = args.deadlines;
    let deadlines = usage_proto::Deadlines::new().total(timeout).connect(connect_timeout);
    let carrier = Carrier::ureq(api.clone(), deadlines).map_err(Failure::Client)?;

    // Nothing is made where there is nothing to forget.
    let state = StateFile::peek(&args.state)?;
    let is_named = server.as_ref().is_some_and(|server| !server.server_id.is_empty());
    let is_there = state.as_ref().is_some_and(State::has_something_to_forget);
    if args.dry_run {
        let asked = asked(args, api, state.unwrap_or_default(), server.as_ref());
        return show(&asked.preview(SystemTime::now()), json);
    }
    // What a file names is asked for by a new wish only.
    let is_asked = is_named && !args.retry;
    if !is_asked && !is_there {
        return tell(&ForgetOutcome::NothingToForget, json);
    }
    let file = StateFile::open_accepting(&args.state, args.accept_file.iter().copied())?;
    let state = file.load()?;
    let forget_me = if args.retry {
        ForgetMe::again(api, &*args.product, state)
    } else {
        asked(args, api, state, server.as_ref())
    };
    let outcome = file.forget(forget_me, SystemTime::now, |request| carrier.execute(request))?;
    tell(&outcome, json)
}

/// The ids that a file names count before those in the state, as they do for `report`.
fn asked(args: &ForgetArgs, api: Api, state: State, server: Option<&Server>) -> ForgetMe {
    let named = |id: fn(&Server) -> &str| server.map(id).filter(|id| !id.is_empty());
    let cluster_id = named(|server| &server.cluster_id).map(str::to_owned);
    let cluster_id = cluster_id.or_else(|| state.cluster_id().map(str::to_owned));
    let asked = ForgetMe::asked(api, &*args.product, state, cluster_id.as_deref());
    match named(|server| &server.server_id) {
        Some(server_id) => asked.and_server(cluster_id.unwrap_or_default(), server_id),
        None => asked,
    }
}

/// What would leave, as `preview` shows it.
fn show(requests: &[Request<Bytes>], json: bool) -> Result<(), Failure> {
    let texts: Vec<_> = requests.iter().map(|request| RequestText::new(request, false)).collect();
    if json {
        let objects: Vec<_> = texts.iter().map(RequestText::to_object).collect();
        return Ok(output::json(&Requests { requests: objects })?);
    }
    if texts.is_empty() {
        output::line("nothing would be sent: there is nothing to forget")?;
    }
    for text in texts {
        output::exactly(&text.to_bytes())?;
        output::line("")?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Requests {
    requests: Vec<RequestObject>,
}

fn tell(outcome: &ForgetOutcome, json: bool) -> Result<(), Failure> {
    match outcome {
        ForgetOutcome::NothingToForget | ForgetOutcome::Forgotten { .. } => {}
        _ => return Err(Failure::NotForgotten(outcome.clone())),
    }
    if json {
        output::json(&Outcome::forgotten(outcome))?;
    } else {
        output::line(&terminal_text::escape(&forget_words(outcome)))?;
    }
    Ok(())
}
