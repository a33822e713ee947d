//! What a driver logs: names, fields and levels that stay, few of them loud, and no secret.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Response;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use usage_proto::{TransportError, Usage, UsageData};
use usage_reporter::{Config, Consent, Reporter, State, tokio as driver};

use super::host::TestHost;
use super::reporting::stats;
use crate::support::{answer, api_with, seed_of};

type Outcome = Result<Response<Bytes>, TransportError>;

const SECRET: &str = "open-sesame-1234";
const HOUR: Duration = Duration::from_secs(60 * 60);

/// One event, with its message among the fields.
#[derive(Debug, Clone)]
struct Line {
    level: Level,
    fields: BTreeMap<&'static str, String>,
}

/// Keeps what is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Line>>>);

impl Log {
    fn lines(&self) -> Vec<Line> {
        self.0.lock().unwrap().clone()
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
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "usage_reporter"
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        let line = Line { level: *event.metadata().level(), fields: fields.0 };
        self.0.lock().unwrap().push(line);
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

/// Drives a reporter through `time`, which passes at once, with statistics every hour.
fn live<F>(
    host: TestHost,
    time: Duration,
    mut transport: impl FnMut(u64) -> F + Send + 'static,
) -> Log
where
    F: Future<Output = Outcome> + Send + 'static,
{
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.clone());
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let now = tokio::time::Instant::now().into_std();
        let (config, wall) = (Config::new(), SystemTime::UNIX_EPOCH);
        let reporter =
            Reporter::new(config, api_with(SECRET), State::new(), seed_of(3), now, wall).unwrap();
        let mut attempts = 0;
        let send = move |_| {
            attempts += 1;
            transport(attempts)
        };
        let handle = driver::spawn(reporter, send, host).unwrap();
        let end = tokio::time::Instant::now() + time;
        while tokio::time::Instant::now() < end {
            handle.push_stats(&stats(1)).unwrap();
            tokio::time::sleep(HOUR).await;
        }
        handle.shutdown(HOUR).await;
    });
    log
}

fn day(transport: impl Fn() -> Outcome + Copy + Send + 'static) -> Log {
    let (host, _alive) = TestHost::new();
    live(host.on_store(|_| Err("the disk is full".into())), 24 * HOUR, move |_| async move {
        transport()
    })
}

#[test]
fn a_day_of_trouble_is_two_warnings_at_most() {
    let days = [
        day(|| Err(TransportError::connect("refused"))),
        day(|| Ok(answer(503))),
        day(|| Ok(answer(401))),
        day(|| Ok(answer(500).map(|_| Bytes::from(vec![b'x'; 70_000])))),
    ];
    for log in days {
        // One is about the API, the other about the disk.
        assert_eq!(log.warnings(), 2, "{:#?}", log.loud());
        assert!(log.lines().len() > 2 * 24);
    }
    let (host, _alive) = TestHost::new();
    let hanging = live(host, 24 * HOUR, |_| std::future::pending());
    assert_eq!(hanging.warnings(), 1, "{:#?}", hanging.loud());
}

#[test]
fn a_good_day_is_one_line_that_says_how_to_switch_it_off() {
    let (host, _alive) = TestHost::new();
    let consent = Consent::resolve(None, "INFLUXDB_USAGE_REPORTING", |_| None);
    let log = live(host.consent(consent), 24 * HOUR, |_| async { Ok(answer(200)) });
    assert_eq!(log.loud(), [(Level::INFO, "started".to_owned())]);
    let fields = log.first("started").fields;
    assert_eq!(
        fields["message"],
        "influxdb reports its usage to https://usage.staging.influxdata.com; to switch it off, \
         set INFLUXDB_USAGE_REPORTING=off, or DO_NOT_TRACK=1"
    );
    assert_eq!(fields["product"], "influxdb");
    assert_eq!(fields["address"], "https://usage.staging.influxdata.com");
    assert_eq!(fields["decided_by"], "that is the default");
    let delivered = log.first("delivered");
    assert_eq!(delivered.level, Level::DEBUG);
    assert_eq!(delivered.fields["report"], "stats");
    assert_eq!(delivered.fields["attempts"], "1");
    assert_eq!(delivered.fields["status"], "200");
    assert_eq!(log.first("stopped").fields["lost"], "0");
}

#[test]
fn an_outage_has_a_beginning_and_an_end_with_their_fields() {
    let (host, _alive) = TestHost::new();
    let log = live(host, 48 * HOUR, |sent| async move {
        match sent {
            // The reason of a reason is told, too.
            0..=8 => Err(TransportError::connect(std::io::Error::other("nobody there"))),
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
    assert!(ended.fields["lasted_s"].parse::<u64>().unwrap() > 0);
    let failed = log.first("attempt_failed");
    assert_eq!(failed.fields["attempt"], "1");
    assert!(failed.fields["retry_in_s"].parse::<f64>().unwrap() < 5.0);
    let lost = log.first("lost");
    assert_eq!((&*lost.fields["reason"], &*lost.fields["count"]), ("exhausted", "1"));
}

/// A hostile API sends back what it was told; a host names its own secret in an error.
#[test]
fn no_token_and_nothing_of_a_report_is_in_the_log() {
    let (host, _alive) = TestHost::new();
    let host = host.on_collect(|count| match count {
        1 => Ok(Usage::new("influxdb").data(UsageData::new().value("secret-name", 1))),
        _ => panic!("no numbers"),
    });
    let log = live(host, 48 * HOUR, |_| async {
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
