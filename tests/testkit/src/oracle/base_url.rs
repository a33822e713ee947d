//! Base URLs: a text is refused, or kept so that reading and writing it are inverse.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::Url;
use usage_proto::{Api, BaseUrl, BuildError, InvalidBaseUrl, Registration, Server, Token};

use usage_proto::oracles::{check_debug, check_error, is_clean, is_telling};

/// The longest URI that `http` can hold.
const LONGEST_URI: usize = 65_534;

/// Holds what becomes of the text against the rules W2, W3, W4, W5 and W7.
///
/// # Panics
///
/// If one of them is broken.
pub fn check(text: &str) {
    match BaseUrl::new(text) {
        Ok(base) => {
            check_parts(text, &base);
            check_inverse(&base);
            check_use(&base);
        }
        Err(error) => {
            assert!(!is_plain(text), "W4: refused, though nothing is wrong with it: {error}");
            check_refusal(text, &error);
        }
    }
}

/// The text that is kept is the one that came, but for letter case, a default port and slashes at
/// its end.
fn check_parts(text: &str, base: &BaseUrl) {
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "W4: {text:?} was accepted");
    assert!(!text.contains(['?', '#']), "W4: a query or fragment in {text:?} was accepted");
    let Some((scheme, rest)) = text.split_once("://") else {
        panic!("W4: {text:?} has no scheme, and was accepted");
    };
    let scheme = scheme.to_ascii_lowercase();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    assert!(!authority.contains('@'), "W5: user information in {text:?} was accepted");
    let digits = authority.rsplit(':').next().filter(|port| !port.contains(']'));
    let port =
        digits.filter(|port| port.len() < authority.len()).and_then(|port| port.parse().ok());
    let default = match scheme.as_str() {
        "https" => 443,
        "http" => 80,
        other => panic!("W4: the scheme {other} was accepted"),
    };
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => {
            let address: Ipv6Addr = address.parse().unwrap();
            assert_eq!(base.host().parse(), Ok(address), "the host of {text}");
            format!("[{}]", base.host())
        }
        None => authority.split(':').next().unwrap_or_default().to_ascii_lowercase(),
    };
    let shown_port = match port {
        Some(port) if port != default => format!(":{port}"),
        _ => String::new(),
    };
    let path = path.trim_end_matches('/');
    assert_eq!(base.as_str(), format!("{scheme}://{host}{shown_port}{path}"), "W2, W3: {text}");
    assert_eq!(base.host(), host.trim_matches(['[', ']']), "the host of {text}");
    assert_eq!(base.port(), port.unwrap_or(default), "the port of {text}");
    assert_eq!(base.is_https(), scheme == "https", "{text}");
    assert_eq!(base.is_loopback(), is_loopback(base.host()), "whether {text} is loopback");
}

fn check_inverse(base: &BaseUrl) {
    assert_eq!(base.to_string(), base.as_str());
    assert_eq!(BaseUrl::new(base.as_str()).as_ref(), Ok(base), "writing and reading are inverse");
    assert_eq!(base.as_str().parse().as_ref(), Ok(base));
}

/// W2, W3, W7: paths are appended to the text, and the token goes where it may.
fn check_use(base: &BaseUrl) {
    let api = Api::new(base.clone());
    let uri = format!("{base}/api/v1/servers");
    match api.build_request(&Server::new()) {
        Ok(request) => assert_eq!(request.uri().to_string(), uri, "W2, W3"),
        Err(error) => {
            let long = uri.len() > LONGEST_URI && matches!(error, BuildError::UriTooLong { .. });
            assert!(long, "W1: {} bytes: {error:?}", uri.len());
        }
    }
    let url = api.registration_url(&Registration::new("c", "p")).unwrap();
    assert_eq!(url.as_str(), format!("{base}/start?cluster_id=c&product=p"), "W3, W20");

    let token = Token::new("token-goes-here").unwrap();
    let safe = base.is_https() || base.is_loopback();
    assert_eq!(api.with_token(token.clone()).is_ok(), safe, "W7: a token for {base}");
    let opted_in = Api::new(base.clone().allow_plaintext_token()).with_token(token);
    assert!(opted_in.is_ok(), "W7: opted in for {base}");
}

