use std::io;

use serde_json::ser::Formatter;

/// Compact JSON, and whether a `null` was written.
#[derive(Default)]
pub(super) struct NullFlag {
    wrote_null: bool,
}

impl NullFlag {
    pub(super) fn wrote_null(&self) -> bool {
        self.wrote_null
    }
}

/// Everything else is the trait's own compact form.
impl Formatter for &mut NullFlag {
    fn write_null<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.wrote_null = true;
        writer.write_all(b"null")
    }
}
