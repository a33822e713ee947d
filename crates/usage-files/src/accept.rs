use std::fmt;
use std::str::FromStr;

/// Why a file may not be a program's own.
///
/// Its text is a name to accept it by: `link`, `other-owner`, `writable-by-others`.
///
/// ```
/// use usage_files::Risk;
///
/// let risk: Risk = "other-owner".parse()?;
/// assert_eq!(risk, Risk::OtherOwner);
/// # Ok::<(), usage_files::UnknownRisk>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Risk {
    /// The name is a symbolic link, or the file has a second name.
    Link,
    /// The file belongs to another user.
    OtherOwner,
    /// Others than its owner may write to the file, those of its group included.
    WritableByOthers,
}

impl Risk {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Link, Self::OtherOwner, Self::WritableByOthers];

    fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::OtherOwner => "other-owner",
            Self::WritableByOthers => "writable-by-others",
        }
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Risk {
    type Err = UnknownRisk;

    fn from_str(text: &str) -> Result<Self, UnknownRisk> {
        let known = Self::ALL.into_iter().find(|risk| risk.name() == text);
        known.ok_or_else(|| UnknownRisk { text: text.to_owned() })
    }
}

/// A text that is not the name of a [`Risk`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` cannot be accepted: write link, other-owner or writable-by-others")]
pub struct UnknownRisk {
    text: String,
}

/// Which risks are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use]
pub struct Accept {
    link: bool,
    other_owner: bool,
    writable_by_others: bool,
}

impl Accept {
    /// None of them.
    pub const NOTHING: Self = Self { link: false, other_owner: false, writable_by_others: false };

    /// All of them: for whoever only looks, and takes what is there for what it is.
    pub const ANYTHING: Self = Self { link: true, other_owner: true, writable_by_others: true };

    /// This one as well.
    pub const fn and(mut self, risk: Risk) -> Self {
        match risk {
            Risk::Link => self.link = true,
            Risk::OtherOwner => self.other_owner = true,
            Risk::WritableByOthers => self.writable_by_others = true,
        }
        self
    }

    /// Whether this one is taken.
    #[must_use]
    pub const fn takes(self, risk: Risk) -> bool {
        match risk {
            Risk::Link => self.link,
            Risk::OtherOwner => self.other_owner,
            Risk::WritableByOthers => self.writable_by_others,
        }
    }
}

impl FromIterator<Risk> for Accept {
    fn from_iter<I: IntoIterator<Item = Risk>>(risks: I) -> Self {
        risks.into_iter().fold(Self::NOTHING, Self::and)
    }
}
