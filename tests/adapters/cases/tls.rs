//! TLS, by the platform's verifier, which `SSL_CERT_FILE` tells whom to trust.

use std::slice;
use std::sync::Arc;

use testkit::outcome::{Outcome, in_vain, incomplete, saved, sent, unsent};
use testkit::samples::{AGES, CREATED, LESS_SHORT, SHORT, TOKEN};
use testkit::scripted::{Nobody, Script, ScriptedServer};
use testkit::tls::{self, Authority};
use usage_proto::TransportErrorKind::{Interrupted, Timeout, Tls};

use super::deadlines::TOTAL_DEADLINE;
use crate::adapter::Adapter;
use crate::case::{Case, Difference, holds, same};
use crate::remote::{Report, Task};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("tls: a private authority, through SSL_CERT_FILE", |adapter| {
            trusted(adapter, rustls::ALL_VERSIONS)
        }),
        Case::new("tls: version 1.2", |adapter| trusted(adapter, &[&rustls::version::TLS12])),
        Case::new("tls: a certificate for an address", address),
        Case::new("tls: an authority that is not trusted", |adapter| {
            let config = Authority::new().server("localhost");
            refuses(adapter, &Authority::new(), &config, &in_vain(Tls))
        }),
        Case::new("tls: a certificate for another name", |adapter| {
            let authority = Authority::new();
            let config = authority.server("elsewhere.example");
            refuses(adapter, &authority, &config, &in_vain(Tls))
        }),
        Case::new("tls: a certificate that has expired", |adapter| {
            let authority = Authority::new();
            let expired = authority.expired("localhost");
            let config = tls::server(expired, rustls::ALL_VERSIONS);
            // By this host's clock, which may be what is wrong (W44).
            refuses(adapter, &authority, &config, &unsent(Tls))
        }),
        Case::new("tls: a host without any authority", no_authority),
        Case::new("tls: closes after the request", |adapter| {
            after_the_request(adapter, "", &sent(Interrupted))
        }),
        Case::new("tls: a body that ends without a farewell", |adapter| {
            let answer = "HTTP/1.1 201 Created\r\n\r\n{}";
            after_the_request(adapter, answer, &incomplete(201, "{}"))
        }),
        Case::new("tls: a body with a length needs no farewell", |adapter| {
            after_the_request(adapter, CREATED, &saved(201, "{}"))
        }),
        Case::new("tls: refused", |adapter| {
            // As in the plain case: nobody is there to speak TLS with.
            let nobody = Nobody::new();
            let url = format!("https://{}", nobody.address());
            let expected = unsent(usage_proto::TransportErrorKind::Connect);
            trusting(&Authority::new(), Task::new(adapter, url)).expect(&expected).map(drop)
        }),
    ];
    for (name, script) in [
        ("closes at once", Script::new().hang_up()),
        ("resets at once", Script::new().reset()),
        ("closes within the client's first message", Script::new().read(64).hang_up()),
        ("resets within the client's first message", Script::new().read(64).reset()),
        (
            "closes within its own first message",
            Script::new().read(64).send(&b"\x16\x03\x03\x00\x7a\x02"[..]),
        ),
        ("plain HTTP on the port", Script::new().read(64).send("HTTP/1.1 400 X\r\n\r\n").hold()),
        ("plain HTTP that closes", Script::new().read(64).send("HTTP/1.1 400 X\r\n\r\n")),
        ("an alert", Script::new().read(64).send(&b"\x15\x03\x03\x00\x02\x02\x28"[..]).hold()),
    ] {
        let case = Case::new(format!("tls: {name}"), move |adapter| {
            let server = ScriptedServer::start([script.clone()]);
            let task = Task::new(adapter, tls::url(&server));
            let task = trusting(&Authority::new(), task);
            // ureq does not tell a reset in the handshake from one behind it.
            let outcomes = [unsent(Tls), sent(Interrupted)];
            let ones = if adapter == Adapter::Ureq { &outcomes[..] } else { &outcomes[..1] };
            task.expect_one_of(ones)?;
            holds("a connection", server.connections() > 0, &server.connections())
        });
        let case = case.finer(["tls, not sent, or interrupted", "tls, not sent", "tls, not sent"]);
        cases.push(case.in_row("tls: a handshake that fails or ends early"));
    }
    for (which, total, connect) in [("connect", AGES, SHORT), ("total", LESS_SHORT, AGES)] {
        let name = format!("tls: a handshake that hangs ({which})");
        let case = Case::new(name.clone(), move |adapter| {
            let server = ScriptedServer::start([Script::new().hold()]);
            let task = Task::new(adapter, tls::url(&server)).within(total).connect_within(connect);
            let task = trusting(&Authority::new(), task);
            // A library's total deadline may not say how far a request came.
            let cautious = which == "total" && adapter != Adapter::Hyper;
            let outcomes = [unsent(Timeout), sent(Timeout)];
            task.expect_one_of(if cautious { &outcomes } else { &outcomes[..1] }).map(drop)
        });
        let case = match which {
            "total" => case.finer(TOTAL_DEADLINE),
            _ => case,
        };
        cases.push(case.in_row(name));
    }
    cases
}

