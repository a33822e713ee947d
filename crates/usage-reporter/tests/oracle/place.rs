//! Where a report goes, and for whom.

use usage_proto::{Api, TOKEN_HEADER};

/// An address of `api` and a token, as far as two of them differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    port: u16,
    token: Option<String>,
}

impl Place {
    pub(super) fn of_api(api: &Api) -> Self {
        let token = api.token().map(|token| token.expose().to_owned());
        Self { port: api.base_url().port(), token }
    }

    pub(super) fn of_request<B>(request: &http::Request<B>) -> Self {
        let token = request.headers().get(TOKEN_HEADER);
        let token = token.map(|token| token.to_str().unwrap().to_owned());
        Self { port: request.uri().port_u16().unwrap(), token }
    }

    pub(super) fn is_at(&self, other: &Self) -> bool {
        self.port == other.port
    }
}
