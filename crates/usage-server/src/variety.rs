//! How much variety a product brings in a day, and what becomes of too much of it.
//!
//! Whatever a sender brings, two things stay: the keys that name an installation, without which nobody
//! could have its reports erased, and the keys that every product is asked for. Otherwise one request
//! with keys of its own would take them from all reports of a day.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use usage_proto::{Stats, Tags, Usage, Value, Values};

use crate::limits::Variety;
use crate::store::instance;

/// What stands for all that is too much.
pub(crate) const OTHER: &str = "(other)";

/// What every report is to say of its surroundings, as a tag or a value. There are so few of them
/// that they are no variety.
const ALWAYS: [&str; 4] = ["version", "os", "arch", "ci"];

/// How many products are told apart. Anybody can make up one, unless the operator names them.
const PRODUCTS: usize = 256;

/// Keys and texts that came today, by product. Of each there is a hash alone.
#[derive(Debug, Default)]
pub(crate) struct SeenToday {
    hasher: RandomState,
    day: Mutex<Day>,
}

#[derive(Debug, Default)]
struct Day {
    number: u64,
    products: HashMap<String, Seen>,
    /// Of all products that are too many.
    others: Seen,
}

#[derive(Debug, Default)]
struct Seen {
    keys: HashSet<u64>,
    values: HashSet<u64>,
    is_told: bool,
}

/// What was too much in a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Overflow {
    pub(crate) keys: u64,
    pub(crate) values: u64,
    /// Whether it is the first of its product on this day.
    pub(crate) is_first: bool,
}

impl SeenToday {
    pub(crate) fn usage(&self, limits: Variety, usage: &mut Usage) -> Overflow {
        self.look(limits, &usage.product, |report| {
            for data in &mut usage.data {
                report.tags(&mut data.tags);
                report.values(&mut data.values);
            }
        })
    }

    pub(crate) fn stats(&self, limits: Variety, stats: &mut Stats) -> Overflow {
        self.look(limits, &stats.product, |report| {
            for data in &mut stats.data {
                let place = Place::top(report.hasher, "name");
                if report.is_too_much(place, &data.name) {
                    OTHER.clone_into(&mut data.name);
                }
                report.tags(&mut data.tags);
                report.values(&mut data.values);
            }
        })
    }

    fn look(
        &self,
        limits: Variety,
        product: &str,
        report: impl FnOnce(&mut Report<'_>),
    ) -> Overflow {
        if limits == Variety::default() {
            return Overflow::default();
        }
        let mut day = self.day.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = day.seen(today(), product);
        let (hasher, overflow) = (&self.hasher, Overflow::default());
        let mut looked = Report { limits, hasher, seen, overflow };
        report(&mut looked);
        let mut overflow = looked.overflow;
        if overflow != Overflow::default() {
            overflow.is_first = !std::mem::replace(&mut seen.is_told, true);
        }
        overflow
    }
}

impl Day {
    fn seen(&mut self, today: u64, product: &str) -> &mut Seen {
        if self.number != today {
            *self = Self { number: today, ..Self::default() };
        }
        if self.products.len() >= PRODUCTS && !self.products.contains_key(product) {
            return &mut self.others;
        }
        match self.products.entry(product.to_owned()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Seen::default()),
        }
    }
}

/// One report that is looked at.
struct Report<'a> {
    limits: Variety,
    hasher: &'a RandomState,
    seen: &'a mut Seen,
    overflow: Overflow,
}

