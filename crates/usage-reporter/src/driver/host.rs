use std::error::Error;
use std::time::SystemTime;

use usage_proto::Saveable;

use crate::consent::Consent;
use crate::state::State;
use crate::state::last_sent::LastSent;

/// The program that a driver reports for. It is the same for both drivers.
///
/// [`collect`](Self::collect) and [`store`](Self::store) may block: they run on the thread of the
/// [blocking driver](crate::blocking), or on one of their own under the
/// [tokio driver](crate::tokio). No lock is held meanwhile. One that panics has failed, which is an
/// event in the log and nothing more, unless the program is built with `panic = "abort"`.
///
/// A host that keeps a [`Handle`](crate::Handle) to its own reporter keeps it alive: the reporting
/// ends by `shutdown` alone then, and not from within a call of the host's, which would wait for
/// itself.
///
/// ```
/// use std::error::Error;
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use usage_proto::{Usage, UsageData};
/// use usage_reporter::{Consent, Host, State};
///
/// struct Database {
///     consent: Consent,
///     series: Arc<AtomicU64>,
/// }
///
/// impl Host for Database {
///     type Usage = Usage;
///
///     fn product(&self) -> &str {
///         "influxdb"
///     }
///
///     fn consent(&self) -> &Consent {
///         &self.consent
///     }
///
///     fn collect(&self) -> Result<Usage, Box<dyn Error + Send + Sync>> {
///         let series = self.series.load(Ordering::Relaxed);
///         Ok(Usage::new("influxdb").data(UsageData::new().value("num_series", series)))
///     }
///
///     fn store(&self, state: &State) -> Result<(), Box<dyn Error + Send + Sync>> {
///         # let _ = state;
///         // Into a `StateFile`, or wherever the product keeps what must survive.
///         Ok(())
///     }
/// }
/// ```
pub trait Host: Send + Sync + 'static {
    /// What [`collect`](Self::collect) gives, such as [`Usage`](usage_proto::Usage).
    type Usage: Saveable;

    /// The product, for the line in the log that says that it reports.
    fn product(&self) -> &str;

    /// What was decided about reporting. A driver does not start where it is off; the line in the
    /// log says how to switch it off.
    fn consent(&self) -> &Consent;

    /// Collects fresh usage.
    ///
    /// After [`Config::collect_timeout`](crate::Config::collect_timeout) the schedule goes on without
    /// it; numbers that come later are taken all the same. A shutdown asks once more if usage is due.
    ///
    /// # Errors
    ///
    /// Any error says that there are no numbers this time. It is logged at level debug.
    fn collect(&self) -> Result<Self::Usage, Box<dyn Error + Send + Sync>>;

    /// The time of day: the system's, unless a program knows better, or a test has its own.
    ///
    /// It stamps the state that is stored. It is also compared with the clock that the driver waits
    /// by, every few minutes: where it has run ahead, the machine was suspended
    /// ([`Reporter::slept`](crate::Reporter::slept)).
    #[expect(clippy::disallowed_methods, reason = "a driver owns the clock")]
    fn wall_now(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Stores the state, so that the next start finds it; with
    #[cfg_attr(feature = "state_file", doc = "[`StateFile::store`](crate::StateFile::store)")]
    #[cfg_attr(not(feature = "state_file"), doc = "`StateFile::store`")]
    /// for example. Nothing is sent before it returns.
    ///
    /// # Errors
    ///
    /// Any error says that it was not stored. The first of several in a row is a warning in the
    /// log; reporting goes on.
    fn store(&self, state: &State) -> Result<(), Box<dyn Error + Send + Sync>>;

    /// Keeps the last usage report as it left, so that its owner can read what was sent; with
    #[cfg_attr(
        feature = "state_file",
        doc = "[`StateFile::store_last_sent`](crate::StateFile::store_last_sent)"
    )]
    #[cfg_attr(not(feature = "state_file"), doc = "`StateFile::store_last_sent`")]
    /// for example. Called after each usage report, behind [`store`](Self::store). Nothing is kept
    /// unless the host does so.
    ///
    /// # Errors
    ///
    /// Any error is an event in the log, at level debug.
    fn store_last_sent(&self, sent: &LastSent) -> Result<(), Box<dyn Error + Send + Sync>> {
        let _ = sent;
        Ok(())
    }
}
