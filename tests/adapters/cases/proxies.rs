//! The proxy that the environment names. Each case is a process with an environment of its own.

use std::ffi::OsString;

use testkit::outcome::{Outcome, refused, saved, sent, unexpected, unsent};
use testkit::proxy;
use testkit::samples::{AGES, CREATED, SHORT, TOKEN};
use testkit::scripted::{Nobody, Received, Script, ScriptedServer, no_such_host};
use testkit::tls::{self, Authority};
use usage_proto::TransportErrorKind::{Connect, Interrupted, Protocol, Timeout, Tls};

use super::tls::trusting;
use crate::adapter::Adapter;
use crate::case::{Case, Difference, Expected, each, holds, same};
use crate::remote::Task;

const HTTP: &str = "http://usage.example:8080/prefix";
const HTTPS: &str = "https://usage.example:8443";

/// `us er` and `p@ss%41`, as a variable has them, and as a proxy is told.
const WRITTEN: &str = "us%20er:p%40ss%2541";
const CREDENTIALS: &str = "Basic dXMgZXI6cEBzcyU0MQ==";

const ALL_VARIABLES: [&str; 6] =
    ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("proxies: http, with credentials", |adapter| {
            http_through(adapter, &format!("{WRITTEN}@"), &[CREDENTIALS])
        })
        .finer(FORMS),
        Case::new("proxies: http without credentials", |adapter| http_through(adapter, "", &[]))
            .finer(FORMS),
        Case::new("proxies: https through a tunnel, with credentials", |adapter| {
            tunnelled(adapter, &format!("{WRITTEN}@"), &[CREDENTIALS], "usage.example")
        }),
        Case::new("proxies: https through a tunnel, without credentials", |adapter| {
            tunnelled(adapter, "", &[], "usage.example")
        }),
        Case::new("proxies: https through a tunnel to an address", |adapter| {
            tunnelled(adapter, "", &[], "192.0.2.7")
        }),
        Case::new("proxies: never for loopback", never_for_loopback),
        Case::new("proxies: a redirect of the proxy's own is not followed", |adapter| {
            let other = ScriptedServer::answering(CREATED);
            let location = format!("{}/login", other.url());
            let answer =
                format!("HTTP/1.1 302 X\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            let expected = refused(302, testkit::outcome::redirect(Some(&location)));
            asked(adapter, HTTP, Script::answer(answer), by_proxy(&expected).of(adapter))?;
            same("connections to the other host", &other.connections(), &0)
        }),
    ];
    // The host of the URL cannot be found, so without its proxy it cannot be reached.
    for (name, scheme, no_proxy) in [
        ("NO_PROXY, by name", "http", Some(no_such_host())),
        ("NO_PROXY, by domain", "http", Some(".direct.invalid".to_owned())),
        ("NO_PROXY, for all", "https", Some("*".to_owned())),
        ("the other scheme's variable, for http", "http", None),
        ("the other scheme's variable, for https", "https", None),
    ] {
        let case = Case::new(format!("proxies: {name}"), move |adapter| {
            let proxy = ScriptedServer::answering(CREATED);
            let task = Task::new(adapter, unreachable(scheme));
            let task = match (&no_proxy, scheme) {
                (Some(hosts), _) => {
                    task.variable("all_proxy", proxy.url()).variable("NO_PROXY", hosts)
                }
                (None, "http") => task.variable("https_proxy", proxy.url()),
                (None, _) => task.variable("HTTP_PROXY", proxy.url()),
            };
            trusting(&Authority::new(), task).expect(&unsent(Connect))?;
            same("connections to the proxy", &proxy.connections(), &0)
        });
        cases.push(case.in_row("proxies: NO_PROXY, and the other scheme's variable"));
    }
    for variable in ["http_proxy", "all_proxy", "ALL_PROXY"] {
        let case = Case::new(format!("proxies: {variable} is minded"), move |adapter| {
            let proxy = ScriptedServer::answering(CREATED);
            let task = Task::new(adapter, HTTP).variable(variable, proxy.url());
            task.expect(by_proxy(&saved(201, "{}")).of(adapter))?;
            same("connections to the proxy", &proxy.connections(), &1)
        });
        cases.push(case.in_row("proxies: each variable"));
    }
    for value in ["socks5://user:secret@127.0.0.1:1080", "http://user:secret@quo\"te:3128"] {
        let case =
            Case::new(format!("proxies: {value:?}"), move |adapter| unusable(adapter, value));
        cases.push(case.in_row("proxies: one that cannot be used"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt as _;

        let case = Case::new("proxies: one that is no text", |adapter| {
            unusable(adapter, OsString::from_vec(b"http://\xff:1".to_vec()))
        });
        cases.push(case.in_row("proxies: one that cannot be used"));
        let name = "proxies: one with a password that is no text";
        cases.push(Case::new(name, password_that_is_no_text));
    }
    cases.extend(failing());
    cases
}

/// A host that cannot be found. For `https` its name has to be one that can be in a certificate, or
/// else nobody would look for it.
fn unreachable(scheme: &str) -> String {
    match scheme {
        "https" => "https://no-such-host.direct.invalid".to_owned(),
        _ => format!("{scheme}://{}", no_such_host()),
    }
}

/// A proxy that does not do its work.
fn failing() -> Vec<Case> {
    let case = |name: &str, url: &'static str, script: Script, expected: Expected| {
        Case::expecting(format!("proxies: {name}"), expected, move |adapter, expected| {
            asked(adapter, url, script.clone(), expected)
        })
    };
    let mut cases = vec![
        Case::new("proxies: one that is not there, http", |adapter| gone(adapter, HTTP))
            .in_row("proxies: one that is not there"),
        Case::new("proxies: one that is not there, https", |adapter| gone(adapter, HTTPS))
            .in_row("proxies: one that is not there"),
        case(
            "one that answers for itself",
            HTTP,
            Script::answer("HTTP/1.1 407 X\r\nContent-Length: 0\r\n\r\n"),
            by_proxy(&refused(407, unexpected(""))),
        ),
        case(
            "one that closes instead of an answer",
            HTTP,
            Script::answer(""),
            by_proxy(&sent(Interrupted)),
        ),
        case(
            "a tunnel that leads nowhere",
            HTTPS,
            Script::answer("HTTP/1.1 200 Connected\r\n\r\n"),
            unsent(Tls).into(),
        ),
        Case::new("proxies: one that never gives a tunnel", |adapter| {
            let proxy = ScriptedServer::start([Script::answer("").hold()]);
            let task = Task::new(adapter, HTTPS).within(AGES).connect_within(SHORT);
            task.variable("https_proxy", proxy.url()).expect(&unsent(Timeout)).map(drop)
        }),
    ];
    for answer in [
        "HTTP/1.1 407 X\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 403 X\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 503 X\r\n\r\n",
        "HTTP/1.1 302 X\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n",
        "nonsense\r\n\r\n",
        "",
    ] {
        let name = format!("no tunnel but {answer:?}");
        // ureq does not say whose head it was that is not one.
        let nonsense = answer.starts_with("nonsense");
        let expected = if nonsense {
            each(sent(Protocol), unsent(Connect), unsent(Connect))
        } else {
            unsent(Connect).into()
        };
        let case = case(&name, HTTPS, Script::answer(answer), expected);
        cases.push(case.in_row(if nonsense {
            "proxies: one that answers in nonsense when asked for a tunnel"
        } else {
            "proxies: one that gives no tunnel"
        }));
    }
    cases
}

