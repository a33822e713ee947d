//! From an answer to a success or a typed error.

mod body;
mod fold;
mod redirect;

use std::borrow::Cow;

use bytes::Bytes;
use http::Response;

use crate::error::{ResponseError, ResponseErrorKind};
use crate::excerpt;
use crate::retry_after::retry_after;
use crate::saved::{Incomplete, Saved};
use crate::token::Token;

/// Judges an answer whose head arrived (rules W30 to W38 and W46).
pub(crate) fn parse(
    mut response: Response<Bytes>,
    limit: usize,
    token: Option<&Token>,
) -> Result<Saved, ResponseError> {
    let too_large = response.body().len() > limit;
    response.body_mut().truncate(limit);
    let status = response.status();
    if status.is_success() {
        let broke_off = response.extensions_mut().remove::<Incomplete>().is_some();
        return Ok(Saved::new(response, !too_large && !broke_off));
    }

    let (headers, body) = (response.headers(), response.body());
    let kind = if redirect::is_redirect(status) {
        let redacted = |text: String| hidden(token, &text).unwrap_or(text);
        ResponseErrorKind::Redirect { location: redirect::location(headers, redacted) }
    } else if too_large {
        ResponseErrorKind::TooLarge { limit }
    } else {
        let token = token.filter(|token| token.may_stand_in(body));
        // 300 and 304 are no errors of the API whatever their body says (rule W37).
        let shape = if status.is_redirection() { None } else { body::parse(body) };
        shape.map_or_else(
            || ResponseErrorKind::Unexpected { excerpt: unexpected(body, token) },
            |shape| shape.into_kind(|text| hidden(token, text)),
        )
    };
    Err(ResponseError { status, retry_after: retry_after(headers), kind })
}

/// A text without the token, if it stands in it.
fn hidden(token: Option<&Token>, text: &str) -> Option<String> {
    match token?.redacted(text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(text) => Some(text),
    }
}

/// The start of a body of neither shape. What is secret goes first: a cut could leave half of it.
fn unexpected(body: &[u8], token: Option<&Token>) -> String {
    let text = String::from_utf8_lossy(body);
    excerpt::line(&hidden(token, &text).map_or(text, Cow::Owned))
}
