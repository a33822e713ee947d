//! The part of an HTTP proxy that is more than an answer: a tunnel.

use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::thread;

use crate::scripted::{Connection, ScriptedServer};

/// A proxy whose tunnels lead to a port of this machine, wherever they were to lead.
#[must_use]
pub fn tunnelling(port: u16) -> ScriptedServer {
    ScriptedServer::run(move |connection| tunnel(connection, port))
}

fn tunnel(mut here: Connection, port: u16) {
    if here.request().is_none() {
        return;
    }
    here.send("HTTP/1.1 200 Connected\r\nVia: 1.1 test\r\n\r\n");
    let Ok(there) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return };
    let here = here.stream.both_ways();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = io::copy(&mut &*here, &mut &there);
            // An end on one side is one on the other, however it came.
            let _ = there.shutdown(Shutdown::Write);
        });
        let _ = io::copy(&mut &there, &mut &*here);
        let _ = here.shutdown(Shutdown::Write);
    });
}
