//! Report to a Usage API, in ten lines.
//!
//! ```no_run
//! # struct Config { usage_reporting: Option<bool>, usage_url: usage_client::BaseUrl }
//! # struct Metrics;
//! # impl Metrics { fn keys(&self) -> u64 { 3 } }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let config = Config { usage_reporting: None, usage_url: "https://usage.example.com".parse()? };
//! # let (data_dir, metrics) = (std::path::PathBuf::from("/var/lib/tinykv"), Metrics);
//! use std::time::Duration;
//! use usage_client::{Reporting, UsageData};
//!
//! let reporting = Reporting::new("tinykv", env!("CARGO_PKG_VERSION"))
//!     .setting(config.usage_reporting) // from the product's own file
//!     .url(config.usage_url)
//!     .state_file(data_dir.join("usage.json"))
//!     .start(move || UsageData::new().value("num_keys", metrics.keys()))?;
//! // … the program does what it is for …
//! reporting.stop(Duration::from_secs(2));
//! # Ok(())
//! # }
//! ```
//!
//! What is done without being asked:
//!
//! - **Consent.** The product's setting decides, then `TINYKV_USAGE_REPORTING`, then `DO_NOT_TRACK`;
//!   without any of them reporting is on. Where it is off nothing is made: no thread, no file, no
//!   connection.
//! - **One line in the log** at the start (through `tracing`) says what is reported, where to, and how
//!   to switch it off.
//! - **An identity** is minted once and stored before anything is sent.
//! - **The server is registered** at each start, under the host's name.
//! - **Usage is reported every 12 hours**, with the tags that every report needs: `version`, `os` and
//!   `arch`, and `ci` in a pipeline or a test run. The ids `cluster_id` and `server_id` are among the
//!   values. What the collector says itself stands.
//! - **Outages** are waited for, and told once. So are numbers that cannot be had or sent.
//! - **A fleet is spread out.** What a start sends leaves within ten minutes of it
//!   ([`Schedule::start_spread`]), and the first usage within 12 hours. `flush` and `stop` send at once what
//!   waits, and `report_now` makes usage due.
//! - **Without a token** one more line at the start says where the customer can register, so that
//!   reports belong to an organisation; [below](#registration) is how a product takes the token.
//!
//! # Where an error is not a reason to stop
//!
//! ```no_run
//! # use usage_client::{Reporting, UsageData};
//! # let reporting = Reporting::new("tinykv", "1.0");
//! # let collect = || UsageData::new();
//! let reporting = reporting
//!     .start(collect)
//!     .inspect_err(|error| eprintln!("no usage reporting: {error:#}"))
//!     .ok();
//! ```
//!
//! # Registration
//!
//! A customer registers in a browser, at the page of the Usage API. A product with a web interface of
//! its own has a link to it, and the browser comes back with the token:
//!
//! ```no_run
//! # fn random() -> [u8; 16] { [0; 16] }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let reporting = usage_client::Reporting::new("tinykv", "1.0").start(|| usage_client::UsageData::new())?;
//! # let (path_and_query, keep) = ("/registered/00?token=t", |_: &usage_client::Token| ());
//! // Behind the link:
//! let registration = reporting.registration().ok_or("there is nothing to register")?
//!     .redirect_url("http://127.0.0.1:8080/registered")
//!     .state_in_path(random());
//! let url = reporting.registration_url(&registration)?; // where the browser is sent
//!
//! // At `/registered/…`, with the registration that was begun:
//! let token = registration.parse_redirect(path_and_query)?;
//! keep(&token); // for the next start
//! reporting.set_token(token)?;
//! # Ok(())
//! # }
//! ```
//!
//! `examples/web_interface.rs` is such a product, whole.
//!
//! # To be forgotten
//!
//! A customer who opts out may want what was reported to be erased. The product asks for it, once, where
//! the customer says so, and at each start goes on with what the API has not answered yet:
//!
//! ```no_run
//! # use std::time::Duration;
//! # use usage_client::Reporting;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (product, is_asked) = (Reporting::new("tinykv", "1.0"), true);
//! // One read of a file, as a rule. No error here is a reason to stop.
//! if let Err(error) = product.retry_forget_me(Duration::from_secs(5)) {
//!     eprintln!("{error}");
//! }
//! if is_asked {
//!     println!("{}", product.setting(Some(false)).forget_me(Duration::from_secs(5))?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Nothing but this request leaves. The identity goes with it, so that a later opt-in is another
//! installation. [`ForgetOutcome`] says what became of it: an API may not know how to forget, and then its
//! maker is left to ask.
//!
//! # Where a program lives for a moment
//!
//! A command-line tool calls [`Reporting::report_if_due`] in place of `start`: one read of a file where
//! nothing is due. [`Reporting::report_if_due_detached`] does not hold up the prompt either. On tokio it is
//! `report_if_due_on_tokio(collect, limit).await`.
//!
//! # Features
//!
//! | feature | brings | on unless switched off |
//! |---|---|---|
//! | `ureq` | [`ureq::Client`], blocking, and [`Reporting::start`] | yes |
//! | `reqwest` | `reqwest::Client`, async, and `Reporting::start_on_tokio` | |
//! | `hyper` | `hyper::Client`, async, and `Reporting::start_on_tokio` | |
//! | `reporting` | [`Reporting`]: schedule, identity, state file; needs one of the three above | yes |
//! | `tls` | https | yes |
//! | `testing` | `testing`: a Usage API in a test's own process, faults, and time that jumps | |
//! | `arbitrary`, `oracles` | for fuzzing: payloads from a fuzzer's bytes, and `oracles`, which hold for any | |
//!
//! # Sending more than before
//!
//! Who has agreed to what a product reports has not agreed to more. A product that adds to its
//! reports asks again: it keeps the version of what was agreed to beside its setting, and takes an
//! older one for no answer.
//!
//! ```
//! /// Raised whenever a report says more than before.
//! const REPORTS: u32 = 2;
//!
//! struct Config { usage_reporting: Option<bool>, agreed_to: u32 }
//!
//! fn setting(config: &Config) -> Option<bool> {
//!     match config.usage_reporting {
//!         // Agreed to less than is sent now: off, until somebody has said yes to all of it.
//!         Some(true) if config.agreed_to < REPORTS => Some(false),
//!         setting => setting,
//!     }
//! }
//! # let old = Config { usage_reporting: Some(true), agreed_to: 1 };
//! # assert_eq!(setting(&old), Some(false));
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(all(feature = "reporting", any(feature = "ureq", feature = "reqwest", feature = "hyper")))]
mod reporting;
#[cfg(feature = "testing")]
pub mod testing;

