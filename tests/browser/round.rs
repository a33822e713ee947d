//! The whole way round, and what stands in it.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv6Addr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use testkit::scripted::{PATIENCE, ScriptedServer};
use testkit::webdriver::key;
use usage_proto::Registration;

use crate::Case;
use crate::site::{BACK, Site};

pub(crate) const CASES: &[Case] = &[
    ("the form, the redirect, the token, a report of the organisation's", whole_round),
    ("with the keyboard alone", with_the_keyboard),
    ("with the keyboard alone through an error", with_the_keyboard_through_an_error),
    ("without a redirect the page shows the token", shows_the_token),
    ("a bad e-mail address is told beside its field, and kept", bad_email),
    ("an invite code", invited),
    ("a form that another site sends is refused", forged),
    ("a place that is not allowed is not gone to", not_allowed),
];

/// On its own, since not every machine has that address.
pub(crate) const VERSION_6: Case = ("back to [::1] by a link", version_6);

fn whole_round() {
    let site = Site::new();
    let registration = site.registration();
    site.open(&registration);
    assert_eq!(site.browser.title(), "Register chronograf");
    site.fill_in();
    let token = site.token(&registration);
    assert_eq!(site.browser.title(), "Back");
    assert_eq!(site.organisation_of(token).as_deref(), Some("Example Inc."));
}

/// What has the focus.
fn focused(site: &Site) -> String {
    let name = "const it = document.activeElement; return it.id || it.textContent";
    site.browser.run(name).as_str().unwrap().to_owned()
}

fn with_the_keyboard() {
    let site = Site::new();
    let registration = site.registration();
    site.open(&registration);
    site.browser.type_keys(key::TAB);
    assert_eq!(focused(&site), "organisation");
    site.browser.type_keys("Example Inc.");
    site.browser.type_keys(key::TAB);
    assert_eq!(focused(&site), "email");
    site.browser.type_keys("name@example.com");
    site.browser.type_keys(key::TAB);
    assert_eq!(focused(&site), "Register");
    site.browser.follow(|| site.browser.type_keys(key::ENTER));
    let token = site.token(&registration);
    assert_eq!(site.organisation_of(token).as_deref(), Some("Example Inc."));
}

fn with_the_keyboard_through_an_error() {
    let site = Site::new();
    site.open(&Registration::new("clus1", "chronograf"));
    for keys in [key::TAB, "Example Inc.", key::TAB, "nobody"] {
        site.browser.type_keys(keys);
    }
    site.browser.follow(|| site.browser.type_keys(key::ENTER));
    // What is wrong has the focus.
    assert_eq!(focused(&site), "email");
    for keys in [key::SELECT_ALL, "name@example.com"] {
        site.browser.type_keys(keys);
    }
    site.browser.follow(|| site.browser.type_keys(key::ENTER));
    assert_eq!(site.browser.title(), "chronograf is registered");
    assert_eq!(focused(&site), "token");
    site.browser.type_keys(key::SELECT_ALL);
    let token = selected(&site).parse().unwrap();
    assert_eq!(site.organisation_of(token).as_deref(), Some("Example Inc."));
}

/// What is selected in the field that has the focus: what would be copied.
fn selected(site: &Site) -> String {
    let part = "const it = document.activeElement;
        return it.value.slice(it.selectionStart, it.selectionEnd)";
    site.browser.run(part).as_str().unwrap().to_owned()
}

fn shows_the_token() {
    let site = Site::new();
    site.open(&Registration::new("clus1", "chronograf"));
    site.fill_in();
    let field = site.browser.one("#token");
    let token = field.value();
    field.double_click();
    assert_eq!(selected(&site), token);
    // All of it can be read.
    let whole = "const it = document.querySelector('#token');
        return it.scrollHeight <= it.clientHeight && it.scrollWidth <= it.clientWidth";
    assert_eq!(site.browser.run(whole).as_bool(), Some(true));
    assert_eq!(site.organisation_of(token.parse().unwrap()).as_deref(), Some("Example Inc."));
    // It is shown this once: the page comes back without it, or not at all.
    site.open(&Registration::new("clus1", "chronograf"));
    assert!(!site.browser.words().contains(&token));
}

