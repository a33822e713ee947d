//! What takes a request to the API and brings the answer.

use std::error::Error;
use std::fmt;

use bytes::Bytes;
use http::{Request, Response};
use usage_proto::{Api, Deadlines, TransportError};

type Execute = dyn Fn(Request<Bytes>) -> Result<Response<Bytes>, TransportError> + Send;

/// An HTTP client as the command uses it: it blocks, and goes on using its connection from call to
/// call, from whatever thread they come.
pub struct Carrier(Box<Execute>);

impl Carrier {
    /// `execute` sends a request and waits for the answer, whatever its status.
    pub fn new(
        execute: impl Fn(Request<Bytes>) -> Result<Response<Bytes>, TransportError> + Send + 'static,
    ) -> Self {
        Self(Box::new(execute))
    }

    /// The client of this command. It opens no connection yet.
    ///
    /// # Errors
    ///
    /// If the environment names a proxy that cannot be used.
    pub fn ureq(api: Api, deadlines: Deadlines) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let client = usage_ureq::Client::configured(api, deadlines, |builder| builder)?;
        Ok(Self::new(move |request| client.execute(request)))
    }

    pub(crate) fn execute(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        (self.0)(request)
    }
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carrier").finish_non_exhaustive()
    }
}
