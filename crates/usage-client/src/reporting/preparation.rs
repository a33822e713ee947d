//! The part of a start that waits for the disk.

use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use usage_proto::{Api, Server, Usage};
use usage_reporter::{Consent, Identity, Reporter, Seed};

use super::Reporting;
use super::collect::Collect;
use super::host::{Numbers, Product};
use super::start_error::StartError;
use super::surroundings;

/// All that a driver is started with.
pub(crate) struct Prepared<C, M> {
    pub(crate) reporter: Reporter,
    pub(crate) product: Product<C, M>,
    pub(crate) server: Server,
    pub(crate) numbers: Arc<Numbers<C, M>>,
    /// Whether usage is due at this start.
    pub(crate) is_due: bool,
}

/// Opens the state, mints what is missing and stores it, and registers the server.
pub(crate) fn prepare<C: Collect<M>, M: Send + Sync + 'static>(
    reporting: &Reporting,
    consent: Consent,
    api: Api,
    collect: C,
    now: Instant,
    wall_now: SystemTime,
) -> Result<Prepared<C, M>, StartError> {
    // A product that cannot stand in a path would collect for ever, and never report.
    api.build_request(&Usage::new(&*reporting.product))?;
    let path = reporting.state_file.as_deref().unwrap_or(Path::new(""));
    let file = reporting.open_to_report(path)?;
    let mut state = file.load()?;
    let identity = match &reporting.cluster_id {
        Some(id) => Identity::new(&mut state, id, random()?),
        None => Identity::single_node(&mut state, random()?),
    };
    if state.is_unsaved() {
        // Who could not keep a new identity would be another server at each start.
        file.store(&state)?;
    }
    let server = Server::new()
        .cluster_id(&identity.cluster_id)
        .server_id(&identity.server_id)
        .host(reporting.host_name.clone().unwrap_or_else(surroundings::host_name))
        .product(&reporting.product)
        .version(&reporting.version);
    let numbers = Arc::new(Numbers::new(reporting, identity, collect));
    let is_due = state.is_due(&reporting.config, wall_now);
    let seed = Seed::from_bytes(random()?);
    let mut reporter =
        Reporter::new(reporting.config.clone(), api.clone(), state, seed, now, wall_now)?;
    reporter.register(now, &server)?;
    let product = Product::new(consent, Arc::clone(&numbers), file, api);
    Ok(Prepared { reporter, product, server, numbers, is_due })
}

fn random<const N: usize>() -> Result<[u8; N], StartError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(StartError::Random)?;
    Ok(bytes)
}
