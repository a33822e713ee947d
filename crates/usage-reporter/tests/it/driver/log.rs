//! What a driver logs: names, fields and levels that stay, few of them loud, and no secret.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::thread::{self, ThreadId};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Response;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use usage_proto::{TransportError, Usage, UsageData};
use usage_reporter::{Config, Consent, Reporter, RetryPolicy, State};

use super::host::{PATIENCE, TestHost};
use super::reporting::stats;
use super::rig::{Rig, reporter};
use crate::support::{answer, api_with, clock, seed_of};

type Outcome = Result<Response<Bytes>, TransportError>;

const SECRET: &str = "open-sesame-1234";

/// One event, with its message among the fields.
#[derive(Debug, Clone)]
struct Line {
    thread: String,
    level: Level,
    fields: BTreeMap<&'static str, String>,
}

/// Keeps what is logged under one product, on whatever thread. There is one subscriber for the whole
/// process, since a driver has a thread of its own.
#[derive(Clone)]
struct Log {
    lines: Arc<Mutex<Vec<Line>>>,
}

/// Which log the lines of a thread belong to: its driver says its product first.
static LOGS: Mutex<BTreeMap<String, Log>> = Mutex::new(BTreeMap::new());

static OF_THREADS: Mutex<Vec<(ThreadId, Log)>> = Mutex::new(Vec::new());

struct Collecting;

impl Log {
    /// The log of the driver that is going to start as `product`, on a thread of its own.
    fn of(product: &str) -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| tracing::subscriber::set_global_default(Collecting).unwrap());
        let log = Self { lines: Arc::default() };
        let other = LOGS.lock().unwrap().insert(product.to_owned(), log.clone());
        assert!(other.is_none(), "two tests report as {product}");
        log
    }

    fn lines(&self) -> Vec<Line> {
        self.lines.lock().unwrap().clone()
    }

    /// Level and name of what stands at INFO and above.
    fn loud(&self) -> Vec<(Level, String)> {
        let lines = self.lines().into_iter().filter(|line| line.level <= Level::INFO);
        lines.map(|line| (line.level, line.fields["event"].clone())).collect()
    }

    fn warnings(&self) -> usize {
        self.lines().iter().filter(|line| line.level <= Level::WARN).count()
    }

    fn first(&self, event: &str) -> Line {
        let lines = self.lines();
        let found = lines.iter().find(|line| line.fields["event"] == event);
        found.unwrap_or_else(|| panic!("no {event} in {lines:#?}")).clone()
    }

    /// Waits until there is such a line.
    fn wait_for(&self, event: &str) -> Line {
        let begun = clock();
        while !self.lines().iter().any(|line| line.fields["event"] == event) {
            assert!(begun.elapsed() < PATIENCE, "no {event} in {:#?}", self.lines());
            thread::sleep(Duration::from_millis(1));
        }
        self.first(event)
    }
}