/// A task in an environment in which this authority is trusted, and no other.
pub(super) fn trusting(authority: &Authority, task: Task) -> Trusting {
    let file = authority.file();
    let task = task.variable("SSL_CERT_FILE", file.path().to_str().unwrap());
    Trusting { task, _file: file }
}

/// The file is there as long as this is.
pub(super) struct Trusting {
    task: Task,
    _file: tempfile::NamedTempFile,
}

impl Trusting {
    pub(super) fn expect(&self, expected: &Outcome) -> Result<Report, Difference> {
        self.expect_one_of(slice::from_ref(expected))
    }

    fn expect_one_of(&self, expected: &[Outcome]) -> Result<Report, Difference> {
        let report = self.task.expect_one_of(expected)?;
        same("a provider for the whole process", &report.has_provider, &false)?;
        Ok(report)
    }
}

fn trusted(
    adapter: Adapter,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Result<(), Difference> {
    let authority = Authority::new();
    let config = tls::server(authority.identity("localhost"), versions);
    let server = tls::answering(config, CREATED);
    let task = Task::new(adapter, tls::url(&server)).saves(20);
    trusting(&authority, task).expect(&saved(201, "{}"))?;
    same("requests", &server.received().len(), &20)?;
    same("connections", &server.connections(), &1)?;
    same("the token", &server.received()[19].header("x-authorization"), &vec![TOKEN])
}

fn address(adapter: Adapter) -> Result<(), Difference> {
    let authority = Authority::new();
    let server = tls::answering(authority.server("127.0.0.1"), CREATED);
    let task = Task::new(adapter, format!("https://127.0.0.1:{}", server.port()));
    trusting(&authority, task).expect(&saved(201, "{}")).map(drop)
}

/// W44: what is not accepted now is not accepted another time.
fn refuses(
    adapter: Adapter,
    trusted: &Authority,
    config: &Arc<rustls::ServerConfig>,
    expected: &Outcome,
) -> Result<(), Difference> {
    let server = tls::answering(Arc::clone(config), CREATED);
    let task = Task::new(adapter, tls::url(&server));
    trusting(trusted, task).expect(expected)?;
    same("requests", &server.received().len(), &0)
}

fn no_authority(adapter: Adapter) -> Result<(), Difference> {
    let nothing = tempfile::tempdir().unwrap();
    let folder = nothing.path().to_str().unwrap();
    let task = |url: String| {
        Task::new(adapter, url)
            .saves(2)
            .variable("SSL_CERT_FILE", format!("{folder}/none"))
            .variable("SSL_CERT_DIR", folder)
    };
    let server = tls::answering(Authority::new().server("localhost"), CREATED);
    task(tls::url(&server)).expect(&in_vain(Tls))?;
    // It is no matter for `http`.
    let plain = ScriptedServer::answering(CREATED);
    let report = task(plain.url()).expect(&saved(201, "{}"))?;
    holds("no provider", !report.has_provider, &report)
}

/// The session ends without the farewell of TLS.
fn after_the_request(
    adapter: Adapter,
    answer: &'static str,
    expected: &Outcome,
) -> Result<(), Difference> {
    let authority = Authority::new();
    let server = tls::serve(authority.server("localhost"), move |mut connection| {
        if connection.request().is_some() {
            connection.send(answer);
            tls::leave(connection);
        }
    });
    trusting(&authority, Task::new(adapter, tls::url(&server))).expect(expected).map(drop)
}
