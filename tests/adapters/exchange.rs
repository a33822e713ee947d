//! One save in an event loop: an `Exchange` over a socket, and no adapter.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use testkit::samples::{api, check_words};
use usage_proto::{Deadlines, Error, Exchange, Saveable, Saved, TransportError};

/// Saves to a server on loopback. What an error says of itself is looked at, too.
pub(crate) fn save<P: Saveable>(
    address: SocketAddr,
    deadlines: Deadlines,
    payload: &P,
) -> Result<Saved, Error> {
    let api = api(&format!("http://{address}"));
    let request = api.build_request(payload)?;
    let exchange = Exchange::new(&request, api.response_limit(), deadlines, Instant::now());
    let result = carry(address, exchange)
        .map_err(Error::from)
        .and_then(|response| Ok(api.parse_response(response)?));
    if let Err(error) = &result {
        check_words(error);
    }
    result
}

fn carry(
    address: SocketAddr,
    mut exchange: Exchange,
) -> Result<http::Response<bytes::Bytes>, TransportError> {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(8);
    let mut stream = TcpStream::connect(address).unwrap();
    let interest = Interest::READABLE | Interest::WRITABLE;
    poll.registry().register(&mut stream, Token(0), interest).unwrap();
    loop {
        let left = exchange.timeout().map(|at| at.saturating_duration_since(Instant::now()));
        match poll.poll(&mut events, left) {
            Err(error) if error.kind() != ErrorKind::Interrupted => panic!("{error}"),
            _ => {}
        }
        let now = Instant::now();
        if exchange.is_connecting() {
            match stream.take_error().unwrap() {
                Some(error) => exchange.failed(TransportError::connect(error)),
                None if stream.peer_addr().is_ok() => exchange.connected(now),
                None => {}
            }
        }
        exchange.transfer(now, &mut stream);
        if let Some(outcome) = exchange.take_outcome() {
            return outcome;
        }
    }
}
