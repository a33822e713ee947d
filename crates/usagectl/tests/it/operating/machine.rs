//! The machines that the page speaks of; here they are directories.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::usagectl;

/// How long what was told to end may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The programs that the page calls, as they are here.
const TOOLS: [(&str, &str); 5] = [
    ("systemctl", include_str!("systemctl.sh")),
    ("apt-get", include_str!("apt-get.sh")),
    ("sudo", include_str!("sudo.sh")),
    ("install", include_str!("install.sh")),
    ("chown", include_str!("install.sh")),
];

/// Where the processes of the page write their numbers, and the signal that ends each at once.
const PROCESSES: [(&str, &str); 5] = [
    ("pid", "TERM"),
    ("second/pid", "TERM"),
    ("nginx.pid", "TERM"),
    ("run/postgresql/pgbouncer.pid", "TERM"),
    ("var/lib/postgresql/postmaster.pid", "QUIT"),
];

pub(super) struct Machine {
    root: tempfile::TempDir,
    /// What the ports of the page are here.
    ports: Vec<(&'static str, u16)>,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

impl Machine {
    pub(super) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("op").tempdir().unwrap();
        // PostgreSQL does not run as root, and has its directory in here.
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
        let ports = ["9187", "second 9187", "7086", "443", "5432", "6432"];
        let machine = Self { root, ports: ports.map(|port| (port, free_port())).into() };
        machine.furnish();
        machine
    }

    fn port(&self, name: &str) -> u16 {
        self.ports.iter().find(|(port, _)| *port == name).unwrap().1
    }

    fn root(&self, second: bool) -> PathBuf {
        if second { self.root.path().join("second") } else { self.root.path().to_owned() }
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    fn moved(&self, text: &str, second: bool) -> String {
        let root = self.root(second);
        let root = root.to_str().unwrap();
        let mut text = text.to_owned();
        for place in ["/etc/", "/var/", "/run/"] {
            text = text.replace(place, &format!("{root}{place}"));
        }
        let metrics = self.port(if second { "second 9187" } else { "9187" });
        text.replace("/usr/local/bin/usagectl", env!("CARGO_BIN_EXE_usagectl"))
            .replace("127.0.0.1:9187", &format!("127.0.0.1:{metrics}"))
            .replace("listen 443 ssl", &format!("listen 127.0.0.1:{} ssl", self.port("443")))
            // Every address that begins with 127 is this machine's.
            .replace("10.0.0.", "127.0.0.")
            .replace(":7086", &format!(":{}", self.port("7086")))
            .replace(":5432", &format!(":{}", self.port("5432")))
            .replace("port=5432", &format!("port={}", self.port("5432")))
            .replace(":6432", &format!(":{}", self.port("6432")))
            .replace("listen_port = 6432", &format!("listen_port = {}", self.port("6432")))
    }

    /// The programs that the page calls, told about the directory.
    fn furnish(&self) {
        let root = self.root.path().display();
        let tool = |name: &str, text: &str| {
            write(&self.path(&format!("/bin/{name}")), text, 0o755);
        };
        for (name, text) in TOOLS {
            tool(name, text);
        }
        tool("usagectl", &format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_usagectl")));
        let certificate = self.moved("/etc/ssl/usage/fullchain.pem", false);
        tool(
            "curl",
            &format!(
                "#!/bin/sh\nexec /usr/bin/curl --max-time 60 --cacert {certificate} --connect-to \
                 usage.example.com:443:127.0.0.1:{} \"$@\"\n",
                self.port("443")
            ),
        );
        tool(
            "logrotate",
            &format!("#!/bin/sh\nexec /usr/sbin/logrotate --state {root}/rotated \"$@\"\n"),
        );
        tool(
            "nginx",
            &format!(
                "#!/bin/sh\nexec /usr/sbin/nginx -e {root}/nginx.err -p {root} -c {root}/nginx.conf \"$@\"\n"
            ),
        );
        let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {root}/{kind};"))
            .join(" ");
        let text = format!(
            "{user} pid {root}/nginx.pid; events {{}}\n\
             http {{ access_log off; {temporary} include {root}/etc/nginx/conf.d/*; \
             include {root}/etc/nginx/sites-enabled/*; }}\n"
        );
        write(&self.path("/nginx.conf"), &text, 0o644);
    }

    /// Puts a file where the page says.
    pub(super) fn put(&self, path: &str, text: &str, second: bool) {
        let root = self.root(second);
        write(&root.join(path.trim_start_matches('/')), &self.moved(text, second), 0o644);
        let password = self.path("/etc/usage/database-password");
        if second && password.exists() {
            // As the page says that the second machine has it.
            fs::copy(password, root.join("etc/usage/database-password")).unwrap();
        }
    }

    /// Runs commands as they stand on the page.
    pub(super) fn run(&self, text: &str, second: bool) -> usagectl::Ran {
        let bin = self.path("/bin");
        let child = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &self.moved(text, second)])
            .env_clear()
            .env("ROOT", self.root(second))
            .env("POSTGRES_PORT", self.port("5432").to_string())
            .env("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", bin.display()))
            .current_dir(self.root(second))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        usagectl::finish(child)
    }
}

/// Whatever happens, nothing is left running.
impl Drop for Machine {
    fn drop(&mut self) {
        for (file, signal) in PROCESSES {
            let Ok(text) = fs::read_to_string(self.path(file)) else { continue };
            let Some(number) = text.lines().next() else { continue };
            let kill = |signal: &str| {
                let signal = ["-s", signal, number.trim()];
                let ran = Command::new("kill").args(signal).stderr(Stdio::null()).status();
                ran.is_ok_and(|status| status.success())
            };
            kill(signal);
            let begun = Instant::now();
            while kill("0") && begun.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}
