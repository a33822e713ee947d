//! The words around the numbers.

use std::fmt::Write as _;
use std::time::Duration;

use crate::HOUR;
use crate::fleet::{BIN, Load, Scenario};
use crate::short::{BOUND, HOSTS, Kind, LENGTH, SHUTDOWN, Share};
use crate::summary::{PERIOD, Summary, float};

/// The table of the stretches, in Markdown.
pub(crate) fn table(summary: &Summary) -> String {
    let mut table = String::from(
        "| requests per second at the API | mean | peak | peak over mean | bound |\n\
         |---|---:|---:|---:|---:|\n",
    );
    for stretch in &summary.stretches {
        let bound = stretch.bound.map_or_else(|| "–".to_owned(), |bound| format!("{bound:.1}"));
        let ratio = summary.peak_over_mean(stretch);
        let _ = writeln!(
            table,
            "| {} | {:.1} | {:.1} | {ratio:.2} | {bound} |",
            stretch.name, stretch.mean, stretch.peak
        );
    }
    table
}

/// What became of the reports.
pub(crate) fn accounts(load: &Load) -> String {
    let share = 100.0 * float(load.lost) / float(load.accepted);
    format!(
        "{} reports were taken: {} delivered, {} lost ({share:.1} %), {} pending at the end. \
         {} outages were announced, with one line at WARN each.",
        grouped(load.accepted),
        grouped(load.delivered),
        grouped(load.lost),
        load.pending,
        grouped(load.warnings),
    )
}

/// The table of the hosts that do not run all the time, in Markdown.
pub(crate) fn shares(shares: &[(Kind, Share)]) -> String {
    let mut table = String::from(
        "| the host runs | periods | reported | share | bound |\n|---|---:|---:|---:|---:|\n",
    );
    for (kind, share) in shares {
        let _ = writeln!(
            table,
            "| {} | {} | {} | {:.3} | {BOUND} |",
            kind.name,
            grouped(share.periods),
            grouped(share.reported),
            share.of_all(),
        );
    }
    table
}

/// The page that goes into `docs/`.
pub(crate) fn markdown(
    scenario: &Scenario,
    load: &Load,
    summary: &Summary,
    kinds: &[(Kind, Share)],
) -> String {
    let (from, to) = scenario.outage;
    format!(
        "# The load of a million reporters\n\n\
         <!-- Written by `cargo xtask simulate`. -->\n\n\
         {} reporters with the default configuration start within {} seconds, none with a state, \
         and run for {} days in virtual time. Each registers its server and reports usage. The API \
         answers after a tenth of a second; from hour {} to hour {} it answers 503 and no \
         `Retry-After`. Requests are counted in bins of {} minutes. Every peak is measured against \
         one mean: that of all bins outside the first period and the outage.\n\n\
         ![Requests per second at the API](simulation.svg)\n\n\
         {}\n\
         {}\n\n\
         The first ten minutes are the registrations, spread over them. Usage starts evenly over \
         the first period, since a host without state draws its first report from all of it. The \
         dips around the first periods are the jitter, which makes a period longer and never \
         shorter. In the outage each report makes its four attempts within 35 seconds, the time of \
         the answers aside, and its host waits for the next slot: hosts keep their places in the \
         period, so nobody comes back in a crowd. What a host reports in an outage is lost; more \
         attempts would save more of it, at that many times the load on an API that is just \
         getting up.\n\n\
         ## Hosts that do not run all the time\n\n\
         {} hosts of each kind, {} days, and an API that is always there. A host registers at each \
         start and is closed at each end, with {} seconds to send what waits. A period counts if the \
         host ran at its slot or after; it is reported if a report was delivered within {} hours \
         from then.\n\n\
         {}\n\
         The slot is kept over restarts, and a close sends what is due by then: a start has ten \
         minutes to spread it over, and such a program does not.\n\n\
         The numbers are the same on every machine. `cargo xtask simulate` runs it again and \
         rewrites this page.\n",
        grouped(scenario.hosts.into()),
        scenario.starting.as_secs(),
        days(scenario.length),
        hours(from),
        hours(to),
        BIN.as_secs() / 60,
        table(summary),
        accounts(load),
        grouped(HOSTS.into()),
        days(LENGTH),
        SHUTDOWN.as_secs(),
        hours(PERIOD),
        shares(kinds),
    )
}

/// With a comma at every third digit.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

fn days(time: Duration) -> u64 {
    hours(time) / 24
}

fn hours(time: Duration) -> u64 {
    time.as_secs() / HOUR.as_secs()
}
