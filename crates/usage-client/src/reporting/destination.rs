//! The API of a product.

use usage_proto::Api;

use super::Reporting;
use super::start_error::StartError;

impl Reporting {
    /// What can be known to be wrong without a look at disk or network.
    pub(crate) fn api(&self) -> Result<Api, StartError> {
        if self.state_file.is_none() {
            return Err(StartError::NoStateFile);
        }
        let url = self.url.clone().ok_or(StartError::NoUrl)?;
        let api = Api::new(url).with_application(&self.application())?;
        Ok(match &self.token {
            Some(token) => api.with_token(token.clone())?,
            None => api,
        })
    }

    /// Product and version in the characters of a User-Agent.
    fn application(&self) -> String {
        let plain = |text: &str| -> String {
            let known = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
            text.chars().map(|c| if known(c) { c } else { '-' }).collect()
        };
        match (plain(&self.product), plain(&self.version)) {
            (product, version) if version.is_empty() => product,
            (product, version) => format!("{product}/{version}"),
        }
    }
}
