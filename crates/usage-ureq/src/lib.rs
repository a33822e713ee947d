//! Report to a Usage API with a blocking call, over [`ureq`].
//!
//! `usage-proto` says what a report is; this crate carries it. It is for hosts that have no async
//! runtime: one call, one answer or one typed error, within one deadline. ureq by itself is not
//! safe for this: it follows redirects and takes the token along, waits for ever, goes through a
//! proxy for loopback, and writes the token into its log. Here that is put right once.
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
//! assert_eq!(there.store().servers()?[0].report, server);
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
//! A rule such as W37 is one of W1 to W46 in [`usage_proto::protocol`].
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
//! typed error at the first save. `tls_config()` is where a TLS configuration of your own begins.
//!
//! ureq is held at 3.5, since what makes this possible (its connectors, and the choice of ring) is
//! what ureq may change in a minor version. It is re-exported as [`ureq`]: name its types through
//! that.
//!
//! # What is forced on ureq
//!
//! [`Client::configured`] hands out ureq's own builder. Whatever is done with it, this stays:
//!
//! | forced | because |
//! |---|---|
//! | no redirect is followed | ureq would take `X-Authorization` along to another host (W37) |
//! | every status is an answer | ureq makes 4xx and 5xx errors, and drops their body (W31 to W34) |
//! | a total deadline, and a connect deadline within it | ureq has none, and counts the look-up apart (W41) |
//! | a head of 64 KiB and 100 lines at most, with a length that is one | every library draws this line elsewhere (W40) |
//! | the body is read to the response limit, and what came is kept | ureq's own limit is an error, as is a body that breaks off (W38, W46) |
//! | the proxy is [`choose_proxy`](usage_proto::choose_proxy)'s | ureq takes the first of `ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY` for any URL, loopback too |
//! | a proxy is asked for an `http` URL in the absolute form | ureq asks for a tunnel, which most proxies give to port 443 alone |
//! | headers marked as sensitive go around ureq | ureq dumps what it writes at log level trace (W6) |
//! | each write and each read gets what is left of the deadline | ureq gives every system call of a write what was left before the first (W41) |
//! | an answer is looked for when writing fails, or has not gone on until shortly before the deadline, and a reset is no regular end of a body | ureq drops an early 413, and takes a reset for the end (W46) |
//!
//! Nothing is decoded: ureq's `gzip` and `brotli` are not turned on, and every request asks for
//! `identity`. Where another crate turns them on, the limit counts decoded bytes (W45).
//!
//! Everything else can be set, such as roots and client certificates, the IP family, a middleware
//! (which sees the request without its token), or the pool: unless set, it keeps 64 idle connections
//! for 15 seconds, and closes those that are older at the next save.
//!
//! # Threads, time and memory
//!
//! A look-up of a host name runs on a thread called `usage-ureq-dns`, since a look-up of the
//! system's cannot be given a deadline. The thread ends with the look-up, which may be after the
//! deadline. There is none for an address, and there are no others. A call cannot be cancelled; its
//! deadline ends it, while a report is being sent to a server that has stopped reading too.
//!
//! A connection holds 208 KiB of buffers, and as much again for TLS. No more than 80 KiB of a head
//! are read; of a body, no more than the response limit is kept, and up to a buffer beyond it is
//! read.

mod body;
mod client;
mod error;
mod gate;
mod proxy;

pub use client::Client;
pub use ureq;
