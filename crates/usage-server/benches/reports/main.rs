//! What a server does with reports, each of them durable before it is answered: how many in a second,
//! how long they wait, in how much memory and on how much disk.
//!
//! `cargo bench -p usage-server --features postgres --bench reports` prints a table. After `--` there may
//! be `--reports 1000000`, the number of those after which memory and disk are looked at. Nothing is
//! asserted but that each report is taken.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a bench without a server measures nothing"
)]

mod at_half_rate;
#[cfg(all(unix, feature = "postgres"))]
mod beside_pgbench;
mod full_rate;
mod memory_and_disk;
mod server_process;

use std::error::Error;

use testkit::bench::print;
use usage_server::{Config, Database, Server};

/// How many clients there are, each with a connection.
const CLIENTS: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    if server_process::is_here() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("usage.db");
    let server = Server::bind("127.0.0.1:0", Config::new(Database::file(file)))?;
    let token = server.create_token("Example Inc.")?;
    let full = full_rate::rows(server.local_addr(), token.expose())?;
    print(&full);
    print(&at_half_rate::rows(server.local_addr(), token.expose(), &full));
    server.shutdown()?;
    print(&memory_and_disk::rows(reports())?);
    print(&postgres_rows());
    Ok(())
}

/// How many reports there are before memory and disk are looked at.
fn reports() -> usize {
    let mut words = std::env::args().skip_while(|word| word != "--reports").skip(1);
    words.next().map_or(200_000, |word| word.parse().expect("a number of reports"))
}

#[cfg(all(unix, feature = "postgres"))]
use beside_pgbench::rows as postgres_rows;

#[cfg(not(all(unix, feature = "postgres")))]
fn postgres_rows() -> [testkit::bench::Row; 1] {
    let what = "usage-server over PostgreSQL, beside pgbench";
    [testkit::bench::Row::missing(
        what,
        testkit::bench::Unit::PerSecond,
        None,
        "it is not built in: --features postgres",
    )]
}