impl Report<'_> {
    fn tags(&mut self, tags: &mut Tags) {
        let mut too_many = false;
        tags.retain(|key, value| {
            let place = Place::top(self.hasher, key);
            if self.is_too_many(place, key) {
                too_many = true;
                return false;
            }
            if self.is_too_much(place, value) {
                OTHER.clone_into(value);
            }
            true
        });
        if too_many {
            tags.insert(OTHER, OTHER);
        }
    }

    fn values(&mut self, values: &mut Values) {
        self.map(None, values);
    }

    /// A map within a value is looked at like the one around it: its keys are keys, by the way to them.
    fn map(&mut self, around: Option<Place>, values: &mut Values) {
        let mut too_many: u64 = 0;
        values.retain(|key, value| {
            let place = match around {
                None => Place::top(self.hasher, key),
                Some(around) => around.within(self.hasher, key),
            };
            if self.is_too_many(place, key) {
                too_many += 1;
                return false;
            }
            self.value(place, value);
            true
        });
        if too_many > 0 {
            values.insert(OTHER, too_many);
        }
    }

    /// All items of a list have one place. How deep it goes is limited where JSON is read.
    fn value(&mut self, place: Place, value: &mut Value) {
        match value {
            Value::String(text) if self.is_too_much(place, text) => OTHER.clone_into(text),
            Value::List(items) => {
                // What is in a list is not an id.
                let place = Place { is_id: false, ..place };
                for item in items {
                    self.value(place, item);
                }
            }
            Value::Map(map) => self.map(Some(place), map),
            _ => {}
        }
    }

    fn is_too_many(&mut self, place: Place, key: &str) -> bool {
        if place.stays || key == OTHER {
            return false;
        }
        let counts = is_beyond(&mut self.seen.keys, self.limits.keys, place.hash);
        self.overflow.keys += u64::from(counts);
        counts
    }

    fn is_too_much(&mut self, place: Place, text: &str) -> bool {
        if place.is_id || text == OTHER {
            return false;
        }
        let hash = self.hasher.hash_one((place.hash, text));
        let counts = is_beyond(&mut self.seen.values, self.limits.values, hash);
        self.overflow.values += u64::from(counts);
        counts
    }
}

/// Where something stands in an item: its key, and the keys of the maps around it.
#[derive(Debug, Clone, Copy)]
struct Place {
    hash: u64,
    /// Whether what names an installation is looked for there.
    is_id: bool,
    /// Whether the key is never too many.
    stays: bool,
}

impl Place {
    fn top(hasher: &RandomState, key: &str) -> Self {
        let is_id = instance::is_named_by(key);
        Self { hash: hasher.hash_one(key), is_id, stays: is_id || ALWAYS.contains(&key) }
    }

    /// No id is looked for within a value.
    fn within(self, hasher: &RandomState, key: &str) -> Self {
        Self { hash: hasher.hash_one((self.hash, key)), is_id: false, stays: false }
    }
}

/// Whether there is no room for one more. What has room is kept.
fn is_beyond(seen: &mut HashSet<u64>, most: Option<u32>, hash: u64) -> bool {
    let Some(most) = most else { return false };
    if seen.len() >= usize::try_from(most).unwrap_or(usize::MAX) {
        return !seen.contains(&hash);
    }
    seen.insert(hash);
    false
}

/// Of the days of 1970 and later, in UTC.
fn today() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() / (24 * 60 * 60)
}

#[cfg(test)]
mod tests {
    use usage_proto::{Stats, StatsData, Usage, UsageData, Value, Values};

    use super::{Day, OTHER, Overflow, PRODUCTS, SeenToday};
    use crate::limits::Variety;

    const TWO: Variety = Variety { keys: Some(2), values: Some(2) };

    fn looked(seen: &SeenToday, data: UsageData) -> (UsageData, Overflow) {
        let mut usage = Usage::new("p").data(data);
        let overflow = seen.usage(TWO, &mut usage);
        (usage.data.remove(0), overflow)
    }

    #[test]
    fn what_is_too_much_has_one_name() {
        let seen = SeenToday::default();
        let first = UsageData::new().tag("edition", "oss").value("engine", "tsm");
        assert_eq!(looked(&seen, first.clone()), (first.clone(), Overflow::default()));
        // Neither a third text nor a third key.
        let data = UsageData::new().tag("edition", "x").tag("x", "y").value("a", 1).value("b", 2);
        let expected = UsageData::new().tag("edition", OTHER).tag(OTHER, OTHER).value(OTHER, 2);
        let overflow = Overflow { keys: 3, values: 1, is_first: true };
        assert_eq!(looked(&seen, data.clone()), (expected.clone(), overflow));
        // It is the same again, and told once.
        assert_eq!(
            looked(&seen, data),
            (expected.clone(), Overflow { is_first: false, ..overflow })
        );
        assert_eq!(looked(&seen, expected.clone()), (expected, Overflow::default()));
        assert_eq!(looked(&seen, first.clone()).0, first);
        // Another product has its own.
        let mut other = Usage::new("q").data(UsageData::new().tag("x", "y"));
        assert_eq!(seen.usage(TWO, &mut other), Overflow::default());
    }

