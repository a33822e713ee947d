//! What the browser is shown that comes back: a few words, and nothing of its request.

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;

const STYLE: &str = include_str!("callback_page.css");

/// Nothing but that style, by its hash.
const POLICY: &str = "default-src 'none'; \
     style-src 'sha256-jW9cmyCALiucBD0mlL+WwZbG3JFWfQbfju3tua25YsM='; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) type Page = Response<Full<Bytes>>;

/// On to an address without the token in it.
pub(super) fn see_other(clean: &'static str) -> Page {
    let mut page = page(StatusCode::SEE_OTHER, "Registered", "The token has arrived.");
    page.headers_mut().insert(LOCATION, HeaderValue::from_static(clean));
    page
}

/// The last page.
pub(super) fn registered() -> Page {
    let words = "The token has arrived. You may close this page and go back to the terminal.";
    page(StatusCode::OK, "Registered", words)
}

/// The last page where there is no room for the token.
pub(super) fn not_kept() -> Page {
    let words = "The token has arrived, and could not be kept. The terminal says why.";
    page(StatusCode::INTERNAL_SERVER_ERROR, "Not registered yet", words)
}

pub(super) fn not_found() -> Page {
    page(StatusCode::NOT_FOUND, "Not found", "There is nothing here.")
}

pub(super) fn not_allowed() -> Page {
    let mut page = page(StatusCode::METHOD_NOT_ALLOWED, "Not allowed", "Only GET is taken here.");
    page.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
    page
}

fn page(status: StatusCode, title: &str, words: &str) -> Page {
    let text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1><p>{words}</p></main></body></html>\n"
    );
    let mut page = Response::new(Full::new(Bytes::from(text)));
    *page.status_mut() = status;
    let headers = page.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    page
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use sha2::{Digest, Sha256};

    use super::{POLICY, STYLE};

    #[test]
    fn the_policy_names_the_style() {
        let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
        assert!(POLICY.contains(&format!("style-src 'sha256-{hash}';")), "it is {hash}");
    }
}
