//! Who has one of the places for connections, and who has to go when all are taken.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::sleep;

/// How long a connection is left alone while others want its place: long enough for a head that is
/// on its way, or for an answer on its way back.
const HEAD_GRACE: Duration = Duration::from_secs(1);

/// The same for a body, which may be long.
const BODY_GRACE: Duration = Duration::from_secs(2);

/// All places, and who has them.
///
/// Everybody may connect, so everybody may take a place and say nothing. Such a crowd does not keep
/// others out: when all places are taken, the one who has waited longest without a complete head
/// goes, and if there is nobody like that, the one who has waited longest for its own body. Whoever
/// waits for an answer stays.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    /// For one address, loopback included.
    most_for_one: Option<usize>,
    taken: Mutex<Taken>,
    /// A place is free, or there is somebody who may have to go.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    /// Never given twice.
    next: u64,
    holders: HashMap<u64, Holder>,
    by_address: HashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Holder {
    address: IpAddr,
    doing: Doing,
    since: Instant,
    sent_away: Arc<Notify>,
}

/// What a connection is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Doing {
    /// The head of a request is awaited, or what was answered is being read.
    Head,
    /// The head is complete, and the body is not.
    Body,
    /// The request is complete: it is for the server to go on.
    Answer,
}

impl Doing {
    fn grace(self) -> Option<Duration> {
        match self {
            Self::Head => Some(HEAD_GRACE),
            Self::Body => Some(BODY_GRACE),
            Self::Answer => None,
        }
    }
}

/// A place for one connection, free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    number: u64,
    places: Arc<Places>,
    sent_away: Arc<Notify>,
}

impl Places {
    pub(crate) fn new(most: usize, most_for_one: Option<usize>) -> Arc<Self> {
        let (taken, changed) = Default::default();
        Arc::new(Self { most, most_for_one, taken, changed })
    }

    /// Waits for a place, which somebody may have to leave for it. `None` if the address has all
    /// that one address may have, and needs them.
    pub(crate) async fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let address = one_of(peer);
        loop {
            let wait = match self.try_take(address, Instant::now()) {
                Attempt::Taken(place) => return Some(place),
                Attempt::Refused => return None,
                Attempt::Wait(wait) => wait,
            };
            let time = async {
                match wait {
                    Some(time) => sleep(time).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = time => {}
                () = self.changed.notified() => {}
            }
        }
    }

    fn try_take(self: &Arc<Self>, address: IpAddr, now: Instant) -> Attempt {
        let mut taken = self.taken();
        let most_for_one = self.most_for(address);
        let has = taken.by_address.get(&address).copied().unwrap_or_default();
        // Who may have all of them waits with all others.
        if has >= most_for_one && most_for_one < self.most {
            match taken.first_to_go(now, |holder| holder.address == address) {
                Some((number, Duration::ZERO)) => taken.send_away(number),
                // Whoever asks next would wait behind this one.
                _ => return Attempt::Refused,
            }
        }
        if taken.holders.len() >= self.most {
            match taken.first_to_go(now, |_| true) {
                Some((number, Duration::ZERO)) => taken.send_away(number),
                wait => return Attempt::Wait(wait.map(|(_, wait)| wait)),
            }
        }
        let number = taken.next;
        taken.next += 1;
        *taken.by_address.entry(address).or_default() += 1;
        let sent_away = Arc::<Notify>::default();
        let holder =
            Holder { address, doing: Doing::Head, since: now, sent_away: sent_away.clone() };
        taken.holders.insert(number, holder);
        Attempt::Taken(Place { number, places: self.clone(), sent_away })
    }

    /// From loopback comes a proxy on this machine, with requests of everybody.
    fn most_for(&self, address: IpAddr) -> usize {
        let usual = if address.is_loopback() { self.most } else { (self.most / 4).max(1) };
        self.most_for_one.unwrap_or(usual)
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Attempt {
    Taken(Place),
    Refused,
    /// For so long at the most, if anybody would have to go then.
    Wait(Option<Duration>),
}

impl Taken {
    /// Who has to go first, and how long it is left alone from now on.
    fn first_to_go(&self, now: Instant, of: impl Fn(&Holder) -> bool) -> Option<(u64, Duration)> {
        let holders = self.holders.iter().filter(|(_, holder)| of(holder));
        holders
            .filter_map(|(&number, holder)| {
                let left = holder.doing.grace()?.saturating_sub(now - holder.since);
                // Of those whose time is over, bodies go last.
                Some((left, holder.doing, holder.since, number))
            })
            .min()
            .map(|(left, .., number)| (number, left))
    }

    fn send_away(&mut self, number: u64) {
        if let Some(holder) = self.leave(number) {
            holder.sent_away.notify_one();
        }
    }

    fn leave(&mut self, number: u64) -> Option<Holder> {
        let holder = self.holders.remove(&number)?;
        if let Some(count) = self.by_address.get_mut(&holder.address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&holder.address);
            }
        }
        Some(holder)
    }
}

