//! Report to a Usage API: the protocol core, without IO.
//!
//! A product (a database, a server, a command-line tool) tells its maker that it exists and how it
//! is used. This crate is *what is said*: it turns payloads into [`http::Request`]s, and
//! [`http::Response`]s into typed successes and errors. It has no sockets, no clock, no randomness,
//! no threads, no global state and no async runtime. How a request travels is up to you: an adapter
//! crate such as `usage-ureq`, or an event loop of your own.
//!
//! It re-creates version 1 of the Go package `usage-client`, and keeps its names.
//!
//! # The whole flow
//!
//! ```
//! use http::{Request, Response};
//! use usage_proto::{
//!     Api, BaseUrl, Error, Registration, Server, Token, Usage, UsageData,
//! };
//!
//! # // Stands in for a transport: it answers like a Usage API.
//! # fn send(request: Request<bytes::Bytes>) -> Response<&'static str> {
//! #     let (status, body) = match request.uri().path() {
//! #         "/api/v1/servers" => (201, "{}"),
//! #         _ => (422, r#"{"errors":{"cluster_id":["ClusterID can not be blank."]}}"#),
//! #     };
//! #     Response::builder().status(status).body(body).expect("a valid response")
//! # }
//! fn report() -> Result<(), Error> {
//!     let api = Api::new(BaseUrl::STAGING).with_application("influxdb/1.8.10")?;
//!
//!     // 1. Once: the customer registers in a browser, which comes back with a token.
//!     let registration = Registration::new("clus1", "influxdb")
//!         .redirect_url("http://localhost:8888/registered");
//!     let _open_this = api.registration_url(&registration)?;
//!     let api = api.with_token(Token::new("token-goes-here")?)?;
//!
//!     // 2. At every start: the server says that it is there.
//!     let server = Server::new()
//!         .cluster_id("clus1")
//!         .server_id("serv1")
//!         .host("example.com")
//!         .product("influxdb")
//!         .version("1.8.10");
//!     let saved = api.parse_response(send(api.build_request(&server)?))?;
//!     assert_eq!(saved.status(), 201);
//!
//!     // 3. Every 12 hours: how it is used.
//!     let usage = Usage::new("influxdb").data(
//!         UsageData::new().tag("os", "linux").value("num_databases", 3).value("uptime", 86400.5),
//!     );
//!     let refused = api.parse_response(send(api.build_request(&usage)?)).unwrap_err();
//!     match refused.as_validation() {
//!         Some(fields) => {
//!             assert_eq!(fields.errors["cluster_id"], ["ClusterID can not be blank."]);
//!         }
//!         None => return Err(refused.into()),
//!     }
//!     Ok(())
//! }
//! # report().unwrap();
//! ```
//!
//! # What to look for where
//!
//! - [`Api`] builds requests and judges answers. [`BaseUrl`] and [`Token`] are checked once.
//! - [`Server`], [`Stats`] and [`Usage`] are the payloads; [`Saveable`] lets you add your own.
//! - [`Forget`] asks an API to erase what a server has reported; [`Forgotten`] is its success.
//! - [`Registration`] makes the URL for the customer and takes the token from the redirect.
//! - [`Error`] covers everything: [`BuildError`], [`ResponseError`], [`TransportError`].
//! - For adapters and event loops: [`Collector`] takes what a transport reads of an answer;
//!   [`choose_proxy`], [`Deadlines`], [`Saving`], [`causes()`] and the constructors of
//!   [`TransportError`] are what they have in common.
//! - For event loops: behind the feature `http1`, `Exchange` is one request out and one answer in, as
//!   bytes of HTTP/1.1.
//! - For the other end: [`RegistrationRequest`] and, behind the feature `requests`, `parse_request`
//!   read back what a client wrote.
//!
//! What is sent and how each answer is judged is written down, rule by rule, in the repository's
//! `docs/protocol.md`.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod api;
#[cfg(feature = "arbitrary")]
mod arbitrary;
mod base_url;
mod causes;
mod collector;
mod deadlines;
mod duration_text;
mod encode;
mod error;
mod excerpt;
#[cfg(feature = "http1")]
mod exchange;
mod forgotten;
mod head;
mod idempotency;
#[cfg(feature = "oracles")]
pub mod oracles;
#[cfg(feature = "requests")]
mod parse_request;
mod payload;
mod proxy;
mod redact;
mod registration;
mod registration_request;
mod retry_after;
mod saveable;
mod saved;
mod saving;
mod token;
mod uri_text;

pub use api::{Api, TOKEN_HEADER};
pub use base_url::{BaseUrl, InvalidBaseUrl};
pub use causes::{Chain, causes};
pub use collector::Collector;
pub use deadlines::Deadlines;
pub use error::{
    BuildError, Error, ResponseError, ResponseErrorKind, SimpleError, TransportError,
    TransportErrorKind, ValidationErrors,
};
#[cfg(feature = "http1")]
pub use exchange::Exchange;
pub use forgotten::Forgotten;
pub use idempotency::{IDEMPOTENCY_KEY, IdempotencyKey};
#[cfg(feature = "requests")]
pub use parse_request::{ParseRequestError, Payload, parse_request};
pub use payload::{
    Forget, Number, Server, Stats, StatsData, Tags, Usage, UsageData, Value, Values,
};
pub use proxy::{InvalidProxy, Proxy, choose_proxy};
pub use registration::{RedirectError, Registration};
pub use registration_request::{RegistrationRequest, RegistrationRequestError};
pub use retry_after::retry_after;
pub use saveable::Saveable;
pub use saved::{Incomplete, Saved};
pub use saving::Saving;
pub use token::{InvalidToken, Token};

/// The examples of the page in a registry.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
