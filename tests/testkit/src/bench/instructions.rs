//! How many instructions a save takes, counted by valgrind.
//!
//! Instructions do not depend on what else the machine does. The bench runs itself once more, under
//! valgrind and with nothing in it but one client: the server is in the process that counts.

use std::hint::black_box;
use std::process::Command;

use super::saves::Saver;
use super::{Row, Server, Unit};
use crate::samples::{api, usage};

const WORD: &str = "--under-valgrind";

/// How often there is what is not counted, in front: the start, and the first connection.
const FIRST: usize = 200;

/// How often comes what is counted.
const COUNTED: usize = 1_000;

/// What an adapter may take at most, as a multiple of the bare library's.
const TARGET: f64 = 1.25;

/// Does what the process that counts has asked for on the command line, if this is its child.
pub(super) fn is_child<'a>(
    ours: impl Fn(&str) -> Saver<'a>,
    bare: impl Fn(&str) -> Saver<'a>,
) -> bool {
    let mut words = std::env::args().skip_while(|word| word != WORD).skip(1);
    let (Some(who), Some(count), Some(url)) = (words.next(), words.next(), words.next()) else {
        return false;
    };
    let count = count.parse().unwrap();
    match who.as_str() {
        "ours" => ours(&url).in_sequence(count),
        "bare" => bare(&url).in_sequence(count),
        _ => {
            let api = api(&url);
            (0..count).for_each(|_| drop(black_box(api.build_request(&usage()))));
        }
    }
    true
}

/// What a save takes without the building of its request, beside the bare library, which is given a
/// request that is built.
pub(super) fn row(adapter: &str, server: &Server) -> Row {
    let what = format!("{adapter}: instructions for a save, without build_request");
    let each = |who| -> Result<f64, String> {
        Ok(counted(who, FIRST + COUNTED, server)? - counted(who, FIRST, server)?)
    };
    let row = || -> Result<Row, String> {
        let [ours, bare, build] = [each("ours")?, each("bare")?, each("build")?];
        #[expect(clippy::cast_precision_loss, reason = "a thousand")]
        let [ours, bare] = [ours - build, bare].map(|count| count / COUNTED as f64);
        Ok(Row::beside(&what, Unit::Instructions, ours, bare, Some(TARGET)))
    };
    row().unwrap_or_else(|why| Row::missing(&what, Unit::Instructions, Some(TARGET), why))
}

/// All instructions of a process that saves so often.
fn counted(who: &str, count: usize, server: &Server) -> Result<f64, String> {
    let ran = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args([WORD, who, &count.to_string(), &server.url()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{who} under valgrind: {told}");
    let collected = told.lines().find_map(|line| line.split_once("Collected : "));
    let collected = collected.and_then(|(_, count)| count.trim().parse().ok());
    Ok(collected.unwrap_or_else(|| panic!("valgrind tells no count: {told}")))
}
