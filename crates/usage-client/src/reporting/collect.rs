use std::error::Error;
use std::pin::Pin;

use usage_proto::UsageData;

type BoxError = Box<dyn Error + Send + Sync>;

/// What a collector may give: one item, a list of them, or either with an error in its place.
///
/// An error costs this report and nothing more. It is in the log, at most twice a day, and in
/// [`Status::last_error`](crate::Status::last_error).
pub trait IntoUsage {
    /// The items.
    ///
    /// # Errors
    ///
    /// Why there are none.
    fn into_usage(self) -> Result<Vec<UsageData>, Box<dyn Error + Send + Sync>>;
}

impl IntoUsage for UsageData {
    fn into_usage(self) -> Result<Vec<UsageData>, BoxError> {
        Ok(vec![self])
    }
}

impl IntoUsage for Vec<UsageData> {
    fn into_usage(self) -> Result<Vec<UsageData>, BoxError> {
        Ok(self)
    }
}

impl<U: IntoUsage, E: Into<BoxError>> IntoUsage for Result<U, E> {
    fn into_usage(self) -> Result<Vec<UsageData>, BoxError> {
        self.map_err(Into::into)?.into_usage()
    }
}

/// What is asked for fresh numbers: a closure, or one that gives a future.
///
/// It is called on a thread of its own, every 12 hours and for [`preview`](crate::Running::preview),
/// and may block. `M` is [`Plain`] or [`Awaited`], and the compiler finds out which.
pub trait Collect<M>: Send + Sync + 'static {
    /// Collects.
    fn collect(&self) -> Collecting;
}

/// What comes of [`Collect::collect`].
pub(crate) type Collecting = Pin<Box<dyn Future<Output = Result<Vec<UsageData>, BoxError>> + Send>>;

/// A collector that gives numbers.
#[derive(Debug, Clone, Copy)]
pub enum Plain {}

/// A collector that gives a future of numbers.
#[derive(Debug, Clone, Copy)]
pub enum Awaited {}

impl<F, U> Collect<Plain> for F
where
    F: Fn() -> U + Send + Sync + 'static,
    U: IntoUsage,
{
    fn collect(&self) -> Collecting {
        Box::pin(std::future::ready(self().into_usage()))
    }
}

impl<F, R> Collect<Awaited> for F
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output: IntoUsage> + Send + 'static,
{
    fn collect(&self) -> Collecting {
        let numbers = self();
        Box::pin(async { numbers.await.into_usage() })
    }
}
