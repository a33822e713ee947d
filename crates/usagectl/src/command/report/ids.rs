//! Who reports.

use usage_proto::Server;
use usage_reporter::{Identity, State};

use super::random;
use crate::failure::Failure;

/// The ids of this server: those that its file names, and the ones that the state keeps for what it
/// leaves out. They are the same for the registration and for the program that prints the usage.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    pub(super) cluster_id: String,
    pub(super) server_id: String,
}

impl Ids {
    /// Mints what neither has.
    pub(super) fn new(state: &mut State, server: Option<&Server>) -> Result<Self, Failure> {
        let named = |id: fn(&Server) -> &str| server.map(id).filter(|id| !id.is_empty());
        let cluster_id = named(|server| &server.cluster_id);
        let server_id = named(|server| &server.server_id);
        let minted = match (cluster_id, server_id) {
            (Some(cluster_id), Some(server_id)) => {
                return Ok(Self { cluster_id: cluster_id.into(), server_id: server_id.into() });
            }
            (Some(cluster_id), None) => Identity::new(state, cluster_id, random()?),
            (None, _) => Identity::single_node(state, random()?),
        };
        let server_id = server_id.map_or(minted.server_id, Into::into);
        Ok(Self { cluster_id: minted.cluster_id, server_id })
    }

    /// The server with these ids.
    pub(super) fn of(self, mut server: Server) -> Server {
        server.cluster_id = self.cluster_id;
        server.server_id = self.server_id;
        server
    }
}
