use ureq::{Proxy, ProxyProtocol};

/// The chosen proxy as ureq wants it.
#[expect(clippy::expect_used, reason = "a `Proxy` has a URI, and room in it for its credentials")]
pub(crate) fn to_ureq(proxy: &usage_proto::Proxy) -> Proxy {
    // In brackets if it is an IPv6 address.
    let host = proxy.uri().host().unwrap_or_default();
    let mut builder = Proxy::builder(ProxyProtocol::Http).host(host).port(proxy.port());
    if let Some(username) = proxy.username() {
        // Sent as none, if there is none.
        builder = builder.username(username).password(proxy.password().unwrap_or_default());
    }
    builder.build().expect("the address of a proxy")
}