impl Subscriber for Collecting {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "usage_reporter"
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        let thread = thread::current().name().unwrap_or_default().to_owned();
        let line = Line { thread, level: *event.metadata().level(), fields: fields.0 };
        let this = thread::current().id();
        let mut of_threads = OF_THREADS.lock().unwrap();
        if let Some(product) = line.fields.get("product") {
            of_threads.retain(|(thread, _)| *thread != this);
            let log = LOGS.lock().unwrap().get(product).cloned();
            of_threads.extend(log.map(|log| (this, log)));
        }
        if let Some((_, log)) = of_threads.iter().find(|(thread, _)| *thread == this) {
            log.lines.lock().unwrap().push(line);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

/// Half a day of a driver whose times are all shortened alike.
const PERIOD: Duration = Duration::from_millis(400);

/// Drives a reporter through two periods, and until there is a line of `event`, with statistics all
/// the time.
fn day(
    product: &'static str,
    rig: &Rig,
    host: TestHost,
    event: &str,
    transport: impl FnMut(http::Request<Bytes>) -> Outcome + Clone + Send + 'static,
) -> Log {
    day_with(config(), product, rig, host, event, transport)
}

fn config() -> Config {
    let tiny = Duration::from_nanos(1);
    let retry = RetryPolicy::new().base(tiny).cap(tiny);
    Config::every(PERIOD).start_spread(Duration::ZERO).retry(retry)
}

fn day_with(
    config: Config,
    product: &'static str,
    rig: &Rig,
    host: TestHost,
    event: &str,
    transport: impl FnMut(http::Request<Bytes>) -> Outcome + Clone + Send + 'static,
) -> Log {
    let log = Log::of(product);
    let (now, wall) = (clock(), SystemTime::UNIX_EPOCH);
    let reporter =
        Reporter::new(config, api_with(SECRET), State::new(), seed_of(3), now, wall).unwrap();
    let handle = rig.spawn(reporter, transport, host.product(product)).unwrap();
    handle.report_now();
    while now.elapsed() < 2 * PERIOD {
        // Where the API is gone, nothing is taken any more.
        let _ = handle.push_stats(&stats(1));
        thread::sleep(PERIOD / 12);
    }
    log.wait_for(event);
    handle.shutdown(Duration::ZERO);
    log.wait_for("stopped");
    log
}

fn host() -> TestHost {
    TestHost::new().0
}

/// The one thread that drives has a name that a log or a debugger shows.
#[test]
fn a_good_day_is_one_line_that_says_how_to_switch_it_off() {
    for (product, rig) in ["good-thread", "good-task"].into_iter().zip(Rig::both()) {
        let consent = Consent::resolve(None, "INFLUXDB_USAGE_REPORTING", |_| None::<String>);
        let log = day(product, &rig, host().consent(consent), "delivered", |_| Ok(answer(200)));
        assert_eq!(log.loud(), [(Level::INFO, "started".to_owned())]);
        let fields = log.first("started").fields;
        assert_eq!(
            fields["message"],
            format!(
                "{product} reports its usage to https://usage.staging.influxdata.com; to switch \
                 it off, set INFLUXDB_USAGE_REPORTING=off, or DO_NOT_TRACK=1"
            )
        );
        assert_eq!(fields["product"], product);
        assert_eq!(fields["address"], "https://usage.staging.influxdata.com");
        assert_eq!(fields["decided_by"], "that is the default");
        if let Rig::Thread = rig {
            assert_eq!(log.first("started").thread, "usage-reporter");
        }
        let delivered = log.first("delivered");
        assert_eq!(delivered.level, Level::DEBUG);
        assert!(["stats", "usage"].contains(&&*delivered.fields["report"]));
        assert_eq!(delivered.fields["attempts"], "1");
        assert_eq!(delivered.fields["status"], "200");
        assert_eq!(log.first("stopped").fields["lost"], "0");
    }
}

#[test]
fn a_day_of_trouble_is_two_warnings_at_most() {
    let [rig, _] = Rig::both();
    let apis: [(_, fn() -> Outcome); 4] = [
        ("refused", || Err(TransportError::connect("refused"))),
        ("unavailable", || Ok(answer(503))),
        ("unauthorized", || Ok(answer(401))),
        ("huge", || Ok(answer(500).map(|_| Bytes::from(vec![b'x'; 70_000])))),
    ];
    for (product, outcome) in apis {
        let full_disk = host().on_store(|_| Err("the disk is full".into()));
        let log = day(product, &rig, full_disk, "state_not_stored", move |_| outcome());
        // One is about the API, the other about the disk.
        assert_eq!(log.warnings(), 2, "{product}: {:#?}", log.loud());
        assert!(log.lines().len() > 20);
    }
}

/// The thread itself is held up there, which the task is not.
#[test]
fn a_day_without_an_answer_is_one_warning() {
    let [_, rig] = Rig::both();
    let config = config().attempt_timeout(PERIOD / 8);
    let log = day_with(config, "hanging", &rig, host(), "outage_began", |_| {
        thread::sleep(PERIOD);
        Ok(answer(200))
    });
    assert_eq!(log.warnings(), 1, "{:#?}", log.loud());
    let error = &log.first("outage_began").fields["error"];
    assert!(error.starts_with("no answer from the Usage API in time: "), "{error}");
}

#[test]
fn an_outage_has_a_beginning_and_an_end_with_their_fields() {
    for (product, rig) in ["outage-thread", "outage-task"].into_iter().zip(Rig::both()) {
        let sent = Arc::new(AtomicU32::new(0));
        let log = day(product, &rig, host(), "outage_ended", move |_| {
            match sent.fetch_add(1, Ordering::SeqCst) {
                // The reason of a reason is told, too.
                0..8 => Err(TransportError::connect(std::io::Error::other("nobody there"))),
                _ => Ok(answer(201)),
            }
        });
        let loud: Vec<_> = log.loud().into_iter().map(|(_, name)| name).collect();
        assert_eq!(loud, ["started", "outage_began", "outage_ended"]);
        let began = log.first("outage_began");
        assert_eq!(began.level, Level::WARN);
        assert_eq!(began.fields["error"], "could not connect to the Usage API: nobody there");
        assert_eq!(began.fields["message"], "usage reports are not getting through");
        let ended = log.first("outage_ended");
        assert_eq!(ended.fields["failures"], "8");
        assert_eq!(ended.fields["lasted_s"], "0");
        let failed = log.first("attempt_failed");
        assert_eq!(failed.fields["attempt"], "1");
        assert!(failed.fields["retry_in_s"].parse::<f64>().unwrap() < 1.0);
        let lost = log.first("lost");
        assert_eq!((&*lost.fields["reason"], &*lost.fields["count"]), ("exhausted", "1"));
    }
}

/// A hostile API sends back what it was told; a host names its own secret in an error.
#[test]
fn no_token_and_nothing_of_a_report_is_in_the_log() {
    let host = host().on_collect(|count| match count {
        1 => Ok(Usage::new("influxdb").data(UsageData::new().value("secret-name", 1))),
        _ => panic!("no numbers"),
    });
    let [rig, _] = Rig::both();
    let log = day("secretive", &rig, host, "collect_failed", |_| {
        let body = format!(r#"{{"error":"secret-name of {SECRET}"}}"#);
        Ok(answer(422).map(|_| Bytes::from(body)))
    });
    for line in log.lines() {
        let text = format!("{line:?}");
        assert!(!text.contains(SECRET), "{text}");
        assert!(line.level > Level::INFO || !text.contains("secret-name"), "{text}");
    }
    let error = &log.first("outage_began").fields["error"];
    assert_eq!(error, "the Usage API answered 422 Unprocessable Entity");
    let error = &log.first("collect_failed").fields["error"];
    assert_eq!(error, "panicked: no numbers");
}

/// A name with a line break in it does not look like two lines.
#[test]
fn a_name_is_one_line() {
    let product = "two\nlines";
    let log = Log::of("two\\nlines");
    let [rig, _] = Rig::both();
    let reporter = reporter();
    let handle = rig.spawn(reporter, |_| Ok(answer(200)), host().product(product)).unwrap();
    let message = log.wait_for("started").fields["message"].clone();
    assert!(message.starts_with("two\\nlines reports its usage to "), "{message}");
    drop(handle);
}
