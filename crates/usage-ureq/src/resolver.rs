//! Look-ups that end with the deadline and never panic.

use std::net::IpAddr;
use std::sync::mpsc;
use std::thread;

use http::Uri;
use ureq::Error;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::error::Step;

/// ureq's resolver on a thread of its own, since a system's look-up cannot be given a deadline.
///
/// ureq does the same, but it panics where the system has no thread left, and it starts one for an
/// address too.
#[derive(Debug)]
pub(crate) struct Lookup;

impl Resolver for Lookup {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = if is_address(uri) {
            resolve(uri, config)
        } else {
            resolve_on_thread(uri, config, timeout)
        };
        found.map_err(|error| Step::name(error, Step::Connect))
    }
}

fn is_address(uri: &Uri) -> bool {
    uri.host().is_some_and(|host| {
        host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok()
    })
}

/// Blocks until the system has an answer.
fn resolve(uri: &Uri, config: &Config) -> Result<ResolvedSocketAddrs, Error> {
    // No timeout, no thread of ureq's.
    DefaultResolver::default().resolve(uri, config, NextTimeout::default())
}

fn resolve_on_thread(
    uri: &Uri,
    config: &Config,
    timeout: NextTimeout,
) -> Result<ResolvedSocketAddrs, Error> {
    let (answer, answered) = mpsc::sync_channel(1);
    let (uri, config) = (uri.clone(), config.clone());
    thread::Builder::new().name("usage-ureq-dns".into()).spawn(move || {
        // Nobody listens any more if the deadline has passed.
        let _ = answer.send(resolve(&uri, &config));
    })?;
    match answered.recv_timeout(*timeout.after) {
        Ok(found) => found,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(Error::Timeout(timeout.reason)),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(Error::HostNotFound),
    }
}
