//! What a case is, and how it is run.
//!
//! Most cases are *contract*: every adapter has to come to the same outcome. Some are *finer points*,
//! where the library that an adapter stands on decides: the case says what each of them comes to. A
//! finer point is never less cautious than the contract, which is checked.

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::panic::{self, AssertUnwindSafe};

use libtest_mimic::Trial;
use testkit::outcome::{Outcome, sent};
use testkit::samples::usage;
use testkit::scripted::{PATIENCE, Script, ScriptedServer};
use usage_proto::{Deadlines, TransportErrorKind};

use crate::adapter::{Adapter, Client};
use crate::exchange;

/// Why an adapter's result is not the expected one, in words.
pub(crate) type Difference = String;

/// What has come of a case, for each adapter.
pub(crate) type Results = [(Adapter, Result<(), Difference>); 3];

/// One situation, and what the adapters have to make of it.
pub(crate) struct Case {
    /// To be found by, such as `hostile: resets before the head`.
    pub(crate) name: String,
    /// Where it stands in the table.
    pub(crate) row: String,
    /// What each adapter does, in words, if it is a finer point.
    pub(crate) finer: Option<[String; 3]>,
    /// Whether it needs a network of its own, which not every system gives.
    pub(crate) in_network: bool,
    play: Box<dyn Fn(Adapter) -> Result<(), Difference> + Send + Sync>,
    /// The same in an event loop without an adapter, where one can.
    in_loop: Option<InLoop>,
}

type InLoop = Box<dyn Fn() -> Result<(), Difference> + Send + Sync>;

impl Case {
    /// A case that says for itself what it expects.
    pub(crate) fn new(
        name: impl Into<String>,
        play: impl Fn(Adapter) -> Result<(), Difference> + Send + Sync + 'static,
    ) -> Self {
        let name = name.into();
        let play = Box::new(play);
        Self { row: name.clone(), name, finer: None, in_network: false, play, in_loop: None }
    }

    /// A case that says for itself how to come to what is expected.
    pub(crate) fn expecting(
        name: impl Into<String>,
        expected: impl Into<Expected>,
        play: impl Fn(Adapter, &Outcome) -> Result<(), Difference> + Send + Sync + 'static,
    ) -> Self {
        let expected = expected.into();
        let finer = expected.words();
        let case = Self::new(name, move |adapter| play(adapter, expected.of(adapter)));
        Self { finer, ..case }
    }

    /// One save to a server that plays `script`, and the outcome that it has to have.
    pub(crate) fn script(
        name: impl Into<String>,
        script: Script,
        expected: impl Into<Expected>,
    ) -> Self {
        Self::within(name, Deadlines::new().total(PATIENCE), script, expected)
    }

    /// The same with deadlines that are part of the case.
    pub(crate) fn within(
        name: impl Into<String>,
        deadlines: Deadlines,
        script: Script,
        expected: impl Into<Expected>,
    ) -> Self {
        Self::played(name, deadlines, script, expected.into(), None)
    }

    /// The same, but that ureq may come to `other` as well, by how the bytes arrive.
    pub(crate) fn or_ureq(
        name: impl Into<String>,
        script: Script,
        expected: impl Into<Expected>,
        other: Outcome,
    ) -> Self {
        let deadlines = Deadlines::new().total(PATIENCE);
        Self::played(name, deadlines, script, expected.into(), Some(other))
    }

    fn played(
        name: impl Into<String>,
        deadlines: Deadlines,
        script: Script,
        expected: Expected,
        of_ureq: Option<Outcome>,
    ) -> Self {
        let mut finer = expected.words();
        if let (Some([words, ..]), Some(other)) = (&mut finer, &of_ureq) {
            *words = format!("{words}, or {}", other.in_words());
        }
        let in_loop = in_loop(&script, deadlines, &expected, |outcome| outcome);
        let case = Self::new(name, move |adapter| {
            let server = ScriptedServer::start([script.clone()]);
            let client = Client::new(adapter, &server.url(), deadlines);
            let outcome = Outcome::of(&client.save(&usage()));
            if adapter != Adapter::Ureq || of_ureq.as_ref() != Some(&outcome) {
                same("the outcome", &outcome, expected.of(adapter))?;
            }
            // Nobody follows, nobody tries again.
            same("connections", &server.connections(), &1)?;
            cautious(&outcome, &server)
        });
        Self { finer, in_loop, ..case }
    }

    /// The same without a look at the connections: one that ends before the request is handed to it
    /// may be made again, since nothing was sent.
    ///
    /// Whether the request has begun to leave by then depends on who is first, so it may be told as
    /// not sent where the server has read nothing.
    pub(crate) fn at_once(
        name: impl Into<String>,
        script: Script,
        expected: impl Into<Expected>,
    ) -> Self {
        let expected = expected.into();
        let in_loop =
            in_loop(&script, Deadlines::new().total(PATIENCE), &expected, Outcome::as_sent);
        let case = Self::expecting(name, expected, move |adapter, expected| {
            let server = ScriptedServer::start([script.clone()]);
            let client = Client::new(adapter, &server.url(), Deadlines::new().total(PATIENCE));
            let outcome = Outcome::of(&client.save(&usage()));
            cautious(&outcome, &server)?;
            same("the outcome", &outcome.clone().as_sent(), expected)
        });
        Self { in_loop, ..case }
    }

