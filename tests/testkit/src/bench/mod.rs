//! Measuring what is ours side by side with what it is measured against, in one run.
//!
//! Machines differ and are busy, so a time alone tells little. Two workloads take turns, A B A B,
//! and what counts is the median of their ratios.

mod beside;
mod instructions;
mod one_core;
mod open_loop;
mod over_tls;
mod process_figures;
mod report_client;
mod saves;
mod server;

use std::fmt;
use std::io::{self, Write as _};
use std::time::Instant;

use serde::Serialize;

pub use open_loop::{Waits, open_loop};
pub use process_figures::ProcessFigures;
pub use report_client::{Key, ReportClient, ReportClients};
pub use saves::{AT_ONCE, Saver, Targets, saves};
pub use server::Server;

/// How often each workload has its turn.
const ROUNDS: usize = 11;

/// One line of a table.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// What it is counted in.
    pub unit: Unit,
    /// By ours: the median. `None` where it could not be measured.
    pub ours: Option<f64>,
    /// By what it is measured against, if there is something: the median.
    pub bare: Option<f64>,
    /// The median of `ours / bare` over the rounds.
    pub ratio: Option<f64>,
    /// What the ratio, or else the value, should be: at least if it is of rates, at most otherwise.
    pub target: Option<f64>,
    /// How many connections ours has opened, if that was counted.
    pub connections: Option<usize>,
    /// Why it could not be measured.
    pub missing: Option<String>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// How often a second: the more the better.
    #[serde(rename = "1/s")]
    PerSecond,
    /// Nanoseconds for each: the less the better.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// Microseconds for each: the less the better.
    #[serde(rename = "µs")]
    Microseconds,
    /// Bytes of memory or of a file: the less the better.
    #[serde(rename = "bytes")]
    Bytes,
    /// Thousands of bytes: the less the better.
    #[serde(rename = "kB")]
    Kilobytes,
    /// Instructions of the processor: the less the better.
    #[serde(rename = "instructions")]
    Instructions,
}

impl Row {
    /// What is measured against nothing else.
    pub fn alone(what: impl Into<String>, unit: Unit, ours: f64, target: Option<f64>) -> Self {
        let (what, ours) = (what.into(), Some(ours));
        Self { what, unit, ours, bare: None, ratio: None, target, connections: None, missing: None }
    }

    /// What was measured once, beside something else.
    pub fn beside(
        what: impl Into<String>,
        unit: Unit,
        ours: f64,
        bare: f64,
        target: Option<f64>,
    ) -> Self {
        let row = Self::alone(what, unit, ours, target);
        Self { bare: Some(bare), ratio: Some(ours / bare), ..row }
    }

    /// What could not be measured here, and why.
    pub fn missing(
        what: impl Into<String>,
        unit: Unit,
        target: Option<f64>,
        why: impl Into<String>,
    ) -> Self {
        let row = Self::alone(what, unit, 0.0, target);
        Self { ours: None, missing: Some(why.into()), ..row }
    }
}

/// Whether the rows are for a machine.
fn is_json() -> bool {
    std::env::args().any(|argument| argument == "--json")
}

/// Lets both do `count` things in turn, and compares how often they do one in a second.
pub fn compare(
    what: &str,
    count: usize,
    target: f64,
    ours: impl FnMut(),
    bare: impl FnMut(),
) -> Row {
    in_turn(what, Unit::PerSecond, count, target, ours, bare)
}

/// Lets both do `count` things in turn, and compares how long they take for one.
pub fn compare_times(
    what: &str,
    count: usize,
    target: f64,
    ours: impl FnMut(),
    bare: impl FnMut(),
) -> Row {
    in_turn(what, Unit::Nanoseconds, count, target, ours, bare)
}

/// Some rounds after a first that does not count.
fn in_turn(
    what: &str,
    unit: Unit,
    count: usize,
    target: f64,
    mut ours: impl FnMut(),
    mut bare: impl FnMut(),
) -> Row {
    ours();
    bare();
    compare_figures(
        what,
        unit,
        Some(target),
        || measure(unit, count, &mut ours),
        || measure(unit, count, &mut bare),
    )
}

/// Asks both in turn for their figure of a round.
pub fn compare_figures(
    what: &str,
    unit: Unit,
    target: Option<f64>,
    mut ours: impl FnMut() -> f64,
    mut bare: impl FnMut() -> f64,
) -> Row {
    let mut values = [Vec::new(), Vec::new()];
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        // Who begins takes turns as well.
        let (our, their) = if round % 2 == 0 {
            let our = ours();
            (our, bare())
        } else {
            let their = bare();
            (ours(), their)
        };
        values[0].push(our);
        values[1].push(their);
        ratios.push(our / their);
    }
    let [ours, bare] = values.map(median);
    Row { ratio: Some(median(ratios)), ..Row::beside(what, unit, ours, bare, target) }
}

/// How long `work` took, told by what it did so many times.
#[expect(clippy::cast_precision_loss, reason = "a small number of things is a float without loss")]
fn measure(unit: Unit, count: usize, work: &mut impl FnMut()) -> f64 {
    let begun = Instant::now();
    work();
    let seconds = begun.elapsed().as_secs_f64();
    match unit {
        Unit::PerSecond => count as f64 / seconds,
        Unit::Nanoseconds => seconds * 1e9 / count as f64,
        Unit::Microseconds => seconds * 1e6 / count as f64,
        // What is not measured by a clock.
        Unit::Bytes | Unit::Kilobytes | Unit::Instructions => f64::NAN,
    }
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

/// Prints rows as a table, or as JSON, one object a line, if the program was called with `--json`.
///
/// # Panics
///
/// If standard output is closed.
pub fn print(rows: &[Row]) {
    let mut out = io::stdout().lock();
    for row in rows {
        if is_json() {
            writeln!(out, "{}", serde_json::to_string(row).unwrap()).unwrap();
        } else {
            writeln!(out, "{row}").unwrap();
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, ours, bare, ratio, target, connections, unit, missing } = self;
        let (unit, bound) = match unit {
            Unit::PerSecond => ("/s", "at least"),
            Unit::Nanoseconds => (" ns", "at most"),
            Unit::Microseconds => (" µs", "at most"),
            Unit::Bytes => (" bytes", "at most"),
            Unit::Kilobytes => (" kB", "at most"),
            Unit::Instructions => (" instructions", "at most"),
        };
        write!(f, "{what:48} ")?;
        match (ours, missing) {
            (Some(ours), _) => write!(f, "{ours:9.0}{unit}")?,
            (None, why) => write!(f, "not measured: {}", why.as_deref().unwrap_or_default())?,
        }
        if let Some(bare) = bare {
            write!(f, "  bare {bare:9.0}{unit}")?;
        }
        if let Some(ratio) = ratio {
            write!(f, "  ratio {ratio:5.2}")?;
        }
        if let Some(target) = target {
            write!(f, " ({bound} {target})")?;
        }
        connections.map_or(Ok(()), |count| write!(f, ", {count} connections"))
    }
}
