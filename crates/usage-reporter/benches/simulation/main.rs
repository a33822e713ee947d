//! A million reporters that start in the same minute, ten days, and an API that is away for six
//! hours in the middle, in virtual time; and hosts that do not run all the time.
//!
//! `cargo xtask simulate` runs it and writes what it finds to `docs/`. The numbers are the same on
//! every machine: all that is random comes from seeds that are counted up.

#![expect(clippy::print_stdout, reason = "a bench speaks to its user")]
#![expect(clippy::disallowed_methods, reason = "a program has arguments, files and threads")]

mod fleet;
mod page;
mod plot;
mod short;
mod summary;

use std::panic::resume_unwind;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use fleet::{Load, Scenario, simulate};
use short::{Kind, Share};
use summary::Summary;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// What the bounds are about.
const SCENARIO: Scenario = Scenario {
    hosts: 1_000_000,
    starting: Duration::from_secs(60),
    length: Duration::from_secs(10 * 24 * 60 * 60),
    outage: (HOUR.saturating_mul(5 * 24 - 3), HOUR.saturating_mul(5 * 24 + 3)),
};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let mut scenario = SCENARIO;
    let mut folder = None;
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next()) {
            ("--hosts", Some(number)) if number.parse::<u32>().is_ok_and(|hosts| hosts > 0) => {
                scenario.hosts = number.parse().unwrap_or(scenario.hosts);
            }
            ("--write", Some(path)) => folder = Some(path),
            _ => {
                println!("usage: [--hosts NUMBER] [--write FOLDER]");
                return ExitCode::from(2);
            }
        }
    }
    let load = on_all_cores(scenario);
    let summary = Summary::new(&scenario, &load);
    let shares = short::KINDS.map(|kind| (kind, short::simulate(kind)));
    println!("{}", page::table(&summary));
    println!("{}", page::accounts(&load));
    println!("{} calls of poll\n", load.polls);
    println!("{}", page::shares(&shares));
    if let Some(folder) = folder
        && let Err(error) = write(Path::new(&folder), &scenario, &load, &summary, &shares)
    {
        println!("cannot write to {folder}: {error}");
        return ExitCode::FAILURE;
    }
    if !shares.iter().all(|(_, share)| share.holds()) {
        return ExitCode::FAILURE;
    }
    if scenario.hosts != SCENARIO.hosts {
        // Fewer hosts have the same mean and more noise in each bin.
        println!("the bounds are those of {} hosts, and are not judged", SCENARIO.hosts);
        return ExitCode::SUCCESS;
    }
    if summary.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn write(
    folder: &Path,
    scenario: &Scenario,
    load: &Load,
    summary: &Summary,
    shares: &[(Kind, Share)],
) -> std::io::Result<()> {
    std::fs::write(folder.join("simulation.svg"), plot::svg(scenario, load, summary))?;
    std::fs::write(folder.join("simulation.md"), page::markdown(scenario, load, summary, shares))
}

/// Hosts know nothing of each other: each core takes its share of them.
fn on_all_cores(scenario: Scenario) -> Load {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let cores = u32::try_from(cores).unwrap_or(1).min(scenario.hosts);
    let load = thread::scope(|scope| {
        let shares: Vec<_> = (0..cores)
            .map(|core| share(scenario.hosts, core, cores)..share(scenario.hosts, core + 1, cores))
            .map(|hosts| scope.spawn(move || simulate(&scenario, hosts)))
            .collect();
        // A core that panics takes its hosts along: numbers without them are none.
        let loads =
            shares.into_iter().map(|share| share.join().unwrap_or_else(|it| resume_unwind(it)));
        loads.reduce(Load::add).unwrap_or_default()
    });
    assert_eq!(load.hosts, u64::from(scenario.hosts), "each host is simulated once");
    load
}

/// Where the hosts of a core begin.
fn share(hosts: u32, core: u32, cores: u32) -> u32 {
    let begin = u64::from(hosts) * u64::from(core) / u64::from(cores);
    // A part of the hosts is no more than all of them.
    u32::try_from(begin).unwrap_or(hosts)
}
