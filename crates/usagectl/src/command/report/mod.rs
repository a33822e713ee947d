//! `report`: usage on a schedule, collected by a program, until a signal comes.

mod collector;
mod host;
mod log;

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use tokio::sync::oneshot;
use usage_proto::{Deadlines, Server, Usage};
use usage_reporter::{
    Config, Consent, Identity, Phase, Reporter, RetryPolicy, State, StateFile, blocking,
};

use self::collector::Collector;
use self::host::CommandHost;
use crate::cli::{ConsentArgs, ReportArgs};
use crate::failure::{Failure, Totals};
use crate::outcome::Outcome;
use crate::signals::StopSignals;
use crate::{output, prepare};

pub(crate) fn run(args: &ReportArgs, json: bool) -> Result<(), Failure> {
    let consent = consent(&args.consent);
    if !consent.is_on() {
        return Ok(tell(json, &Outcome::Off { message: consent.to_string() }, || {
            format!("{consent}; nothing is done")
        })?);
    }
    // Whatever is wrong with the arguments is told now, not half a day later.
    let api = prepare::api(&args.api)?;
    api.request(&Usage::new(&*args.product))?;
    let server = args.server.as_deref().map(|path| prepare::server(path, Some(&args.product)));
    let server = server.transpose()?;
    let client = args.api.transport.client(api.clone(), Deadlines::new())?;

    let mut signals = StopSignals::listen().map_err(Failure::server)?;
    log::start(args.verbose);
    let file = StateFile::open(&args.state).map_err(|error| Failure::state(&error))?;
    let mut state = file.load().map_err(|error| Failure::state(&error))?;
    let identity = identity(&mut state, server.as_ref())?;

    let now = Instant::now();
    let mut reporter = Reporter::new(config(args), api, state, random()?, now, SystemTime::now())
        .map_err(Failure::server)?;
    if let Some(server) = server {
        reporter.register(now, &with_ids(server, &identity)).map_err(Failure::submit)?;
    }

    let collector = Collector::new(&args.command, args.command_timeout, &identity)?;
    let collector = Arc::new(collector);
    let (alive, ended) = oneshot::channel();
    let host = CommandHost::new(&args.product, consent, Arc::clone(&collector), file, alive);
    let handle = blocking::spawn(reporter, move |request| client.execute(request), host)
        .map_err(Failure::server)?;

    // The driver ends by itself when the API wants no more reports.
    let signalled = signals.wait_or(ended);
    if signalled {
        log::stopping(args.flush_timeout);
        signals.exit_on_the_next();
        collector.stop();
    }
    let status = handle.shutdown(args.flush_timeout);
    let totals = Totals {
        delivered: status.delivered,
        lost: status.lost,
        pending: if status.phase == Phase::Stopped { 0 } else { status.pending },
    };
    if !signalled {
        return Err(Failure::Gone(totals));
    }
    Ok(tell(json, &Outcome::stopped("signal", totals), || format!("stopped; {totals}"))?)
}

/// What decides for a product that has no settings of its own.
pub(crate) fn consent(args: &ConsentArgs) -> Consent {
    let look_up = |name: &str| Some(std::env::var_os(name)?.to_string_lossy().into_owned());
    Consent::resolve(None, &args.consent_variable, look_up)
}

/// A period of seconds is for trying things out: there an attempt is repeated in less than a period
/// as well.
fn config(args: &ReportArgs) -> Config {
    let usual = RetryPolicy::new();
    let retry = usual.base(usual.base.min(args.every / 4)).cap(usual.cap.min(args.every));
    Config::every(args.every).retry(retry)
}

/// The ids that the file of the server names, or else those that the state keeps.
fn identity(state: &mut State, server: Option<&Server>) -> Result<Identity, Failure> {
    match server.map(|server| &*server.cluster_id).filter(|id| !id.is_empty()) {
        Some(cluster_id) => Ok(Identity::new(state, cluster_id, random()?)),
        None => Ok(Identity::single_node(state, random()?)),
    }
}

fn with_ids(mut server: Server, identity: &Identity) -> Server {
    server.cluster_id.clone_from(&identity.cluster_id);
    if server.server_id.is_empty() {
        server.server_id.clone_from(&identity.server_id);
    }
    server
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
    output::note(&format!("usagectl: {}", text()));
    Ok(())
}