    #[test]
    fn ids_and_numbers_are_no_variety() {
        let seen = SeenToday::default();
        for id in 0..100 {
            let data = UsageData::new().tag("cluster_id", id.to_string()).value("uptime", id);
            assert_eq!(looked(&seen, data.clone()), (data, Overflow::default()));
        }
    }

    /// One request with keys of its own must not take from all others what they are found by.
    #[test]
    fn ids_and_what_every_report_says_stay_whatever_came_before() {
        let seen = SeenToday::default();
        let junk = UsageData::new().tag("junk1", "a").tag("junk2", "b");
        assert_eq!(looked(&seen, junk.clone()), (junk, Overflow::default()));
        let told = |data: UsageData| {
            data.tag("version", OTHER).tag("os", OTHER).value("arch", OTHER).value("ci", true)
        };
        for id in ["0123456789abcdef0123456789abcdef", "another"] {
            let ids = |data: UsageData| data.tag("cluster_id", id).value("server_id", id);
            let sent = ids(UsageData::new()).value("num_databases", 3);
            let sent = sent.tag("version", "1.2").tag("os", "linux").value("arch", "arm64");
            let (stored, overflow) = looked(&seen, sent.value("ci", true));
            assert_eq!(stored, told(ids(UsageData::new())).value(OTHER, 1));
            assert_eq!((overflow.keys, overflow.values), (1, 3));
            let stats = StatsData::new("a").tag("server_id", id).value("x", 1);
            let mut stats = Stats::new("p").data(stats);
            seen.stats(TWO, &mut stats);
            assert_eq!(stats.data[0].tags.get("server_id"), Some(id));
        }
    }

    /// What is within a value is variety like the rest, and an id is not looked for there.
    #[test]
    fn maps_within_values_are_looked_at() {
        let seen = SeenToday::default();
        let map = |entries: &[(&str, &str)]| Value::from(Values::from_iter(entries.to_vec()));
        let data = |value: Value| UsageData::new().value("b", value);
        let first = data(map(&[("deep", "t")]));
        assert_eq!(looked(&seen, first.clone()), (first, Overflow::default()));
        let (stored, overflow) = looked(&seen, data(map(&[("deep", "u"), ("server_id", "s")])));
        assert_eq!((overflow.keys, overflow.values), (1, 0));
        let mut expected = Values::from_iter([("deep", "u")]);
        expected.insert(OTHER, 1_u64);
        assert_eq!(stored, data(Value::from(expected)));
        // The same key at another place is another one, and a list is looked at, too.
        let list = vec![map(&[("deep", "t")]), map(&[("deep", "v")]), Value::from("w")];
        let (stored, overflow) = looked(&seen, data(Value::from(list)));
        assert_eq!((overflow.keys, overflow.values), (0, 2));
        let list = vec![map(&[("deep", "t")]), map(&[("deep", OTHER)]), Value::from(OTHER)];
        assert_eq!(stored, data(Value::from(list)));
        let (stored, overflow) = looked(&seen, UsageData::new().tag("deep", "t"));
        assert_eq!((stored, overflow.keys), (UsageData::new().tag(OTHER, OTHER), 1));
        // A list under the name of an id is not an id.
        let (_, overflow) =
            looked(&seen, UsageData::new().value("server_id", vec![Value::from("many")]));
        assert_eq!(overflow.values, 1);
    }

    #[test]
    fn statistics_have_names_too() {
        let seen = SeenToday::default();
        for (name, kept) in [("a", "a"), ("b", "b"), ("c", OTHER), ("a", "a")] {
            let mut stats = Stats::new("p").data(StatsData::new(name));
            seen.stats(TWO, &mut stats);
            assert_eq!(stats.data[0].name, kept);
        }
    }

    #[test]
    fn products_are_told_apart_up_to_a_number_and_days_by_theirs() {
        let mut day = Day::default();
        for number in 0..2 * PRODUCTS {
            day.seen(1, &number.to_string()).keys.insert(0);
        }
        assert_eq!(day.products.len(), PRODUCTS);
        assert_eq!(day.seen(1, "another").keys.len(), 1, "the others are one");
        assert!(day.seen(2, "another").keys.is_empty());
        assert_eq!(day.products.len(), 1);
    }
}
