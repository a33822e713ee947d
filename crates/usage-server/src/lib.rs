//! A Usage API to talk to: the other end of `usage-proto`.
//!
//! It listens to what products report (that a server started, statistics, anonymous usage), checks
//! it, and keeps it in a database. It serves two ends: in production behind
//! `usagectl serve`, and in a test as a real API inside the test's own process, with switches that
//! make it fail on demand.
//!
//! # In a test
//!
//! The server has its own threads. Nothing has to be async, and nothing is left behind.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//! use usage_server::{Config, Database, Server};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::bind("127.0.0.1:0", Config::new(Database::temporary()))?;
//! let token = server.create_token("Example Inc.")?;
//!
//! // The product under test would be given `server.url()` and the token. Here it is seven lines.
//! let body = r#"[{"tags":{"os":"linux"},"values":{"num_databases":3}}]"#;
//! let mut product = TcpStream::connect(server.local_addr())?;
//! write!(product, "POST /api/v1/usage/influxdb HTTP/1.1\r\nHost: localhost\r\n")?;
//! write!(product, "Content-Type: application/json\r\n")?;
//! write!(product, "X-Authorization: {}\r\nConnection: close\r\n", token.expose())?;
//! write!(product, "Content-Length: {}\r\n\r\n{body}", body.len())?;
//! let mut answer = String::new();
//! product.read_to_string(&mut answer)?;
//! assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"));
//!
//! let rows = server.store().usage().read_all()?;
//! assert_eq!(rows[0].organisation.as_deref(), Some("Example Inc."));
//! assert_eq!(rows[0].report.data[0].tags.get("os"), Some("linux"));
//!
//! server.shutdown()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Routes
//!
//! | request | success | stored as |
//! |---|---|---|
//! | `POST /api/v1/servers` | 201 `{}` | [`Store::servers`] |
//! | `POST /api/v1/stats/{product}` | 200 `{}` | [`Store::stats`] |
//! | `POST /api/v1/usage/{product}` | 201 `{}` | [`Store::usage`] |
//! | `POST /api/v1/forget/{product}` | 200 `{"reports":12}` | nothing: it [erases](#who-is-forgotten) |
//! | `GET /healthz` | 200 `{"status":"ok"}` | nothing: it shows that the server answers, whatever its database does |
//! | `GET /readyz` | 200 `{"status":"ok"}` | nothing: it shows that the database takes writes, and that the server is not stopping |
//! | `GET /openapi.json` | 200 | nothing: all of this, for programs (`OpenAPI` 3.1) |
//! | `GET /start`, `POST /start` | a page | an organisation and its token, see below |
//!
//! Every answer of the routes for reports is JSON. Errors are `{"error":"…"}`, or `{"errors":{"field":["…"]}}` with 422:
//!
//! | status | when |
//! |---|---|
//! | 400 | an HTTP/1.1 request without exactly one `Host` |
//! | 401 | the token is not known |
//! | 403 | the request has an `Origin` or `Sec-Fetch-Site`: a browser has made it; or somebody wants to be forgotten by ids that anybody may guess |
//! | 404 | there is no such route, or the product in it can not be read, such as one that is not UTF-8 |
//! | 405 | the route takes another method, which `Allow` names |
//! | 413 | the body is above the [limit](Config::body_limit), 1 MiB unless set |
//! | 415 | the `Content-Type` is not `application/json`, or there is a `Content-Encoding` |
//! | 422 | a field is blank, or the product longer than 256 characters; under `product`, the operator [does not take](Terms::products) it; under `body`, the body is not JSON of the right shape, or [grows](Config::body_limit) too large; under `idempotency_key`, the key can not be read, or was used for another kind or product |
//! | 429 | more in a minute than the operator [wants](Limits); with `Retry-After` |
//! | 500 | the report could not be stored, or its body took too long to arrive; with `Retry-After`, the queue is [full](Config::queue), or others were first until its [deadline](Config::body_deadline) |
//! | 503 | `/readyz`: the database does not answer, or the server is stopping; `/healthz`: the server has to be started again |
//!
//! Go clients that are out there take 401, 404, 422 and 500 for errors and anything else for a
//! success. So a refusal that must be noticed uses one of these, even where HTTP has a better word:
//! a report is never refused with 408 or 503. The exceptions are what no client does that has a
//! report to lose (400, 403, 405 and 415), 413, since clients have the same limit of their own, and
//! 429, which says that the report is not wanted now: newer clients wait, and send it again.
//! With 413 the connection is closed, but not before up to 16 MiB, or 2 s, of the rest was
//! read and thrown away: a client that sends first and reads later finds an answer and no reset.
//!
//! What is not HTTP does not get as far as a route, nor into the log: a head that can not be read
//! is answered with 400, and one above 64 KiB or with more than 100 fields with 431, both with an
//! empty body, and the connection is closed.
//!
//! ## Who reports
//!
//! A token comes in the header `X-Authorization`, or as `?token=`; the header counts if both are
//! there. A blank one is none. A report without a token is stored without an organisation; one with
//! an unknown token is refused. Tokens are made with [`Server::create_token`] or
//! [`Store::create_token`], and end with [`Store::revoke_tokens`], [`Store::rotate_token`] or
//! [`Store::remove_organisation`]. A token that has ended is an unknown one.
//!
//! ## Registration
//!
//! `GET /start?cluster_id=…&product=…&redirect_url=…` is a page for a customer's browser, if the
//! operator has [opened](Config::registration) it. Its form makes a token for an organisation, and
//! sends the browser back to `redirect_url` with `token` in its query: to this machine, or to an
//! origin that the operator [allows](Config::redirects). Without a `redirect_url` the page shows the
//! token, this once. The page has no scripts. A form that another page has sent is refused.
//!
//! Browsers hold every redirect behind a form to the page's policy, not the first alone. So the
//! application at `redirect_url` takes the token and sends the browser on within its own origin.
//!
//! ## What is asked of a report
//!
//! - A server needs `cluster_id`, `server_id`, `host`, `product` and `version`.
//! - Statistics need `cluster_id`, `server_id` and a `name` in each item.
//! - Usage needs nothing in its items.
//!
//! A product has 256 characters at most, since it stands in an index. Other texts may be as long as a
//! body: an id above 200 bytes is found by its SHA-256. White space alone is blank, in a product's path segment too. `null` is taken for an empty text,
//! list or map, because deployed senders write it. Fields that are not known are not stored.
//!
//! ## Reports that come twice
//!
//! A request may carry `Idempotency-Key: "…"`, a quoted string (RFC 9651) of 1 to 256 characters.
//! The first report that is stored with it decides: what comes later with the same key and the same
//! token (or, like it, without one), of the same kind and for the same product, is answered like the
//! first and not stored, whatever its numbers are. A key belongs to what it was used for:
//! for another kind or product it is refused. Keys are remembered as long as their reports are
//! stored, and for 14 days at least ([`Retention`]). A report that was refused does not use up its key.
//!
//! ## Who is forgotten
//!
//! A product whose customer has opted out asks for it with the ids of the server and its cluster. Erased
//! is what names this server and no cluster but this one, of this product, and came with the token of the
//! request. Where the server's id is one that nobody guesses (16 hexadecimal digits or more), what came
//! with other tokens of the organisation goes too, and what came without one; that id alone says then that
//! it is the owner who asks, and a token is not needed. Any other id without a token is refused. It
//! is done in slices, one request at a time, and what is not done by the [deadline](Config::body_deadline)
//! is a 500 with `Retry-After`: sent again, it goes on. What is noted of it is the hash that
//! `printf 'forgotten\0CLUSTER\0SERVER' | sha256sum` prints.
//!
//! # Faults
//!
//! [`Faults`] makes the four `POST` routes of the API answer a status for the next few requests or for ever,
//! redirect, ask to wait, or take their time, at any moment while the server runs:
//!
//! ```
//! # use usage_server::{Config, Database, Server};
//! # let server = Server::bind("127.0.0.1:0", Config::new(Database::temporary()))?;
//! server.faults().fail(Some("503:3".parse()?)); // three times 503, then healthy again
//! server.faults().retry_after(Some("30"))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Seen from outside
//!
//! A server that has a [socket for it](Listeners::metrics) answers `GET /metrics` there, in the text
//! format of Prometheus, and `GET /readyz`, until it has stopped. Each name begins with `usage_`:
//!
//! | metric | what it counts |
//! |---|---|
//! | `requests_total{route,status}` | requests; the route is the beginning of the path, or `other` |
//! | `request_duration_seconds{route}` | from the head of a request to its answer |
//! | `refused_total{reason}` | requests that were refused, by [`Refused`] |
//! | `request_body_bytes_total` | bytes of bodies that were read |
//! | `requests_in_flight`, `connections` | how many there are now |
//! | `connections_accepted_total`, `connections_refused_total` | connections that got a place, or none |
//! | `commits_total`, `commit_size`, `commit_duration_seconds` | transactions, how much is in them, how long they take |
//! | `stored_total`, `repeated_total`, `queue_length` | reports that were stored, that came again, that wait |
//! | `database_bytes` | the file, with its write-ahead log |
//! | `start_time_seconds`, `build_info{version}` | this process |
//! | `overflowed_total{what}` | keys and texts that were stored as `(other)`, see [`Limits`] |
//!
//! Nothing that a client sends becomes a series of its own.
//!
//! # Storage
//!
//! One `SQLite` file in WAL mode with `synchronous = FULL`, or, behind the feature `postgres`, a
//! database of `PostgreSQL` 15 or newer, which any number of servers may share. One thread of a server
//! writes: it takes whatever waits, commits it in one transaction, and only then are the requests
//! answered. So an answer promises that the report survives a power cut, and a slow disk makes
//! transactions larger rather than the queue longer; [`Store::metrics`] counts both. A report that
//! cannot be stored fails alone; if a commit fails, every request in it is told so and nothing of it is
//! stored. While a database of other machines cannot be reached, reports get 500 with `Retry-After`, and
//! it is found again by itself.
//!
//! Each report has a [position](Stored::position) that grows in the order of commits, whichever server
//! commits: who reads [after](Selection::after) a position misses nothing. What is too old can be
//! [pruned](Retention), what somebody wants to be gone can be [erased](Store::erase), and all of it can be
//! [moved](Store::move_to) to another database.
//!
//! Of a token only its SHA-256 is kept. A file that is no database, is another program's, was changed
//! by somebody or was written by a newer version is refused and not touched, and so is one that is
//! not this program's own ([`Database::file`]). A database that is removed or replaced while it is
//! open takes no more reports ([`Config::on_event`]).

