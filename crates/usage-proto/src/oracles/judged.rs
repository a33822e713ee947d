//! What comes of an answer.

use http::header::{CONTENT_TYPE, LOCATION};
use url::Url;

use super::arrived::Answer;
use super::shown::{check_debug, check_error, check_excerpt, is_clean, is_telling};
use crate::api::Api;
use crate::base_url::BaseUrl;
use crate::error::{Error, ResponseError, ResponseErrorKind};
use crate::saved::Saved;

/// W44: outside the class 5xx.
const RETRYABLE: [u16; 3] = [408, 425, 429];

/// W44: the ones of the class 5xx that say the same another time.
const FINAL: [u16; 5] = [501, 505, 506, 510, 511];

/// W37.
const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

/// Judges an answer, and hands over what came of it: never a panic, always the status, what was kept
/// within the limit, texts that are one clean line, and the token in none of them.
///
/// # Panics
///
/// If one of that is broken.
#[expect(clippy::missing_errors_doc, reason = "what is judged is no error of this function")]
pub fn check_answer(input: &Answer) -> Result<Saved, ResponseError> {
    let api = Api::new(BaseUrl::STAGING).with_response_limit(input.limit);
    let api = match &input.token {
        Some(token) => api.with_token(token.clone()).unwrap(),
        None => api,
    };
    let outcome = api.parse_response(input.response());
    match (input.status.is_success(), &outcome) {
        (true, Ok(saved)) => check_saved(input, saved),
        (false, Err(error)) => check_refused(input, error),
        (_, outcome) => panic!("the status is {}, but: {outcome:?}", input.status),
    }
    check_forgotten(&api, input, &outcome);
    outcome
}

/// W47: as the answer to a request to be forgotten it is a success where it is one and no page, and an
/// API that does not know the call is told from one that refuses.
fn check_forgotten(api: &Api, input: &Answer, outcome: &Result<Saved, ResponseError>) {
    match (outcome, api.parse_forgotten(input.response())) {
        (Ok(saved), forgotten) => assert_eq!(forgotten.is_ok(), !saved.is_page(), "W47"),
        (Err(error), Err(again)) => {
            assert_eq!(*error, again, "W47");
            let unknown = [404, 405, 501].contains(&input.status.as_u16());
            assert_eq!(again.is_unknown_call(), unknown, "W47: {again}");
        }
        (Err(error), Ok(forgotten)) => panic!("W47: {error}, but: {forgotten:?}"),
    }
}

/// W30, W38, W46: the answer is handed over as it came, and says whether it is whole.
fn check_saved(input: &Answer, saved: &Saved) {
    let kept = input.body.len().min(input.limit);
    let whole = input.body.len() <= input.limit && !input.broke_off;
    assert_eq!(saved.status(), input.status, "W30");
    assert_eq!(saved.headers(), &input.headers, "W30");
    assert_eq!(saved.body(), &input.body[..kept], "W38");
    let copied = kept > 0 && saved.body().as_ptr() != input.body.as_ptr();
    assert!(!copied, "the body was copied");
    assert_eq!(saved.is_complete(), whole, "whether the body is complete");
    if let Some(token) = input.token.as_ref().filter(|token| is_telling(token.expose())) {
        check_debug(saved, &[token.expose()]);
    }
    check_page(input, saved);
}

/// W30: what begins like a page and says that it is HTML is one, and nothing else is.
fn check_page(input: &Answer, saved: &Saved) {
    let body = String::from_utf8_lossy(saved.body());
    let body = body.strip_prefix('\u{feff}').unwrap_or(&body);
    let begins = body.trim_start_matches([' ', '\t', '\n', '\x0c', '\r']).starts_with('<');
    let is_html = input.headers.get_all(CONTENT_TYPE).iter().any(|media| {
        let media = String::from_utf8_lossy(media.as_bytes()).to_ascii_lowercase();
        media.split(';').next().is_some_and(|media| media.trim_matches([' ', '\t']) == "text/html")
    });
    assert_eq!(saved.is_page(), begins && is_html, "whether it is a page");
    let refused = saved.clone().refuse_page();
    assert_eq!(refused.is_err(), saved.is_page(), "whether it is refused");
    if let Err(error) = refused {
        assert!(error.is_retryable() && error.status == input.status, "a page: {error}");
        assert!(is_clean(&error.to_string()), "more than one clean line: {error}");
    }
}

