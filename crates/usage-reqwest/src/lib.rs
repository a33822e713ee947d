//! Report to a Usage API from async code, over [reqwest](https://docs.rs/reqwest).
//!
//! `usage-proto` says what a report is; this crate carries it. It is for hosts that have a tokio
//! runtime, and reqwest or no HTTP library yet: one future, one answer or one typed error, within
//! one deadline, over a connection that is used again. reqwest by itself is not safe for this: it
//! follows redirects and takes the token along, waits for ever, and goes through a proxy for
//! loopback. Here that is put right once. The siblings `usage-hyper` and `usage-ureq` do the same
//! over their libraries, with the same outcome.
//!
//! ```
//! use usage_proto::{Api, BaseUrl, Error, ResponseErrorKind, Server};
//! use usage_reqwest::Client;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A real Usage API in this process; in production: `BaseUrl::PRODUCTION`.
//! # use usage_server::{Config, Database};
//! let there = usage_server::Server::bind("127.0.0.1:0", Config::new(Database::temporary()))?;
//! let token = there.create_token("Example Inc.")?;
//!
//! let client = Client::new(Api::new(BaseUrl::new(&there.url())?).with_token(token)?)?;
//!
//! let server = Server::new().cluster_id("clus1").server_id("serv1").product("influxdb");
//! let server = server.host("example.com").version("1.8.10");
//! let saved = client.save(&server).await?;
//! assert_eq!(saved.status(), 201);
//! assert_eq!(there.store().servers()?[0].report, server);
//!
//! match client.save(&server.cluster_id("")).await {
//!     Err(Error::Response(refused)) => match &refused.kind {
//!         ResponseErrorKind::Validation(fields) => assert!(fields.errors.contains_key("cluster_id")),
//!         kind => panic!("{kind:?}"),
//!     },
//!     other => panic!("{other:?}"),
//! }
//! # there.shutdown()?;
//! # Ok(())
//! # }
//! ```
//!
//! An event loop that judges answers itself builds requests with [`usage_proto::Api::build_request`] and
//! hands them to [`Client::execute`]. The futures of both are `Send`, borrow nothing, and cancel
//! the request when they are dropped.
//!
//! # In Cargo.toml
//!
//! ```toml
//! [dependencies]
//! tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
//! usage-proto = "0.1"
//! usage-reqwest = "0.1"                                            # with TLS
//! # usage-reqwest = { version = "0.1", default-features = false }  # http only
//! ```
//!
//! The feature `tls`, on by default, brings rustls with ring and the platform's certificate
//! verifier: a corporate authority works, and where the platform keeps its authorities in files,
//! `SSL_CERT_FILE` does too. They are read at the first `https` save. Nothing process-wide is
//! installed or needed. A host that has no authority at all fails for `https` alone, at the save.
//! Without the feature, an `https` URL is a typed error at the first save.
//!
//! The TLS configuration is complete when reqwest gets it, so that reqwest's own settings of TLS
//! (roots, identities, versions) change nothing in it. `tls_config()` is where a TLS configuration
//! of your own begins.
//!
//! No other feature of reqwest is turned on, and what another crate turns on changes nothing here.
//! reqwest 0.13 is re-exported as [`reqwest`]: name its types through that.
//!
//! # What is forced on reqwest
//!
//! [`Client::configured`] hands out reqwest's own builder. Whatever is done with it, this stays:
//!
//! | forced | because |
//! |---|---|
//! | no redirect is followed | reqwest would take `X-Authorization` along to another host (W37) |
//! | a total deadline, and a connect deadline | reqwest has none; the one covers the body too, the other the look-up, the proxy and TLS (W41) |
//! | a head of 64 KiB and 100 lines at most | every library draws this line elsewhere (W40) |
//! | the body is read to the response limit, and what came is kept | reqwest reads on for ever, and a body that breaks off is an error (W38, W46) |
//! | nothing is decoded | reqwest does, once any crate has built it in (W45) |
//! | the proxy is [`choose_proxy`](usage_proto::choose_proxy)'s, and no other | reqwest sends loopback through one too; this drops proxies that are set on the builder |
//! | one pool: 64 calls go on at once, the next one waits; a connection on its way back to the pool is preferred to a new one | reqwest has no bound, and opens more than it needs (W42) |
//! | reqwest retries nothing | whether to send a report again is for the caller to say, who has its key (W43) |
//! | HTTP/1.1 | one small request now and then gains nothing from HTTP/2, and whether any of it has left would be harder to say |
//! | `connection_verbose` is off | it writes the token into the log (W6) |
//! | no `Referer` | it would tell another host a path |
//!
//! A status is an answer, not an error, with reqwest as with us.
//!
//! Everything else can be set, such as TLS, a resolver, the local address, more headers, or the
//! pool: unless set, idle connections are closed after 90 seconds. A header of the request itself
//! is never replaced. What has no way back on reqwest's builder stands: `http09_responses`, which
//! takes anything for an answer, `https_only`, a `read_timeout`, a `unix_socket`, and layers
//! around the connector.
//!
//! The request goes out as `usage-proto` has built it, with `Host` and `Content-Length`. reqwest
//! adds `Accept: */*`, which cannot be taken away, and says what its absence would.
//!
//! A connection may turn out to be closed when a request is about to go out on it. If nothing of
//! the request was written, hyper takes another connection: no report is lost for it, and none is
//! sent twice. So that the runtime has heard of it by then, a call begins with a pause of a
//! millisecond. A new connection that ends before hyper has taken the request is followed by
//! another, three times at most. Once a byte may have left, nobody tries again, and the error says
//! [`may_have_been_sent`](usage_proto::TransportError::may_have_been_sent).
//!
//! Two things cannot be mended. hyper stops at the first write that fails: a server that answers
//! before it has read the whole report, and closes without reading on, may be
//! [`Interrupted`](usage_proto::TransportErrorKind::Interrupted) here, where the siblings find its
//! answer. It takes a report larger than the socket's buffer. And a URL with an IPv6 address in it
//! cannot be reached through a proxy's tunnel, since reqwest takes the brackets around it for a part
//! of the name in the certificate.
//!
//! # Threads, tasks and memory
//!
//! The crate starts no thread. A look-up of a host name runs in tokio's pool for what blocks, whose
//! threads end by themselves. reqwest spawns tasks on the runtime in which a save is awaited: one
//! for each connection, one that closes idle connections, and short ones that take a connection
//! back to the pool. They end soon after the last clone of the client is dropped. A connection
//! belongs to the runtime it was opened in; a client that outlives the runtime opens new ones in
//! the next.
//!
//! A server that has answered, and takes no more of a report that is larger than the socket's
//! buffer, holds its connection until the system gives it up: on Linux after 30 seconds, by
//! reqwest's `tcp_user_timeout`.
//!
//! hyper reads at most 400 KiB of a head. Of a body, no more than the response limit is kept, and a
//! few hundred KiB beyond it are read into buffers.

mod client;
mod config;
mod error;
mod execute;
mod lookup;
#[cfg(feature = "tls")]
mod tls;

pub use client::Client;
pub use config::ClientError;
pub use execute::Execute;
pub use reqwest;
#[cfg(feature = "tls")]
pub use rustls;
#[cfg(feature = "tls")]
pub use tls::tls_config;
