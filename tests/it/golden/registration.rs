//! The URL for the customer's browser.

use serde::Deserialize;
use usage_proto::{Api, BaseUrl, BuildError, Registration};

use super::{Verdict, situation};

#[derive(Deserialize)]
pub(super) struct Case {
    pub(super) name: String,
    url: String,
    cluster_id: String,
    product: String,
    redirect_url: Redirect,
    go_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Redirect {
    Text(String),
    /// No UTF-8, and no URL either.
    Bytes {},
}

pub(super) fn judge(case: &Case) -> Result<Verdict, String> {
    let base = match (BaseUrl::new(&case.url), situation::base_url_fault(&case.url)) {
        (Ok(base), None) => base,
        (Err(_), Some(rule)) => return Ok(Verdict::rule(rule)),
        (outcome, fault) => return Err(format!("{outcome:?}, and the fault is {fault:?}")),
    };
    let redirect = match &case.redirect_url {
        Redirect::Text(text) => text,
        Redirect::Bytes {} => "a\u{fffd}b",
    };
    let mut registration = Registration::new(&case.cluster_id, &case.product);
    if !redirect.is_empty() {
        registration = registration.redirect_url(redirect);
    }
    match Api::new(base).registration_url(&registration) {
        Ok(url) => compare(case, url.as_str()),
        Err(BuildError::Blank { field, .. }) => {
            let text = if field == "product" { &case.product } else { &case.cluster_id };
            if text.trim().is_empty() { Ok(Verdict::rule(21)) } else { Err(format!("{field}?")) }
        }
        Err(BuildError::RedirectUrl { .. }) if !situation::is_web_url(redirect) => {
            Ok(Verdict::rule(22))
        }
        Err(error) => Err(error.to_string()),
    }
}

fn compare(case: &Case, ours: &str) -> Result<Verdict, String> {
    let go = case.go_url.as_deref().ok_or("the Go client failed, and we did not")?;
    let (origin, rest) = origin(go);
    // Letter case makes no difference to a host (RFC 3986, section 6.2.2.1).
    let go = format!("{}{rest}", origin.to_ascii_lowercase());
    if ours == go {
        return Ok(Verdict::SAME);
    }
    // W3: the path of the base URL is kept.
    let (_, base) = self::origin(&case.url);
    let promised = format!("{}{}{rest}", origin.to_ascii_lowercase(), base.trim_end_matches('/'));
    if ours == promised && !base.trim_end_matches('/').is_empty() {
        return Ok(Verdict::rule(3));
    }
    Err(format!("the URL is {ours}, Go's {go}"))
}

/// Scheme and authority, and what follows.
fn origin(url: &str) -> (&str, &str) {
    let start = url.find("://").map_or(0, |at| at + 3);
    url.split_at(url[start..].find('/').map_or(url.len(), |at| start + at))
}