fn check_refused(input: &Answer, error: &ResponseError) {
    assert_eq!(error.status, input.status, "the status is lost");
    let status = input.status.as_u16();
    let again = RETRYABLE.contains(&status) || status / 100 == 5 && !FINAL.contains(&status);
    assert_eq!(error.is_retryable(), again, "whether to retry {}", input.status);
    let wait = crate::retry_after::retry_after(&input.headers);
    assert_eq!(error.retry_after, wait, "the wait");

    check_kind(input, &error.kind);
    let shown = error.to_string();
    assert!(is_clean(&shown), "more than one clean line: {shown:?}");
    check_secrets(input, error);
}

fn check_kind(input: &Answer, kind: &ResponseErrorKind) {
    if REDIRECTS.contains(&input.status.as_u16()) {
        match kind {
            ResponseErrorKind::Redirect { location, .. } => {
                check_location(input, location.as_deref());
            }
            other => panic!("{} is a redirect, but: {other:?}", input.status),
        }
        return;
    }
    if input.body.len() > input.limit {
        let named =
            matches!(kind, ResponseErrorKind::TooLarge { limit, .. } if *limit == input.limit);
        assert!(named, "the body is above the limit of {}, but: {kind:?}", input.limit);
        return;
    }
    if let ResponseErrorKind::Unexpected { excerpt, .. } = kind {
        check_excerpt(excerpt);
    }
    if input.status.is_redirection() {
        let unexpected = matches!(kind, ResponseErrorKind::Unexpected { .. });
        assert!(unexpected, "{} is unexpected, but: {kind:?}", input.status);
    }
}

/// W37: the location is there if the header said something, and holds no user information, query
/// or fragment, however a browser would read it.
fn check_location(input: &Answer, location: Option<&str>) {
    let Some(location) = location else {
        let told =
            input.headers.get(LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let told = told.unwrap_or_default();
        let path = told.split(['?', '#']).next().unwrap_or_default();
        let empty = !path.contains(|c: char| c.is_ascii_alphanumeric()) || path.contains('@');
        assert!(empty, "the location is lost: {told:?}");
        return;
    };
    check_excerpt(location);
    assert!(!location.contains(['?', '#']), "the query shows: {location}");
    let page = Url::parse("http://page.invalid/").unwrap();
    if let Ok(url) = page.join(location) {
        let bare = url.username().is_empty() && url.password().is_none();
        assert!(bare, "user information shows: {location}");
    }
}

/// W6: an API that repeats the token does not bring it into a log.
fn check_secrets(input: &Answer, error: &ResponseError) {
    let Some(token) = input.token.as_ref().filter(|token| is_telling(token.expose())) else {
        return;
    };
    let secret = token.expose();
    check_debug(error, &[secret]);
    check_error(error, &[secret]);
    check_error(&Error::Response(error.clone()), &[secret]);
    if let ResponseErrorKind::Unexpected { excerpt, .. } = &error.kind {
        check_pieces(input, secret, excerpt);
    }
}

/// A cut through the token leaves no piece of it that is worth something.
fn check_pieces(input: &Answer, secret: &str, excerpt: &str) {
    const WORTH: usize = 8;
    let Ok(body) = std::str::from_utf8(&input.body) else { return };
    let elsewhere = body.replace(secret, " ");
    let pieces = secret.as_bytes().windows(WORTH).map(String::from_utf8_lossy);
    for piece in pieces.filter(|piece| !elsewhere.contains(&**piece)) {
        assert!(!excerpt.contains(&*piece), "a piece of {secret} shows in: {excerpt}");
    }
}
