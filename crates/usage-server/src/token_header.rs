//! Where a token may stand in a request.

use http::{HeaderMap, Uri};
use usage_proto::TOKEN_HEADER;

use crate::store::token_hash::TokenHash;

/// The token of a request, hashed at once: the secret goes no further.
///
/// The header counts before the query. A blank one is no token: the original Go client sends an
/// empty header for a token of white space.
pub(crate) fn token(headers: &HeaderMap, uri: &Uri) -> Option<TokenHash> {
    let in_header = headers
        .get_all(TOKEN_HEADER)
        .iter()
        .map(|value| value.as_bytes().trim_ascii())
        .find(|token| !token.is_empty())
        .map(TokenHash::of);
    in_header.or_else(|| {
        form_urlencoded::parse(uri.query()?.as_bytes())
            .filter(|(key, _)| key == "token")
            .find(|(_, token)| !token.trim().is_empty())
            .map(|(_, token)| TokenHash::of(token.trim().as_bytes()))
    })
}
