//! The page at which a customer registers: `GET /start` and the form behind it.
//!
//! It works without scripts, and is allowed none. What it echoes is escaped by the templates.

mod form;
mod page;
pub(crate) mod policy;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use sha2::{Digest, Sha256};
use usage_proto::{RegistrationRequest, Token};

use self::form::{Entries, Faults};
use self::page::Shown;
use self::policy::{Registration, Way};
use crate::app::App;
use crate::body_bytes::Whole;
use crate::json_answer::{self, Failure};
use crate::on_database::on_database;
use crate::store::error::StoreError;

/// `GET /start`: the form.
pub(crate) async fn start(State(app): State<Arc<App>>, Whole(request): Whole) -> Response {
    let (asked, way) = match asked(&app, &request) {
        Ok(asked) => asked,
        Err(refusal) => return *refusal,
    };
    let shown = Shown::new(&asked, &request, &app.terms().registration);
    let form = page::form(&shown, &Entries::default(), &Faults::default());
    html(StatusCode::OK, &form, way.as_ref())
}

/// `POST /start`: a token for a new organisation, if the form is filled in.
pub(crate) async fn submit(State(app): State<Arc<App>>, Whole(request): Whole) -> Response {
    if is_forged(request.headers()) {
        let words = "This form was not sent from this page. Open the link that your application \
                     shows, and fill in the form there. The page has to be reached over https, or \
                     on this machine.";
        return html(StatusCode::FORBIDDEN, &page::refusal("This form was refused", words), None);
    }
    let (asked, way) = match asked(&app, &request) {
        Ok(asked) => asked,
        Err(refusal) => return *refusal,
    };
    let entries = Entries::read(request.body());
    let faults = entries.faults(&app.terms().registration);
    if !faults.is_empty() {
        let shown = Shown::new(&asked, &request, &app.terms().registration);
        let form = page::form(&shown, &entries, &faults);
        return html(StatusCode::UNPROCESSABLE_ENTITY, &form, way.as_ref());
    }
    match register(&app, &asked, &entries).await {
        Ok(token) => registered(&asked, way.as_ref(), &token),
        Err(error) => {
            let words = "The registration could not be stored. Nothing was changed: try again in \
                         a minute.";
            let page = page::refusal("Not registered", words);
            let mut response = html(StatusCode::INTERNAL_SERVER_ERROR, &page, None);
            response.extensions_mut().insert(Failure(json_answer::chain(&error)));
            response
        }
    }
}

/// What the customer is about to register and how the browser comes back, or the page that says why
/// it cannot be.
fn asked(
    app: &App,
    request: &Request<Bytes>,
) -> Result<(RegistrationRequest, Option<Way>), Box<Response>> {
    let refuse =
        |status, title, words: &str| Box::new(html(status, &page::refusal(title, words), None));
    if matches!(app.terms().registration, Registration::Closed) {
        let words = "This server does not take registrations. Ask whoever runs it for a token.";
        return Err(refuse(StatusCode::NOT_FOUND, "No registration here", words));
    }
    let asked = RegistrationRequest::parse(request.uri()).map_err(|error| {
        refuse(StatusCode::BAD_REQUEST, "This link is not complete", &error.to_string())
    })?;
    let way = match &asked.redirect_url {
        None => None,
        Some(url) => Some(app.terms().redirects.way(url).ok_or_else(|| {
            let words = format!(
                "After the registration you would be sent to {}, which this server does not know. \
                 {}",
                policy::origin(url),
                policy::way_out(url)
            );
            refuse(StatusCode::BAD_REQUEST, "This link leads to an unknown place", &words)
        })?),
    };
    Ok((asked, way))
}

async fn register(
    app: &App,
    asked: &RegistrationRequest,
    entries: &Entries,
) -> Result<Token, StoreError> {
    let registrant = entries.registrant(asked);
    on_database(app, move |store| store.register(&registrant)).await
}

/// Back to the application with the token, or a page that shows it.
fn registered(asked: &RegistrationRequest, way: Option<&Way>, token: &Token) -> Response {
    match (asked.redirect_with(token), way) {
        (Some(url), Some(Way::Redirect { .. })) => {
            let Ok(location) = HeaderValue::from_str(url.as_str()) else {
                return html(StatusCode::OK, &page::token(asked, token), None);
            };
            let page = page::refusal("Registered", "You are sent back to the application.");
            let mut response = html(StatusCode::SEE_OTHER, &page, way);
            response.headers_mut().insert(LOCATION, location);
            response
        }
        // A policy can name no address but 127.0.0.1, and would stop a redirect to it.
        (Some(url), Some(Way::Link)) => {
            html(StatusCode::OK, &page::link(asked, url.as_str()), None)
        }
        _ => html(StatusCode::OK, &page::token(asked, token), None),
    }
}

/// Whether a browser says that another page has sent this form.
///
/// A browser sends `Sec-Fetch-Site` to where it trusts the connection (https, or this machine).
/// Without it `Origin` counts, which is `null` where a page asks for `no-referrer`, as ours does: so
/// a form that comes over plain http from elsewhere is refused. What is not a browser sends neither,
/// and carries nobody's authority.
fn is_forged(headers: &HeaderMap) -> bool {
    match headers.get("sec-fetch-site") {
        Some(site) => site != "same-origin" && site != "none",
        None => headers.contains_key("origin"),
    }
}

/// A page with what has to stand around it.
fn html(status: StatusCode, page: &maud::Markup, way: Option<&Way>) -> Response {
    let mut response = (status, page.0.clone()).into_response();
    let headers = response.headers_mut();
    let plain = HeaderValue::from_static;
    headers.insert(CONTENT_TYPE, plain("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, security_policy(way));
    headers.insert(REFERRER_POLICY, plain("no-referrer"));
    headers.insert(CACHE_CONTROL, plain("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, plain("nosniff"));
    headers.insert(X_FRAME_OPTIONS, plain("DENY"));
    response
}

/// Nothing but the style of the page, by its hash, and its form. `form-action` rules the redirect
/// behind the form as well.
fn security_policy(way: Option<&Way>) -> HeaderValue {
    let style = BASE64_STANDARD.encode(Sha256::digest(page::STYLE));
    let target = match way {
        Some(Way::Redirect { origin }) => format!(" {origin}"),
        Some(Way::Link) | None => String::new(),
    };
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'{target}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    // An origin is ASCII without spaces, quotes and semicolons; without it the policy is stricter.
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}
