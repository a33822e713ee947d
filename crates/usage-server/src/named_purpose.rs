use http::Uri;
use percent_encoding::percent_decode_str;

use crate::store::kind::Kind;
use crate::store::row::Purpose;

/// What a report is for, as far as its address tells.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NamedPurpose {
    kind: Kind,
    /// A server names its product in the body.
    product: Option<String>,
}

impl NamedPurpose {
    /// Of an address that is a route.
    pub(crate) fn of(uri: &Uri) -> Self {
        let call = uri.path().trim_start_matches("/api/v1/");
        let (kind, product) = match call.split_once('/') {
            None => (Kind::Server, None),
            Some(("stats", product)) => (Kind::Stats, Some(product)),
            Some((_, product)) => (Kind::Usage, Some(product)),
        };
        let product = product.map(|product| percent_decode_str(product).decode_utf8_lossy());
        Self { kind, product: product.map(Into::into) }
    }

    /// Whether it is this one, if that can be told.
    pub(crate) fn is(&self, purpose: &Purpose) -> Option<bool> {
        if self.kind != purpose.kind {
            return Some(false);
        }
        self.product.as_ref().map(|product| *product == purpose.product)
    }
}

#[cfg(test)]
mod tests {
    use super::NamedPurpose;
    use crate::store::kind::Kind;
    use crate::store::row::Purpose;

    #[test]
    fn an_address_tells_the_kind_and_but_for_servers_the_product() {
        let of = |kind, product: &str| Purpose { kind, product: product.to_owned() };
        for (address, purpose, same) in [
            ("/api/v1/usage/p?token=x", of(Kind::Usage, "p"), Some(true)),
            ("/api/v1/usage/a%2Fb%20%C3%A9", of(Kind::Usage, "a/b é"), Some(true)),
            ("/api/v1/usage/p", of(Kind::Usage, "q"), Some(false)),
            ("/api/v1/usage/p", of(Kind::Stats, "p"), Some(false)),
            ("/api/v1/stats/p", of(Kind::Stats, "p"), Some(true)),
            ("/api/v1/stats/p", of(Kind::Server, "p"), Some(false)),
            ("/api/v1/servers", of(Kind::Server, "p"), None),
            ("/api/v1/servers", of(Kind::Usage, "p"), Some(false)),
        ] {
            let named = NamedPurpose::of(&address.parse().unwrap());
            assert_eq!(named.is(&purpose), same, "{address} {purpose:?}");
        }
    }
}