fn bad_email() {
    let site = Site::new();
    let registration = site.registration();
    site.open(&registration);
    site.browser.one("#organisation").type_keys("Example Inc.");
    site.browser.one("#email").type_keys("nobody");
    site.browser.one("button").click_through();
    assert_eq!(site.browser.title(), "Error: Register chronograf");
    assert_eq!(site.browser.one("#organisation").value(), "Example Inc.");
    assert_eq!(site.browser.one("#email").value(), "nobody");
    // Beside its field: nothing else is between them.
    let beside = site.browser.one(".field:has(#email) > .fault").text();
    assert!(beside.contains("name@example.com"), "{beside}");
    assert!(site.browser.all(".field:has(#organisation) > .fault").is_empty());
    assert_eq!(focused(&site), "email");
    assert!(site.nothing_came());
    site.browser.one("#email").clear();
    site.browser.one("#email").type_keys("name@example.com");
    site.browser.follow(|| site.browser.type_keys(key::ENTER));
    let token = site.token(&registration);
    assert_eq!(site.organisation_of(token).as_deref(), Some("Example Inc."));
}

fn invited() {
    let site = Site::with(usage_server::Registration::invite(["summer-of-2026"]));
    let registration = site.registration();
    site.open(&registration);
    site.browser.one("#invite").type_keys("winter");
    site.fill_in();
    assert_eq!(focused(&site), "invite");
    assert!(site.browser.words().contains("This invite code is not known here"));
    site.browser.type_keys(key::SELECT_ALL);
    site.browser.type_keys("summer-of-2026");
    site.browser.follow(|| site.browser.type_keys(key::ENTER));
    let token = site.token(&registration);
    assert_eq!(site.organisation_of(token).as_deref(), Some("Example Inc."));
}

fn forged() {
    let site = Site::new();
    let target = site.api().registration_url(&site.registration()).unwrap();
    let page = format!(
        "<title>Evil</title><script>document.title = 'Scripts run'</script><form method=post action=\"{}\"><input name=organisation value=Evil>\
         <input name=email value=e@vil.test><button>Win</button></form>",
        target.as_str().replace('&', "&amp;")
    );
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}",
        page.len()
    );
    let evil = ScriptedServer::answering(answer);
    // Another site, since `localhost` is not 127.0.0.1 to a browser; and another port of the same.
    for host in ["localhost", "127.0.0.1"] {
        site.browser.open(&format!("http://{host}:{}/", evil.port()));
        assert_eq!(site.browser.title(), "Evil");
        site.browser.one("button").click_through();
        assert_eq!(site.browser.title(), "This form was refused");
    }
    assert!(site.nothing_came());
    assert!(!site.there.store().has_token("Evil").unwrap());
}

fn not_allowed() {
    let site = Site::new();
    for origin in ["https://evil.example", "http://localhost:8888"] {
        site.open(&Registration::new("c", "p").redirect_url(format!("{origin}/back")));
        assert_eq!(site.browser.title(), "This link leads to an unknown place");
        assert!(site.browser.words().contains(origin), "{}", site.browser.words());
        assert!(site.browser.all("form, a, button").is_empty());
    }
}

fn version_6() {
    let (url, paths) = application_on_version_6();
    let site = Site::new();
    let registration = Registration::new("clus1", "chronograf").redirect_url(url);
    site.open(&registration);
    site.fill_in();
    assert_eq!(site.browser.title(), "chronograf is registered");
    // The link has the focus.
    assert_eq!(focused(&site), "Continue to the application");
    site.browser.follow(|| site.browser.type_keys(key::ENTER));
    let path = paths.recv_timeout(PATIENCE).unwrap();
    let token = registration.parse_redirect(&path).unwrap();
    assert_eq!(site.organisation_of(token).as_deref(), Some("Example Inc."));
}

/// An application on `[::1]`: its URL, and the paths with a token that are asked for.
fn application_on_version_6() -> (String, Receiver<String>) {
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/callback", listener.local_addr().unwrap());
    let (tell, paths) = channel();
    // Until nobody wants to know any more.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let mut line = String::new();
            let _ = BufReader::new(&stream).read_line(&mut line);
            let path = line.split(' ').nth(1).filter(|path| path.contains("token="));
            let _ = (&stream).write_all(BACK.as_bytes());
            if path.is_some_and(|path| tell.send(path.to_owned()).is_err()) {
                return;
            }
        }
    });
    (url, paths)
}
