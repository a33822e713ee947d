//! Report to a Usage API with a blocking call, over [`ureq`].
//!
//! `usage-proto` says what a report is; this crate carries it. It is for hosts that have no async
//! runtime: one call, one answer or one typed error, within one deadline. ureq by itself follows
//! redirects and takes the token along, waits for ever, and goes through a proxy for loopback. Here
//! that is put right once, by ureq's own settings.
//!
//! ```
//! use usage_proto::{Api, BaseUrl, Error, ResponseErrorKind, Server};
//! use usage_ureq::Client;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A real Usage API in this process; in production: `BaseUrl::PRODUCTION`.
//! # use usage_server::{Config, Database};
//! let there = usage_server::Server::bind("127.0.0.1:0", Config::new(Database::temporary()))?;
//! let token = there.create_token("Example Inc.")?;
//!
//! let client = Client::new(Api::new(BaseUrl::new(&there.url())?).with_token(token)?)?;
//!
//! let server = Server::new().cluster_id("clus1").server_id("serv1").product("influxdb");
//! let server = server.host("example.com").version("1.8.10");
//! let saved = client.save(&server)?;
//! assert_eq!(saved.status(), 201);
//! assert_eq!(there.store().servers().read_all()?[0].report, server);
//!
//! match client.save(&server.cluster_id("")) {
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
//! # In Cargo.toml
//!
//! ```toml
//! [dependencies]
//! usage-proto = "0.1"
//! usage-ureq = "0.1"                                            # with TLS
//! # usage-ureq = { version = "0.1", default-features = false }  # http only
//! ```
//!
//! The feature `tls`, on by default, brings rustls with ring and the platform's certificate
//! verifier: a corporate authority works, and where the platform keeps its authorities in files,
//! `SSL_CERT_FILE` does too. Nothing process-wide is installed or needed. A host that has no
//! authority at all fails for `https` alone, at the save. Without the feature, an `https` URL is a
//! typed error at the save.
//!
//! This crate uses what ureq promises by its version, so any 3.x from 3.5 on will do, and the one
//! that the application has is the one that is used. It is re-exported as [`ureq`].
//!
//! # What is forced on ureq
//!
//! [`Client::configured`] hands out ureq's own builder. Whatever is done with it, this stays:
//!
//! | forced | because |
//! |---|---|
//! | no redirect is followed | ureq would take `X-Authorization` along to another host |
//! | every status is an answer | ureq makes errors of 4xx and 5xx, and drops their body |
//! | a total deadline, and a connect deadline | ureq has none |
//! | the proxy is [`choose_proxy`](usage_proto::choose_proxy)'s | ureq takes the first of `ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY` for any URL, loopback too |
//! | the body is read to the response limit, and what came is kept | ureq makes an error of a larger body, and of one that breaks off |
//!
//! Everything else can be set, such as the pool, the IP family, a middleware, or TLS: roots and
//! client certificates. A `TlsConfig::builder()` begins with Mozilla's roots, where a client's own
//! default is `RootCerts::PlatformVerifier`.
//!
//! # An agent of your own
//!
//! A program that has a [`ureq::Agent`] reports with it, by [`Client::with_agent`]: over its pool,
//! TLS, proxies and middleware. It stays as it is; what a report needs is set for each request:
//!
//! - no redirect is followed, and every status is an answer;
//! - the agent's `timeout_global` is the total deadline, or else 60 seconds are.
//!
//! The rest is for the agent to keep:
//!
//! - The proxy is the agent's. ureq's default is the first variable of the environment that names
//!   one, whatever the URL.
//! - A middleware hands the request on once, as it is, to the same URL, or answers by itself. What
//!   it does besides is its own affair, as is the token that it sees. An answer that came from
//!   another URL is an error, if ureq tells.
//! - Deadlines for single steps are taken as they are set. Without a `timeout_resolve` or a
//!   `timeout_connect`, the total deadline is the one for these steps.
//! - Its pool keeps 3 idle connections a host, unless it is told otherwise; up to 64 are in use.
//! - ureq caches what it has made of its TLS configuration at a request that has no settings of its
//!   own. An agent that has sent no other than reports by `https` reads the authorities again for each new
//!   connection.
//!
//! `examples/save_with_agent.rs` is such a program.
//!
//! # What ureq does not tell
//!
//! An error says [`may_have_been_sent`](usage_proto::TransportError::may_have_been_sent) unless it
//! is certain that there was no connection: the name was not found, the address refused or not
//! reached, the time over before there was a connection, TLS not agreed upon. In these cases more
//! could be known, and ureq does not tell:
//!
//! | situation | outcome |
//! |---|---|
//! | a handshake of TLS that is reset | interrupted, and may have been sent |
//! | the total deadline passes before there is a connection | time-out, and may have been sent; before there is an address, it was not |
//! | a proxy that talks nonsense instead of giving a tunnel | protocol, and may have been sent |
//! | a body that ends with its connection, and not by a length or a last chunk | incomplete, since a reset looks the same |
//! | a chunk that is malformed | incomplete, perhaps without the chunks before it |
//! | an answer that comes while a large report is still on its way, from a server that stops reading | interrupted or time-out |
//!
//! ureq has its own ways, too: it asks a proxy for a tunnel for an `http` URL as well, which many
//! proxies give to port 443 alone; it gives up if 80 KiB of interim answers arrive at once; it
//! counts the look-up of a name and the connection apart, each up to the connect deadline, of which
//! the first of several addresses gets a half or more.
//!
//! Nothing is decoded: ureq's `gzip` and `brotli` are not turned on, and every request asks for
//! `identity`. Where another crate turns them on, the limit counts decoded bytes.
//!
//! # What is logged
//!
//! This crate logs nothing. ureq logs by the `log` crate: under the target `ureq` at level debug
//! each request and answer, without the token; at level trace their paths, and the `Location` of a
//! redirect. Under `ureq_proto` at level trace it **dumps what it writes and reads, the token
//! included**. A logger that is set to trace leaves both out by a filter, such as
//! `trace,ureq=info,ureq_proto=info` for `env_logger`. The token is in no error and no `Debug`.
//!
//! # Threads, time and memory
//!
//! ureq starts a thread for every call to look up the name, which ends with the look-up: after the
//! deadline, if a name server is silent. Nothing else runs on a thread. At most 64 calls of a client
//! and its clones go on at once, each with a connection; the others wait for one of them to end,
//! within their deadline. A call cannot be cancelled: its deadline ends it. While a report is being
//! written to a server that reads no more, or by drops, that may take up to twice the time.
//!
//! A connection has 256 KiB of buffers, and as much again for TLS. Of a head no more is read than
//! such a buffer holds, and of a body no more is kept than the response limit.
//!
//! ureq panics if the system gives no thread for a look-up; at the first `https` save with a TLS
//! library that is not built in; and there if a client certificate does not fit its private key.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod client;
mod error;
mod gate;
mod proxy;

pub use {client::Client, ureq};

/// The examples of the page in a registry.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
