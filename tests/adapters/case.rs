//! What a case is, and how it is run.

use std::any::Any;
use std::fmt::Debug;
use std::panic::{self, AssertUnwindSafe};

use testkit::outcome::Outcome;
use testkit::samples::usage;
use testkit::scripted::{PATIENCE, Script, ScriptedServer};
use usage_proto::Deadlines;

use crate::adapter::{Adapter, Client};

/// Why an adapter's result is not the expected one, in words.
pub(crate) type Difference = String;

/// What has come of a case, for each adapter.
pub(crate) type Results = [(Adapter, Result<(), Difference>); 3];

/// One thing that every adapter has to do in the same way.
pub(crate) struct Case {
    /// To be found by, such as `hostile: resets before the head`.
    pub(crate) name: String,
    /// Where it stands in the table.
    pub(crate) row: String,
    play: Box<dyn Fn(Adapter) -> Result<(), Difference> + Send + Sync>,
}

impl Case {
    /// A case that says for itself what it expects.
    pub(crate) fn new(
        name: impl Into<String>,
        play: impl Fn(Adapter) -> Result<(), Difference> + Send + Sync + 'static,
    ) -> Self {
        let name = name.into();
        Self { row: name.clone(), name, play: Box::new(play) }
    }

    /// One save to a server that plays `script`, and the outcome that it has to have.
    pub(crate) fn script(name: impl Into<String>, script: Script, expected: Outcome) -> Self {
        Self::within(name, Deadlines::new().total(PATIENCE), script, expected)
    }

    /// The same with deadlines that are part of the case.
    pub(crate) fn within(
        name: impl Into<String>,
        deadlines: Deadlines,
        script: Script,
        expected: Outcome,
    ) -> Self {
        Self::new(name, move |adapter| {
            let server = ScriptedServer::start([script.clone()]);
            let client = Client::new(adapter, &server.url(), deadlines);
            same("the outcome", &Outcome::of(&client.save(&usage())), &expected)?;
            // Nobody follows, nobody tries again.
            same("connections", &server.connections(), &1)
        })
    }

    /// The same without a look at the connections: one that ends before the request is handed to it
    /// may be made again, since nothing was sent.
    pub(crate) fn at_once(name: impl Into<String>, script: Script, expected: Outcome) -> Self {
        Self::new(name, move |adapter| {
            let server = ScriptedServer::start([script.clone()]);
            let client = Client::new(adapter, &server.url(), Deadlines::new().total(PATIENCE));
            same("the outcome", &Outcome::of(&client.save(&usage())), &expected)
        })
    }

    /// A case that stands in a row with others.
    pub(crate) fn in_row(self, row: impl Into<String>) -> Self {
        Self { row: row.into(), ..self }
    }

    /// Runs it over every adapter, whatever comes of it.
    pub(crate) fn run(&self) -> Results {
        Adapter::ALL.map(|adapter| {
            let played = panic::catch_unwind(AssertUnwindSafe(|| (self.play)(adapter)));
            (adapter, played.unwrap_or_else(|panic| Err(words(&*panic))))
        })
    }
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
