//! Command-line tools: a report when its slot has come, and next to nothing when it has not.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use testkit::samples::CREATED;
use testkit::scripted::{Script, ScriptedServer};
use usage_client::{BaseUrl, IfDue, IntoUsage, Reporting, Schedule, UsageData};
use usage_reporter::StateFile;
use usage_server::Server;

use crate::{PATIENCE, api, product, wait_until};

/// Each test is about either.
#[derive(Clone, Copy, Debug)]
enum Way {
    Thread,
    #[cfg(any(feature = "reqwest", feature = "hyper"))]
    Tokio,
}

const WAYS: &[Way] = &[
    Way::Thread,
    #[cfg(any(feature = "reqwest", feature = "hyper"))]
    Way::Tokio,
];

struct Tool {
    way: Way,
    there: Server,
    folder: TempDir,
    asked: AtomicU32,
}

impl Tool {
    fn new(way: Way) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { way, there: api(), folder, asked: AtomicU32::new(0) }
    }

    fn reporting(&self) -> Reporting {
        product(&self.there, self.folder.path()).schedule(Schedule::new())
    }

    fn run(&'static self) -> IfDue {
        self.run_as(self.reporting(), PATIENCE)
    }

    fn run_as(&'static self, reporting: Reporting, limit: Duration) -> IfDue {
        let numbers = || {
            self.asked.fetch_add(1, Ordering::SeqCst);
            UsageData::new().value("runs", 1)
        };
        self.way.report(reporting, numbers, limit)
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("tinykv/usage.json")
    }

    /// The slot that was drawn has come.
    fn is_due(&self) {
        let mut state: serde_json::Value =
            serde_json::from_slice(&fs::read(self.state()).unwrap()).unwrap();
        state["next_due_unix_ns"] = 1_700_000_000_000_000_000_u64.into();
        fs::write(self.state(), state.to_string()).unwrap();
    }

    fn reports(&self) -> (usize, usize) {
        let store = self.there.store();
        (store.servers().read_all().unwrap().len(), store.usage().read_all().unwrap().len())
    }
}

impl Way {
    fn report<C, U>(self, reporting: Reporting, numbers: C, limit: Duration) -> IfDue
    where
        C: Fn() -> U + Send + Sync + 'static,
        U: IntoUsage,
    {
        match self {
            Self::Thread => reporting.report_if_due(numbers, limit).unwrap(),
            #[cfg(any(feature = "reqwest", feature = "hyper"))]
            Self::Tokio => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(reporting.report_if_due_on_tokio(numbers, limit)).unwrap()
            }
        }
    }
}

fn tools() -> impl Iterator<Item = &'static Tool> {
    WAYS.iter().map(|way| &*Box::leak(Box::new(Tool::new(*way))))
}

#[test]
fn a_tool_reports_in_the_first_call_after_its_slot_and_in_no_other() {
    for tool in tools() {
        assert_eq!(tool.run(), IfDue::NotDue, "the slot is drawn within a period");
        let drawn = fs::read(tool.state()).unwrap();
        let files = || fs::read_dir(tool.state().parent().unwrap()).unwrap().count();
        let before = files();
        for _ in 0..10 {
            assert_eq!(tool.run(), IfDue::NotDue);
        }
        assert_eq!(
            (fs::read(tool.state()).unwrap(), files()),
            (drawn, before),
            "nothing is written"
        );
        assert_eq!((tool.reports(), tool.asked.load(Ordering::SeqCst)), ((0, 0), 0));

        tool.is_due();
        assert_eq!(tool.run(), IfDue::Reported);
        assert_eq!(tool.reports(), (1, 1));
        assert_eq!(tool.run(), IfDue::NotDue);
        assert_eq!((tool.reports(), tool.asked.load(Ordering::SeqCst)), ((1, 1), 1));

        // Once more, under the same identity.
        tool.is_due();
        let mut state: serde_json::Value =
            serde_json::from_slice(&fs::read(tool.state()).unwrap()).unwrap();
        state.as_object_mut().unwrap().remove("acknowledged_unix_ns").unwrap();
        fs::write(tool.state(), state.to_string()).unwrap();
        assert_eq!(tool.run(), IfDue::Reported);
        let servers = tool.there.store().servers().read_all().unwrap();
        assert_eq!(servers[0].report, servers[1].report);
    }
}