/// One save by way of a proxy that plays a script.
fn asked(
    adapter: Adapter,
    url: &str,
    script: Script,
    expected: &Outcome,
) -> Result<(), Difference> {
    let proxy = ScriptedServer::start([script]);
    let task = Task::new(adapter, url).variable("all_proxy", proxy.url());
    trusting(&Authority::new(), task).expect(expected)?;
    same("connections to the proxy", &proxy.connections(), &1)
}

fn gone(adapter: Adapter, url: &str) -> Result<(), Difference> {
    let nobody = Nobody::new();
    let address = nobody.address();
    let task = Task::new(adapter, url).variable("ALL_PROXY", format!("http://u:secret@{address}"));
    let report = trusting(&Authority::new(), task).expect(&unsent(Connect))?;
    // The proxy is to blame, not the API, and its password is not told.
    let [words] = &report.words[..] else { return Err("not one error".to_owned()) };
    holds("the proxy", words.contains(&format!("through the proxy {address}")), words)?;
    holds("no password", !words.contains("secret"), words)
}

/// There is no client then, rather than one that takes another way than its owner wanted.
fn unusable(adapter: Adapter, value: impl Into<OsString>) -> Result<(), Difference> {
    let value = value.into();
    let task = |url: &str| Task::new(adapter, url).variable("http_proxy", &value);
    let report = task(HTTP).run()?;
    let [words] = &report.words[..] else { return Err("not one error".to_owned()) };
    holds("no client", report.outcomes[0].starts_with("NoClient"), &report.outcomes)?;
    holds("no password", !words.contains("secret"), words)?;
    // It is not asked for elsewhere.
    let server = ScriptedServer::answering(CREATED);
    task(&server.url()).expect(&saved(201, "{}"))?;
    task(&unreachable("https")).expect(&unsent(Connect)).map(drop)
}

/// A variable that is text but for its password.
#[cfg(unix)]
fn password_that_is_no_text(adapter: Adapter) -> Result<(), Difference> {
    use std::os::unix::ffi::OsStringExt as _;

    let proxy = ScriptedServer::answering(CREATED);
    let value = [b"http://user:\xff@", proxy.address().to_string().as_bytes()].concat();
    let task = Task::new(adapter, HTTP).variable("http_proxy", OsString::from_vec(value));
    task.expect(by_proxy(&saved(201, "{}")).of(adapter))?;
    same("requests to the proxy", &proxy.received().len(), &1)
}

