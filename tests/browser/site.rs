//! What a case has: a browser, a Usage API with a registration, and an application that waits for the
//! token.

use std::net::{Ipv6Addr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use testkit::scripted::{PATIENCE, ScriptedServer};
use testkit::webdriver::Browser;
use usage_proto::{Api, BaseUrl, Registration, Token};
use usage_server::{Config, Database, Server};

pub(crate) struct Site {
    pub(crate) browser: Browser,
    pub(crate) there: Server,
    pub(crate) application: ScriptedServer,
    requests: Receiver<String>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let open = usage_server::Registration::Open;
        let config = Config::new(Database::temporary()).registration(open);
        let (tell, requests) = channel();
        let application = ScriptedServer::run(move |mut connection| {
            while let Some(request) = connection.request() {
                // The browser asks for an icon, too.
                if request.line().contains("token=") {
                    let _ = tell.send(request.line().to_owned());
                }
                connection.send(BACK);
            }
        });
        Self {
            browser: Browser::start(),
            there: Server::bind("127.0.0.1:0", config).unwrap(),
            application,
            requests,
        }
    }

    pub(crate) fn api(&self) -> Api {
        Api::new(BaseUrl::new(&self.there.url()).unwrap())
    }

    /// A registration that comes back to the application.
    pub(crate) fn registration(&self) -> Registration {
        Registration::new("clus1", "chronograf")
            .redirect_url(format!("{}/callback", self.application.url()))
            .state_in_path([0x5a; 16])
    }

    /// Opens the page of a registration.
    pub(crate) fn open(&self, registration: &Registration) {
        self.browser.open(self.api().registration_url(registration).unwrap().as_str());
    }

    /// The token that the browser brings to the application.
    pub(crate) fn token(&self, registration: &Registration) -> Token {
        let line = self.requests.recv_timeout(PATIENCE).unwrap();
        registration.parse_redirect(line.split(' ').nth(1).unwrap()).unwrap()
    }

    /// Saves with the token, and tells whose report it is.
    pub(crate) fn organisation_of(&self, token: Token) -> Option<String> {
        let api = self.api().with_token(token).unwrap();
        let client = usage_ureq::Client::new(api).unwrap();
        client.save(&testkit::samples::usage()).unwrap();
        self.there.store().usage().read_all().unwrap().pop().unwrap().organisation
    }
}

const BACK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 21\r\n\r\n\
                    <title>Back</title>ok";

/// An application on `[::1]`, if this machine has that address: its URL, and the paths that are asked
/// for.
pub(crate) fn on_version_6() -> Option<(String, Receiver<String>)> {
    use std::io::{BufRead, BufReader, Write};

    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).ok()?;
    let url = format!("http://{}/callback", listener.local_addr().ok()?);
    let (tell, paths) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let mut line = String::new();
            let _ = BufReader::new(&stream).read_line(&mut line);
            if let Some(path) = line.split(' ').nth(1).filter(|path| path.contains("token=")) {
                let _ = tell.send(path.to_owned());
            }
            let _ = (&stream).write_all(BACK.as_bytes());
        }
    });
    Some((url, paths))
}
