//! Report to a Usage API from async code, over [reqwest](https://docs.rs/reqwest).
//!
//! `usage-proto` says what a report is; this crate carries it. It is for hosts that have a tokio
//! runtime, and reqwest or no HTTP library yet: one future, one answer or one typed error, within
//! one deadline, over a connection that is used again. reqwest by itself is not safe for this: it
//! follows redirects and takes the token along, waits for ever, and goes through a proxy for
//! loopback. Here that is put right once. The siblings `usage-hyper` and `usage-ureq` do the same
//! over their libraries, under the same contract.
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
//! assert_eq!(there.store().servers().read_all()?[0].report, server);
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
//! An event loop that judges answers itself builds requests with
//! [`usage_proto::Api::build_request`] and hands them to [`Client::execute`]. The futures of both
//! have names, are `Send` and `Unpin`, borrow nothing, and cancel the request when they are
//! dropped.
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
//! Without the feature, an `https` URL is a typed error at the save.
//!
//! The TLS configuration is complete when reqwest gets it, so that reqwest's own settings of TLS
//! (roots, identities, versions) change nothing in it. One of your own is complete as well. reqwest
//! takes it if it is of the rustls version that reqwest itself uses, which is 0.23. This is the one
//! thing here that reqwest does not promise to keep: with another version every save would fail,
//! and say so.
//!
//! ```
//! use rustls::{ClientConfig, RootCertStore, crypto::ring};
//! use usage_proto::{Api, BaseUrl, Deadlines};
//! use usage_reqwest::Client;
//!
//! # let my_certificates = [];
//! let mut roots = RootCertStore::empty();
//! roots.add_parsable_certificates(my_certificates);
//! let tls = ClientConfig::builder_with_provider(ring::default_provider().into())
//!     .with_safe_default_protocol_versions()?
//!     .with_root_certificates(roots)
//!     .with_no_client_auth();
//! let client = Client::configured(Api::new(BaseUrl::STAGING), Deadlines::new(), move |builder| {
//!     builder.tls_backend_preconfigured(tls.clone())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! On a host without any authority, hand in [a client of your own](#a-client-of-your-own) instead:
//! ours reads the platform's in any case.
//!
//! No other feature of reqwest is turned on, and what another crate turns on changes nothing here.
//! Any reqwest 0.13 will do; it is re-exported as [`reqwest`]: name its types through that.
//!
//! # What is forced on reqwest
//!
//! [`Client::configured`] hands out reqwest's own builder. Whatever is done with it, this stays:
//!
//! | forced | because |
//! |---|---|
//! | no redirect is followed | reqwest would take `X-Authorization` along to another host |
//! | nothing is sent twice | whether a report is sent again is for the caller to say, who has its key |
//! | a total deadline, and a connect deadline | reqwest has none; the one covers the body too, the other the look-up, the proxy and TLS |
//! | a head of 64 KiB and 100 lines at most | every library draws this line elsewhere |
//! | the body is read to the response limit, and what came is kept | reqwest reads on for ever, and a body that breaks off is an error |
//! | nothing is decoded | reqwest does, once any crate has built it in |
//! | the proxy is [`choose_proxy`](usage_proto::choose_proxy)'s, and no other | reqwest sends loopback through one too; this drops proxies that are set on the builder |
//! | 64 calls go on at once, the next one waits | reqwest has no bound |
//! | HTTP/1.1 | one small request now and then gains nothing from HTTP/2 |
//! | `connection_verbose` is off | it writes the token into the log |
//!
//! A status is an answer, not an error, with reqwest as with us.
//!
//! Everything else can be set, such as TLS, a resolver, the local address, more headers, or the
//! pool: unless set, idle connections are closed after 90 seconds. A header of the request itself
//! is never replaced. What has no way back on reqwest's builder stands: `http09_responses`, which
//! takes anything for an answer, `https_only`, a `read_timeout`, a `unix_socket`, and layers
//! around the connector.
//!
//! # A client of your own
//!
//! A program that has a [`reqwest::Client`] hands it to [`Client::with_client`], and its reports
//! share the pool, the TLS, the proxies and the layers of everything else. Whatever such a client
//! is set to, this holds: the total deadline over each call, 64 calls at once, the limits of the
//! head and of the body, and that a report is sent once. The rest is its builder's to promise:
//!
//! | setting | without it |
//! |---|---|
//! | `redirect(Policy::none())` | a redirect with 301, 302 or 303 is followed, and **the token goes along to the other host**. An answer from another URL is no answer: an error of the kind [`Other`](usage_proto::TransportErrorKind::Other), not to be tried again. One that leads back to the same URL cannot be seen |
//! | `connect_timeout(…)` | only the total deadline ends an attempt to connect, and whether the request was sent is not known then |
//! | `no_proxy()`, or proxies of your own | reqwest goes through the proxy that the environment names, for loopback too |
//! | `no_gzip()`, `no_brotli()`, `no_zstd()`, `no_deflate()`, if a crate has built these in | a body is decoded; the limit counts decoded bytes |
//! | `connection_verbose(false)`, as it is by default | the token is in the log at level trace |
//! | a `dns_resolver(…)` of your own | names are looked up in tokio's pool for what blocks: while a name server is silent, the runtime does not end |
//!
//! # What reqwest does not tell
//!
//! An error is judged by what reqwest says of it in public. Whether a request was sent it does not
//! say: [`may_have_been_sent`](usage_proto::TransportError::may_have_been_sent) is `true` unless
//! reqwest says that there was no connection, or has not begun. What is not HTTP is
//! [`Interrupted`](usage_proto::TransportErrorKind::Interrupted), as is a connection that closes;
//! the source says which, in hyper's words.
//!
//! A connection may turn out to be closed when a request is about to go out on it. If nothing of
//! the request was written, hyper takes another connection: no report is lost for it, and none is
//! sent twice. So that a runtime on a single thread has heard of it by then, a call lets its other
//! tasks go first.
//!
//! reqwest opens a connection whenever none is idle at that moment, and one that is on its way back
//! to its pool is not. So there may be a few connections more than calls, on a busy machine above
//! all: two to eight were seen for saves one after the other, and up to 75 for 64 at once.
//!
//! A server that sends interim answers (1xx) without end is read on by hyper while there is
//! something to read: on a runtime of one thread the deadline may be late by a tenth of a second,
//! and other tasks may wait for half a second.
//!
//! hyper stops at the first write that fails: a server that answers before it has read the whole
//! report, and closes without reading on, may be
//! [`Interrupted`](usage_proto::TransportErrorKind::Interrupted) here. It takes a report larger
//! than the socket's buffer. And a URL with an IPv6 address in it cannot be reached through a
//! proxy's tunnel, since reqwest takes the brackets around it for a part of the name in the
//! certificate.
//!
//! # Threads, tasks and memory
//!
//! A host name is looked up on a thread of its own, of which this crate has eight at a time in a process,
//! and so are the certificates read. Nothing can interrupt the system's resolver: where a name server is silent,
//! such a thread outlives its call by minutes, but neither the runtime nor the program waits for it.
//!
//! reqwest spawns tasks on the runtime in which a save is awaited: one for each connection, one
//! that closes idle connections, and short ones that take a connection back to the pool. They end
//! soon after the last clone of the client is dropped. A connection belongs to the runtime it was
//! opened in. A client that outlives the runtime opens new ones in the next; of two runtimes that
//! share a client, both have to run on, or a save may wait for its deadline.
//!
//! A runtime without its IO or time driver is an error of the save. tokio panics there and has no
//! way to ask before; the panic goes no further, but the host's panic hook sees it, and a program
//! that aborts at every panic does so.
//!
//! A server that has answered, and takes no more of a report that is larger than the socket's
//! buffer, holds its connection until the system gives it up: on Linux after 30 seconds, by
//! reqwest's `tcp_user_timeout`.
//!
//! hyper reads at most 400 KiB of a head. Of a body, no more than the response limit is kept, and a
//! few hundred KiB beyond it are read into buffers.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod error;
mod execute;
mod lookup;
#[cfg(feature = "tls")]
mod tls;

pub use {client::Client, execute::Execute, reqwest};

/// The examples of the page in a registry.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
