use super::*;
use usage_proto::TransportError;

/// Every sequence of five calls.
#[test]
fn no_order_of_calls_is_wrong() {
    const CALLS: usize = 10;
    const LENGTH: u32 = 5;
    let request = request();
    for mut number in 0..CALLS.pow(LENGTH) {
        let mut exchange = Exchange::new(&request, LIMIT, Deadlines::new(), start());
        let (mut outcomes, mut handed_out, mut over) = (0, false, false);
        for _ in 0..LENGTH {
            match number % CALLS {
                0 => exchange.connected(start()),
                1 => exchange.wrote(20),
                2 => exchange.wrote(usize::MAX),
                3 => handed_out |= !exchange.to_write().is_empty(),
                4 => exchange.read(start(), b"HTTP/1.1 200 OK\r\n\r\n{}"),
                5 => exchange.read(start(), b""),
                6 => exchange.read_failed(std::io::ErrorKind::ConnectionReset.into()),
                7 => exchange.write_failed(std::io::ErrorKind::ConnectionReset.into()),
                8 => exchange.failed(TransportError::other("gives up")),
                _ => exchange.handle_timeout(after(40)),
            }
            number /= CALLS;
            if let Some(outcome) = exchange.take_outcome() {
                outcomes += 1;
                over = true;
                let sent = outcome.is_err_and(|error| error.may_have_been_sent());
                assert!(!sent || handed_out);
            }
            if over {
                assert!(exchange.to_write().is_empty() && !exchange.wants_read());
                assert_eq!(exchange.timeout(), None);
            }
        }
        exchange.handle_timeout(after(60));
        outcomes += usize::from(exchange.take_outcome().is_some());
        assert_eq!(outcomes, 1, "one outcome");
    }
}