/// What was tried may have arrived: it is tried again, under its key, and not at once.
#[test]
fn an_api_that_hangs_holds_up_one_call_in_an_hour() {
    for tool in tools() {
        tool.run();
        tool.is_due();
        let hangs = ScriptedServer::start([Script::new().read_request().send(CREATED).hold()]);
        let hanging = tool.reporting().url(BaseUrl::new(&hangs.url()).unwrap());
        let limit = Duration::from_secs(1);
        let IfDue::NotReported(why) = tool.run_as(hanging, limit) else { panic!("nobody answers") };
        assert!(why.contains("the time was over"), "{why}");
        for _ in 0..10 {
            assert_eq!(tool.run(), IfDue::NotDue);
        }
        assert_eq!(tool.asked.load(Ordering::SeqCst), 1);

        // An hour later. The thread of the first call lives on in this process, as in no tool: it stores
        // the state once more and lets go of it.
        drop(hangs);
        let then = SystemTime::now() - Duration::from_secs(3601);
        wait_until("it has reported", || {
            let state = fs::File::options().append(true).open(tool.state()).unwrap();
            state.set_modified(then).unwrap();
            tool.run() == IfDue::Reported
        });
        assert_eq!(tool.reports(), (1, 1));
    }
}

/// It was told the time of its next attempt: that of the next report.
#[test]
fn an_api_that_wants_a_pause_has_it() {
    for tool in tools() {
        tool.run();
        tool.is_due();
        tool.there.faults().fail(Some("503".parse().unwrap()));
        tool.there.faults().retry_after(Some("7200")).unwrap();
        let IfDue::NotReported(why) = tool.run() else { panic!("an API that answers 503") };
        assert!(why.contains("503"), "{why}");
        tool.there.faults().fail(None);
        assert_eq!(tool.run(), IfDue::NotDue);
        tool.is_due();
        assert_eq!(tool.run(), IfDue::Reported);
    }
}

#[test]
fn off_looks_at_nothing_and_two_at_once_report_once() {
    for tool in tools() {
        assert_eq!(tool.run_as(tool.reporting().setting(Some(false)), PATIENCE), IfDue::Off);
        assert!(!tool.state().parent().unwrap().exists());
        tool.run();
        tool.is_due();
        // A reporting that has the file would store what it draws, and then nothing would be due.
        let holder = StateFile::open(tool.state()).unwrap();
        assert_eq!(tool.run(), IfDue::InUse);
        drop(holder);
        assert_eq!(tool.run(), IfDue::Reported);
    }
}

#[test]
fn the_limit_holds_whatever_the_api_does() {
    for tool in tools() {
        tool.run();
        tool.is_due();
        let silent = ScriptedServer::start([Script::new().hold()]);
        let url = BaseUrl::new(&silent.url()).unwrap();
        let outcome = tool.run_as(tool.reporting().url(url), Duration::from_millis(300));
        assert!(matches!(outcome, IfDue::NotReported(_)), "{outcome:?}");
    }
}

#[test]
fn a_collector_without_numbers_is_told() {
    for tool in tools() {
        tool.run();
        tool.is_due();
        let nothing = || Err::<UsageData, _>("the disk is gone");
        let outcome = tool.way.report(tool.reporting(), nothing, PATIENCE);
        assert_eq!(outcome, IfDue::NotReported("no numbers were collected".to_owned()));
    }
}

#[cfg(any(feature = "reqwest", feature = "hyper"))]
mod on_tokio {
    use usage_client::StartError;

    use super::*;

    /// Another task goes on meanwhile, on the runtime's only thread.
    #[tokio::test]
    async fn an_async_collector_is_asked_and_the_runtime_goes_on() {
        let tool = Tool::new(Way::Thread);
        let drawn = tool.reporting().report_if_due(UsageData::new, PATIENCE).unwrap();
        assert_eq!(drawn, IfDue::NotDue);
        tool.is_due();
        let numbers = || async {
            tokio::task::yield_now().await;
            UsageData::new().value("runs", 1)
        };
        let goes_on = tokio::spawn(async {});
        let report = tool.reporting().report_if_due_on_tokio(numbers, PATIENCE);
        let outcome = report.await.unwrap();
        assert_eq!(outcome, IfDue::Reported);
        goes_on.await.unwrap();
    }

    #[test]
    fn without_a_runtime_or_its_timer_that_is_said() {
        let (there, folder) = (api(), tempfile::tempdir().unwrap());
        let report =
            || product(&there, folder.path()).report_if_due_on_tokio(UsageData::new, PATIENCE);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut outside = Box::pin(report());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(without) = outside.as_mut().poll(&mut context) else {
            panic!("there is nothing to wait for")
        };
        for error in [without, runtime.block_on(report())].map(Result::unwrap_err) {
            assert!(matches!(error, StartError::Spawn(_)), "{error:?}");
        }
        assert!(!folder.path().join("tinykv").exists(), "nothing is made");
    }
}
