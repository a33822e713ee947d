//! One list of cases, run over every adapter, with a table of what came of it.
//!
//! Each case of the contract says what its outcome has to be, and each adapter has to come to that
//! one: the same value of the same type. There are no exceptions. A finer point says what each adapter
//! comes to, and `docs/protocol.md` lists it. Arguments are those of other tests: a filter picks cases
//! by their names. Where a case is nothing but what a server sends, an event loop over `Exchange` comes to
//! the same outcome.
//!
//! It is made for Linux: there the platform's authorities are files, `/proc` tells what a process
//! has open, and what came before a reset can still be read.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests say what they expect")]

mod adapter;
mod case;
mod cases;
mod exchange;
mod network;
mod remote;
mod table;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::case::Case;
use crate::network::Network;
use crate::table::Table;

/// With the table of the finer points.
const PROTOCOL: &str = include_str!("../../docs/protocol.md");

/// Most cases wait for a server or a deadline, not for a processor.
const AT_ONCE: usize = 8;

fn main() -> ExitCode {
    if let Some(ended) = remote::serve() {
        return ended;
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);

    let mut cases = cases::all();
    let in_loops: Vec<_> = cases.iter_mut().filter_map(Case::take_in_loop).collect();
    let cases: Vec<_> = cases.into_iter().map(Arc::new).collect();
    let table = Arc::new(Table::new(&cases));
    let trials = cases.into_iter().map(|case| {
        let table = Arc::clone(&table);
        let possible = !case.in_network || Network::is_possible();
        let trial = Trial::test(case.name.clone(), move || {
            let results = case.run();
            table.enter(&case, &results);
            let differences: Vec<_> = results
                .into_iter()
                .filter_map(|(adapter, result)| {
                    result.err().map(|difference| format!("{adapter}: {difference}"))
                })
                .collect();
            if differences.is_empty() { Ok(()) } else { Err(Failed::from(differences.join("\n"))) }
        });
        // It is shown as ignored where it cannot be run, and never as passed.
        trial.with_ignored_flag(!possible)
    });
    let of_documents = Arc::clone(&table);
    let documented = Trial::test("finer points: docs/protocol.md lists them", move || {
        let missing: Vec<_> =
            of_documents.finer_points().filter(|row| !PROTOCOL.contains(row.as_str())).collect();
        if missing.is_empty() { Ok(()) } else { Err(Failed::from(missing.join("\n"))) }
    });
    let trials = trials.chain(in_loops).chain([documented]).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list {
        // For who runs the tests and not only for who debugs them.
        io::stdout().write_all(table.to_string().as_bytes()).unwrap();
    }
    conclusion.exit_code()
}
