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

#[cfg(test)]
mod tests {
    use usage_proto::{BaseUrl, choose_proxy};

    use super::to_ureq;

    #[test]
    fn any_proxy_is_one_for_ureq() {
        let longest = format!("u:{}@h.test", "%25".repeat(2_700));
        for (written, host, port, username, password) in [
            ("h.test", "h.test", 80, None, None),
            ("http://[2001:DB8::1]:3128", "[2001:db8::1]", 3128, None, None),
            ("u@h.test:1", "h.test", 1, Some("u"), Some("")),
            (":p@h.test:1", "h.test", 1, Some(""), Some("p")),
            ("us%20er:p%40ss%2541:/@h.test:1", "", 0, None, None),
            (
                "us%20er:p%40s%3as%2541%C3%BC@h.test",
                "h.test",
                80,
                Some("us er"),
                Some("p@s:s%41\u{fc}"),
            ),
            ("http://b\u{fc}cher.test:8080", "xn--bcher-kva.test", 8080, None, None),
            ("a_b-c.test", "a_b-c.test", 80, None, None),
            (&longest, "h.test", 80, Some("u"), Some(&"%".repeat(2_700))),
        ] {
            let variable = |name: &str| (name == "all_proxy").then_some(written);
            let chosen = choose_proxy(&BaseUrl::PRODUCTION, variable);
            let Ok(Some(chosen)) = chosen else {
                assert!(host.is_empty(), "{written}: {chosen:?}");
                continue;
            };
            let proxy = to_ureq(&chosen);
            assert_eq!((proxy.host(), proxy.port()), (host, port), "{written}");
            assert_eq!((proxy.username(), proxy.password()), (username, password), "{written}");
        }
    }
}
