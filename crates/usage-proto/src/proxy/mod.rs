//! Which proxy to use: one answer for every adapter, since their libraries disagree.

mod address;
mod no_proxy;

pub use address::{InvalidProxy, Proxy};

use std::ffi::OsString;

use crate::base_url::BaseUrl;

/// The proxy for requests to `base_url`, or `None` for a direct connection.
///
/// `variable` looks up an environment variable, such as [`std::env::var_os`] does; an empty one
/// counts as unset. In this order:
///
/// 1. A loopback host is never reached through a proxy.
/// 2. `no_proxy`, then `NO_PROXY`: a list with commas or white space between, of host names (which
///    stand for the names below them too, with or without a leading dot), addresses, networks such
///    as `10.0.0.0/8`, and `*` for everything. An entry may end in `:port`.
/// 3. The scheme's own variable: `https_proxy`, then `HTTPS_PROXY`; or `http_proxy`, then
///    `HTTP_PROXY`. The last is ignored where `REQUEST_METHOD` is set, since in a CGI program it
///    is a header of the client's.
/// 4. `all_proxy`, then `ALL_PROXY`.
///
/// A proxy is spoken to in plain HTTP: requests to an `https` URL go through a `CONNECT` tunnel.
///
/// A variable that is not text is not taken for unset, which would mean that there is no proxy: its
/// parts that are text count.
///
/// ```
/// use usage_proto::{BaseUrl, choose_proxy};
///
/// let environment = |name: &str| (name == "HTTPS_PROXY").then(|| "proxy.example:3128".to_owned());
/// let proxy = choose_proxy(&BaseUrl::PRODUCTION, environment)?.expect("it is set");
/// assert_eq!(proxy.authority(), "proxy.example:3128");
/// # Ok::<(), usage_proto::InvalidProxy>(())
/// ```
///
/// # Errors
///
/// [`InvalidProxy`] if the variable that decides holds no address of a proxy that can be used.
/// Going around it instead would send the report where its owner did not want it to go.
pub fn choose_proxy<V: Into<OsString>>(
    base_url: &BaseUrl,
    mut variable: impl FnMut(&str) -> Option<V>,
) -> Result<Option<Proxy>, InvalidProxy> {
    if base_url.is_loopback() {
        return Ok(None);
    }
    let mut first = |names: &[&'static str]| {
        names.iter().find_map(|&name| {
            let value = variable(name)?.into();
            let value = value.to_string_lossy();
            let value = value.trim();
            (!value.is_empty()).then(|| (name, value.to_owned()))
        })
    };
    if let Some((_, list)) = first(&["no_proxy", "NO_PROXY"])
        && no_proxy::covers(&list, base_url.host(), base_url.port())
    {
        return Ok(None);
    }
    let own: &[_] = match base_url.is_https() {
        true => &["https_proxy", "HTTPS_PROXY"],
        false if first(&["REQUEST_METHOD"]).is_some() => &["http_proxy"],
        false => &["http_proxy", "HTTP_PROXY"],
    };
    match first(own).or_else(|| first(&["all_proxy", "ALL_PROXY"])) {
        Some((name, value)) => Proxy::parse(name, &value).map(Some),
        None => Ok(None),
    }
}