#[cfg(all(
    feature = "reporting",
    any(feature = "ureq", feature = "reqwest", feature = "hyper")
))]
pub use reporting::{
    Awaited, Collect, IfDue, IntoUsage, Plain, Preview, PreviewError, PushError, Reporting,
    Running, StartError, Status,
};
#[cfg(feature = "hyper")]
pub use usage_hyper as hyper;
#[cfg(feature = "oracles")]
pub use usage_proto::oracles;
pub use usage_proto::{
    Api, BaseUrl, BuildError, Deadlines, Error, Forget, Forgotten, IdempotencyKey, InvalidBaseUrl,
    InvalidToken, RedirectError, Registration, ResponseError, ResponseErrorKind, Saveable, Saved,
    Server, SimpleError, Stats, StatsData, Tags, Token, TransportError, TransportErrorKind, Usage,
    UsageData, ValidationErrors, Value, Values,
};
#[cfg(all(feature = "reporting", feature = "ureq"))]
pub use usage_reporter::blocking::Thread;
#[cfg(all(feature = "reporting", any(feature = "reqwest", feature = "hyper")))]
pub use usage_reporter::tokio::Task;
#[cfg(feature = "reporting")]
pub use usage_reporter::{
    Config as Schedule, Consent, ConsentRule, ForgetOutcome, Identity, LastSent, PendingLimits,
    RetryPolicy, Risk, StateFileError,
};
#[cfg(feature = "reqwest")]
pub use usage_reqwest as reqwest;
#[cfg(feature = "ureq")]
pub use usage_ureq as ureq;
#[cfg(feature = "ureq")]
pub use usage_ureq::Client;

/// The examples of the page in a registry.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
