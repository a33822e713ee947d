//! Whether there is to be any reporting at all.

use std::ffi::OsString;
use std::fmt;

/// Whether reporting is on, and which rule decided it.
///
/// Off means off: a host that is told so makes no [`Reporter`](crate::Reporter), and with it no
/// thread, no file and no request.
///
/// ```
/// use usage_reporter::{Consent, ConsentRule};
///
/// # let environment = |name: &str| (name == "DO_NOT_TRACK").then(|| "1".to_owned());
/// let consent = Consent::resolve(None, "INFLUXDB_USAGE_REPORTING", environment);
/// assert!(!consent.is_on());
/// assert_eq!(consent.to_string(), "usage reporting is off: DO_NOT_TRACK is set");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    on: bool,
    rule: ConsentRule,
    /// The product's own.
    variable: Box<str>,
}

/// Says the same to every program.
const DO_NOT_TRACK: &str = "DO_NOT_TRACK";

/// The rule that decided, strongest first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConsentRule {
    /// The application's own setting: its configuration file or its command line.
    Setting,
    /// The product's own variable.
    #[non_exhaustive]
    Variable {
        /// The name of the variable.
        name: String,
        /// Whether its value is one of the words for on or off. A word that nobody knows counts as
        /// off: who sets the variable wants something else than the default.
        understood: bool,
    },
    /// `DO_NOT_TRACK`, which says the same to every program.
    DoNotTrack,
    /// Nothing was said, and reporting is on.
    Default,
}

impl Consent {
    /// Asks the rules in turn: the application's setting, the product's own variable (`variable`
    /// is its name), `DO_NOT_TRACK`. Without any of them reporting is on.
    ///
    /// `look_up` answers for environment variables. A variable that is empty counts as not set.
    /// The product's variable is on with `1`, `true`, `yes` and `on`, and off with any other
    /// value; a product whose variable means the opposite turns the value round in `look_up`.
    /// `DO_NOT_TRACK` switches reporting off unless it is `0`, `false`, `no` or `off`, and
    /// never switches it on. The case of letters and space around a value do not matter.
    /// A value that is not text is taken as far as it is.
    #[must_use]
    pub fn resolve<V: Into<OsString>>(
        setting: Option<bool>,
        variable: &str,
        mut look_up: impl FnMut(&str) -> Option<V>,
    ) -> Self {
        let decided = |on, rule| Self { on, rule, variable: variable.into() };
        if let Some(on) = setting {
            return decided(on, ConsentRule::Setting);
        }
        let mut value = |name: &str| {
            let value = look_up(name)?.into();
            let value = value.to_string_lossy().trim().to_ascii_lowercase();
            (!value.is_empty()).then_some(value)
        };
        // As the product's own, the variable would turn round what it says to every program.
        let own = Some(variable).filter(|name| *name != DO_NOT_TRACK);
        if let Some(value) = own.and_then(&mut value) {
            let on = says_yes(&value);
            let understood = on || says_no(&value);
            let rule = ConsentRule::Variable { name: variable.to_owned(), understood };
            return decided(on, rule);
        }
        match value(DO_NOT_TRACK) {
            Some(value) if !says_no(&value) => decided(false, ConsentRule::DoNotTrack),
            _ => decided(true, ConsentRule::Default),
        }
    }

    /// The same with this process's environment.
    ///
    /// A value that is not text counts, where `std::env::var` would take it for unset, and so for on.
    #[expect(clippy::disallowed_methods, reason = "the one question to the environment")]
    #[must_use]
    pub fn from_env(setting: Option<bool>, variable: &str) -> Self {
        Self::resolve(setting, variable, |name| std::env::var_os(name))
    }

    /// Whether reporting is on.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// The rule that decided.
    #[must_use]
    pub fn rule(&self) -> &ConsentRule {
        &self.rule
    }

    /// What to do to switch reporting off, in words that follow "to switch it off,". A program
    /// that reports tells it to whoever runs it.
    ///
    /// ```
    /// use usage_reporter::Consent;
    ///
    /// let consent = Consent::resolve(None, "INFLUXDB_USAGE_REPORTING", |_| None::<String>);
    /// assert_eq!(
    ///     consent.to_switch_off().to_string(),
    ///     "set INFLUXDB_USAGE_REPORTING=off, or DO_NOT_TRACK=1"
    /// );
    /// ```
    #[must_use]
    pub fn to_switch_off(&self) -> impl fmt::Display + '_ {
        ToSwitchOff(self)
    }
}

/// The weakest of the ways that are stronger than the rule that decided.
struct ToSwitchOff<'a>(&'a Consent);

impl fmt::Display for ToSwitchOff<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variable = &self.0.variable;
        match self.0.rule {
            ConsentRule::Setting => f.write_str("change the application's setting"),
            ConsentRule::Variable { .. } => write!(f, "set {variable}=off"),
            _ if **variable == *DO_NOT_TRACK => f.write_str("set DO_NOT_TRACK=1"),
            ConsentRule::DoNotTrack | ConsentRule::Default => {
                write!(f, "set {variable}=off, or DO_NOT_TRACK=1")
            }
        }
    }
}

/// One line for the log at the start.
impl fmt::Display for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "usage reporting is {}: {}", if self.on { "on" } else { "off" }, self.rule)
    }
}

impl fmt::Display for ConsentRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting => f.write_str("the application's setting says so"),
            Self::Variable { name, understood: true } => write!(f, "{name} says so"),
            Self::Variable { name, understood: false } => {
                write!(f, "{name} has a value that is neither on nor off, which counts as off")
            }
            Self::DoNotTrack => f.write_str("DO_NOT_TRACK is set"),
            Self::Default => f.write_str("that is the default"),
        }
    }
}

fn says_yes(value: &str) -> bool {
    matches!(value, "1" | "true" | "yes" | "on")
}

fn says_no(value: &str) -> bool {
    matches!(value, "0" | "false" | "no" | "off")
}
