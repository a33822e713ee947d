//! W37: a redirect is never followed, and the token stays here.

use testkit::outcome::{Outcome, redirect, refused, unexpected};
use testkit::samples::{CREATED, usage};
use testkit::scripted::{PATIENCE, ScriptedServer};
use usage_proto::Deadlines;

use crate::adapter::{Adapter, Client};
use crate::case::{Case, Difference, same};

/// Where it leads.
#[derive(Clone, Copy)]
enum To {
    TheSameHost,
    TheSameHostByPath,
    AnotherHost,
    AnotherHostWithoutScheme,
    AnotherHostWithSecrets,
    Nowhere,
}

impl To {
    fn words(self) -> &'static str {
        match self {
            Self::TheSameHost => "the same host",
            Self::TheSameHostByPath => "the same host, by path",
            Self::AnotherHost => "another host",
            Self::AnotherHostWithoutScheme => "another host, without scheme",
            Self::AnotherHostWithSecrets => "another host, with secrets",
            Self::Nowhere => "nowhere",
        }
    }
}

pub(super) fn cases() -> Vec<Case> {
    use To::{
        AnotherHost, AnotherHostWithSecrets, AnotherHostWithoutScheme, Nowhere, TheSameHost,
        TheSameHostByPath,
    };
    let mut cases = Vec::new();
    for to in [
        TheSameHost,
        TheSameHostByPath,
        AnotherHost,
        AnotherHostWithoutScheme,
        AnotherHostWithSecrets,
        Nowhere,
    ] {
        for status in [301, 302, 303, 307, 308] {
            let name = format!("redirects: {status} to {}", to.words());
            let case = Case::new(name, move |adapter| follow(adapter, status, to));
            cases.push(case.in_row(format!("redirects: to {}", to.words())));
        }
        for status in [300, 304] {
            let name = format!("redirects: {status} to {}", to.words());
            let case = Case::new(name, move |adapter| follow(adapter, status, to));
            cases.push(case.in_row("redirects: 300 and 304 are none"));
        }
    }
    cases
}

fn follow(adapter: Adapter, status: u16, to: To) -> Result<(), Difference> {
    let other = ScriptedServer::answering(CREATED);
    let there = other.address();
    let server = ScriptedServer::run(move |mut connection| {
        let here = connection.stream.both_ways().local_addr().unwrap();
        let location = match to {
            To::TheSameHost => format!("Location: http://{here}/next\r\n"),
            To::TheSameHostByPath => "Location: /next\r\n".to_owned(),
            To::AnotherHost => format!("Location: http://{there}/next\r\n"),
            To::AnotherHostWithoutScheme => format!("Location: //{there}/next\r\n"),
            To::AnotherHostWithSecrets => {
                format!("Location: http://user:secret@{there}/next?token=secret#part\r\n")
            }
            To::Nowhere => String::new(),
        };
        // A 304 has no body, whatever it says.
        let body = if status == 304 { "" } else { "{\"error\":\"moved\"}" };
        let length = body.len();
        while connection.request().is_some() {
            let head = format!("HTTP/1.1 {status} X\r\n{location}Content-Length: {length}\r\n\r\n");
            connection.send(head + body);
        }
    });
    let location = match to {
        To::TheSameHost => Some(format!("{}/next", server.url())),
        To::TheSameHostByPath => Some("/next".to_owned()),
        To::AnotherHost | To::AnotherHostWithSecrets => Some(format!("http://{there}/next")),
        To::AnotherHostWithoutScheme => Some(format!("//{there}/next")),
        To::Nowhere => None,
    };
    let expected = match status {
        300 => refused(300, unexpected("{\"error\":\"moved\"}")),
        304 => refused(304, unexpected("")),
        _ => refused(status, redirect(location.as_deref())),
    };
    let client = Client::new(adapter, &server.url(), Deadlines::new().total(PATIENCE));
    // Twice: a redirect is not remembered either.
    for _ in 0..2 {
        same("the outcome", &Outcome::of(&client.save(&usage())), &expected)?;
    }
    same("requests here", &server.finish().len(), &2)?;
    same("connections to the other host", &other.connections(), &0)
}
