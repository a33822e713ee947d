//! What a request has to look like before it is looked at (rules W50 to W54).

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderValue, Request, Uri, Version};

use crate::refusal::Refusal;

/// What browsers tell of who has made a request. Nothing else sends it.
const BROWSERS: [&str; 2] = ["Origin", "Sec-Fetch-Site"];

/// How much of a header's value is repeated to who has sent it.
const SHOWN: usize = 64;

/// RFC 9112, section 3.2: what names two hosts, or none, means something else to every server on its
/// way. Which host it is makes no difference: proxies pass on their own.
pub(crate) fn host(headers: &HeaderMap, version: Version) -> Result<(), Refusal> {
    let mut hosts = headers.get_all(HOST).iter();
    let is_right = match (hosts.next(), hosts.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(host), None) => is_host(host.as_bytes()),
        (Some(_), Some(_)) => false,
    };
    if is_right { Ok(()) } else { Err(Refusal::Host) }
}

fn is_host(host: &[u8]) -> bool {
    // An authority has user information, too, and a host has none. An empty one is allowed.
    host.is_empty() || (!host.contains(&b'@') && Authority::try_from(host).is_ok())
}

/// A report comes from a product: no web page may make one in the name of who looks at it, and its
/// body is JSON, as it stands.
pub(crate) fn report(request: &Request<Bytes>) -> Result<(), Refusal> {
    let headers = request.headers();
    // A page that is not from here needs the browser's leave for JSON. But a page whose name leads
    // here by now is from here to the browser. They send `Origin` with every post all the same.
    if let Some(header) = BROWSERS.into_iter().find(|&header| headers.contains_key(header)) {
        return Err(Refusal::Browser { header });
    }
    if let Some(coding) = headers.get_all(CONTENT_ENCODING).iter().find(|&coding| is_coded(coding))
    {
        return Err(Refusal::Encoded { coding: shown(coding) });
    }
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    match (types.next(), types.next()) {
        (Some(only), None) if is_json(only) => Ok(()),
        (None, _) => Err(Refusal::NotJson { content_type: None }),
        (Some(first), second) => {
            let wrong = second.filter(|_| is_json(first)).unwrap_or(first);
            Err(Refusal::NotJson { content_type: Some(shown(wrong)) })
        }
    }
}

fn is_coded(coding: &HeaderValue) -> bool {
    let coding = coding.as_bytes().trim_ascii();
    !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity")
}

fn is_json(content_type: &HeaderValue) -> bool {
    let essence = content_type.as_bytes().split(|&byte| byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

fn shown(value: &HeaderValue) -> String {
    let bytes = value.as_bytes().iter().take(SHOWN);
    bytes.map(|&byte| if (b' '..=b'~').contains(&byte) { char::from(byte) } else { '?' }).collect()
}

/// The address without the empty segments that a base URL with a slash at its end brings about, as in
/// `//api/v1/servers`; `None` if there are none. Behind the name of a call a segment is a product, and
/// an empty one is wrong.
pub(crate) fn without_empty_segments(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    for _ in ["api", "v1", "the name of the call"] {
        let slashes = rest.len() - rest.trim_start_matches('/').len();
        if slashes == 0 {
            break;
        }
        rest = &rest[slashes..];
        let (segment, behind) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        plain.push('/');
        plain.push_str(segment);
        rest = behind;
    }
    plain.push_str(rest);
    if plain == path {
        return None;
    }
    if let Some(query) = uri.query() {
        plain.push('?');
        plain.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(plain).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use http::Uri;

    use super::{is_host, without_empty_segments};

    #[test]
    fn empty_segments_are_left_out_up_to_the_call() {
        for (sent, plain) in [
            ("//api/v1/servers", Some("/api/v1/servers")),
            ("///api//v1////usage/a%2Fb?token=x//y", Some("/api/v1/usage/a%2Fb?token=x//y")),
            ("//healthz", Some("/healthz")),
            ("//start?product=p", Some("/start?product=p")),
            ("//", Some("/")),
            // A product that is empty, and one that is not at its place.
            ("//api/v1/usage/", Some("/api/v1/usage/")),
            ("//api/v1/usage//a//b", Some("/api/v1/usage//a//b")),
            ("/api/v1/usage//a", None),
            ("/api/v1/servers/", None),
            ("/api/v1/usage/a", None),
            ("/", None),
            ("*", None),
        ] {
            let uri: Uri = sent.parse().unwrap();
            let made = without_empty_segments(&uri).map(|uri| uri.to_string());
            assert_eq!(made.as_deref(), plain, "{sent}");
        }
    }

    #[test]
    fn a_host_has_a_name_and_perhaps_a_port() {
        for host in ["h", "h:80", "a_b.example", "127.0.0.1:1", "[::1]", "[::1]:80", "xn--a", ""] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in ["u@h", "a b", "h/x", "h?x", "h#x", "h, g", "http://h", "[::1", "h:80:80", "é"]
        {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }
}
