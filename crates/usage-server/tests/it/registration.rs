//! The page at which a customer registers, as bytes. What a browser makes of it is in the browser
//! tests.

use std::sync::{Arc, Mutex};

use usage_proto::{Registration as Asked, Token};
use usage_server::{Redirects, Registration, Server};

use crate::client::{Answer, Request, USAGE, get, start, start_with, temporary};

const START: &str = "/start?cluster_id=clus1&product=chronograf";
const FILLED: &str = "organisation=Example+Inc.&email=name%40example.com";

fn open() -> Server {
    start_with(temporary().registration(Registration::Open))
}

fn with_redirect(url: &str) -> String {
    let escaped: String =
        url.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    format!("{START}&redirect_url={escaped}")
}

fn form(target: &str, body: &str) -> Request {
    // `post` says that it is JSON; what a form is sent as does not matter here.
    Request::post(target, body)
}

/// What every page has around it.
fn check_page(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    let policy = answer.header("content-security-policy").unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"));
    assert!(!policy.contains("script-src") && !policy.contains("unsafe"), "{policy}");
    assert!(!answer.body.contains("<script"), "{}", answer.body);
    policy
}

#[test]
fn nobody_registers_unless_the_operator_says_so() {
    let server = start();
    for answer in [get(&server, START), form(START, FILLED).send(&server)] {
        assert_eq!(answer.status, 404);
        check_page(&answer);
        assert!(answer.body.contains("does not take registrations"), "{}", answer.body);
    }
}