impl Place {
    /// Tells what the connection is about from now on.
    pub(crate) fn is_for(&self, doing: Doing) {
        if let Some(holder) = self.places.taken().holders.get_mut(&self.number) {
            holder.doing = doing;
            holder.since = Instant::now();
        }
        if doing.grace().is_some() {
            self.places.changed.notify_one();
        }
    }

    /// Returns when somebody else needs the place.
    pub(crate) async fn sent_away(&self) {
        self.sent_away.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().leave(self.number);
        self.places.changed.notify_one();
    }
}

/// What counts as one address: whoever has an IPv6 address has the other 2⁶⁴ of its network too.
pub(crate) fn one_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            Ipv6Addr::from(network).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{Attempt, BODY_GRACE, Doing, HEAD_GRACE, Place, Places, one_of};

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn taken(places: &Arc<Places>, from: &str, now: Instant) -> Place {
        match places.try_take(one_of(address(from)), now) {
            Attempt::Taken(place) => place,
            Attempt::Refused => panic!("refused"),
            Attempt::Wait(wait) => panic!("has to wait for {wait:?}"),
        }
    }

    fn is_gone(place: &Place) -> bool {
        !place.places.taken().holders.contains_key(&place.number)
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        for (peer, counts_as) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
            ("2001:db8:1:3::1", "2001:db8:1:3::"),
            ("::1", "::1"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
        ] {
            assert_eq!(one_of(address(peer)), address(counts_as), "{peer}");
        }
    }

    /// Nobody holds more than a quarter unless told otherwise; a proxy on the machine may have all.
    #[test]
    fn one_address_has_a_part_of_the_places() {
        let now = Instant::now();
        for (most, for_one, from, has) in [
            (8, None, "192.0.2.1", 2),
            (8, None, "2001:db8::1", 2),
            (8, None, "127.0.0.1", 8),
            (8, None, "::1", 8),
            (8, Some(3), "192.0.2.1", 3),
            (8, Some(3), "127.0.0.1", 3),
            (1, None, "192.0.2.1", 1),
        ] {
            let places = Places::new(most, for_one);
            let held: Vec<_> = (0..has).map(|_| taken(&places, from, now)).collect();
            let next = places.try_take(one_of(address(from)), now);
            assert!(!matches!(next, Attempt::Taken(_)), "{from}: {has} of {most}");
            drop(held);
            assert!(places.taken().by_address.is_empty());
            taken(&places, from, now);
        }
    }

    #[test]
    fn an_address_that_has_its_part_gives_up_its_own() {
        let now = Instant::now();
        let places = Places::new(100, Some(2));
        let other = taken(&places, "192.0.2.2", now);
        let (first, second) =
            (taken(&places, "192.0.2.1", now), taken(&places, "192.0.2.1", now + HEAD_GRACE));
        let third = taken(&places, "192.0.2.1", now + HEAD_GRACE);
        assert!(is_gone(&first) && !is_gone(&second) && !is_gone(&third) && !is_gone(&other));
        // Who was sent away leaves nothing behind when it goes.
        drop(first);
        assert_eq!(places.taken().by_address[&address("192.0.2.1")], 2);
    }

    #[test]
    fn who_waits_longest_for_a_head_goes_and_then_bodies() {
        let places = Places::new(4, None);
        let now = Instant::now();
        let held: Vec<_> = (0..4).map(|_| taken(&places, "127.0.0.1", now)).collect();
        held[0].is_for(Doing::Answer);
        held[1].is_for(Doing::Body);
        held[2].is_for(Doing::Head);
        // The last one was never heard of, and so has waited longest.
        let later = now + Duration::from_secs(60);
        let mut newcomers = Vec::new();
        for goes in [3, 2, 1] {
            let newcomer = taken(&places, "127.0.0.1", later);
            newcomer.is_for(Doing::Answer);
            newcomers.push(newcomer);
            assert!(is_gone(&held[goes]));
            assert!((1..goes).all(|stays| !is_gone(&held[stays])));
        }
        // Whoever waits for an answer stays, whoever comes.
        let next = places.try_take(address("127.0.0.1"), later + Duration::from_secs(3600));
        assert!(matches!(next, Attempt::Wait(None)));
        assert!(!is_gone(&held[0]));
    }

    #[test]
    fn a_head_that_may_be_on_its_way_is_awaited() {
        for (doing, grace) in [(Doing::Head, HEAD_GRACE), (Doing::Body, BODY_GRACE)] {
            let places = Places::new(1, None);
            let begun = Instant::now();
            let place = taken(&places, "127.0.0.1", begun);
            place.is_for(doing);
            match places.try_take(address("127.0.0.1"), begun) {
                Attempt::Wait(Some(wait)) => assert!(wait >= grace, "{wait:?}"),
                _ => panic!("somebody goes already"),
            }
            taken(&places, "127.0.0.1", Instant::now() + grace);
        }
    }
}
