//! Where a request comes from.

use std::net::IpAddr;

use axum::extract::Request;

use crate::peer_stream::Peer;
use crate::terms::Terms;

/// `None` over a socket in the file system, if nobody says it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) Option<IpAddr>);

impl ClientAddress {
    pub(crate) fn of(request: &Request, terms: &Terms) -> Self {
        let peer = request.extensions().get::<Peer>();
        Self(peer.and_then(|&peer| terms.proxies.client(peer, request.headers())))
    }
}
