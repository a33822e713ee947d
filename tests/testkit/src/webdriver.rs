//! A real browser, as a person uses it: Chromium, driven by ChromeDriver through the WebDriver
//! protocol (W3C).
//!
//! The few commands that the tests need are spoken here over ureq: the crates for it bring a second
//! copy of half the tree.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, thread};

use serde_json::{Value, json};
use tempfile::TempDir;

/// No page takes longer than this.
const PATIENCE: Duration = Duration::from_secs(20);

/// Nothing that is done with one browser takes longer than this altogether.
const LIFE: Duration = Duration::from_secs(120);

/// The name under which WebDriver hands out an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The keys that a person without a mouse uses.
pub mod key {
    /// To the next control.
    pub const TAB: &str = "\u{e004}";
    /// Follows a link, presses a button, sends a form.
    pub const ENTER: &str = "\u{e007}";
    /// All of the field that has the focus. The second key lets go of the first.
    pub const SELECT_ALL: &str = "\u{e009}a\u{e000}";
}

/// The programs that are needed, if this machine has them: `chromedriver` and `chromium`.
#[must_use]
pub fn programs() -> Option<(PathBuf, PathBuf)> {
    let find = |names: &[&str]| {
        let path = env::var_os("PATH")?;
        let places =
            env::split_paths(&path).flat_map(|folder| names.iter().map(move |n| folder.join(n)));
        places.into_iter().find(|place| place.is_file())
    };
    Some((find(&["chromedriver"])?, find(&["chromium", "chromium-browser", "google-chrome"])?))
}

/// A browser with one window. It ends when it is dropped.
#[derive(Debug)]
pub struct Browser {
    agent: ureq::Agent,
    session: String,
    driver: Child,
    /// The browser's own process, which the driver has started.
    process: Option<i32>,
    deadline: Instant,
    _profile: TempDir,
}

impl Browser {
    /// Starts one, without a window that anybody sees.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start() -> Self {
        let (driver, browser) = programs().unwrap();
        let profile = tempfile::tempdir().unwrap();
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let port = port(&mut driver);
        let agent =
            ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        let folder = format!("--user-data-dir={}", profile.path().display());
        let mut this = Self {
            agent,
            session: String::new(),
            driver,
            process: None,
            deadline: Instant::now() + LIFE,
            _profile: profile,
        };
        let base = format!("http://127.0.0.1:{port}/session");
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "timeouts": {"implicit": 0, "pageLoad": 15_000, "script": 10_000},
            "goog:chromeOptions": {"binary": browser, "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage", folder,
            ], "prefs": {
                // No page of this project has a script, and none may need one.
                "profile.managed_default_content_settings.javascript": 2,
            }},
        }}});
        let session = this.call("POST", &base, &capabilities);
        this.session = format!("{base}/{}", session["sessionId"].as_str().unwrap());
        let process = session["capabilities"]["goog:processID"].as_i64();
        this.process = process.and_then(|id| id.try_into().ok());
        this
    }

    /// Goes to an address and waits for the page.
    pub fn open(&self, url: &str) {
        self.post("url", &json!({ "url": url }));
    }

    /// The address of the page that is shown.
    #[must_use]
    pub fn url(&self) -> String {
        text(&self.get("url"))
    }

    /// The title of the page.
    #[must_use]
    pub fn title(&self) -> String {
        text(&self.get("title"))
    }

    /// The text that a person sees.
    #[must_use]
    pub fn words(&self) -> String {
        text(&self.run("return document.body.innerText"))
    }

    /// Does what leads to another page, and waits until that one is there.
    ///
    /// # Panics
    ///
    /// If it never is.
    pub fn follow(&self, act: impl FnOnce()) {
        let _ = self.run("window.isLeft = true");
        act();
        let is_there = json!({
            "script": "return !window.isLeft && document.readyState === 'complete'",
            "args": [],
        });
        let begun = Instant::now();
        // Between two pages there is none that a script could run in.
        while !self.try_post("execute/sync", &is_there).is_ok_and(|is_there| is_there == true) {
            assert!(begun.elapsed() < PATIENCE, "the browser stays at {}", self.url());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The elements that a selector of CSS picks.
    ///
    /// # Panics
    ///
    /// If it is not a selector.
    #[must_use]
    pub fn all(&self, selector: &str) -> Vec<Element<'_>> {
        let found = self.post("elements", &json!({"using": "css selector", "value": selector}));
        let ids = found.as_array().unwrap().iter().map(|element| text(&element[ELEMENT]));
        ids.map(|id| Element { browser: self, id }).collect()
    }

    /// The one element that a selector picks.
    ///
    /// # Panics
    ///
    /// If there is none, or more than one.
    #[must_use]
    pub fn one(&self, selector: &str) -> Element<'_> {
        let mut all = self.all(selector);
        assert_eq!(all.len(), 1, "{selector} picks as many elements");
        all.remove(0)
    }

    /// Types keys, wherever the focus is.
    pub fn type_keys(&self, keys: &str) {
        let id = text(&self.get("element/active")[ELEMENT]);
        Element { browser: self, id }.type_keys(keys);
    }

    /// Runs a script and returns its value. A page's own policy does not hold for it.
    #[must_use]
    pub fn run(&self, script: &str) -> Value {
        self.post("execute/sync", &json!({"script": script, "args": []}))
    }

    /// Shows pages to somebody who has asked for dark ones, or for light ones.
    pub fn prefer_dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        let command = json!({"cmd": "Emulation.setEmulatedMedia", "params": media});
        self.post("goog/cdp/execute", &command);
    }

    /// Makes the window so wide and so high, in pixels.
    pub fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        let command = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics});
        self.post("goog/cdp/execute", &command);
    }

    fn get(&self, path: &str) -> Value {
        self.call("GET", &format!("{}/{path}", self.session), &Value::Null)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", &format!("{}/{path}", self.session), body)
    }

    fn try_post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.try_call("POST", &format!("{}/{path}", self.session), body, PATIENCE)
    }

    /// One command, and the value that it gives.
    fn call(&self, method: &str, url: &str, body: &Value) -> Value {
        let left = self.deadline.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "the browser has been in use for {LIFE:?}");
        match self.try_call(method, url, body, left.min(PATIENCE)) {
            Ok(value) => value,
            Err(message) => panic!("{method} {url}: {message}"),
        }
    }

    fn try_call(
        &self,
        method: &str,
        url: &str,
        body: &Value,
        limit: Duration,
    ) -> Result<Value, String> {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let request = http::Request::builder()
            .method(method)
            .uri(url)
            .header("content-type", "application/json")
            .body(body)
            .map_err(|error| error.to_string())?;
        let request = self.agent.configure_request(request).timeout_global(Some(limit)).build();
        let mut answer = self.agent.run(request).map_err(|error| error.to_string())?;
        let said = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
        let said: Value = serde_json::from_str(&said).map_err(|error| error.to_string())?;
        let value = said["value"].clone();
        if answer.status().is_success() { Ok(value) } else { Err(value["message"].to_string()) }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends the browser with its session. If it cannot, nobody else does.
        let ended = !self.session.is_empty()
            && self.try_call("DELETE", &self.session, &Value::Null, PATIENCE).is_ok();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        if let Some(process) = self.process.filter(|_| !ended) {
            kill(process);
        }
    }
}

