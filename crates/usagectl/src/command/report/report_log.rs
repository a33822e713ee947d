//! The log of `report`, on standard error: lines like those of `serve`, with a level.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::{Duration, SystemTime};

use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber, info, warn};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use super::usage_program::NoUsage;
use crate::{log_thread, terminal_text};

/// From here on events of this command and of the schedule are written; those of libraries are not.
pub(super) fn start(verbose: bool) -> io::Result<()> {
    log_thread::start()?;
    let level = if verbose { LevelFilter::DEBUG } else { LevelFilter::INFO };
    let targets =
        Targets::new().with_target("usage_reporter", level).with_target("usagectl", level);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(log_thread::Lines)
        .with_ansi(false)
        .with_target(false)
        .with_timer(Milliseconds)
        .map_event_format(Escaped);
    let subscriber = tracing_subscriber::registry().with(targets).with(lines);
    // There is one command in a process: nobody else has set one.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

pub(super) fn stopping(limit: Duration) {
    info!(
        "stopping: what waits is sent for {} at the most; a second signal stops at once",
        humantime::format_duration(limit)
    );
}

/// What the program prints is not repeated at this level: it is what is reported.
pub(super) fn no_usage(error: &NoUsage) {
    let reason = match error {
        NoUsage::Unreadable { .. } => String::new(),
        error => error.source().map(|source| format!(": {source}")).unwrap_or_default(),
    };
    warn!("nothing is reported this time: {error}{reason}");
}

/// Lines that a terminal shows as they are, whatever is in a name or in an answer of the API's.
struct Escaped<F>(F);

impl<S, N, F> FormatEvent<S, N> for Escaped<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        writeln!(writer, "{}", terminal_text::escape(line.trim_end()))
    }
}

/// As `serve` writes it.
struct Milliseconds;

impl FormatTime for Milliseconds {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{}", humantime::format_rfc3339_millis(SystemTime::now()))
    }
}
