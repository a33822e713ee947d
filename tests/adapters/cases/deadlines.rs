//! Deadlines that are not those of an answer (W41).

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use testkit::outcome::{Outcome, saved, sent, unsent};
use testkit::samples::{AGES, CREATED, LESS_SHORT, SHORT, usage};
use testkit::scripted::{PATIENCE, Script, ScriptedServer};
use usage_proto::Deadlines;
use usage_proto::TransportErrorKind::Timeout;

use crate::adapter::{Adapter, Client};
use crate::case::{Case, Difference, same};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("deadlines: none is left", none_left),
        Case::within(
            "deadlines: ages",
            Deadlines::new().total(Duration::MAX).connect(Duration::MAX),
            Script::answer(CREATED),
            saved(201, "{}"),
        ),
        Case::within(
            "deadlines: an answer may take longer than to connect",
            Deadlines::new().total(PATIENCE).connect(LESS_SHORT / 2),
            Script::new().read_request().pause(LESS_SHORT).send(CREATED),
            saved(201, "{}"),
        ),
    ];
    if cfg!(target_os = "linux") {
        // Other systems refuse what they have no room for.
        for (which, deadlines) in [
            ("connect", Deadlines::new().total(AGES).connect(SHORT)),
            ("total", Deadlines::new().total(SHORT).connect(AGES)),
            ("connect, of nothing", Deadlines::new().total(AGES).connect(Duration::ZERO)),
        ] {
            let name = format!("deadlines: a server that takes no connection ({which})");
            let case = Case::new(name.clone(), move |adapter| {
                let outcome = taken_by_nobody(adapter, deadlines);
                // A library's total deadline may not say how far a request came.
                let cautious = which == "total" && adapter != Adapter::Hyper;
                if cautious && outcome == sent(Timeout) {
                    return Ok(());
                }
                same("the outcome", &outcome, &unsent(Timeout))
            });
            let case = match which {
                "total" => case.finer(TOTAL_DEADLINE),
                _ => case,
            };
            cases.push(case.in_row(name));
        }
    }
    cases
}

fn none_left(adapter: Adapter) -> Result<(), Difference> {
    let server = ScriptedServer::answering(CREATED);
    let client = Client::new(adapter, &server.url(), Deadlines::new().total(Duration::ZERO));
    same("the outcome", &Outcome::of(&client.save(&usage())), &unsent(Timeout))?;
    same("requests", &server.finish().len(), &0)
}

/// What a total deadline tells that passes while connecting.
pub(super) const TOTAL_DEADLINE: [&str; 3] =
    ["timeout, sent or not", "timeout, sent or not", "timeout, not sent"];

fn taken_by_nobody(adapter: Adapter, deadlines: Deadlines) -> Outcome {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    // Until there is no room.
    let waiting: Vec<_> =
        std::iter::from_fn(|| TcpStream::connect_timeout(&address, SHORT).ok()).collect();
    let client = Client::new(adapter, &format!("http://{address}"), deadlines);
    let outcome = Outcome::of(&client.save(&usage()));
    drop(waiting);
    outcome
}
