//! Where a report goes, and for whom.

use usage_proto::{Api, BaseUrl, TOKEN_HEADER, Token};

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

/// Two addresses, with one of two tokens or none, and one API that takes next to nothing.
pub(super) fn api(choice: u8) -> Api {
    let address = if choice & 1 == 0 { "http://127.0.0.1:1" } else { "http://127.0.0.1:2/usage" };
    let api = Api::new(BaseUrl::new(address).unwrap());
    let api = match choice >> 1 & 3 {
        0 => api,
        1 => api.with_token(Token::new("one").unwrap()).unwrap(),
        2 => api.with_token(Token::new("other").unwrap()).unwrap(),
        _ => api.with_request_limit(3),
    };
    api.with_response_limit(1024)
}
