//! Texts as `PostgreSQL` takes them.

/// Everything but a zero character, which becomes what stands for a character that cannot be shown.
pub(super) fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// A time as a text that is shown as it is stored elsewhere.
macro_rules! time_column {
    ($column:literal) => {
        concat!("to_char(", $column, " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
    };
}

pub(super) use time_column;