#[cfg(unix)]
fn kill(process: i32) {
    if let Some(process) = rustix::process::Pid::from_raw(process) {
        let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
    }
}

/// Where there are no signals the tests do not run: `cargo xtask browser` wants Debian's packages.
#[cfg(not(unix))]
fn kill(_: i32) {}

/// Something on the page.
#[derive(Debug)]
pub struct Element<'b> {
    browser: &'b Browser,
    id: String,
}

impl Element<'_> {
    /// Types keys into it.
    pub fn type_keys(&self, keys: &str) {
        self.browser.post(&self.path("value"), &json!({ "text": keys }));
    }

    /// Takes away what is typed into it.
    pub fn clear(&self) {
        self.browser.post(&self.path("clear"), &json!({}));
    }

    /// Clicks it, and waits for the page that this leads to.
    pub fn click_through(&self) {
        self.browser.follow(|| self.click());
    }

    /// Clicks it.
    pub fn click(&self) {
        self.browser.post(&self.path("click"), &json!({}));
    }

    /// Clicks it twice, as who selects a word.
    pub fn double_click(&self) {
        let press = [
            json!({"type": "pointerDown", "button": 0}),
            json!({"type": "pointerUp", "button": 0}),
        ];
        let mut actions =
            vec![json!({"type": "pointerMove", "origin": {ELEMENT: self.id}, "x": 0, "y": 0})];
        actions.extend(press.clone());
        actions.extend(press);
        let mouse = json!({"type": "pointer", "id": "mouse", "actions": actions});
        self.browser.post("actions", &json!({ "actions": [mouse] }));
    }

    /// Its visible text.
    #[must_use]
    pub fn text(&self) -> String {
        text(&self.browser.get(&self.path("text")))
    }

    /// What is typed into it.
    #[must_use]
    pub fn value(&self) -> String {
        text(&self.browser.get(&self.path("property/value")))
    }

    /// What it is to somebody who does not see it.
    #[must_use]
    pub fn role(&self) -> String {
        text(&self.browser.get(&self.path("computedrole")))
    }

    /// What it is called to somebody who does not see it.
    #[must_use]
    pub fn label(&self) -> String {
        text(&self.browser.get(&self.path("computedlabel")))
    }

    fn path(&self, what: &str) -> String {
        format!("element/{}/{what}", self.id)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The driver says on which port it listens.
fn port(driver: &mut Child) -> u16 {
    let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let (tell, told) = mpsc::channel();
    // It goes on to read: what the driver says later must not fill the pipe.
    thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if let Some((_, rest)) = line.split_once("successfully on port ")
                && let Ok(port) = rest.trim_end_matches('.').parse::<u16>()
            {
                let _ = tell.send(port);
            }
        }
    });
    let port = told.recv_timeout(PATIENCE);
    if port.is_err() {
        let _ = driver.kill();
        let _ = driver.wait();
    }
    port.unwrap()
}
