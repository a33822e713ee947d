//! `forget`: what a state has reported is to be erased.

use std::time::SystemTime;

use usage_proto::{Server, Usage};
use usage_reporter::{ForgetMe, ForgetOutcome, StateFile};

use crate::carrier::Carrier;
use crate::cli::{DeadlineArgs, ForgetArgs};
use crate::failure::Failure;
use crate::outcome_object::Outcome;
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
    if !is_named && !state.is_some_and(|state| state.has_something_to_forget()) {
        return tell(&ForgetOutcome::NothingToForget, json);
    }
    let file = StateFile::open_accepting(&args.state, args.accept_file.iter().copied())?;
    let state = file.load()?;
    let forget_me = if args.retry {
        ForgetMe::again(api, &*args.product, state)
    } else {
        let named = |id: fn(&Server) -> &str| server.as_ref().map(id).filter(|id| !id.is_empty());
        let cluster_id = named(|server| &server.cluster_id).map(str::to_owned);
        let cluster_id = cluster_id.or_else(|| state.cluster_id().map(str::to_owned));
        let asked = ForgetMe::asked(api, &*args.product, state, cluster_id.as_deref());
        match named(|server| &server.server_id) {
            Some(server_id) => asked.and_server(cluster_id.unwrap_or_default(), server_id),
            None => asked,
        }
    };
    let outcome = file.forget(forget_me, SystemTime::now, |request| carrier.execute(request))?;
    tell(&outcome, json)
}

fn tell(outcome: &ForgetOutcome, json: bool) -> Result<(), Failure> {
    match outcome {
        ForgetOutcome::NothingToForget | ForgetOutcome::Forgotten { .. } => {}
        _ => return Err(Failure::NotForgotten(outcome.clone())),
    }
    if json {
        output::json(&Outcome::forgotten(outcome))?;
    } else {
        output::line(&terminal_text::escape(&outcome.to_string()))?;
    }
    Ok(())
}
