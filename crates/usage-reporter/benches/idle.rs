//! What a reporter costs while it waits: its memory, and a `poll` that has nothing to do.
//!
//! `cargo bench --package usage-reporter --bench idle` prints both. Nothing is asserted: times
//! belong to the machine.

#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime};

use allocation_counter::measure;
use bytes::Bytes;
use testkit::bench::{Row, Unit, print};
use usage_proto::{Api, BaseUrl, Server, Stats, StatsData, Token, Usage, UsageData};
use usage_reporter::{Action, Config, Identity, Reporter, Seed, State};

const POLLS: u32 = 10_000_000;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let mut made = None;
    let heap = measure(|| made = Some(after_a_month(start)));
    let (mut reporter, until) = made.ok_or("the reporter was not made")??;
    let heap = f64::from(u32::try_from(heap.bytes_current)?);
    let inline = f64::from(u32::try_from(size_of::<Reporter>())?);
    let idle = until.checked_sub(Duration::from_secs(1)).unwrap_or(start);
    let best = (0..ROUNDS).map(|_| poll_many(&mut reporter, idle)).min().unwrap_or_default();
    let poll = best.as_secs_f64() * 1e9 / f64::from(POLLS);
    print(&[
        Row::alone("an idle reporter, in place", Unit::Bytes, inline, None),
        Row::alone("an idle reporter, its heap with it", Unit::Bytes, inline + heap, Some(1024.0)),
        Row::alone("a poll with nothing to do", Unit::Nanoseconds, poll, Some(30.0)),
    ]);
    Ok(())
}

fn poll_many(reporter: &mut Reporter, idle: Instant) -> Duration {
    let start = Instant::now();
    for _ in 0..POLLS {
        assert!(matches!(black_box(&mut *reporter).poll(black_box(idle)), Action::Wait(_)));
    }
    start.elapsed()
}

/// A reporter that has registered and reported for a month, and what it waits for.
fn after_a_month(start: Instant) -> Result<(Reporter, Instant), Box<dyn Error>> {
    let mut state = State::new();
    let identity = Identity::new(&mut state, "a cluster of some name", [7; 16]);
    let api = Api::new(BaseUrl::PRODUCTION).with_token(Token::new(&"t".repeat(40))?)?;
    let wall = SystemTime::UNIX_EPOCH;
    let mut reporter =
        Reporter::new(Config::new(), api, state, Seed::from_bytes([1; 32]), start, wall)?;
    let server = Server::new().product("influxdb").server_id(identity.server_id.as_str());
    reporter.register(start, &server)?;

    let mut now = start;
    loop {
        match reporter.poll(now) {
            Action::Collect => {
                let group = UsageData::new().tag("os", "linux").value("num_databases", 3);
                reporter.submit(now, &Usage::new("influxdb").data(group))?;
                for name in ["engine", "http", "write"] {
                    let group = StatsData::new(name).value("points", 39);
                    reporter.push_stats(now, &Stats::new("influxdb").data(group))?;
                }
            }
            Action::Send(attempt) => {
                let saved = http::Response::new(Bytes::new());
                reporter.on_response(now, attempt.id, saved);
            }
            Action::Wait(until) if until > start + Duration::from_secs(30 * 86_400) => {
                return Ok((reporter, until));
            }
            Action::Wait(until) => now = until,
            _ => {}
        }
    }
}
