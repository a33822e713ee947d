/// How much a sender may send, and how much variety a product may bring. Nothing is limited unless
/// set; a limit of 0 is one of 1.
///
/// Requests and bytes are counted in a minute: whoever was quiet for one may send so much at once,
/// and then as fast as that. Beyond it the answer is 429 with `Retry-After`. What is counted is kept in
/// the memory of this server, for the senders of the last minutes, and for 65,536 of them at most.
///
/// ```
/// use usage_server::{Config, Database, Limits, Terms};
///
/// let limits = Limits::new().requests_per_address(600).requests_per_token(60);
/// let config = Config::new(Database::temporary()).terms(Terms::new().limits(limits));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub struct Limits {
    pub(crate) address: Rate,
    pub(crate) token: Rate,
    pub(crate) variety: Variety,
}

/// In a minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) requests: Option<u32>,
    pub(crate) bytes: Option<u64>,
}

/// For a product, in a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Variety {
    pub(crate) keys: Option<u32>,
    pub(crate) values: Option<u32>,
}

impl Rate {
    pub(crate) fn is_limited(self) -> bool {
        self.requests.is_some() || self.bytes.is_some()
    }
}

impl Limits {
    /// No limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests in a minute from one address, whatever they are but a look at the health. All of one
    /// IPv6 network (a /64) are one address, and so are all that come over sockets in the file system.
    pub fn requests_per_address(mut self, most: u32) -> Self {
        self.address.requests = Some(most.max(1));
        self
    }

    /// Bytes of bodies in a minute from one address. A body is not refused for its own size: what it
    /// has too much is missing to the ones that follow.
    pub fn bytes_per_address(mut self, most: u64) -> Self {
        self.address.bytes = Some(most.max(1));
        self
    }

    /// Reports in a minute with one token. Those without a token are limited by their address alone.
    pub fn requests_per_token(mut self, most: u32) -> Self {
        self.token.requests = Some(most.max(1));
        self
    }

    /// Bytes of reports in a minute with one token.
    pub fn bytes_per_token(mut self, most: u64) -> Self {
        self.token.bytes = Some(most.max(1));
        self
    }

    /// How many different keys of tags and values a product may bring in a day (UTC). What comes
    /// with further ones is stored under the one key `(other)`: a tag with this value too, values as
    /// their number. Keys of a map within a value count too, by the way to them.
    ///
    /// Never counted, and stored whatever came before, are the keys that an installation is found by,
    /// `cluster_id` and `server_id`, and those that every report is to have: `version`, `os`, `arch`
    /// and `ci`.
    pub fn keys_per_day(mut self, most: u32) -> Self {
        self.variety.keys = Some(most.max(1));
        self
    }

    /// How many different texts a product may bring in a day (UTC), as tags, as values or as names of
    /// statistics, and within values. Further ones are stored as `(other)`. `cluster_id` and
    /// `server_id` do not count: there are as many as instances.
    pub fn values_per_day(mut self, most: u32) -> Self {
        self.variety.values = Some(most.max(1));
        self
    }
}
