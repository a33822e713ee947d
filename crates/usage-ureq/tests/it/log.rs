//! What ureq writes into a log, as the page says.

use std::sync::Mutex;

use testkit::child;
use testkit::outcome::saved;
use testkit::samples::{CREATED, TOKEN};
use testkit::scripted::ScriptedServer;

use crate::{client, save};

/// The text column of a dump has 16 bytes in a row: a part of a token that is in one.
const PART: &str = "0123456789";

struct Book;

static LINES: Mutex<Vec<(log::Level, String, String)>> = Mutex::new(Vec::new());

impl log::Log for Book {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let (target, text) = (record.target().to_owned(), record.args().to_string());
        LINES.lock().unwrap().push((record.level(), target, text));
    }

    fn flush(&self) {}
}

#[test]
fn w6_the_token_is_in_ureqs_dump_alone() {
    if !child::is_here() {
        return child::run("log::w6_the_token_is_in_ureqs_dump_alone", &[]);
    }
    log::set_logger(&Book).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let server = ScriptedServer::answering(CREATED);
    assert_eq!(save(&client(&server.url())), saved(201, "{}"));

    let lines = LINES.lock().unwrap();
    // What a filter leaves that lets nothing of `ureq_proto` through below debug.
    let is_dump = |level: log::Level, target: &str| {
        level == log::Level::Trace && target.starts_with("ureq_proto")
    };
    let (dump, rest): (Vec<_>, Vec<_>) =
        lines.iter().partition(|(level, target, _)| is_dump(*level, target));
    assert!(rest.iter().any(|(_, target, _)| target.starts_with("ureq")), "{rest:?}");
    for (.., text) in rest {
        assert!(!text.contains(PART) && !text.contains(TOKEN), "{text}");
    }
    assert!(dump.iter().any(|(.., text)| text.contains(PART)), "the page can promise more");
}
