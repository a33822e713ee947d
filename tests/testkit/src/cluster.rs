//! A `PostgreSQL` of its own for tests and benches, and a pgbouncer in front of it: in a temporary
//! directory, on Unix sockets, gone with the process.

use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a program until its standard input ends, which the system sees to, whatever ends the tests.
const WHILE_WATCHED: &str = "\
    signal=$1; shift; trap '' INT; \"$@\" </dev/null & pid=$!; read -r line; \
    kill -s $signal $pid; wait $pid";

/// A server of databases.
#[derive(Debug)]
pub struct Cluster {
    directory: TempDir,
    programs: PathBuf,
    /// Whether what is committed is on the disk, for a bench. A test does not pull the plug.
    durable: bool,
    /// The server; `None` while it is stopped.
    server: Mutex<Option<Child>>,
    pooler: Option<Child>,
    databases: AtomicU32,
    /// Whom the programs run as, if not as the tests do.
    user: Option<(u32, u32)>,
}

impl Cluster {
    /// Makes and starts it, or says what is missing.
    ///
    /// # Errors
    ///
    /// If `PostgreSQL` is not installed, or root has nobody to run it as.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start() -> Result<Self, String> {
        Self::make(false)
    }

    /// One that waits for the disk at each commit, as in production.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_durable() -> Result<Self, String> {
        Self::make(true)
    }

    fn make(durable: bool) -> Result<Self, String> {
        let programs = programs()?;
        let directory = tempfile::Builder::new().prefix("usage-postgres-").tempdir().unwrap();
        let user = user()?;
        if let Some((uid, gid)) = user {
            chown(directory.path(), Some(uid), Some(gid)).unwrap();
        }
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(directory.path(), mode).unwrap();
        let (server, databases) = (Mutex::new(None), AtomicU32::new(0));
        let pooler = None;
        let mut this = Self { directory, programs, durable, server, pooler, databases, user };
        let data = this.data();
        let initdb = this
            .command(&this.programs.join("initdb"))
            .args(["--auth", "trust", "--username", "usage", "--encoding", "UTF8"])
            .args(["--locale", "C", "--no-sync", "--pgdata"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(initdb.status.success(), "{}", String::from_utf8_lossy(&initdb.stderr));
        this.resume();
        this.pooler = this.start_pooler();
        Ok(this)
    }

    /// Whether pgbouncer is installed.
    #[must_use]
    pub fn has_pooler(&self) -> bool {
        self.pooler.is_some()
    }

    /// A database of its own, by its name.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    #[must_use]
    pub fn new_database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// The address of a database, straight or by the pooler.
    #[must_use]
    pub fn address(&self, database: &str, pooled: bool) -> String {
        let port = if pooled { 6432 } else { 5432 };
        let host = self.directory.path().display();
        format!("postgres:///{database}?host={host}&port={port}&user=usage")
    }

    /// Runs a statement, and returns what it says.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub fn sql(&self, database: &str, statement: &str) -> String {
        let ran = self.psql(database, statement);
        assert!(ran.status.success(), "{statement}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    }

    /// Lets pgbench run a script so many times over each of so many connections, and returns how
    /// many times a second that was.
    ///
    /// # Errors
    ///
    /// If pgbench is not installed, or a script of it fails.
    ///
    /// # Panics
    ///
    /// If the script cannot be written down.
    pub fn pgbench(
        &self,
        database: &str,
        script: &str,
        connections: usize,
        each: usize,
    ) -> Result<f64, String> {
        let program = self.programs.join("pgbench");
        let file = self.directory.path().join("script.sql");
        std::fs::write(&file, script).unwrap();
        let ran = self
            .command(&program)
            .args(["--no-vacuum", "--protocol", "prepared", "--jobs", "2", "--username", "usage"])
            .args(["--client", &connections.to_string(), "--transactions", &each.to_string()])
            .arg("--file")
            .arg(&file)
            .arg("--host")
            .arg(self.directory.path())
            .arg(database)
            .output()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let text = String::from_utf8_lossy(&ran.stdout);
        let rate = text.lines().find_map(|line| {
            let rate = line.strip_prefix("tps = ")?.split(' ').next()?;
            rate.parse().ok()
        });
        rate.filter(|_| ran.status.success())
            .ok_or_else(|| format!("pgbench: {text}{}", String::from_utf8_lossy(&ran.stderr)))
    }

    fn psql(&self, database: &str, statement: &str) -> std::process::Output {
        self.command(&self.programs.join("psql"))
            .args(["--no-psqlrc", "--tuples-only", "--no-align", "--username", "usage", "--host"])
            .arg(self.directory.path())
            .args(["--dbname", database, "--command", statement])
            .output()
            .unwrap()
    }

    /// Stops the server at once, as a crash does.
    ///
    /// # Panics
    ///
    /// If a thread that did this before has panicked.
    pub fn stop(&self) {
        if let Some(child) = self.server.lock().unwrap().take() {
            end(child);
        }
    }

    /// Starts it, and waits until it answers.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn resume(&self) {
        let mut command = self.watched("QUIT");
        command.arg(self.programs.join("postgres")).arg("-D").arg(self.data());
        command.arg("-k").arg(self.directory.path());
        let fsync = if self.durable { "fsync=on" } else { "fsync=off" };
        for setting in ["listen_addresses=", "port=5432", fsync, "max_connections=200"] {
            command.args(["-c", setting]);
        }
        *self.server.lock().unwrap() = Some(command.spawn().unwrap());
        let begun = Instant::now();
        while !self.psql("postgres", "SELECT 1").status.success() {
            assert!(begun.elapsed() < PATIENCE, "PostgreSQL does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn start_pooler(&self) -> Option<Child> {
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].map(Path::new);
        let program = program.into_iter().find(|path| path.exists())?;
        let directory = self.directory.path().display();
        let file = self.directory.path().join("pgbouncer.ini");
        let settings = format!(
            "[databases]\n* = host={directory} port=5432 user=usage\n[pgbouncer]\n\
             unix_socket_dir = {directory}\nlisten_port = 6432\nlisten_addr =\n\
             auth_type = any\npool_mode = transaction\ndefault_pool_size = 4\n\
             max_client_conn = 500\n"
        );
        std::fs::write(&file, settings).unwrap();
        let child = self.watched("TERM").arg(program).arg(&file).spawn().unwrap();
        let begun = Instant::now();
        while !self.directory.path().join(".s.PGSQL.6432").exists() {
            assert!(begun.elapsed() < PATIENCE, "pgbouncer does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(child)
    }

    /// A program that ends by a signal when nobody watches it any more.
    fn watched(&self, signal: &str) -> Command {
        let mut command = self.command(Path::new("/bin/sh"));
        command.args(["-c", WHILE_WATCHED, "sh", signal]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// `PostgreSQL` does not run as root.
    fn command(&self, program: &Path) -> Command {
        let mut command = match self.user {
            None => Command::new(program),
            Some((uid, gid)) => {
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}"));
                command.arg("--clear-groups").arg(program);
                command
            }
        };
        command.current_dir(self.directory.path()).env("LC_ALL", "C");
        command
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.pooler.take().into_iter().for_each(end);
        self.stop();
    }
}

/// Lets a watched program end, and waits for it.
fn end(mut child: Child) {
    if let Some(mut stdin) = child.stdin.take() {
        // It may be gone by itself.
        let _ = stdin.write_all(b"\n");
    }
    let _ = child.wait();
}

/// Where the programs of `PostgreSQL` 15 or newer are.
fn programs() -> Result<PathBuf, String> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    installed
        .map(|entry| entry.path())
        .filter(|path| version(path) >= Some(15) && path.join("bin/initdb").exists())
        .max_by_key(|path| version(path))
        .map(|path| path.join("bin"))
        .ok_or_else(|| "PostgreSQL 15 or newer is not in /usr/lib/postgresql".to_owned())
}

/// Root becomes the user that the package made.
fn user() -> Result<Option<(u32, u32)>, String> {
    let id = |arguments: &[&str]| {
        let ran = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(ran.stdout).ok()?.trim().parse::<u32>().ok()
    };
    if id(&["-u"]) != Some(0) {
        return Ok(None);
    }
    let user = id(&["-u", "postgres"]).zip(id(&["-g", "postgres"]));
    user.map(Some)
        .ok_or_else(|| "there is no user postgres, and it does not run as root".to_owned())
}
