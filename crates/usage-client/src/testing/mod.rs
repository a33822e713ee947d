//! A Usage API inside a test's own process, faults on its way, and time that jumps.
//!
//! ```
//! use std::time::Duration;
//!
//! use usage_client::UsageData;
//! use usage_client::testing::{Fault, Route, StatusCode, TestApi};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let api = TestApi::start()?;
//! api.fault(Route::Usage, Fault::Status(StatusCode::SERVICE_UNAVAILABLE), 2);
//! let mut life = api.live(&api.reporting("tinykv", "1.2.3"), || UsageData::new().value("keys", 3))?;
//! life.pass(Duration::from_secs(13 * 60 * 60))?; // in a moment
//! let usage = api.usage()?;
//! assert_eq!(usage[0].report.data[0].values.get("keys"), Some(&3.into()));
//! let tries = api.arrived().into_iter().filter(|request| request.route == Some(Route::Usage));
//! let keys: Vec<_> = tries.map(|request| request.key).collect();
//! assert!(keys[..3].iter().all(|key| *key == usage[0].key), "503, 503, and then success");
//! # Ok(())
//! # }
//! ```
//!
//! - [`TestApi`] is the real server (`usage-server`) behind a front that works the faults: a status,
//!   a pause, a connection that is cut, a body of which half arrives, each for one [`Route`].
//! - [`TestApi::reporting`] is a [`Reporting`](crate::Reporting) that reports there: change what a test is about.
//! - [`TestApi::live`] runs it in virtual time: half a year takes about as long as its requests do. The
//!   machine, the state file, the client and the server are the ones that a product has; the thread is
//!   not, and the clock is the test's. [`Reporting::start`](crate::Reporting::start) runs in real time
//!   as ever.
//! - [`TestApi::usage`], [`TestApi::servers`] and [`TestApi::stats`] are what was stored, each with its
//!   idempotency key, and [`TestApi::arrived`] is every request, stored or not.
//!
//! It speaks plain `http`, on this machine alone, where a token may travel so. There is no TLS to test in a
//! product: which certificates are trusted is the platform's to say, the same for every product, and the
//! adapters' own tests show it.
//!
//! # A customer who wants to be forgotten
//!
//! ```
//! use std::time::Duration;
//!
//! use usage_client::testing::TestApi;
//! use usage_client::{ForgetOutcome, UsageData};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (api, minute) = (TestApi::start()?, Duration::from_secs(60));
//! let product = api.reporting("tinykv", "1.2.3");
//! let mut life = api.live(&product, || UsageData::new().value("keys", 3))?;
//! life.pass(13 * 60 * minute)?;
//! drop(life);
//! assert!(!api.usage()?.is_empty());
//!
//! let off = product.setting(Some(false));
//! let outcome = off.forget_me(minute)?;
//! assert!(matches!(outcome, ForgetOutcome::Forgotten { reports: Some(2..) }));
//! assert!(api.usage()?.is_empty() && api.servers()?.is_empty());
//! assert_eq!(off.forget_me(minute)?, ForgetOutcome::NothingToForget);
//! # Ok(())
//! # }
//! ```
//!
//! `usage-server` brings `SQLite`, of which a program can link one version: turn the feature `testing`
//! on among the `dev-dependencies` alone.

mod api;
mod arrivals;
mod fault;
mod front;
mod life;

pub use http::StatusCode;
pub use usage_server::{ServerError, StoreError};

pub use self::api::{Stored, TestApi, TestApiError};
pub use self::arrivals::Arrived;
pub use self::fault::{Fault, Route};
pub use self::life::Life;
