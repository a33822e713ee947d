//! What a host pays for a driver when it starts, while it runs and when it stops, with an API that
//! does its worst.
//!
//! `cargo bench --package usage-reporter --bench driver` prints a table. Nothing is asserted: times
//! belong to the machine.

#![expect(clippy::disallowed_methods, reason = "a bench measures time")]
#![expect(clippy::disallowed_types, reason = "a bench has an API of its own")]

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use testkit::bench::{Row, Unit, print};
use usage_proto::{Api, BaseUrl, Stats, StatsData, Usage, UsageData};
use usage_reporter::{Config, Consent, Handle, Host, Reporter, Seed, State, blocking};

type BoxError = Box<dyn Error + Send + Sync>;

const ROUNDS: usize = 20;
const HUGE: usize = 50 * 1024 * 1024;

struct Bench {
    consent: Consent,
}

impl Host for Bench {
    type Usage = Usage;

    #[expect(clippy::unnecessary_literal_bound, reason = "as the trait has it")]
    fn product(&self) -> &str {
        "bench"
    }

    fn consent(&self) -> &Consent {
        &self.consent
    }

    fn collect(&self) -> Result<Usage, BoxError> {
        Ok(Usage::new("bench").data(UsageData::new().value("n", 1)))
    }

    fn store(&self, _: &State) -> Result<(), BoxError> {
        Ok(())
    }
}

/// What each call took at the most, over all rounds.
#[derive(Default)]
struct Worst {
    spawn: Duration,
    push: Duration,
    status: Duration,
    shutdown: Duration,
}

fn main() -> Result<(), BoxError> {
    let apis = [
        // Nobody listens, nobody answers, every answer is a refusal, an answer has 50 MiB.
        unreachable()?,
        serve(|stream| drop(stream.read(&mut [0; 1])))?,
        serve(|stream| answer(stream, "503 Service Unavailable", 0))?,
        serve(|stream| answer(stream, "200 OK", HUGE))?,
    ];
    let (mut thread, mut task) = (Worst::default(), Worst::default());
    for url in apis {
        (0..ROUNDS).try_for_each(|_| over_a_thread(&url, &mut thread))?;
        let runtime = tokio::runtime::Runtime::new()?;
        (0..ROUNDS).try_for_each(|_| runtime.block_on(over_a_task(&url, &mut task)))?;
        runtime.shutdown_background();
    }
    print(&rows("thread", &thread));
    print(&rows("task", &task));
    Ok(())
}

fn rows(driver: &str, worst: &Worst) -> Vec<Row> {
    let of = [
        ("spawn", worst.spawn),
        ("push_stats", worst.push),
        ("status", worst.status),
        ("shutdown(ZERO)", worst.shutdown),
    ];
    let row = |(call, time): (&str, Duration)| {
        let what = format!("{call}, {driver}, the longest of all");
        Row::alone(what, Unit::Microseconds, time.as_secs_f64() * 1e6, None)
    };
    of.map(row).into()
}

fn over_a_thread(url: &str, worst: &mut Worst) -> Result<(), BoxError> {
    let (reporter, api, host) = reporter(url)?;
    let client = usage_ureq::Client::new(api)?;
    let begun = Instant::now();
    let handle = blocking::spawn(reporter, move |request| client.execute(request), host)?;
    worst.spawn = worst.spawn.max(begun.elapsed());
    live(&handle, worst)?;
    let begun = Instant::now();
    handle.shutdown(Duration::ZERO);
    worst.shutdown = worst.shutdown.max(begun.elapsed());
    Ok(())
}

async fn over_a_task(url: &str, worst: &mut Worst) -> Result<(), BoxError> {
    let (reporter, api, host) = reporter(url)?;
    let client = usage_reqwest::Client::new(api)?;
    let begun = Instant::now();
    let handle =
        usage_reporter::tokio::spawn(reporter, move |request| client.execute(request), host)?;
    worst.spawn = worst.spawn.max(begun.elapsed());
    live(&handle, worst)?;
    let begun = Instant::now();
    handle.shutdown(Duration::ZERO).await;
    worst.shutdown = worst.shutdown.max(begun.elapsed());
    Ok(())
}

/// A little while in which the API is being talked to.
fn live<D: usage_reporter::Driver>(handle: &Handle<D>, worst: &mut Worst) -> Result<(), BoxError> {
    for _ in 0..10 {
        let stats = Stats::new("bench").data(StatsData::new("engine").value("n", 1));
        let begun = Instant::now();
        handle.push_stats(&stats)?;
        worst.push = worst.push.max(begun.elapsed());
        let begun = Instant::now();
        let _ = handle.status();
        worst.status = worst.status.max(begun.elapsed());
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

fn reporter(url: &str) -> Result<(Reporter, Api, Bench), BoxError> {
    let api = Api::new(BaseUrl::new(url)?);
    let (now, wall) = (Instant::now(), SystemTime::now());
    let seed = Seed::from_bytes([7; 32]);
    let mut reporter = Reporter::new(Config::new(), api.clone(), State::new(), seed, now, wall)?;
    reporter.report_now(now);
    let consent = Consent::resolve(Some(true), "BENCH_USAGE_REPORTING", |_| None::<String>);
    Ok((reporter, api, Bench { consent }))
}

/// An address where nobody listens any more.
fn unreachable() -> Result<String, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(format!("http://{}", listener.local_addr()?))
}

/// An API that does `answer` on each connection, until the end of the process.
fn serve(answer: fn(&mut TcpStream)) -> Result<String, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut stream = stream;
                answer(&mut stream);
                // Held until the client goes.
                while stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
            });
        }
    });
    Ok(url)
}

fn answer(stream: &mut TcpStream, status: &str, length: usize) {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n");
    let chunk = vec![b'x'; 64 * 1024];
    while stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {
        let mut sent = 0;
        let mut outcome = stream.write_all(head.as_bytes());
        while sent < length && outcome.is_ok() {
            outcome = stream.write_all(&chunk);
            sent += chunk.len();
        }
        if outcome.is_err() {
            return;
        }
    }
}