#[test]
fn the_page_says_what_is_registered_and_where_it_leads() {
    let server = open();
    let answer = get(&server, &with_redirect("http://127.0.0.1:8888/callback?x=1"));
    assert_eq!(answer.status, 200);
    let policy = check_page(&answer);
    assert!(policy.contains("form-action 'self' http://127.0.0.1:8888;"), "{policy}");
    let shown = words(&answer.body);
    for part in [
        "Product chronograf",
        "Cluster clus1",
        "you are sent back to http://127.0.0.1:8888, a program on this computer",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let plain = get(&server, START);
    assert!(check_page(&plain).contains("form-action 'self';"));
    assert!(plain.body.contains("shows you a token"), "{}", plain.body);
}

/// What a person reads of a page.
fn words(page: &str) -> String {
    let (_, body) = page.split_once("<body>").unwrap();
    let text = body.split('<').map(|part| match part.split_once('>') {
        // An element inside of a line does not end a word.
        Some((tag, text)) if tag.ends_with("span") || tag.starts_with("span") => text.to_owned(),
        Some((_, text)) => format!(" {text}"),
        None => part.to_owned(),
    });
    text.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn w25_the_browser_goes_back_with_the_token() {
    let server = open();
    let asked = Asked::new("clus1", "chronograf")
        .redirect_url("http://127.0.0.1:8888/callback?x=%20y&z")
        .state_in_path([7; 16]);
    let url = usage_proto::Api::new(server.url().parse().unwrap()).registration_url(&asked);
    let url = url.unwrap();
    let target = format!("{}?{}", url.path(), url.query().unwrap());
    let answer = form(&target, FILLED).send(&server);
    assert_eq!(answer.status, 303);
    check_page(&answer);
    let location = answer.header("location").unwrap();
    let path = asked.redirect_path().unwrap();
    assert!(location.starts_with(&format!("http://127.0.0.1:8888{path}?x=%20y&z&token=")));
    let token = asked.parse_redirect(location).unwrap();
    assert!(token.expose().len() >= 32, "128 bits in hexadecimal digits");
    assert_belongs(&server, &token, "Example Inc.");
}

#[test]
fn without_a_redirect_the_page_shows_the_token() {
    let server = open();
    let answer = form(START, FILLED).send(&server);
    assert_eq!(answer.status, 200);
    check_page(&answer);
    let token = shown_token(&answer);
    assert_belongs(&server, &token, "Example Inc.");
    // Another registration has another token.
    assert_ne!(form(START, FILLED).send(&server).body, answer.body);
}

fn shown_token(answer: &Answer) -> Token {
    let (_, rest) = answer.body.split_once("aria-describedby=\"token-hint\">").unwrap();
    Token::new(rest.split_once('<').unwrap().0).unwrap()
}

fn assert_belongs(server: &Server, token: &Token, organisation: &str) {
    let saved = Request::post("/api/v1/usage/chronograf", USAGE).token(token.expose());
    assert_eq!(saved.send(server).status, 201);
    let rows = server.store().usage().read_all().unwrap();
    assert_eq!(rows.last().unwrap().organisation.as_deref(), Some(organisation));
}

/// A policy can name no address but 127.0.0.1.
#[test]
fn an_address_that_a_policy_cannot_name_is_a_link() {
    let server = open();
    for host in ["[::1]:8888", "127.0.0.2:1"] {
        let target = with_redirect(&format!("http://{host}/back"));
        let policy = check_page(&get(&server, &target));
        assert!(policy.contains("form-action 'self';"), "{policy}");
        let answer = form(&target, FILLED).send(&server);
        assert_eq!((answer.status, answer.header("location")), (200, None));
        let link = format!("href=\"http://{host}/back?token=");
        assert!(answer.body.contains(&link), "{}", answer.body);
    }
}

#[test]
fn w24_no_token_goes_to_an_unknown_place() {
    let redirects = Redirects::new().allow("https://console.example.com").unwrap();
    let config = temporary().registration(Registration::Open).redirects(redirects);
    let server = start_with(config);
    let allowed = form(&with_redirect("https://console.example.com/back"), FILLED).send(&server);
    assert_eq!(allowed.status, 303);
    for url in [
        "https://evil.example/",
        "https://console.example.com.evil.example/",
        "http://console.example.com/",
        "https://console.example.com:8443/",
        "http://127.0.0.1.evil.example/",
        "http://localhost:8888/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1/#x",
        "http://127.0.0.1/?token=mine",
        "javascript:alert(1)",
        "//evil.example/",
        "data:text/html,x",
        "http://127.0.0.1\\@evil.example/",
    ] {
        for answer in
            [get(&server, &with_redirect(url)), form(&with_redirect(url), FILLED).send(&server)]
        {
            assert_eq!((answer.status, answer.header("location")), (400, None), "{url}");
            check_page(&answer);
        }
    }
    // A name may lead to the wrong program of the same machine, so there is a way out.
    let named = get(&server, &with_redirect("http://localhost:8888/"));
    assert!(words(&named.body).contains("can name 127.0.0.1 in its place"), "{}", named.body);
}

#[test]
fn w25_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept() {
    let server = start_with(temporary().registration(Registration::invite(["summer"])));
    let typed = "organisation=Ex%22%3E%3Cb%3E&email=nobody&invite=winter";
    let answer = form(START, typed).send(&server);
    assert_eq!(answer.status, 422);
    check_page(&answer);
    for part in [
        "value=\"Ex&quot;&gt;&lt;b&gt;\"",
        "value=\"nobody\"",
        "id=\"email-fault\"",
        "aria-describedby=\"email-fault email-hint\"",
        "id=\"invite-fault\"",
        "<title>Error: Register chronograf</title>",
    ] {
        assert!(answer.body.contains(part), "{part}: {}", answer.body);
    }
    assert!(!answer.body.contains("organisation-fault"), "{}", answer.body);
    let invited = format!("{FILLED}&invite=+summer");
    assert_eq!(form(START, &invited).send(&server).status, 200);
}

#[test]
fn what_is_echoed_is_escaped() {
    let server = open();
    let tag = "%3Cscript%3Ealert(1)%3C/script%3E%22%27";
    let answer = get(&server, &format!("/start?cluster_id={tag}&product={tag}"));
    assert_eq!(answer.status, 200);
    check_page(&answer);
    assert!(answer.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;"), "{}", answer.body);
    // The form goes back to the same query, as it was.
    assert!(answer.body.contains(&format!("action=\"?cluster_id={tag}&amp;product={tag}\"")));
    let broken = get(&server, &format!("/start?cluster_id=c&product=p&redirect_url={tag}"));
    assert_eq!(broken.status, 400);
    check_page(&broken);
}

#[test]
fn w24_a_link_that_is_not_complete_says_what_is_missing() {
    let server = open();
    for (target, words) in [
        ("/start", "`cluster_id` is missing"),
        ("/start?cluster_id=c", "`product` is missing"),
        ("/start?cluster_id=c&product=+", "`product` is missing"),
        ("/start?cluster_id=c&product=p&product=q", "`product` is there more than once"),
    ] {
        let answer = get(&server, target);
        assert_eq!(answer.status, 400);
        check_page(&answer);
        assert!(answer.body.contains(words), "{target}: {}", answer.body);
    }
}

#[test]
fn w26_a_form_that_another_page_has_sent_is_refused() {
    let server = open();
    for (name, value, status) in [
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Sec-Fetch-Site", "same-site", 403),
        ("Origin", "https://evil.example", 403),
        ("Origin", "null", 403),
        ("Sec-Fetch-Site", "same-origin", 200),
        ("Sec-Fetch-Site", "none", 200),
    ] {
        let answer = form(START, FILLED).header(name, value).send(&server);
        assert_eq!(answer.status, status, "{name}: {value}");
        check_page(&answer);
        assert_eq!(server.store().has_token("Example Inc.").unwrap(), status == 200, "{value}");
    }
    // A page that asks for no referrer has no origin, but says where it is.
    let own = form(START, FILLED).header("Origin", "null").header("Sec-Fetch-Site", "same-origin");
    assert_eq!(own.send(&server).status, 200);
}

/// What a browser brings to `/start` is in no log, and of the token there is a hash alone.
#[test]
fn nothing_secret_of_a_registration_is_logged_or_stored() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = lines.clone();
    let config = temporary().registration(Registration::invite(["summer-of-2026"]));
    let server = start_with(config.on_request(move |request| {
        log.lock().unwrap().push(format!("{request} {request:?}"));
    }));
    let target = with_redirect("http://127.0.0.1:8888/callback/0123456789abcdef");
    let filled = format!("{FILLED}&invite=summer-of-2026");
    let answer = form(&target, &filled).send(&server);
    let (_, secret) = answer.header("location").unwrap().split_once("token=").unwrap();
    form(START, &format!("{FILLED}&invite=wrong-code-of-mine")).send(&server);
    let page = form(START, &filled).send(&server);
    let shown = shown_token(&page);

    let lines = lines.lock().unwrap().join("\n");
    assert_eq!(lines.matches("POST /start ").count(), 3, "{lines}");
    for part in
        [secret, shown.expose(), "summer-of-2026", "wrong-code", "0123456789abcdef", "name@"]
    {
        assert!(!lines.contains(part), "{part}: {lines}");
    }
    let folder = server.store().path().parent().unwrap();
    let files = folder.read_dir().unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
    let stored = files.collect::<Vec<_>>().concat();
    let holds = |part: &str| stored.windows(part.len()).any(|window| window == part.as_bytes());
    assert!(holds("name@example.com"), "a secret would be found where the address is");
    for part in [secret, shown.expose(), "summer-of-2026"] {
        assert!(!holds(part), "{part}");
    }
    assert!(!format!("{server:?}").contains("summer-of-2026"));
}
