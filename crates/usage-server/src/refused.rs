/// Why a request was refused, in a word for the log and the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refused {
    /// No token that is known.
    UnknownToken,
    /// No such route, or no product in it.
    UnknownRoute,
    /// Another method.
    Method,
    /// Not exactly one host.
    Host,
    /// A browser has sent it.
    Browser,
    /// Not JSON by its own word, or coded.
    MediaType,
    /// The body cannot be read, or grows too large.
    Body,
    /// A field is blank.
    Field,
    /// The idempotency key cannot be read, or belongs to another report.
    IdempotencyKey,
    /// The body is above the limit.
    TooLarge,
    /// The body took too long.
    Late,
    /// The body broke off.
    Broken,
    /// More in a minute than one address may send.
    AddressRate,
    /// More in a minute than may be sent with one token.
    TokenRate,
    /// A product that is not taken.
    Product,
    /// Too many reports at once.
    Busy,
    /// The database did not take it.
    Database,
    /// Somebody wants to be forgotten by ids that anybody may guess.
    Guessable,
    /// A fault switch answered.
    Fault,
}

impl Refused {
    /// The word: lower case, with underscores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownToken => "unknown_token",
            Self::UnknownRoute => "unknown_route",
            Self::Method => "method",
            Self::Host => "host",
            Self::Browser => "browser",
            Self::MediaType => "media_type",
            Self::Body => "body",
            Self::Field => "field",
            Self::IdempotencyKey => "idempotency_key",
            Self::TooLarge => "too_large",
            Self::Late => "late",
            Self::Broken => "broken",
            Self::AddressRate => "address_rate",
            Self::TokenRate => "token_rate",
            Self::Product => "product",
            Self::Busy => "busy",
            Self::Database => "database",
            Self::Guessable => "guessable",
            Self::Fault => "fault",
        }
    }
}
