//! `docs/operating.md`, followed: its files are written, and its commands run, in the order of the page.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::usagectl;

const PAGE: &str = include_str!("../../../../docs/operating.md");

/// What systemd would do with the unit of the page, in `$ROOT`. It waits as systemd does: until the
/// server says that it is ready, has read its settings again, or is gone.
const SYSTEMCTL: &str = r#"#!/bin/bash
set -euo pipefail
patiently() {
    for _ in $(seq 1200); do
        if "$@"; then return; fi
        sleep 0.05
    done
    echo "in vain: $*" >&2
    exit 1
}
gone() { ! kill -0 "$pid" 2>/dev/null; }
count() { cat "$log" "$log".1 2>/dev/null | grep -c 'the configuration was read again' || true; }
reread() { [[ $(count) -gt $before ]]; }
case $* in
daemon-reload) ;;
"enable --now usage" | "start usage")
    mkdir -p "$ROOT"/run/usage "$ROOT"/var/lib/usage "$ROOT"/var/log/usage
    command=$(sed -n '/^ExecStart=/,/[^\\]$/p' "$ROOT/etc/systemd/system/usage.service")
    command=${command#ExecStart=}
    command=${command//\\/}
    # shellcheck disable=SC2086
    setsid $command >"$ROOT/out" 2>&1 </dev/null &
    echo $! >"$ROOT/pid"
    patiently grep -q '^listening on unix:' "$ROOT/out"
    ;;
"reload usage")
    log=$ROOT/var/log/usage/serve.log
    before=$(count)
    pid=$(cat "$ROOT/pid")
    kill -HUP "$pid"
    patiently reread
    ;;
"stop usage")
    pid=$(cat "$ROOT/pid")
    kill -TERM "$pid"
    patiently gone
    ;;
"reload nginx") nginx ;;
*)
    echo "what is systemctl $*?" >&2
    exit 1
    ;;
esac
"#;

/// A part of the page.
enum Part {
    File { path: String, text: String },
    Run { needs: Vec<String>, text: String },
}

/// What is marked, in the order of the page. Each block of commands has a mark.
fn parts() -> Vec<Part> {
    let mut parts = Vec::new();
    let mut lines = PAGE.lines();
    let mut mark = None;
    while let Some(line) = lines.next() {
        if let Some(inner) = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->")) {
            mark = Some(inner);
            continue;
        }
        let Some(language) = line.strip_prefix("```") else { continue };
        let mut text = String::new();
        for line in lines.by_ref().take_while(|line| *line != "```") {
            text.push_str(line);
            text.push('\n');
        }
        let mark = mark.take();
        if let Some(path) = mark.and_then(|mark| mark.strip_prefix("file: ")) {
            parts.push(Part::File { path: path.to_owned(), text });
        } else if let Some(needs) = mark.and_then(|mark| mark.strip_prefix("run")) {
            let needs = needs.trim_start_matches(':').split_whitespace();
            parts.push(Part::Run { needs: needs.map(ToOwned::to_owned).collect(), text });
        } else {
            let is_excused = mark.is_some_and(|mark| mark.starts_with("not run: "));
            assert!(language != "sh" || is_excused, "commands without a mark: {text}");
        }
    }
    parts
}

