//! What is taken can change while the server runs.

use usage_server::{Redirects, Registration, Terms};

use crate::client::{Client, Request, get, start_with, temporary};

const PAGE: &str = "/start?cluster_id=c&product=p";

#[test]
fn terms_hold_from_the_next_request_on() {
    let server = start_with(temporary().registration(Registration::Open));
    // On one connection, as on a new one.
    let mut client = Client::connect(&server);
    let away = format!("{PAGE}&redirect_url=https://console.example.com/");
    let mut page = |target: &str| client.send(&Request::new("GET", target)).status;
    assert_eq!((page(PAGE), page(&away)), (200, 400));
    let redirects = Redirects::new().allow("https://console.example.com").unwrap();
    server.set_terms(Terms::new().registration(Registration::Open).redirects(redirects));
    assert_eq!((page(PAGE), page(&away)), (200, 200));
    server.set_terms(Terms::new());
    assert_eq!((page(PAGE), get(&server, PAGE).status), (404, 404));
}
