//! What the tests of adapters say, and to whom.

use std::time::Duration;

use usage_proto::{Api, BaseUrl, Error, Token, Usage, UsageData};

/// For a deadline before which nothing has to come.
pub const SHORT: Duration = Duration::from_millis(300);

/// For a deadline before which something has to come, on a busy machine too.
pub const LESS_SHORT: Duration = Duration::from_secs(2);

/// For a deadline that is not to pass.
pub const AGES: Duration = Duration::from_secs(3600);

/// The answer of an API that is well.
pub const CREATED: &str = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";

/// A token that is easily found where it should not be.
pub const TOKEN: &str = "token-0123456789-token-0123456789-token-0123456789";

/// An API with a token, that takes reports of up to 16 MiB.
///
/// # Panics
///
/// If the URL is no base URL.
#[must_use]
pub fn api(url: &str) -> Api {
    let base_url = BaseUrl::new(url).unwrap().allow_plaintext_token();
    let api = Api::new(base_url).with_request_limit(16 << 20);
    api.with_token(Token::new(TOKEN).unwrap()).unwrap()
}

/// A small report.
#[must_use]
pub fn usage() -> Usage {
    Usage::new("influxdb").data(UsageData::new().tag("os", "linux").value("num_databases", 3))
}

/// A report that does not fit into the buffers between two sockets.
#[must_use]
pub fn large_usage() -> Usage {
    Usage::new("influxdb").data(UsageData::new().value("padding", "x".repeat(12 << 20)))
}

/// Checks that an error tells no secret, and no thing twice.
///
/// # Panics
///
/// If it does.
pub fn check_words(error: &Error) {
    let debug = format!("{error:?}");
    assert!(!debug.contains(TOKEN), "the token is in {debug}");
    for pair in words(error).windows(2) {
        assert!(!pair[0].contains(&pair[1]), "said twice: {pair:?}");
    }
}

/// The texts of an error and of all that is behind it.
#[must_use]
pub fn words(error: &(dyn std::error::Error + 'static)) -> Vec<String> {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.map(ToString::to_string).collect()
}