fn is_there(program: &str) -> bool {
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    path.split(':').any(|directory| Path::new(directory).join(program).is_file())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// The page speaks of the machine; here it is a directory.
struct Machine {
    root: tempfile::TempDir,
    metrics: u16,
    tls: u16,
}

impl Machine {
    fn new() -> Self {
        let root = tempfile::Builder::new().prefix("op").tempdir().unwrap();
        Self { root, metrics: free_port(), tls: free_port() }
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    fn moved(&self, text: &str) -> String {
        let root = self.root.path().to_str().unwrap();
        let mut text = text.to_owned();
        for place in ["/etc/", "/var/", "/run/"] {
            text = text.replace(place, &format!("{root}{place}"));
        }
        text.replace("/usr/local/bin/usagectl", env!("CARGO_BIN_EXE_usagectl"))
            .replace("127.0.0.1:9187", &format!("127.0.0.1:{}", self.metrics))
            .replace("listen 443 ssl", &format!("listen 127.0.0.1:{} ssl", self.tls))
    }

    /// The programs that the page calls, told about the directory.
    fn furnish(&self) {
        let root = self.root.path().display();
        let tool = |name: &str, text: &str| {
            write(&self.path(&format!("/bin/{name}")), text, 0o755);
        };
        tool("systemctl", SYSTEMCTL);
        let certificate = self.moved("/etc/ssl/usage/fullchain.pem");
        tool(
            "curl",
            &format!(
                "#!/bin/sh\nexec /usr/bin/curl --max-time 60 --cacert {certificate} --connect-to \
                 usage.example.com:443:127.0.0.1:{} \"$@\"\n",
                self.tls
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
             http {{ access_log off; {temporary} include {root}/etc/nginx/sites-enabled/*; }}\n"
        );
        write(&self.path("/nginx.conf"), &text, 0o644);
    }

    /// Runs commands as they stand on the page.
    fn run(&self, text: &str) -> usagectl::Ran {
        let bin = self.path("/bin");
        let child = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &self.moved(text)])
            .env_clear()
            .env("ROOT", self.root.path())
            .env("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", bin.display()))
            .current_dir(self.root.path())
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
        for file in ["/pid", "/nginx.pid"] {
            if let Ok(number) = fs::read_to_string(self.path(file)) {
                let _ = Command::new("kill").arg(number.trim()).stderr(Stdio::null()).status();
            }
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn the_page_can_be_followed() {
    if !is_there("curl") || !is_there("bash") {
        eprintln!("skipped: no curl or no bash");
        return;
    }
    let machine = Machine::new();
    machine.furnish();
    if is_there("openssl") {
        fs::create_dir_all(machine.path("/etc/ssl/usage")).unwrap();
        let made = machine.run(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
             -subj /CN=usage.example.com -addext subjectAltName=DNS:usage.example.com \
             -keyout /etc/ssl/usage/privkey.pem -out /etc/ssl/usage/fullchain.pem",
        );
        assert_eq!(made.code, Some(0), "{made:?}");
    }
    let mut ran = 0;
    for part in parts() {
        match part {
            Part::File { path, text } => write(&machine.path(&path), &machine.moved(&text), 0o644),
            Part::Run { needs, text } => {
                if let Some(missing) = needs.iter().find(|program| !is_there(program)) {
                    eprintln!("skipped: no {missing} for\n{text}");
                    continue;
                }
                let done = machine.run(&text);
                let log = fs::read_to_string(machine.path("/out")).unwrap_or_default();
                assert_eq!(done.code, Some(0), "{text}\n{done:?}\n{log}");
                ran += 1;
            }
        }
    }
    assert!(ran >= 5, "{ran}");
    // The products of the page are those that are taken now.
    let report = |product: &str| {
        let text = format!(
            "curl --silent --output /dev/null --write-out '%{{http_code}}' \
             --unix-socket /run/usage/api.sock http://localhost/api/v1/usage/{product} \
             --header 'Content-Type: application/json' --data '[]'"
        );
        machine.run(&text).stdout
    };
    assert_eq!((report("kapacitor"), report("another")), ("201".to_owned(), "422".to_owned()));
}

/// A unit that systemd would not take is found, whether systemd runs or not.
#[test]
#[cfg(target_os = "linux")]
fn systemd_takes_the_units() {
    if !is_there("systemd-analyze") {
        eprintln!("skipped: no systemd-analyze");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut units = Vec::new();
    for part in parts() {
        let Part::File { path, text } = part else { continue };
        let Some(name) = path.strip_prefix("/etc/systemd/system/") else { continue };
        let text = text.replace("/usr/local/bin/usagectl", env!("CARGO_BIN_EXE_usagectl"));
        // An older systemd than the page speaks of knows the other type.
        let text = text.replace("Type=notify-reload", "Type=notify");
        let unit = directory.path().join(name);
        fs::write(&unit, text).unwrap();
        units.push(unit);
    }
    assert_eq!(units.len(), 2);
    let child = Command::new("systemd-analyze")
        .arg("verify")
        .args(&units)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let ran = usagectl::finish(child);
    let about_ours: Vec<_> = ran.stderr.lines().filter(|line| line.contains("usage.")).collect();
    assert!(about_ours.is_empty(), "{about_ours:?}");
}
