//! Names that are hard to look up, and names with more than one address (W40, W41).

use std::time::Instant;

use testkit::outcome::{Outcome, saved, unsent};
use testkit::samples::{AGES, LESS_SHORT};
use testkit::scripted::PATIENCE;
use usage_proto::TransportErrorKind::Timeout;

use crate::case::{Case, Difference, holds};
use crate::network::Network;
use crate::remote::Task;

pub(super) fn cases() -> Vec<Case> {
    let silent = [("connect", AGES, LESS_SHORT), ("total", LESS_SHORT, AGES)];
    let mut cases: Vec<_> = silent
        .into_iter()
        .map(|(which, total, connect)| {
            let name = format!("names: a name server that is silent ({which})");
            let case = Case::new(name, move |adapter| {
                let task = Task::within_network(adapter, Network::Silent);
                ends(&task.within(total).connect_within(connect), &unsent(Timeout))
            });
            // The system asks for minutes: what waits for it waits longer than the test.
            case.in_row("names: a silent name server holds no program").in_network()
        })
        .collect();
    cases.push(
        Case::new("names: the second address is tried while the first is silent", |adapter| {
            let task = Task::within_network(adapter, Network::TwoAddresses);
            ends(&task.within(LESS_SHORT).connect_within(AGES), &saved(201, "{}"))
        })
        .finer(["after its part of the connect deadline", "after 0.3 s", "after 0.3 s"])
        .in_network(),
    );
    cases
}

/// The outcome, and that the program ends though something in it may still wait.
fn ends(task: &Task, expected: &Outcome) -> Result<(), Difference> {
    let begun = Instant::now();
    task.expect(expected)?;
    let took = begun.elapsed();
    holds("the program has ended", took < PATIENCE, &took)
}
