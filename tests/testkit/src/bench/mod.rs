//! Measuring an adapter side by side with its bare library, in one run.
//!
//! Machines differ and are busy, so a time alone tells little. Two workloads take turns, A B A B,
//! and what counts is the median of their ratios.

mod server;

use std::io::{self, Write as _};
use std::time::Instant;

use serde::Serialize;

pub use server::Server;

/// How many saves come one after the other in a round.
pub const IN_SEQUENCE: usize = 2_000;

/// How many go on at once.
pub const AT_ONCE: usize = 64;

/// How many of each there are in a round.
pub const EACH: usize = 60;

/// How often each workload has its turn.
const ROUNDS: usize = 11;

/// One line of a table.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// How often a second, by ours: the median.
    pub ours: f64,
    /// How often a second, by what it is measured against: the median.
    pub bare: f64,
    /// The median of `ours / bare` over the rounds.
    pub ratio: f64,
    /// The least that the ratio should be.
    pub target: f64,
    /// How many connections ours has opened, if that was counted.
    pub connections: Option<usize>,
}

/// Lets both do `count` things in turn, some rounds after a first that does not count.
pub fn compare(
    what: &str,
    count: usize,
    target: f64,
    mut ours: impl FnMut(),
    mut bare: impl FnMut(),
) -> Row {
    ours();
    bare();
    let mut rates = [Vec::new(), Vec::new()];
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        // Who begins takes turns as well.
        let (our, their) = if round % 2 == 0 {
            let our = rate(count, &mut ours);
            (our, rate(count, &mut bare))
        } else {
            let their = rate(count, &mut bare);
            (rate(count, &mut ours), their)
        };
        rates[0].push(our);
        rates[1].push(their);
        ratios.push(our / their);
    }
    let [our, their] = rates.map(median);
    Row {
        what: what.to_owned(),
        ours: our,
        bare: their,
        ratio: median(ratios),
        target,
        connections: None,
    }
}

/// A small number of things is a float without loss.
#[expect(clippy::cast_precision_loss, reason = "there are a few thousand")]
fn rate(count: usize, work: &mut impl FnMut()) -> f64 {
    let begun = Instant::now();
    work();
    count as f64 / begun.elapsed().as_secs_f64()
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
    if std::env::args().any(|argument| argument == "--json") {
        for row in rows {
            writeln!(out, "{}", serde_json::to_string(row).unwrap()).unwrap();
        }
        return;
    }
    for row in rows {
        let Row { what, ours, bare, ratio, target, connections } = row;
        let connections = match connections {
            Some(count) => format!(", {count} connections"),
            None => String::new(),
        };
        writeln!(
            out,
            "{what:44} {ours:8.0}/s  bare {bare:8.0}/s  ratio {ratio:5.2} (at least {target:.2})\
             {connections}"
        )
        .unwrap();
    }
}
