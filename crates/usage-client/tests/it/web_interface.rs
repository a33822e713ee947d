//! The example with a web interface: its customer registers, and what is reported belongs to the
//! organisation, over a restart too. The browser's part is played here; the browser tests have a real
//! one.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;
use usage_client::{BaseUrl, Schedule};
use usage_server::{Config, Database, Registration, Server};

use crate::{PATIENCE, wait_until};

#[path = "../../examples/web_interface.rs"]
mod example;

/// The product in this process, on a thread of its own.
struct Product {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Product {
    fn start(there: &Server, data: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let url = BaseUrl::new(&there.url()).unwrap();
        let schedule = Schedule::every(Duration::from_secs(1)).start_spread(Duration::ZERO);
        let tinykv =
            example::TinyKv::start(Some(true), url, schedule, data, format!("http://{address}"))
                .unwrap();
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let thread = thread::spawn(move || {
            let pages = Arc::clone(&tinykv).pages();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    served = async { axum::serve(listener, pages).await } => served.unwrap(),
                    _ = stopped => {}
                }
            });
            tinykv.reporting.stop(PATIENCE);
        });
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || thread::panicking(), "the product failed");
    }
}

/// What a browser does with an address; a form is sent by POST.
fn visit(url: &str, form: Option<&str>) -> (String, Option<String>, String) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (method, body) = form.map_or(("GET", ""), |form| ("POST", form));
    let length = body.len();
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let location = head.lines().find_map(|line| line.strip_prefix("location: "));
    let status = head.split(' ').nth(1).unwrap();
    (status.to_owned(), location.map(str::to_owned), body.to_owned())
}

fn organisations(there: &Server) -> Vec<Option<String>> {
    there
        .store()
        .usage()
        .collect::<Result<Vec<_>, _>>()
        .unwrap()
        .into_iter()
        .map(|row| row.organisation)
        .collect()
}

#[test]
fn w23_a_customer_registers_from_the_products_own_pages() {
    let config = Config::new(Database::temporary()).registration(Registration::Open);
    let there = Server::bind("127.0.0.1:0", config).unwrap();
    let data = tempfile::tempdir().unwrap();
    let product = Product::start(&there, data.path());
    wait_until("usage of nobody's is there", || organisations(&there).contains(&None));

    let (_, _, front) = visit(&product.url("/"), None);
    assert!(front.contains("<a href=\"/register\">Register</a>"), "{front}");
    let (status, begun, _) = visit(&product.url("/register"), None);
    assert_eq!(status, "303");
    let begun = begun.unwrap();
    assert!(begun.starts_with(&format!("{}/start?cluster_id=", there.url())), "{begun}");
    let form = "organisation=Example+Inc.&email=name%40example.com";
    let (status, back, _) = visit(&begun, Some(form));
    assert_eq!(status, "303");
    let back = back.unwrap();
    assert!(back.starts_with(&product.url("/registered/")), "{back}");

    // What somebody else made up is not taken.
    let forged = product.url(&format!("/registered/{}?token=of-another", "0".repeat(32)));
    assert_eq!(visit(&forged, None).0, "400");
    assert!(!data.path().join("token").exists());

    let (status, clean, _) = visit(&back, None);
    assert_eq!((&*status, clean.as_deref()), ("303", Some("/")));
    assert_eq!(visit(&back, None).0, "400", "a second visit");
    let (_, _, front) = visit(&product.url("/"), None);
    assert!(front.contains("belongs to your organisation"), "{front}");
    let theirs = Some("Example Inc.".to_owned());
    wait_until("usage of the organisation's is there", || organisations(&there).contains(&theirs));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = data.path().join("token").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    // From the next start on there is no anonymous report any more.
    drop(product);
    let before = organisations(&there).len();
    let product = Product::start(&there, data.path());
    let (_, _, front) = visit(&product.url("/"), None);
    assert!(front.contains("belongs to your organisation"), "{front}");
    wait_until("it has reported again", || organisations(&there).len() > before);
    drop(product);
    assert!(organisations(&there)[before..].iter().all(|owner| *owner == theirs));
}
