//! Async client of a Usage API, over hyper.
//!
//! `usage-proto` says what is sent to a Usage API, and does no IO. This crate carries it, for an
//! application that has hyper already, or wants no more than hyper: [`Client`] sends a payload and
//! returns a typed success or a typed error, within a deadline, over a connection that is used
//! again. Beside the ready-made client there is one over any
//! [tower service](Client::with_service). The sibling crates `usage-reqwest` and `usage-ureq` do the
//! same over their libraries.
//!
//! # Add it
//!
//! ```toml
//! [dependencies]
//! usage-hyper = "0.1"
//! usage-proto = "0.1"
//! tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
//! ```
//!
//! Without TLS, for an API on this machine or behind a proxy of your own; an `https` URL then gives
//! an error at the first save that says so:
//!
//! ```toml
//! usage-hyper = { version = "0.1", default-features = false }
//! ```
//!
//! # Use it
//!
//! ```
//! use usage_hyper::Client;
//! use usage_proto::{Api, Error, Token, Usage, UsageData};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use usage_server::{Config, Database, Server};
//! # let server = Server::bind("127.0.0.1:0", Config::new(Database::temporary()))?;
//! # let (url, token) = (server.url(), server.create_token("Example Inc.")?);
//! # let token = token.expose();
//! let api = Api::new(url.parse()?).with_token(Token::new(token)?)?;
//! let client = Client::new(api)?;
//!
//! let usage = Usage::new("influxdb").data(UsageData::new().tag("os", "linux").value("shards", 3));
//! match client.save(&usage).await {
//!     Ok(saved) => assert_eq!(saved.status(), 201),
//!     Err(Error::Response(refused)) => eprintln!("the API refused: {refused}"),
//!     Err(error) => eprintln!("{error:#}, try again: {}", error.is_retryable()),
//! }
//! # assert_eq!(server.store().usage().read_all()?.len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! An event loop that judges answers itself builds requests with
//! [`usage_proto::Api::build_request`] and hands them to [`Client::execute`]. The futures of both
//! have names, are `Send` and `Unpin`, borrow nothing, and cancel the request when they are
//! dropped.
//!
//! # What it does with hyper
//!
//! The ready-made client stands on [`hyper::client::conn::http1`], with a pool of its own:
//!
//! | what | why |
//! |---|---|
//! | a total and a connect deadline; both count from the start of the call, and the connect deadline covers the wait for a place in the pool, the look-up, the proxy and TLS | hyper has none |
//! | a head of 64 KiB and 100 lines at most | every library draws this line elsewhere |
//! | at most 100 interim answers (1xx) | hyper would read on for as long as there are more, without a pause |
//! | the body limit | hyper reads on for ever |
//! | a body that breaks off does not undo the answer | a retry would count twice |
//! | 64 connections at most, each idle for up to 90 seconds; a call beyond them waits for one | see [`Config`] |
//! | an idle connection is used only if the system knows of nothing that came on it | a request would be lost on one that the server has closed, or take something else for its answer |
//! | the proxy of [`choose_proxy`](usage_proto::choose_proxy), in the absolute form for `http` and through a tunnel for `https` | hyper has none, and every adapter has the same |
//!
//! hyper follows no redirects, makes no errors of statuses and decodes nothing.
//!
//! If a connection turns out to be closed before anything of a request was written, the request goes
//! out over another: no report is lost for it, and none is sent twice. Once a byte was written,
//! nobody tries again: the error says
//! [`may_have_been_sent`](usage_proto::TransportError::may_have_been_sent), which is false only if no
//! byte has left, and whether to send the report again is for the caller to say, who has its
//! idempotency key.
//!
//! A server that answers before it has read the whole report is heard, also if it closes at once, as
//! long as the system still has what it sent.
//!
//! HTTP/1.1 is all that is spoken. One small request now and then gains nothing from HTTP/2, which
//! would bring more crates. It is not offered to a server either.
//!
//! # A tower stack of your own
//!
//! [`Client::map_service`] puts layers around the ready-made service, and [`Client::with_service`]
//! takes another service in its place. `examples/save_with_tower.rs` does both.
//!
//! # TLS
//!
//! rustls with ring as its explicit provider, and the platform's certificate verifier: an authority
//! that the host trusts is trusted here, and where the platform keeps them in files, `SSL_CERT_FILE`
//! and `SSL_CERT_DIR` name others. They are read at the first `https` save. No provider is
//! installed for the process, and one that is installed is not used. `Config::tls` takes a
//! configuration of the application's own.
//!
//! A certificate that is not accepted is final, unless that is because of the time: this host's clock
//! may be what is wrong. A connection is closed without the farewell of TLS.
//!
//! # Threads, tasks and runtimes
//!
//! Looking up a name and reading certificates may block for minutes. Each is done on a thread of its
//! own, never on the runtime's pool, which a runtime waits for at its end; this crate
//! has at most eight threads for look-ups in a process. Of a name's addresses those of the first family are tried one
//! after the other, each with its part of the connect deadline, and from 0.3 s on those of the other
//! family beside them.
//!
//! Each connection has a task on the runtime in which it was opened. It ends with the connection,
//! and every connection is closed when the last clone of the client is dropped.
//!
//! A client can be used from several runtimes, also at the same time: each has its own connections,
//! within the one bound. A runtime without its IO or time driver is an error. tokio tells of it by a
//! panic alone, which is caught: its message may be seen on standard error, and a program that is
//! built with `panic = "abort"` ends.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod connector;
mod deadline;
mod pool;
mod service;
#[cfg(feature = "tls")]
mod tls;
mod wire;

pub use {client::Client, client::Config, client::Execute, service::HttpService};
#[cfg(feature = "tls")]
pub use {rustls, tls::tls_config};

/// The examples of the page in a registry.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