/// A refusal is one clean line, and does not repeat a password.
fn check_refusal(text: &str, error: &InvalidBaseUrl) {
    assert!(is_clean(&error.to_string()), "more than one clean line: {error:?}");
    let Ok(url) = Url::parse(text) else { return };
    // The parser drops these wherever they are.
    let parsed = text.replace(['\t', '\r', '\n'], "");
    let told_once = |secret: &&str| is_telling(secret) && parsed.matches(*secret).count() == 1;
    if let Some(password) = url.password().filter(told_once) {
        check_error(error, &[password]);
        check_debug(&BuildError::from(error.clone()), &[password]);
    }
}

/// A text that is a base URL to everyone: names of letters and digits, a port, and a plain path.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or(text.strip_prefix("http://")) else {
        return false;
    };
    let mut parts = rest.split('/');
    let authority = parts.next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
    let label = |label: &str| {
        label.starts_with(|c: char| c.is_ascii_lowercase())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let port = (1..=4).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    let segment = |segment: &str| segment.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() < 1000 && port && host.split('.').all(label) && parts.all(segment)
}

fn is_loopback(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    name == "localhost"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|address| {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
        })
}

/// Texts that are, or nearly are, base URLs.
#[cfg(feature = "proptest")]
pub fn texts() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;

    let plain = "https?://[a-z][a-z0-9]{0,5}(\\.[a-z][a-z0-9]{0,5}){0,2}(:[0-9]{1,4})?(/[a-zA-Z0-9]{0,4}){0,3}";
    let scheme = prop_oneof![
        8 => "https?://",
        1 => "HTTPS?://",
        1 => prop::sample::select(vec!["", "http:", "http:/", "http:///", "ftp://", "://", "https:\\\\"])
            .prop_map(str::to_owned),
    ];
    let user = prop_oneof![6 => Just(String::new()), 1 => "[a-z]{0,3}(:[a-z0-9@]{0,8})?@"];
    let host = prop_oneof![
        4 => "[a-zA-Z0-9._-]{0,12}",
        1 => any::<Ipv4Addr>().prop_map(|address| address.to_string()),
        1 => any::<Ipv6Addr>().prop_map(|address| format!("[{address}]")),
        2 => prop::sample::select(vec![
            "localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.1", "[::1]", "0x7f.1", "1",
            "[::ffff:127.0.0.1]", "[::FFFF:127.0.0.2]", "[fe80::1%25eth0]", "%31.2.3.4", "[::1",
            "xn--a", "\u{e9}.com", "a_b", "-",
        ])
        .prop_map(str::to_owned),
    ];
    let port = prop_oneof![
        3 => Just(String::new()),
        2 => any::<u16>().prop_map(|port| format!(":{port}")),
        1 => prop::sample::select(vec![":", ":80", ":443", ":0080", ":65536", ":x", ":-1", ":+80"])
            .prop_map(str::to_owned),
    ];
    let segment = prop_oneof![
        5 => "[a-zA-Z0-9._~!$&'()*+,;=:@-]{0,5}",
        1 => "%[0-9a-fA-F]{2}",
        1 => prop::sample::select(vec![".", "..", "%2e", ".%2E", "%", "%z", "[x]", "\\", " ", "\u{e9}"])
            .prop_map(str::to_owned),
    ];
    let path = proptest::collection::vec(segment.prop_map(|segment| format!("/{segment}")), 0..4);
    let end = prop_oneof![6 => Just(String::new()), 1 => "/{1,3}", 1 => "[?#][a-z=]{0,3}", 1 => "[\\n\\t\\r ]"];
    let made =
        (scheme, user, host, port, path, end).prop_map(|(scheme, user, host, port, path, end)| {
            format!("{scheme}{user}{host}{port}{}{end}", path.concat())
        });
    prop_oneof![4 => plain, 12 => made, 1 => super::text::texts()]
}
