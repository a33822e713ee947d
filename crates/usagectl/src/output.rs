//! Standard output and standard error.

use std::io::{self, IsTerminal as _, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::log_thread;
use crate::terminal_text::is_obeyed;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const OUT: Style = AnsiColor::Cyan.on_default();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();

/// Prints one JSON object on a line of its own.
pub(crate) fn json(object: &impl Serialize) -> io::Result<()> {
    bytes(&json_line(object)?)
}

/// One JSON object on a line of its own.
pub(crate) fn json_line(object: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    object.serialize(&mut serde_json::Serializer::with_formatter(&mut line, Escaped))?;
    line.push(b'\n');
    Ok(line)
}

/// JSON that a terminal shows as it is: besides what JSON wants, everything is escaped that
/// [`is_obeyed`]. The values stay the same.
struct Escaped;

impl serde_json::ser::Formatter for Escaped {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_obeyed) {
            let (plain, obeyed) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let length = obeyed.chars().next().map_or(0, char::len_utf8);
            for unit in obeyed[..length].encode_utf16() {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &obeyed[length..];
        }
        writer.write_all(rest.as_bytes())
    }
}

/// Prints `text` as one line.
pub(crate) fn line(text: &str) -> io::Result<()> {
    bytes(format!("{text}\n").as_bytes())
}

/// Prints bytes as they are, and nothing else but a line break where a prompt would follow them.
pub(crate) fn exactly(text: &[u8]) -> io::Result<()> {
    bytes(text)?;
    if io::stdout().is_terminal() { bytes(b"\n") } else { Ok(()) }
}

/// Prints bytes as they are.
pub(crate) fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Prints a line on standard error, through the log if the command has one. If nobody can read it,
/// nobody can be told so.
pub(crate) fn note(text: &str) {
    if !log_thread::line(text) {
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }
}
