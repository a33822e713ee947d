//! Reports that leave on a schedule, whatever became of those before them.
//!
//! A client that waits for an answer before it sends again sends less where the server is slow, and
//! so the slow moments are counted once instead of for all who came in them. Here each report has a
//! moment at which it is due, and its wait counts from that moment, also where it could not leave in
//! time since each connection was taken.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::ReportClients;

/// How long reports waited for their answers.
#[derive(Debug, Clone)]
pub struct Waits(Vec<Duration>);

impl Waits {
    /// What this part of all waited for at most, in microseconds.
    ///
    /// # Panics
    ///
    /// If nothing was sent.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place among a few thousands"
    )]
    pub fn quantile(&self, part: f64) -> f64 {
        let place = (self.0.len() as f64 * part).ceil() as usize;
        self.0[place.clamp(1, self.0.len()) - 1].as_secs_f64() * 1e6
    }
}

/// Sends `rate` reports in a second for so many seconds, each by whichever client has nothing on its
/// way.
///
/// # Panics
///
/// If a report is not taken.
#[must_use]
pub fn open_loop(clients: ReportClients, rate: f64, seconds: f64) -> Waits {
    let (next, begun) = (AtomicU32::new(0), Instant::now());
    // The moments are shared out one by one, among all clients.
    let due = || {
        let after = f64::from(next.fetch_add(1, Ordering::Relaxed)) / rate;
        (after < seconds).then(|| begun + Duration::from_secs_f64(after))
    };
    let mut waits: Vec<_> = thread::scope(|scope| {
        let clients: Vec<_> = clients
            .into_clients()
            .into_iter()
            .map(|mut client| {
                let due = &due;
                scope.spawn(move || {
                    let mut waits = Vec::new();
                    while let Some(due) = due() {
                        thread::sleep(due.saturating_duration_since(Instant::now()));
                        client.send();
                        waits.push(due.elapsed());
                    }
                    waits
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    waits.sort_unstable();
    Waits(waits)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;
    use std::{io::Read as _, io::Write as _, thread};

    use super::super::{Key, ReportClients};
    use super::{Waits, open_loop};

    #[test]
    fn a_quantile_is_the_wait_of_one_of_them() {
        let waits = Waits((1..=100).map(Duration::from_micros).collect());
        for (part, wait) in [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (1.0, 100.0)] {
            assert!((waits.quantile(part) - wait).abs() < 1e-6, "{part}");
        }
    }

    /// One slow answer delays all that are due meanwhile, and each of them tells of it.
    #[test]
    fn who_could_not_leave_in_time_has_waited() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let was_slow = AtomicBool::new(false);
            while stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {
                if !was_slow.swap(true, Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(300));
                }
                stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").unwrap();
            }
        });
        let waits = open_loop(ReportClients::new(1, address, None, Key::None), 1000.0, 0.1);
        // All were due in the first tenth of a second.
        assert!(waits.quantile(0.0) >= 200_000.0, "{waits:?}");
    }
}
