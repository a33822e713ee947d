//! What can be saved: a body and the path that it is posted to.

use serde::Serialize;

/// Something that the Usage API can be told: it serializes to the body, and names its path.
///
/// The original package's interface of the same name returned a path as text, and an unescaped `/`
/// or `?` in it changed the route. Here a type returns the path's *segments* below `/api/v1/`, and
/// each is percent-encoded to be exactly one.
///
/// The built-in payloads are [`Server`](crate::Server), [`Stats`](crate::Stats) and
/// [`Usage`](crate::Usage). The trait is open: an application adds calls of its own, or implements
/// it on a struct to report without building maps.
///
/// ```
/// use serde::Serialize;
/// use usage_proto::{Api, BaseUrl, Saveable};
///
/// #[derive(Serialize)]
/// struct Heartbeat<'a> {
///     #[serde(skip)]
///     product: &'a str,
///     uptime_s: f64,
/// }
///
/// impl Saveable for Heartbeat<'_> {
///     fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
///         ["heartbeat", self.product]
///     }
/// }
///
/// let api = Api::new(BaseUrl::STAGING);
/// let request = api.build_request(&Heartbeat { product: "a/b", uptime_s: 1.5 })?;
/// assert_eq!(request.uri().path(), "/api/v1/heartbeat/a%2Fb");
/// assert_eq!(request.body(), r#"{"uptime_s":1.5}"#);
/// # Ok::<(), usage_proto::BuildError>(())
/// ```
///
/// A float in the body that is not finite is an error, in a type of your own too. Two kinds of
/// value have lost it before it can be seen: `serde_json::Value`, which turns NaN into null when it
/// is made, and `serde_json::value::RawValue`, which is text already.
pub trait Saveable: Serialize {
    /// The path's segments below `/api/v1/`, not escaped. They are asked for more than once and
    /// must not change in between.
    ///
    /// A segment that is empty, `.` or `..` is refused with a
    /// [`BuildError`](crate::BuildError).
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>>;
}

impl<T: Saveable + ?Sized> Saveable for &T {
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
        (**self).segments()
    }
}
