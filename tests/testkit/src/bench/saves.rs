//! How fast an adapter saves, and how many connections and instructions it takes for that.

use std::time::Instant;
use std::{fmt, thread};

use super::beside::Other;
use super::{Row, Server, Unit, compare, instructions, one_core, over_tls, print};

/// How many saves come one after the other in a round.
const IN_SEQUENCE: usize = 2_000;

/// How many go on at once.
pub const AT_ONCE: usize = 64;

/// How many of each there are in a round.
const EACH: usize = 60;

/// What the rate of an adapter should be at least.
#[derive(Debug, Clone, Copy)]
pub struct Targets {
    /// As a part of that of the bare library.
    pub bare: f64,
    /// As a multiple of the original client's, in sequence and at once.
    pub beside_go: Option<[f64; 2]>,
}

/// One of the two that are compared: a way to save once, with what runs it.
pub struct Saver<'a> {
    in_sequence: Box<dyn Fn(usize) + 'a>,
    at_once: Box<dyn Fn() + 'a>,
}

impl fmt::Debug for Saver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saver").finish_non_exhaustive()
    }
}

impl Saver<'_> {
    /// Saves so often, one after the other.
    pub(super) fn in_sequence(&self, count: usize) {
        (self.in_sequence)(count);
    }

    /// How many saves a round has.
    pub(super) fn count(at_once: usize) -> usize {
        if at_once == 1 { IN_SEQUENCE } else { at_once * EACH }
    }

    /// How many it saves in a second, in sequence or at once.
    #[expect(clippy::cast_precision_loss, reason = "a few thousands")]
    pub(super) fn round(&self, at_once: usize) -> f64 {
        let begun = Instant::now();
        if at_once == 1 {
            (self.in_sequence)(IN_SEQUENCE);
        } else {
            (self.at_once)();
        }
        Self::count(at_once) as f64 / begun.elapsed().as_secs_f64()
    }
}

impl<'a> Saver<'a> {
    /// One that blocks: in sequence on the thread that measures, at once on a thread each.
    pub fn blocking(save: impl Fn() + Clone + Sync + 'a) -> Self {
        let once = save.clone();
        Self {
            in_sequence: Box::new(move |count| (0..count).for_each(|_| once())),
            at_once: Box::new(move || {
                thread::scope(|scope| {
                    for _ in 0..AT_ONCE {
                        scope.spawn(|| (0..EACH).for_each(|_| save()));
                    }
                });
            }),
        }
    }

    /// An async one, in tasks as in an application: not on the thread that only waits.
    ///
    /// # Panics
    ///
    /// What is measured panics if a save does.
    #[cfg(feature = "tasks")]
    pub fn spawned<F>(
        runtime: &'a tokio::runtime::Runtime,
        save: impl Fn() -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let spawn = move |count: usize| {
            let save = save.clone();
            runtime.spawn(async move {
                for _ in 0..count {
                    save().await;
                }
            })
        };
        let one = spawn.clone();
        Self {
            in_sequence: Box::new(move |count| runtime.block_on(one(count)).unwrap()),
            at_once: Box::new(move || {
                let tasks: Vec<_> = (0..AT_ONCE).map(|_| spawn(EACH)).collect();
                for task in tasks {
                    runtime.block_on(task).unwrap();
                }
            }),
        }
    }
}

/// What a bench of an adapter does: compares it with its bare library, and with each program that
/// `--beside` names, and prints that. Both are made for the address of a Usage API.
pub fn saves<'a>(
    adapter: &str,
    targets: Targets,
    ours: impl Fn(&str) -> Saver<'a>,
    bare: impl Fn(&str) -> Saver<'a>,
) {
    if instructions::is_child(&ours, &bare) {
        return;
    }
    let is_on_one_core = one_core::is_child();
    let over_tls = over_tls::server_of_child();
    let is_over_tls = over_tls.is_some();
    let server = over_tls.unwrap_or_else(Server::start);
    let url = server.url();
    let kind = Kind { is_over_tls, is_on_one_core };
    let mut rows =
        Vec::from(compare_saves(adapter, kind, targets, &server, || ours(&url), &bare(&url)));
    if !is_over_tls && !is_on_one_core {
        rows.push(instructions::row(adapter, &server));
        for other in Other::named(std::env::args()) {
            rows.extend(other.rows(adapter, targets, &server, &ours(&url)));
        }
    }
    print(&rows);
    if is_over_tls {
        return;
    }
    over_tls::run_child();
    if !is_on_one_core && let Err(why) = one_core::run_child() {
        let target = Some(targets.bare);
        for is_over_tls in [false, true] {
            let names = Kind { is_over_tls, is_on_one_core: true }.names(adapter);
            print(&names.map(|what| Row::missing(what, Unit::PerSecond, target, &why)));
        }
    }
}

/// How saves are compared.
#[derive(Clone, Copy)]
struct Kind {
    is_over_tls: bool,
    is_on_one_core: bool,
}

impl Kind {
    /// What the rows are called: in sequence, and at once.
    fn names(self, adapter: &str) -> [String; 2] {
        let tls = if self.is_over_tls { ", over TLS" } else { "" };
        let core = if self.is_on_one_core { ", on one core" } else { "" };
        ["saves in sequence", &format!("{AT_ONCE} at once")]
            .map(|what| format!("{adapter}: {what}{tls}{core}"))
    }
}

/// Compares an adapter with its bare library, in sequence and at once, by a kind of connection. How
/// many connections it opens is counted with a client of its own, which `ours` makes at each call.
fn compare_saves<'a>(
    adapter: &str,
    kind: Kind,
    targets: Targets,
    server: &Server,
    ours: impl Fn() -> Saver<'a>,
    bare: &Saver<'_>,
) -> [Row; 2] {
    let [sequence, many] = kind.names(adapter);
    let warm = ours();
    let in_sequence = compare(
        &sequence,
        IN_SEQUENCE,
        targets.bare,
        || (warm.in_sequence)(IN_SEQUENCE),
        || (bare.in_sequence)(IN_SEQUENCE),
    );
    // On several cores the rate depends on where the client and its server happen to run.
    let target = in_sequence.target.filter(|_| kind.is_on_one_core);
    let in_sequence = Row { target, ..in_sequence };
    let at_once =
        compare(&many, AT_ONCE * EACH, targets.bare, || (warm.at_once)(), || (bare.at_once)());
    let _ = server.take_connections();
    (ours().in_sequence)(1_000);
    let of_sequence = Some(server.take_connections());
    (ours().at_once)();
    let of_many = Some(server.take_connections());
    [Row { connections: of_sequence, ..in_sequence }, Row { connections: of_many, ..at_once }]
}
