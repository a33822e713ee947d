//! A database that has grown, beside an empty one.
//!
//! `cargo bench -p usage-server --features postgres --bench acknowledged -- --rows 2000000,6000000` takes
//! minutes, and some 320 bytes of disk for each row. Two servers, processes of their own, take turns:
//! one over an empty database, one over a database with so many reports. Both get reports with a token
//! and a fresh key over 64 connections. Then there is a page of 1,000 reports by product and day, and
//! one instance is erased.
//!
//! `--postgres` does it over `PostgreSQL`. `--group DIRECTORY` makes the server over the large database a
//! member of that control group, which may have a limit of memory: with version 1 and 2 alike, what a
//! member reads of a file counts. So the file leaves the system's cache before.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use testkit::bench::{Key, ReportClients, Row, Unit, compare_figures, print};
use usage_server::{Erasure, Selection, Store};

use crate::fill::fill;
use crate::server_process::{ServerProcess, named};

const CLIENTS: usize = 64;

/// How many reports each client sends in a round.
const EACH: usize = 100;

/// What the rate should be at least, as a part of that of an empty database.
const TARGET: f64 = 0.95;

/// Does it if the command line says so.
pub(crate) fn is_asked_for() -> bool {
    let value = |name: &str| std::env::args().skip_while(|word| word != name).nth(1);
    let Some(rows) = value("--rows") else { return false };
    let group = value("--group").map(PathBuf::from);
    let folder = tempfile::tempdir().unwrap();
    let place = if std::env::args().any(|word| word == "--postgres") {
        postgres().unwrap()
    } else {
        Place::Files(folder.path().to_owned())
    };
    let (empty, grown) = (place.database("empty"), place.database("grown"));
    let mut filled = 0;
    for rows in rows.split(',').map(|rows| rows.parse::<u64>().unwrap()) {
        place.fill(&grown, rows - filled);
        if let (Place::Files(_), Some(_)) = (&place, &group) {
            leave_the_cache(Path::new(&grown));
        }
        filled = rows;
        print(&compare_with_empty(&empty, &grown, rows, group.as_deref()));
        print(&questions(&grown, rows));
    }
    true
}

/// Where the databases are.
enum Place {
    Files(PathBuf),
    #[cfg(all(unix, feature = "postgres"))]
    Cluster(testkit::cluster::Cluster),
}

#[cfg(all(unix, feature = "postgres"))]
fn postgres() -> Result<Place, String> {
    testkit::cluster::Cluster::start_durable().map(Place::Cluster)
}

#[cfg(not(all(unix, feature = "postgres")))]
fn postgres() -> Result<Place, String> {
    Err("PostgreSQL is not built in: --features postgres".to_owned())
}

impl Place {
    /// The path or the address of a new database.
    fn database(&self, name: &str) -> String {
        match self {
            Self::Files(folder) => folder.join(name).display().to_string(),
            #[cfg(all(unix, feature = "postgres"))]
            Self::Cluster(cluster) => cluster.address(&cluster.new_database(), false),
        }
    }

    fn fill(&self, database: &str, count: u64) {
        drop(Store::open(&named(database)).unwrap());
        match self {
            Self::Files(_) => fill(Path::new(database), count, "now"),
            #[cfg(all(unix, feature = "postgres"))]
            Self::Cluster(cluster) => {
                let name = database.trim_start_matches("postgres:///").split('?').next().unwrap();
                crate::fill::fill_postgres(cluster, name, count);
                cluster.sql(name, "VACUUM ANALYZE");
                cluster.sql(name, "CHECKPOINT");
            }
        }
    }
}

/// Lets the system forget what it holds of a file.
fn leave_the_cache(file: &Path) {
    let sync = Command::new("sync").arg(file).status();
    assert!(sync.unwrap().success());
    let from = format!("if={}", file.display());
    let dd = Command::new("dd").args([&from, "iflag=nocache", "count=0", "status=none"]).status();
    assert!(dd.unwrap().success());
}

/// The rate, and what of the processor a report takes.
fn compare_with_empty(empty: &str, grown: &str, rows: u64, group: Option<&Path>) -> [Row; 2] {
    let [mut grown, mut empty] = [Measured::start(grown, group), Measured::start(empty, None)];
    // What comes first, such as what has to be read into a cache, does not count.
    for _ in 0..3 {
        grown.round();
        empty.round();
    }
    let before = [&grown, &empty].map(Measured::processor);
    let what = format!("usage-server, reports, {rows} in the database, beside none");
    let (mut rounds, target) = (0.0, Some(TARGET));
    let rate = compare_figures(
        &what,
        Unit::PerSecond,
        target,
        || grown.round(),
        || {
            rounds += 1.0;
            empty.round()
        },
    );
    let after = [&grown, &empty].map(Measured::processor);
    let each = |n: usize| (after[n] - before[n]) * 1e6 / (rounds * count());
    let what = format!("usage-server, processor for a report, {rows} in the database, beside none");
    let processor = Row::beside(what, Unit::Microseconds, each(0), each(1), None);
    grown.server.stop();
    empty.server.stop();
    [rate, processor]
}

/// A server with its clients.
struct Measured {
    server: ServerProcess,
    clients: ReportClients,
}

impl Measured {
    fn start(database: &str, group: Option<&Path>) -> Self {
        let server = ServerProcess::start(database, group);
        let token = Some(server.token());
        let clients = ReportClients::new(CLIENTS, server.address(), token, Key::Fresh);
        Self { server, clients }
    }

    /// How many reports it takes in a second.
    fn round(&mut self) -> f64 {
        let begun = Instant::now();
        self.clients.send_all(EACH);
        count() / begun.elapsed().as_secs_f64()
    }

    /// The seconds of processors that it has used so far.
    fn processor(&self) -> f64 {
        self.server.figures().unwrap().processor
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousands")]
fn count() -> f64 {
    (CLIENTS * EACH) as f64
}

/// What operators ask of it.
fn questions(database: &str, rows: u64) -> [Row; 2] {
    let store = Store::open_existing(&named(database)).unwrap();
    let day = SystemTime::now() - Duration::from_secs(86_400);
    let selection = || Selection::new().product("influxdb").since(day);
    let mut instance = None;
    let page = took(|| {
        let rows = store.reports(selection()).take(1_000).map(Result::unwrap);
        instance = rows.last().and_then(|row| row.instance);
    });
    let instance = Erasure::Instance(instance.unwrap());
    let erase = took(|| assert_eq!(store.erase(&instance).unwrap().reports, 1));
    let row = |what: &str, time: Duration| {
        let what = format!("usage-server, {what}, {rows} in the database");
        Row::alone(what, Unit::Microseconds, time.as_secs_f64() * 1e6, None)
    };
    [row("a page of 1,000 by product and day", page), row("one instance is erased", erase)]
}

fn took(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}
