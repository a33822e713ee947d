//! Where a request comes from.

use std::net::IpAddr;

use axum::extract::Request;

use crate::peer_stream::Peer;

/// `None` over a socket in the file system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) Option<IpAddr>);

impl ClientAddress {
    pub(crate) fn of(request: &Request) -> Self {
        Self(request.extensions().get().and_then(|peer: &Peer| peer.ip()))
    }
}
