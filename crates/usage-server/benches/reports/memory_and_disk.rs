//! The memory of a server that is a process of its own, and the file that it leaves.

use std::error::Error;

use testkit::bench::{Key, ReportClients, Row, Unit};

use crate::CLIENTS;
use crate::server_process::ServerProcess;

/// The places that a server has unless it is told otherwise.
const MANY: usize = 512;

/// What memory may be after all reports, as a multiple of that after a tenth of them.
const FLAT: f64 = 1.1;

/// The bytes that a report may take.
const BYTES: f64 = 300.0;

/// With so many reports, each with a token and a fresh key.
pub(crate) fn rows(reports: usize) -> Result<Vec<Row>, Box<dyn Error>> {
    let memory = |what: &str| format!("usage-server, memory {what}");
    let disk = "usage-server, on disk for a report with a key, 221 bytes of data";
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("usage.db");
    let server = ServerProcess::start(&database.display().to_string(), None);
    let at_rest = match server.figures() {
        Ok(figures) => figures,
        Err(why) => {
            server.stop();
            return Ok(vec![Row::missing(memory("and disk"), Unit::Kilobytes, None, why)]);
        }
    };
    let clients =
        |count| ReportClients::new(count, server.address(), Some(server.token()), Key::Fresh);
    let mut many = clients(MANY);
    many.send_all(1);
    let at_many = server.figures()?;
    drop(many);
    let (each, mut clients) = (reports.div_ceil(10 * CLIENTS), clients(CLIENTS));
    clients.send_all(each);
    let after_a_tenth = server.figures()?;
    clients.send_all(9 * each);
    let (after_all, all) = (server.figures()?, 10 * each * CLIENTS);
    server.stop();
    let mut bytes = 0;
    for file in folder.path().read_dir()? {
        bytes += file?.metadata()?.len();
    }
    let float = |count| u32::try_from(count).map(f64::from);
    let bytes = float(bytes)? / f64::from(u32::try_from(all + MANY)?);
    let kilobytes = |what: &str, figure| Row::alone(memory(what), Unit::Kilobytes, figure, None);
    Ok(vec![
        kilobytes("at rest", at_rest.resident),
        kilobytes(&format!("at {MANY} connections"), at_many.resident),
        Row::beside(
            memory(&format!("after {all} reports, beside that after a tenth of them")),
            Unit::Kilobytes,
            after_all.resident,
            after_a_tenth.resident,
            Some(FLAT),
        ),
        kilobytes("at its peak", after_all.peak),
        Row::alone(disk, Unit::Bytes, bytes, Some(BYTES)),
    ])
}
