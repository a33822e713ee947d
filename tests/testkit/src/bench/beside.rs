//! Another client's program, which takes turns with an adapter.
//!
//! It is started with one argument, the address of a Usage API. For each line of its standard input,
//! `SAVES AT_ONCE`, it saves so many reports, so many of them at once, and then writes the line
//! `done`. It ends when its input does. So it can be written in any language, and what it takes to
//! start is not measured.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use super::saves::{Saver, Targets};
use super::{AT_ONCE, Row, Server, Unit, compare_figures};

/// A program, by the name that it has in a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Other {
    name: String,
    program: String,
}

impl Other {
    /// Those that the command line names: `--beside NAME=PROGRAM`.
    pub(super) fn named(arguments: impl Iterator<Item = String>) -> Vec<Self> {
        let mut arguments = arguments.skip_while(|argument| argument != "--beside").peekable();
        let mut all = Vec::new();
        while arguments.next().is_some() {
            let value = arguments.next().unwrap_or_default();
            let named = value.split_once('=');
            let (name, program) = named.unwrap_or_else(|| panic!("`{value}` is not NAME=PROGRAM"));
            all.push(Self { name: name.to_owned(), program: program.to_owned() });
            while arguments.next_if(|argument| argument != "--beside").is_some() {}
        }
        all
    }

    /// The rates of an adapter beside those of the program.
    pub(super) fn rows(
        &self,
        adapter: &str,
        targets: Targets,
        server: &Server,
        ours: &Saver<'_>,
    ) -> [Row; 2] {
        let mut running = Running::start(self, &server.url());
        // Only one of them is known well enough for a target.
        let targets = targets.beside_go.filter(|_| self.name == "go");
        let mut row = |kind: &str, at_once: usize, target: Option<f64>| {
            let what = format!("{adapter} beside {}: {kind}", self.name);
            // The first does not count.
            ours.round(at_once);
            running.round(at_once);
            compare_figures(
                &what,
                Unit::PerSecond,
                target,
                || ours.round(at_once),
                || running.round(at_once),
            )
        };
        [
            row("saves in sequence", 1, targets.map(|targets| targets[0])),
            row(&format!("{AT_ONCE} at once"), AT_ONCE, targets.map(|targets| targets[1])),
        ]
    }
}

struct Running {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Running {
    fn start(other: &Other, url: &str) -> Self {
        let spawned = Command::new(&other.program)
            .arg(url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{}: {error}", other.program));
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, orders, answers }
    }

    /// How many it saves in a second.
    #[expect(clippy::cast_precision_loss, reason = "a few thousands")]
    fn round(&mut self, at_once: usize) -> f64 {
        let count = Saver::count(at_once);
        let begun = Instant::now();
        writeln!(self.orders.as_mut().unwrap(), "{count} {at_once}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), "done", "what another client says after {count} saves");
        count as f64 / begun.elapsed().as_secs_f64()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::{Other, Running};

    fn named(words: &[&str]) -> Vec<Other> {
        Other::named(words.iter().map(ToString::to_string))
    }

    fn other(name: &str, program: &str) -> Other {
        Other { name: name.into(), program: program.into() }
    }

    #[test]
    fn programs_are_named_on_the_command_line() {
        assert_eq!(named(&["bench", "--json"]), []);
        let words = ["bench", "--beside", "go=/a/b", "--json", "--beside", "c=d"];
        assert_eq!(named(&words), [other("go", "/a/b"), other("c", "d")]);
    }

    #[cfg(unix)]
    #[test]
    fn a_program_takes_its_turns() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let script = "#!/bin/sh\nwhile read -r saves at_once; do echo done; done\n";
        std::fs::write(file.path(), script).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(file.path(), mode).unwrap();
        // A file that is open for writing does not start.
        let path = file.into_temp_path();
        let mut running = Running::start(&other("sh", path.to_str().unwrap()), "http://[::1]");
        for at_once in [1, 64] {
            assert!(running.round(at_once) > 0.0);
        }
    }
}
