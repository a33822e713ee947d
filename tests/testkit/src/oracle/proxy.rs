//! The choice of a proxy: an answer for any environment, and never a proxy for loopback.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::HeaderValue;
use usage_proto::{BaseUrl, InvalidProxy, Proxy, choose_proxy};

use usage_proto::oracles::{check_debug, check_error, is_clean, is_telling};

/// A base URL and an environment.
#[derive(Debug, Clone)]
pub struct Input {
    /// The base URL.
    pub base: String,
    /// The variables; the last of a name counts.
    pub variables: Vec<(String, String)>,
}

impl Input {
    /// Reads a base URL and one `NAME=value` a line.
    #[must_use]
    pub fn from_text(data: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(data).ok()?;
        let mut lines = text.split('\n');
        let base = lines.next()?.to_owned();
        let variables = lines
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Some(Self { base, variables })
    }

    /// The first of these variables that is set to something.
    fn first(&self, names: &[&'static str]) -> Option<(&'static str, &str)> {
        names.iter().find_map(|&name| {
            let value = self.variables.iter().rev().find(|(found, _)| found == name)?.1.trim();
            (!value.is_empty()).then_some((name, value))
        })
    }

    /// The variable that decides where no exception holds.
    fn deciding(&self, base: &BaseUrl) -> Option<(&'static str, &str)> {
        let own: &[_] = match base.is_https() {
            true => &["https_proxy", "HTTPS_PROXY"],
            false if self.first(&["REQUEST_METHOD"]).is_some() => &["http_proxy"],
            false => &["http_proxy", "HTTP_PROXY"],
        };
        self.first(own).or_else(|| self.first(&["all_proxy", "ALL_PROXY"]))
    }
}

/// Chooses and holds the choice against what the environment says.
///
/// # Panics
///
/// If there is no answer, or the wrong one.
pub fn check(input: &Input) {
    let Ok(base) = BaseUrl::new(&input.base) else { return };
    let look_up = |name: &str| {
        input
            .variables
            .iter()
            .rev()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.clone())
    };
    let choice = choose_proxy(&base, look_up);
    assert_eq!(choose_proxy(&base, look_up), choice, "the same environment, another choice");
    if base.is_loopback() {
        assert_eq!(choice, Ok(None), "a proxy for loopback");
        return;
    }
    let exceptions = input.first(&["no_proxy", "NO_PROXY"]).map(|(_, list)| list);
    if exceptions.is_some_and(|list| names_host(list, base.host())) {
        assert_eq!(choice, Ok(None), "NO_PROXY names {}", base.host());
        return;
    }
    match (choice, input.deciding(&base)) {
        (Ok(None), Some((name, value))) => {
            assert!(exceptions.is_some(), "{name}={value} was passed over");
        }
        (Ok(None), None) => {}
        (Ok(Some(proxy)), Some((name, value))) => check_chosen(name, value, &proxy),
        (Err(error), Some((name, value))) => check_invalid(name, value, &error),
        (choice, None) => panic!("no variable says so: {choice:?}"),
    }
}

/// Whether a list names a host in so many letters, or everything.
fn names_host(list: &str, host: &str) -> bool {
    let mut entries = list.split(|c: char| c == ',' || c.is_whitespace());
    let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    entries.any(|entry| entry == "*" || plain && !host.starts_with('.') && entry == host)
}

fn check_chosen(name: &str, value: &str, proxy: &Proxy) {
    if let Some((scheme, _)) = value.split_once("://") {
        assert!(scheme.eq_ignore_ascii_case("http"), "{name} has the scheme {scheme}");
    }
    let host = proxy.host();
    assert!(!host.is_empty() && !host.starts_with('['), "{name}: the host is {host:?}");
    let authority = proxy.authority();
    match host.parse::<Ipv6Addr>() {
        Ok(address) => {
            let (shown, port) = authority.split_once("]:").unwrap();
            assert_eq!(shown.strip_prefix('[').unwrap().parse(), Ok(address), "{name}");
            assert_eq!(port, proxy.port().to_string(), "{name}");
        }
        Err(_) => assert_eq!(authority, format!("{host}:{}", proxy.port()), "{name}"),
    }
    let plain = host.is_ascii() && !value.contains('%') && !host.contains(':');
    let said = value.to_ascii_lowercase().contains(&host) || host.parse::<Ipv4Addr>().is_ok();
    assert!(said || !plain || !value.is_ascii(), "{name}: {host} does not stand in the value");
    assert!(proxy.password().is_none() || proxy.username().is_some(), "{name}");
    assert_eq!(proxy.uri().authority().unwrap().as_str(), authority, "{name}");
    assert_eq!(proxy.authorization().is_some(), proxy.username().is_some(), "{name}");
    assert!(proxy.authorization().is_none_or(HeaderValue::is_sensitive), "{name}");
    for secret in [proxy.username(), proxy.password()].into_iter().flatten() {
        assert!(!secret.contains(char::is_control), "{name}: a credential would break a header");
        if is_telling(secret) && !proxy.authority().contains(secret) {
            check_debug(proxy, &[secret]);
        }
    }
}

/// What is wrong is told with the variable's name, and without its value.
fn check_invalid(name: &str, value: &str, error: &InvalidProxy) {
    assert_eq!(error.variable(), name, "another variable is blamed");
    assert!(is_clean(&error.to_string()), "more than one clean line: {error:?}");
    let words = value.split(['/', ':', '@']).filter(|word| is_telling(word));
    for word in words {
        check_error(error, &[word]);
    }
}

/// Environments for any base URL.
#[cfg(feature = "proptest")]
pub fn inputs() -> impl proptest::strategy::Strategy<Value = Input> {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::text::texts;

    let bases = prop_oneof![
        2 => "https?://[a-c]{1,2}\\.[a-c]{1,2}(:[0-9]{1,4})?",
        1 => "https?://10\\.[0-9]\\.0\\.[0-9]",
        1 => super::base_url::texts(),
    ];
    let names = prop::sample::select(vec![
        "no_proxy",
        "NO_PROXY",
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "REQUEST_METHOD",
    ])
    .prop_map(str::to_owned);
    let values = prop_oneof![
        4 => "(http://)?([a-z]{1,4}(:[a-z]{4}[0-9]{4,6})?@)?[a-z]{1,6}(\\.[a-z]{2})?(:[0-9]{1,5})?/?",
        1 => "(socks5|https|HTTP)://[a-z]{1,6}:[0-9]{2,4}",
        1 => "http://[a-z%0-9]{1,6}(:[a-z0-9%]{0,12})?@\\[::[0-9a-f]{0,4}\\](:[0-9]{2})?",
        2 => "[*.a-c0-9:/, ]{0,20}",
        1 => Just(String::new()),
        1 => super::base_url::texts(),
        1 => texts(),
    ];
    (bases, vec((names, values), 0..6)).prop_map(|(base, variables)| Input { base, variables })
}