#![cfg_attr(docsrs, feature(doc_cfg))]

mod app;
mod body_bytes;
mod body_to_row;
mod buckets;
mod call;
mod client_address;
mod commit_meter;
mod config;
mod connection;
mod ended;
mod error;
mod event;
mod faults;
mod forget;
mod json_answer;
mod json_thread;
mod key_header;
mod limits;
mod listener;
mod meters;
mod named_purpose;
mod observe;
mod on_database;
mod operator_routes;
mod peer_stream;
mod places;
mod proxies;
mod rates;
mod refusal;
mod refused;
mod registration;
mod request_log;
mod request_rules;
mod routes;
mod server;
#[cfg(unix)]
mod socket_file;
mod store;
mod store_meters;
mod terms;
mod timed_stream;
mod token_header;
mod turns;
mod validate;
mod variety;

pub use config::Config;
pub use error::ServerError;
pub use event::ServerEvent;
pub use faults::{FailRule, Faults, InvalidFailRule, InvalidFault};
pub use limits::Limits;
pub use listener::{ListenAddress, Listener, Listeners};
pub use proxies::{InvalidNetwork, Proxies};
pub use refused::Refused;
pub use registration::policy::{InvalidOrigin, InviteCodes, Redirects, Registration};
pub use request_log::RequestLog;
pub use server::Server;
pub use store::Store;
pub use store::database::Database;
pub use store::erasure::{Erased, Erasure};
pub use store::error::StoreError;
pub use store::kind::{InvalidKind, Kind};
pub use store::metrics::Metrics;
pub use store::moving::Moved;
#[cfg(feature = "postgres")]
pub use store::postgres_address::InvalidAddress;
pub use store::retention::{InvalidRetention, Retention};
pub use store::selection::Selection;
pub use store::stored::{Rows, Stored};
pub use store::summary::{Shares, Summary};
pub use store::token::{StoredToken, TokenChoice};
pub use terms::Terms;
pub use usage_files::{FileError, Risk};

/// The examples of the page in a registry.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
