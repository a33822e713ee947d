//! The whole way round, and what stands in it.

use testkit::scripted::{PATIENCE, ScriptedServer};
use testkit::webdriver::key;
use usage_proto::Registration;

use crate::Case;
use crate::site::{Site, on_version_6};

pub(crate) const CASES: &[Case] = &[
    ("the form, the redirect, the token, a report of the organisation's", whole_round),
    ("with the keyboard alone", with_the_keyboard),
    ("without a redirect the page shows the token", shows_the_token),
    ("a bad e-mail address is told beside its field, and kept", bad_email),
    ("a form that another site sends is refused", forged),
    ("a place that is not allowed is not gone to", not_allowed),
    ("back to [::1] by a link", version_6),
];

fn fill_in(site: &Site) {
    site.browser.one("#organisation").type_keys("Example Inc.");
    site.browser.one("#email").type_keys("name@example.com");
}

fn whole_round() {
    let site = Site::new();
    let registration = site.registration();
    site.open(&registration);
    assert_eq!(site.browser.title(), "Register chronograf");
    fill_in(&site);
    site.browser.one("button").click();
    let token = site.token(&registration);
    assert_eq!(site.browser.title(), "Back");
    assert_eq!(site.organisation_of(token).as_deref(), Some("Example Inc."));
}

fn with_the_keyboard() {
    let site = Site::new();
    let registration = site.registration();
    site.open(&registration);
    // The first field has the focus.
    site.browser.type_keys("Example Inc.");
    site.browser.type_keys(key::TAB);
    site.browser.type_keys("name@example.com");
    site.browser.type_keys(key::TAB);
    let focused = site.browser.run("return document.activeElement.textContent");
    assert_eq!(focused.as_str(), Some("Register"));
    site.browser.type_keys(key::ENTER);
    let token = site.token(&registration);
    assert_eq!(site.organisation_of(token).as_deref(), Some("Example Inc."));
}

fn shows_the_token() {
    let site = Site::new();
    site.open(&Registration::new("clus1", "chronograf"));
    fill_in(&site);
    site.browser.one("button").click();
    let token = site.browser.one(".token").text();
    // One click selects it, for who copies it.
    site.browser.one(".token").click();
    assert_eq!(site.browser.run("return String(getSelection()).trim()").as_str(), Some(&*token));
    let token = token.parse().unwrap();
    assert_eq!(site.organisation_of(token).as_deref(), Some("Example Inc."));
}

fn bad_email() {
    let site = Site::new();
    let registration = site.registration();
    site.open(&registration);
    site.browser.one("#organisation").type_keys("Example Inc.");
    site.browser.one("#email").type_keys("nobody");
    site.browser.one("button").click();
    assert_eq!(site.browser.title(), "Error: Register chronograf");
    assert_eq!(site.browser.one("#organisation").value(), "Example Inc.");
    assert_eq!(site.browser.one("#email").value(), "nobody");
    let words = site.browser.one("#email-fault").text();
    assert!(words.contains("name@example.com"), "{words}");
    // What is wrong has the focus.
    assert_eq!(site.browser.run("return document.activeElement.id").as_str(), Some("email"));
    site.browser.one("#email").clear();
    site.browser.one("#email").type_keys("name@example.com");
    site.browser.type_keys(key::ENTER);
    let token = site.token(&registration);
    assert_eq!(site.organisation_of(token).as_deref(), Some("Example Inc."));
}

fn forged() {
    let site = Site::new();
    let target = site.api().registration_url(&site.registration()).unwrap();
    let page = format!(
        "<title>Evil</title><form method=post action=\"{}\"><input name=organisation value=Evil>\
         <input name=email value=e@vil.test><button>Win</button></form>",
        target.as_str().replace('&', "&amp;")
    );
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}",
        page.len()
    );
    let evil = ScriptedServer::answering(answer);
    // Another site: `localhost` is not 127.0.0.1 to a browser.
    site.browser.open(&format!("http://localhost:{}/", evil.port()));
    assert_eq!(site.browser.title(), "Evil");
    site.browser.one("button").click();
    site.browser.wait_for_url("/start");
    assert_eq!(site.browser.title(), "This form was refused");
}

fn not_allowed() {
    let site = Site::new();
    let registration = Registration::new("c", "p").redirect_url("https://evil.example/back");
    site.open(&registration);
    assert_eq!(site.browser.title(), "This link leads to an unknown place");
    assert!(site.browser.words().contains("https://evil.example"), "{}", site.browser.words());
    assert!(site.browser.all("form").is_empty());
}

fn version_6() {
    let Some((url, paths)) = on_version_6() else { return };
    let site = Site::new();
    let registration = Registration::new("clus1", "chronograf").redirect_url(url);
    site.open(&registration);
    fill_in(&site);
    site.browser.one("button").click();
    site.browser.one("a.button").click();
    let path = paths.recv_timeout(PATIENCE).unwrap();
    let token = registration.parse_redirect(&path).unwrap();
    assert_eq!(site.organisation_of(token).as_deref(), Some("Example Inc."));
}
