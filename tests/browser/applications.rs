//! What stands at the other end of a registration: `usagectl register`, and a product with a web
//! interface of its own.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testkit::scripted::PATIENCE;

use crate::product::Product;
use crate::site::Site;
use crate::{Case, MARK};

pub(crate) const CASES: &[Case] =
    &[("usagectl register", command), ("a product with a web interface", own_pages)];

/// `usagectl register`, which has printed its address and waits.
pub(crate) struct Registering {
    child: Child,
    directory: TempDir,
    pub(crate) url: String,
}

impl Registering {
    pub(crate) fn start(site: &Site) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["register", "--cluster-id", "clus1", "--product", "chronograf"])
            .args(["--url", &site.there.url(), "--wait", "1m", "--token-file", "token"])
            .env(MARK, "1")
            .current_dir(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = first_line(child.stdout.take().unwrap());
        Self { child, directory, url }
    }

    pub(crate) fn token_file(&self) -> PathBuf {
        self.directory.path().join("token")
    }

    /// Waits for its end, which the browser has brought about.
    pub(crate) fn finish(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A case that fails leaves nobody waiting.
impl Drop for Registering {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn first_line(stdout: ChildStdout) -> String {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let _ = BufReader::new(stdout).read_line(&mut line);
        let _ = tell.send(line.trim_end().to_owned());
    });
    told.recv_timeout(PATIENCE).unwrap()
}

fn command() {
    let site = Site::new();
    let mut registering = Registering::start(&site);
    site.browser.open(&registering.url);
    assert!(site.browser.words().contains("you are sent back to http://127.0.0.1:"));
    site.fill_in();
    assert_eq!(site.browser.title(), "Registered");
    assert!(site.browser.words().contains("You may close this page"));
    // The address of the last page is clean, and so is the way to it: one step, by the form.
    assert!(!site.browser.url().contains("token"), "{}", site.browser.url());
    assert!(registering.finish().success());
    let token = fs::read_to_string(registering.token_file()).unwrap().parse().unwrap();
    assert_eq!(site.organisation_of(token).as_deref(), Some("Example Inc."));
}

fn own_pages() {
    let site = Site::new();
    let data = tempfile::tempdir().unwrap();
    let product = Product::start(site.api().base_url().clone(), data.path());
    site.browser.open(&product.url);
    assert!(site.browser.words().contains("is not registered"), "{}", site.browser.words());
    site.browser.one("a").click_through();
    assert_eq!(site.browser.title(), "Register tinykv");
    site.fill_in();
    assert!(site.browser.words().contains("belongs to your organisation"));
    assert_eq!(site.browser.url(), format!("{}/", product.url));
    let belongs = || {
        let rows = site.there.store().usage().read_all().unwrap();
        rows.iter().any(|row| row.organisation.as_deref() == Some("Example Inc."))
    };
    let begun = Instant::now();
    while !belongs() {
        assert!(begun.elapsed() < PATIENCE, "no report belongs to the organisation");
        thread::sleep(Duration::from_millis(5));
    }
}
