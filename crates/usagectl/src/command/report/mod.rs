//! `report`: usage on a schedule, collected by a program, until a signal comes.

mod command_host;
mod find_command;
mod ids;
mod orphans;
pub(crate) mod process_group;
mod report_log;
mod token_watch;
mod usage_program;

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use http::{Request, StatusCode};
use tokio::sync::oneshot;
use usage_proto::{Deadlines, Error, Usage};
use usage_reporter::{Config, Consent, Phase, Reporter, RetryPolicy, Seed, StateFile, blocking};

use self::command_host::CommandHost;
use self::find_command::find_command;
use self::ids::Ids;
use self::token_watch::{Refused, TokenWatch, is_usage};
use self::usage_program::UsageProgram;
use crate::carrier::Carrier;
use crate::cli::{ConsentArgs, ReportArgs};
use crate::failure::{Failure, Totals};
use crate::outcome_object::Outcome;
use crate::signals::{Hangup, StopSignals, Waited};
use crate::{output, prepare, terminal_text};

pub(crate) fn run(args: &ReportArgs, json: bool) -> Result<(), Failure> {
    let consent = consent(&args.consent);
    if !consent.is_on() {
        return Ok(tell(json, &Outcome::Off { message: consent.to_string() }, || {
            format!("{consent}; nothing is done")
        })?);
    }
    // Whatever is wrong with the arguments is told now, not half a day later.
    find_command(&args.command)?;
    let api = prepare::api(&args.api)?;
    api.build_request(&Usage::new(&*args.product))?;
    let server = args.server.as_deref().map(|path| prepare::server(path, Some(&args.product)));
    let server = server.transpose()?;
    let carrier = Carrier::ureq(api.clone(), Deadlines::new()).map_err(Failure::Client)?;

    let refused = Refused::default();
    let token_file = args.api.token_file.as_ref();
    let token_watch = TokenWatch::new(token_file, api.token(), args.every, &refused);

    let file = StateFile::open_accepting(&args.state, args.accept_file.iter().copied())?;
    let mut state = file.load()?;
    if args.new_identity {
        state.new_identity();
    }
    let ids = Ids::new(&mut state, server.as_ref())?;
    if state.is_unsaved() {
        // Who could not keep new ids would be another server at each start.
        file.store(&state)?;
    }

    let now = Instant::now();
    let seed = Seed::from_bytes(random()?);
    let mut reporter = Reporter::new(config(args), api, state, seed, now, SystemTime::now())
        .map_err(Failure::server)?;
    if let Some(server) = server {
        reporter.register(now, &ids.clone().of(server)).map_err(Failure::submit)?;
    }

    let program = Arc::new(UsageProgram::new(args, ids)?);
    let (alive, ended) = oneshot::channel();
    let host = CommandHost::new(consent, Arc::clone(&program), file, alive);
    let mut signals = StopSignals::listen(Hangup::Stops).map_err(Failure::server)?;
    report_log::start(args.verbose).map_err(Failure::server)?;
    let transport = move |request: Request<Bytes>| {
        let is_usage = is_usage(&request);
        let outcome = carrier.execute(request);
        refused.note(is_usage, &outcome);
        outcome
    };
    let handle = blocking::spawn(reporter, transport, host).map_err(Failure::server)?;
    let watching = token_watch.map(|watch| watch.start(handle.clone()));
    let _watching = watching.transpose().map_err(Failure::server)?;

    let signalled = matches!(signals.wait_or(ended), Waited::Signal);
    if signalled {
        report_log::stopping(args.flush_timeout);
    }
    // What is due is collected and sent: whoever is stopped each time before that would never report.
    let status = handle.shutdown(args.flush_timeout);
    program.stop();
    let totals = Totals {
        delivered: status.delivered,
        lost: status.lost,
        pending: if status.phase == Phase::Stopped { 0 } else { status.pending },
    };
    match status.last_error.as_deref() {
        _ if signalled => {}
        Some(Error::Response(answer)) if answer.status == StatusCode::GONE => {
            return Err(Failure::Gone(totals));
        }
        _ => return Err(Failure::server(Died)),
    }
    Ok(tell(json, &Outcome::stopped("signal", totals), || format!("stopped; {totals}"))?)
}

/// The panic has been told already.
#[derive(Debug, thiserror::Error)]
#[error("the reporting has ended by itself, which is a mistake in this program")]
struct Died;

/// What decides for a product that has no settings of its own.
pub(crate) fn consent(args: &ConsentArgs) -> Consent {
    let look_up = |name: &str| Some(std::env::var_os(name)?.to_string_lossy().into_owned());
    Consent::resolve(None, &args.consent_variable, look_up)
}

/// A period of seconds is for trying things out: there all the other times are shorter as well.
fn config(args: &ReportArgs) -> Config {
    let usual = RetryPolicy::new();
    let retry = usual.base(usual.base.min(args.every / 4)).cap(usual.cap.min(args.every));
    let config = Config::every(args.every).retry(retry);
    let spread = config.start_spread.min(args.every / 12);
    config.start_spread(spread)
}

fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Failure::server(std::io::Error::from(error)))?;
    Ok(bytes)
}

fn tell(json: bool, outcome: &Outcome, text: impl FnOnce() -> String) -> std::io::Result<()> {
    if json {
        return output::json(outcome);
    }
    output::note(&format!("usagectl: {}", terminal_text::escape(&text())));
    Ok(())
}
