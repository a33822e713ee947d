//! The line that says where a customer can register.

use usage_proto::{Api, Registration, Server};

/// The target of what this crate writes.
const TARGET: &str = "usage_client";

/// Says once, at the start, where to register. Nothing is said where there is a token.
pub(super) fn say(api: &Api, server: &Server) {
    if api.token().is_some() {
        return;
    }
    let registration = Registration::new(&*server.cluster_id, &*server.product);
    // What cannot be registered is told by `registration_url`.
    let Ok(url) = api.registration_url(&registration) else { return };
    let product = server.product.escape_debug();
    tracing::info!(
        target: TARGET,
        event = "unregistered",
        %product,
        %url,
        "what {product} reports belongs to no organisation; to register, open {url}",
    );
}
