//! The binary, run with an environment of its own.

use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// No run of the command takes this long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The binary, without what the environment of the tests may say.
pub(crate) fn command() -> Command {
    command_named(env!("CARGO_BIN_EXE_usagectl"))
}

/// Another program in the same way.
pub(crate) fn command_named(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What a run of the command left behind.
#[derive(Debug, PartialEq)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The one object on standard output; with `--json` standard error has nothing to add.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stderr, "", "--json says everything on standard output");
        let lines: Vec<&str> = self.stdout.lines().collect();
        assert_eq!(lines.len(), 1, "one object: {}", self.stdout);
        serde_json::from_str(lines[0]).unwrap()
    }
}

/// A run of the command in the making.
pub(crate) struct Run {
    command: Command,
    stdin: Option<Vec<u8>>,
}

/// The command with these arguments.
pub(crate) fn run(arguments: &[&str]) -> Run {
    let mut command = command();
    command.args(arguments);
    Run { command, stdin: None }
}

impl Run {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn arguments(mut self, more: &[&str]) -> Self {
        self.command.args(more);
        self
    }

    pub(crate) fn directory(mut self, path: &Path) -> Self {
        self.command.current_dir(path);
        self
    }

    pub(crate) fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.command.stdin(Stdio::piped());
        self.stdin = Some(text.into());
        self
    }

    pub(crate) fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.command.stdout(to);
        self
    }

    pub(crate) fn done(self) -> Ran {
        self.done_after(|_| {})
    }

    /// Runs to the end; `started` sees the process first.
    pub(crate) fn done_after(mut self, started: impl FnOnce(&mut Child)) -> Ran {
        let mut child = self.command.spawn().unwrap();
        started(&mut child);
        let pipe = child.stdin.take();
        let stdin = self.stdin.take();
        let writer = thread::spawn(move || {
            if let (Some(mut pipe), Some(text)) = (pipe, stdin) {
                // The command may end before it has read everything.
                let _ = pipe.write_all(&text);
            }
        });
        let ran = finish(child);
        writer.join().unwrap();
        ran
    }
}

/// Waits for something that will happen.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits for the end of a process, within bounds.
pub(crate) fn finish(mut child: Child) -> Ran {
    let pid = Pid::from_child(&child);
    let (ended, end) = mpsc::channel::<()>();
    let watchdog = thread::spawn(move || {
        let late = end.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout);
        if late {
            let _ = kill_process(pid, Signal::KILL);
        }
        assert!(!late, "the command did not end");
    });
    let stdout = child.stdout.take().map(|pipe| thread::spawn(|| read(pipe)));
    let stderr = child.stderr.take().map(|pipe| thread::spawn(|| read(pipe)));
    let text = |reader: Option<thread::JoinHandle<String>>| {
        reader.map(|reader| reader.join().unwrap()).unwrap_or_default()
    };
    let (stdout, stderr) = (text(stdout), text(stderr));
    let status = child.wait().unwrap();
    drop(ended);
    watchdog.join().unwrap();
    Ran { code: status.code(), stdout, stderr }
}

fn read(mut pipe: impl Read) -> String {
    let mut text = String::new();
    pipe.read_to_string(&mut text).unwrap();
    text
}

/// Sends a signal again and again until that has ended the process: what comes at once behind
/// another one is the same wish.
pub(crate) fn insist(child: &mut Child, signal: Signal) {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < PATIENCE, "it does not end");
        kill_process(Pid::from_child(child), signal).unwrap();
        thread::sleep(Duration::from_millis(20));
    }
}

/// A file that is its owner's alone, whatever the umask of whoever runs the tests: a state, or what
/// holds a token.
pub(crate) fn write_own(path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
    let mut options = std::fs::OpenOptions::new();
    let file = options.create(true).truncate(true).write(true).mode(0o600).open(path);
    file.unwrap().write_all(text.as_ref()).unwrap();
}

/// A directory with one file in it.
pub(crate) struct File {
    directory: TempDir,
    name: &'static str,
}

impl File {
    pub(crate) fn new(name: &'static str, text: impl AsRef<[u8]>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        write_own(directory.path().join(name), text);
        Self { directory, name }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn path(&self) -> String {
        self.directory.path().join(self.name).display().to_string()
    }
}

/// The examples of the original package, and a body that deployed servers send.
pub(crate) mod example {
    pub(crate) const SERVER: &str = r#"{
  "cluster_id": "clus1",
  "host": "example.com",
  "product": "influxdb",
  "version": "1.0",
  "server_id": "serv1"
}
"#;

    pub(crate) const STATS: &str = r#"{
  "cluster_id": "clus1",
  "server_id": "serv1",
  "stats": [
    {
      "name": "engine",
      "tags": {"path": "/home/philip/.influxdb/data/_internal/monitor/1", "version": "bz1"},
      "values": {
        "blks_write": 39,
        "blks_write_bytes": 2421,
        "blks_write_bytes_c": 2202,
        "points_write": 39,
        "points_write_dedupe": 39
      }
    }
  ]
}
"#;

    pub(crate) const USAGE: &str = r#"[
  {
    "tags": {"version": "0.9.5", "arch": "amd64", "os": "linux"},
    "values": {
      "cluster_id": "23423",
      "server_id": "1",
      "num_databases": 3,
      "num_measurements": 2342,
      "num_series": 87232
    }
  }
]
"#;

    pub(crate) const DEPLOYED: &str = concat!(
        r#"[{"tags":null,"values":{"arch":"amd64","cluster_id":"4042909480400749287","#,
        r#""num_databases":0,"num_measurements":0,"num_series":0,"os":"linux","#,
        r#""uptime":0.014956847,"version":"1.6.7~rc0"}}]"#
    );
}
