//! One at a time, and nobody behind those who take long.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Gives turns to those who ask, one at a time.
///
/// Who asks is in a class by size, each twice as large as the one before. Among classes the one goes
/// next that had least so far, counted in bytes; in a class, who came first. So small ones do not
/// wait behind large ones, and large ones are not forgotten either.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    /// Whether somebody has the turn.
    taken: bool,
    /// What the class that went last had had before.
    clock: u64,
    /// By the binary logarithm of the size.
    classes: BTreeMap<u32, Class>,
}

#[derive(Default)]
struct Class {
    queue: VecDeque<oneshot::Sender<Turn>>,
    /// Bytes that had their turn.
    served: u64,
}

/// The right to go, kept until the work is done. Then the next one has it.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Turns,
    is_held: bool,
}

impl Turns {
    /// Waits for a turn for a work of this size. Who gives up waiting is passed over.
    pub(crate) async fn take(&self, bytes: usize) -> Turn {
        let asked = {
            let mut waiting = self.waiting();
            if !waiting.taken {
                waiting.taken = true;
                return self.turn();
            }
            waiting.ask(bytes)
        };
        match asked.await {
            Ok(turn) => turn,
            // Nobody gives it any more, which cannot be while this holds the turns.
            Err(_) => std::future::pending().await,
        }
    }

    fn pass_on(&self) {
        loop {
            let mut waiting = self.waiting();
            let Some(next) = waiting.next() else {
                waiting.taken = false;
                return;
            };
            drop(waiting);
            match next.send(self.turn()) {
                Ok(()) => return,
                Err(mut turn) => turn.is_held = false,
            }
        }
    }

    fn turn(&self) -> Turn {
        Turn { turns: self.clone(), is_held: true }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn ask(&mut self, bytes: usize) -> oneshot::Receiver<Turn> {
        let class = self.classes.entry(bytes.max(1).ilog2()).or_default();
        if class.queue.is_empty() {
            // Nothing is saved up while nobody asks.
            class.served = class.served.max(self.clock);
        }
        let (next, asked) = oneshot::channel();
        class.queue.push_back(next);
        asked
    }

    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        // Whoever has given up is gone before it counts.
        for class in self.classes.values_mut() {
            class.queue.retain(|asked| !asked.is_closed());
        }
        let waits = self.classes.iter_mut().filter(|(_, class)| !class.queue.is_empty());
        let (size, class) = waits.min_by_key(|(size, class)| (class.served, **size))?;
        self.clock = class.served;
        class.served = class.served.saturating_add(1 << size);
        class.queue.pop_front()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.is_held {
            self.turns.pass_on();
        }
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("taken", &self.taken).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::{Turn, Turns};

    const KIB: usize = 1024;
    const MIB: usize = 1024 * KIB;

    type Asked<'a> = (usize, Pin<Box<dyn Future<Output = Turn> + 'a>>);

    /// Asks for each of these, in this order.
    fn ask<'a>(turns: &'a Turns, sizes: &[usize]) -> Vec<Asked<'a>> {
        let mut asked = Vec::new();
        for &size in sizes {
            let mut future: Pin<Box<dyn Future<Output = Turn>>> = Box::pin(turns.take(size));
            assert!(poll(&mut future).is_none(), "somebody has the turn");
            asked.push((size, future));
        }
        asked
    }

    fn poll(future: &mut Pin<Box<dyn Future<Output = Turn> + '_>>) -> Option<Turn> {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    fn first(turns: &Turns) -> Turn {
        let mut future: Pin<Box<dyn Future<Output = Turn>>> = Box::pin(turns.take(1));
        poll(&mut future).unwrap()
    }

    /// The sizes in the order of their turns.
    fn order(first: Turn, mut asked: Vec<Asked<'_>>) -> Vec<usize> {
        let mut order = Vec::new();
        drop(first);
        while !asked.is_empty() {
            let has_turn = |(at, (_, future)): (usize, &mut Asked<'_>)| Some((at, poll(future)?));
            let (at, turn) = asked.iter_mut().enumerate().find_map(has_turn).unwrap();
            order.push(asked.remove(at).0);
            assert!(asked.iter_mut().all(|(_, future)| poll(future).is_none()), "one at a time");
            drop(turn);
        }
        order
    }

    #[test]
    fn small_ones_do_not_wait_behind_large_ones() {
        let turns = Turns::default();
        let turn = first(&turns);
        let asked = ask(&turns, &[&[MIB; 300][..], &[40 * KIB, 200 * KIB]].concat());
        let order = order(turn, asked);
        for small in [40 * KIB, 200 * KIB] {
            let place = order.iter().position(|&size| size == small).unwrap();
            assert!(place <= 2, "{small} comes as number {place}");
        }
    }

    #[test]
    fn large_ones_are_not_forgotten() {
        let turns = Turns::default();
        let turn = first(&turns);
        let asked = ask(&turns, &[&[MIB][..], &[64 * KIB; 100], &[MIB]].concat());
        let order = order(turn, asked);
        // Sixteen of the small ones are one large one.
        let large: Vec<_> = (0..order.len()).filter(|&place| order[place] == MIB).collect();
        assert!(large[0] <= 16 && large[1] <= 33, "{large:?}");
    }

    #[test]
    fn nothing_is_saved_up_by_not_asking() {
        let turns = Turns::default();
        for _ in 0..2 {
            let turn = first(&turns);
            let _ = order(turn, ask(&turns, &[64 * KIB; 100]));
            let turn = first(&turns);
            // Not even by asking first.
            let asked = ask(&turns, &[&[MIB; 16][..], &[64 * KIB; 40]].concat());
            let order = order(turn, asked);
            let large = order[..20].iter().filter(|&&size| size == MIB).count();
            assert!(large <= 3, "{order:?}");
        }
    }

    #[test]
    fn equals_go_in_the_order_of_asking() {
        let turns = Turns::default();
        let turn = first(&turns);
        let sizes = [70 * KIB, 65 * KIB, 127 * KIB, 66 * KIB];
        let asked = ask(&turns, &sizes);
        assert_eq!(order(turn, asked), sizes);
    }

    #[test]
    fn who_gives_up_is_passed_over() {
        let turns = Turns::default();
        let turn = first(&turns);
        let mut asked = ask(&turns, &[1, 1, 1, 1]);
        // One before it is its turn, one when it has it already.
        drop(asked.remove(0));
        drop(turn);
        drop(asked.remove(0));
        let turn = poll(&mut asked[0].1).unwrap();
        assert!(poll(&mut asked[1].1).is_none());
        drop(turn);
        drop(poll(&mut asked[1].1).unwrap());
        drop(first(&turns));
    }
}