/// How `http` goes through a proxy.
const FORMS: [&str; 3] = ["through a tunnel", "in the absolute form", "in the absolute form"];

/// A proxy that would pass on a request for `http`. ureq asks it for a tunnel, and gets none.
fn by_proxy(expected: &Outcome) -> Expected {
    each(unsent(Connect), expected.clone(), expected.clone())
}

fn http_through(adapter: Adapter, user: &str, credentials: &[&str]) -> Result<(), Difference> {
    match adapter {
        Adapter::Ureq => http_tunnelled(user, credentials),
        Adapter::Reqwest | Adapter::Hyper => forwarded(adapter, user, credentials),
    }
}

/// The proxy sees where it leads, and its own credentials.
fn http_tunnelled(user: &str, credentials: &[&str]) -> Result<(), Difference> {
    let server = ScriptedServer::answering(CREATED);
    let proxy = proxy::tunnelling(server.port());
    let address = format!("http://{user}{}", proxy.address());
    let task = Task::new(Adapter::Ureq, HTTP).saves(3).variable("http_proxy", address);
    let report = task.expect(&saved(201, "{}"))?;
    holds("no password", !report.client.contains("p@ss"), &report.client)?;
    let [asked]: &[Received] = &proxy.received() else { return Err("not one tunnel".to_owned()) };
    same("the line", &asked.line(), &"CONNECT usage.example:8080 HTTP/1.1")?;
    same("credentials", &&asked.header("proxy-authorization")[..], &credentials)?;
    same("requests", &server.received().len(), &3)
}

fn forwarded(adapter: Adapter, user: &str, credentials: &[&str]) -> Result<(), Difference> {
    let proxy = ScriptedServer::answering(CREATED);
    let address = format!("http://{user}{}", proxy.address());
    let task = Task::new(adapter, HTTP).saves(3);
    let task = task.variable("http_proxy", address).variable("https_proxy", "http://127.0.0.1:1");
    let report = task.expect(&saved(201, "{}"))?;
    holds("no password", !report.client.contains("p@ss"), &report.client)?;

    same("connections", &proxy.connections(), &1)?;
    same("requests", &proxy.received().len(), &3)?;
    for request in proxy.received() {
        let line = "POST http://usage.example:8080/prefix/api/v1/usage/influxdb HTTP/1.1";
        same("the line", &request.line(), &line)?;
        same("host", &request.header("host"), &vec!["usage.example:8080"])?;
        same("the token", &request.header("x-authorization"), &vec![TOKEN])?;
        same("credentials", &&request.header("proxy-authorization")[..], &credentials)?;
        holds("a body", request.body.starts_with(b"[{"), &request.body)?;
    }
    Ok(())
}

fn tunnelled(
    adapter: Adapter,
    user: &str,
    credentials: &[&str],
    host: &str,
) -> Result<(), Difference> {
    let authority = Authority::new();
    let server = tls::answering(authority.server(host), CREATED);
    let proxy = proxy::tunnelling(server.port());
    let task = Task::new(adapter, format!("https://{host}:8443")).saves(3);
    let task = task.variable("https_proxy", format!("http://{user}{}", proxy.address()));
    trusting(&authority, task).expect(&saved(201, "{}"))?;

    same("connections to the proxy", &proxy.connections(), &1)?;
    let [asked]: &[Received] = &proxy.received() else { return Err("not one tunnel".to_owned()) };
    same("the line", &asked.line(), &&*format!("CONNECT {host}:8443 HTTP/1.1"))?;
    same("credentials", &&asked.header("proxy-authorization")[..], &credentials)?;
    holds("the proxy sees no token", !asked.head.contains(TOKEN), asked)?;
    same("requests", &server.received().len(), &3)?;
    for request in server.received() {
        same("the line", &request.line(), &"POST /api/v1/usage/influxdb HTTP/1.1")?;
        same("host", &request.header("host"), &vec![&*format!("{host}:8443")])?;
        same("the token", &request.header("x-authorization"), &vec![TOKEN])?;
        same("credentials", &request.header("proxy-authorization"), &vec![])?;
    }
    Ok(())
}

fn never_for_loopback(adapter: Adapter) -> Result<(), Difference> {
    let trap = ScriptedServer::start([Script::new()]);
    let server = ScriptedServer::answering(CREATED);
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}", server.port());
        let trapped = |task: Task, name: &&str| task.variable(name, trap.url());
        let task = ALL_VARIABLES.iter().fold(Task::new(adapter, url), trapped);
        task.expect(&saved(201, "{}"))?;
    }
    same("requests", &server.received().len(), &2)?;
    same("connections to the proxy", &trap.connections(), &0)
}