    /// A case that stands in a row with others.
    pub(crate) fn in_row(self, row: impl Into<String>) -> Self {
        Self { row: row.into(), ..self }
    }

    /// A case that needs a network of its own.
    pub(crate) fn in_network(self) -> Self {
        Self { in_network: true, ..self }
    }

    /// A finer point that no single outcome tells: what ureq, reqwest and hyper do, in words.
    pub(crate) fn finer(self, words: [&str; 3]) -> Self {
        Self { finer: Some(words.map(str::to_owned)), ..self }
    }

    /// What an event loop without an adapter has to come to.
    pub(crate) fn in_loop(
        self,
        play: impl Fn() -> Result<(), Difference> + Send + Sync + 'static,
    ) -> Self {
        Self { in_loop: Some(Box::new(play)), ..self }
    }

    /// The same in an event loop, as a test of its own.
    pub(crate) fn take_in_loop(&mut self) -> Option<Trial> {
        let play = self.in_loop.take()?;
        Some(Trial::test(format!("in a loop: {}", self.name), move || Ok(play()?)))
    }

    /// Runs it over every adapter, whatever comes of it.
    pub(crate) fn run(&self) -> Results {
        Adapter::ALL.map(|adapter| {
            let played = panic::catch_unwind(AssertUnwindSafe(|| (self.play)(adapter)));
            (adapter, played.unwrap_or_else(|panic| Err(words(&*panic))))
        })
    }
}

/// What is the same for every adapter is the same in an event loop.
fn in_loop(
    script: &Script,
    deadlines: Deadlines,
    expected: &Expected,
    judged: fn(Outcome) -> Outcome,
) -> Option<InLoop> {
    let Expected::Same(expected) = expected.clone() else { return None };
    let script = script.clone();
    Some(Box::new(move || {
        let server = ScriptedServer::start([script.clone()]);
        let outcome = Outcome::of(&exchange::save(server.address(), deadlines, &usage()));
        cautious(&outcome, &server)?;
        same("the outcome", &judged(outcome), &expected)
    }))
}

/// What every adapter has to come to, or each of them.
#[derive(Clone)]
pub(crate) enum Expected {
    Same(Outcome),
    Each([Outcome; 3]),
}

impl From<Outcome> for Expected {
    fn from(outcome: Outcome) -> Self {
        Self::Same(outcome)
    }
}

/// A finer point: what ureq, reqwest and hyper come to.
///
/// Whether to try again is contract: where there is no answer, it is the same for all.
pub(crate) fn each(ureq: Outcome, reqwest: Outcome, hyper: Outcome) -> Expected {
    let outcomes = [ureq, reqwest, hyper];
    let verdicts: BTreeSet<_> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Unanswered { retryable, .. } => Some(*retryable),
            _ => None,
        })
        .collect();
    assert!(verdicts.len() < 2, "whether to try again differs: {outcomes:?}");
    Expected::Each(outcomes)
}

/// What came is not a head, or is too large for one. reqwest does not tell it from a connection that
/// was closed.
pub(crate) fn malformed() -> Expected {
    let protocol = sent(TransportErrorKind::Protocol);
    each(protocol.clone(), sent(TransportErrorKind::Interrupted), protocol)
}

impl Expected {
    pub(crate) fn of(&self, adapter: Adapter) -> &Outcome {
        match self {
            Self::Same(outcome) => outcome,
            Self::Each(outcomes) => &outcomes[adapter as usize],
        }
    }

    /// What each comes to, if they differ.
    pub(crate) fn words(&self) -> Option<[String; 3]> {
        match self {
            Self::Same(_) => None,
            Self::Each(outcomes) => Some(outcomes.each_ref().map(Outcome::in_words)),
        }
    }
}

/// What a server has read was sent.
pub(crate) fn cautious(outcome: &Outcome, server: &ScriptedServer) -> Result<(), Difference> {
    let unsent = matches!(outcome, Outcome::Unanswered { may_have_been_sent: false, .. });
    holds("nothing arrived of what was not sent", !unsent || !server.has_read(), outcome)
}

fn words(panic: &(dyn Any + Send)) -> Difference {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref().copied()).unwrap_or("no words");
    format!("a panic: {text}")
}

/// Compares, and says what is different.
pub(crate) fn same<T: Debug + PartialEq>(
    what: &str,
    found: &T,
    expected: &T,
) -> Result<(), Difference> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}\n  is        {found:?}\n  should be {expected:?}"))
}

/// Says what does not hold, with what was found.
pub(crate) fn holds(what: &str, held: bool, found: &impl Debug) -> Result<(), Difference> {
    if held { Ok(()) } else { Err(format!("{what}; found {found:?}")) }
}
