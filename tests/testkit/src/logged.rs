//! All that libraries write into their logs, by `log` and by `tracing`.

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static LOG: Mutex<String> = Mutex::new(String::new());

/// Begins to keep what is logged in this process, at every level.
///
/// # Panics
///
/// If something else keeps it already.
pub fn keep() {
    log::set_logger(&Book).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    tracing::subscriber::set_global_default(Book).unwrap();
}

/// Whether something was logged under this target.
#[must_use]
pub fn has(target: &str) -> bool {
    kept().contains(target)
}

/// How often this text was logged.
#[must_use]
pub fn times(text: &str) -> usize {
    kept().matches(text).count()
}

/// The part of a secret that was logged, if one was: as text, or as hexadecimal digits, a text that
/// was cut into rows included.
#[must_use]
pub fn leak(secret: &str) -> Option<String> {
    let log = kept();
    let digits = log.replace(' ', "");
    let mut parts = secret.as_bytes().windows(8);
    let leaked = parts.find(|part| {
        let hex = part.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        log.contains(&*String::from_utf8_lossy(part)) || digits.contains(&hex)
    });
    leaked.map(|part| String::from_utf8_lossy(part).into_owned())
}

fn kept() -> MutexGuard<'static, String> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Book;

impl log::Log for Book {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let _ = writeln!(kept(), "{} {}", record.target(), record.args());
    }

    fn flush(&self) {}
}

impl Visit for Book {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = writeln!(kept(), "{field}={value:?}");
    }
}

impl Subscriber for Book {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Self);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Self);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let _ = writeln!(kept(), "{}", event.metadata().target());
        event.record(&mut Self);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
