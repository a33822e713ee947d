//! Async client of a Usage API, over hyper.
//!
//! `usage-proto` says what is sent to a Usage API, and does no IO. This crate carries it, for an
//! application that has hyper already, or wants no more than hyper: [`Client`] sends a payload and
//! returns a typed success or a typed error, within a deadline, over a connection that is used
//! again. Beside the ready-made client there is one over any
//! [`tower_service::Service`](Client::with_service). The sibling crates `usage-reqwest` and
//! `usage-ureq` do the same over their libraries, with the same outcome.
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
//! An event loop that judges answers itself builds requests with [`usage_proto::Api::build_request`] and
//! hands them to [`Client::execute`]. Both futures are `Send`, borrow nothing, and cancel the
//! request when they are dropped.
//!
//! # What is forced on hyper-util
//!
//! [`Client::configured`] hands out hyper-util's builder, with our defaults in it: connections that
//! are idle for 90 seconds are closed, and the buffer for the head of an answer has 80 KiB. What
//! the application sets stands, but for this:
//!
//! | what | why |
//! |---|---|
//! | a total and a connect deadline | hyper has none; both count from the start of the call, and the connect deadline covers the look-up, the proxy and TLS (W41) |
//! | a head of 64 KiB and 100 lines at most | every library draws this line elsewhere; over a service of your own too (W40) |
//! | the body limit | hyper reads on for ever (W38) |
//! | a body that breaks off does not undo the answer | a retry would count twice (W46) |
//! | one pool with 64 connections at most; a call beyond them waits for one, within the connect deadline | hyper-util has no bound, and opens more than are needed (W42) |
//! | the proxy of [`choose_proxy`](usage_proto::choose_proxy), in the absolute form for `http` and through a tunnel for `https` | hyper has none, and every adapter has the same |
//! | `retry_canceled_requests` | see below |
//! | `set_host`, no `http09_responses` | a request comes without `Host`; whatever is not HTTP would be a success |
//!
//! hyper follows no redirects (W37), makes no errors of statuses (W32) and decodes nothing (W45).
//!
//! A connection may turn out to be closed when a request is about to go out on it. If nothing of
//! the request was written, hyper-util takes another connection: no report is lost for it, and none
//! is sent twice. So that the runtime has heard of it by then, a call begins with a pause of a
//! millisecond. Once a byte was written, nobody tries again: the error says
//! [`may_have_been_sent`](usage_proto::TransportError::may_have_been_sent), and whether to send the
//! report again is for the caller to say, who has its idempotency key (W43).
//!
//! HTTP/1.1 is all that is spoken. One small request now and then gains nothing from HTTP/2, which
//! would bring more crates. It is not offered to a server either.
//!
//! # TLS
//!
//! rustls with ring as its explicit provider, and the platform's certificate verifier: an authority
//! that the host trusts is trusted here, and where the platform keeps them in files, `SSL_CERT_FILE`
//! and `SSL_CERT_DIR` name others. They are read at the first `https` save. No provider is
//! installed for the process, and one that is installed is not used. `Client::configured_with_tls` takes a
//! configuration of the application's own.
//!
//! # Threads and tasks
//!
//! The crate starts no thread. Looking up a name, and reading certificates, goes through tokio's
//! pool for what blocks, whose threads end by themselves. hyper-util spawns tasks on the runtime
//! in which a save is awaited: one for each connection, one that closes idle connections, and short
//! ones that take a connection back to the pool or finish opening one. They end with their
//! connection, and every connection ends soon after the last clone of the client is dropped.
//!
//! A connection belongs to the runtime that it was opened in. A client that outlives the runtime
//! opens new ones in the next.

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
