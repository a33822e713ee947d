//! What a case has: a browser, a Usage API with a registration, and an application that waits for the
//! token.

use std::sync::mpsc::{Receiver, channel};

use testkit::scripted::{PATIENCE, ScriptedServer};
use testkit::webdriver::Browser;
use usage_proto::{Api, BaseUrl, Registration, Token};
use usage_server::{Config, Database, Server};

pub(crate) struct Site {
    pub(crate) browser: Browser,
    pub(crate) there: Server,
    application: ScriptedServer,
    requests: Receiver<String>,
}

impl Site {
    /// With a registration that is open to everybody.
    pub(crate) fn new() -> Self {
        Self::with(usage_server::Registration::Open)
    }

    pub(crate) fn with(registration: usage_server::Registration) -> Self {
        let config = Config::new(Database::temporary()).registration(registration);
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

    /// Types what the form asks for, and sends it.
    pub(crate) fn fill_in(&self) {
        self.browser.one("#organisation").type_keys("Example Inc.");
        self.browser.one("#email").type_keys("name@example.com");
        self.browser.one("button").click_through();
    }

    /// The token that the browser brings to the application.
    pub(crate) fn token(&self, registration: &Registration) -> Token {
        let line = self.requests.recv_timeout(PATIENCE).unwrap();
        registration.parse_redirect(line.split(' ').nth(1).unwrap()).unwrap()
    }

    /// Whether the browser has brought nothing to the application.
    pub(crate) fn nothing_came(&self) -> bool {
        self.requests.try_recv().is_err()
    }

    /// Saves with the token, and tells whose report it is.
    pub(crate) fn organisation_of(&self, token: Token) -> Option<String> {
        let api = self.api().with_token(token).unwrap();
        let client = usage_ureq::Client::new(api).unwrap();
        client.save(&testkit::samples::usage()).unwrap();
        self.there.store().usage().read_all().unwrap().pop().unwrap().organisation
    }
}

/// What the application answers to everything.
pub(crate) const BACK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\
                               Content-Length: 21\r\n\r\n<title>Back</title>ok";
