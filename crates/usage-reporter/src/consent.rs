//! Whether there is to be any reporting at all.

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
}

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
    #[must_use]
    pub fn resolve(
        setting: Option<bool>,
        variable: &str,
        mut look_up: impl FnMut(&str) -> Option<String>,
    ) -> Self {
        if let Some(on) = setting {
            return Self { on, rule: ConsentRule::Setting };
        }
        let mut value = |name: &str| {
            let value = look_up(name)?.trim().to_ascii_lowercase();
            (!value.is_empty()).then_some(value)
        };
        if let Some(value) = value(variable) {
            let on = says_yes(&value);
            let understood = on || says_no(&value);
            let rule = ConsentRule::Variable { name: variable.to_owned(), understood };
            return Self { on, rule };
        }
        match value("DO_NOT_TRACK") {
            Some(value) if !says_no(&value) => Self { on: false, rule: ConsentRule::DoNotTrack },
            _ => Self { on: true, rule: ConsentRule::Default },
        }
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
