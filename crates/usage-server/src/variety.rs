//! How much variety a product brings in a day, and what becomes of too much of it.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use usage_proto::{Stats, Tags, Usage, Value, Values};

use crate::limits::Variety;

/// What stands for all that is too much.
pub(crate) const OTHER: &str = "(other)";

/// There are as many of these as instances, and what they stand for is counted by them.
const IDS: [&str; 2] = ["cluster_id", "server_id"];

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
                if report.is_too_much("name", &data.name) {
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
            if self.is_too_many(key) {
                too_many = true;
                return false;
            }
            if self.is_too_much(key, value) {
                OTHER.clone_into(value);
            }
            true
        });
        if too_many {
            tags.insert(OTHER, OTHER);
        }
    }

    fn values(&mut self, values: &mut Values) {
        let mut too_many: u64 = 0;
        values.retain(|key, value| {
            if self.is_too_many(key) {
                too_many += 1;
                return false;
            }
            if let Value::String(text) = value
                && self.is_too_much(key, text)
            {
                OTHER.clone_into(text);
            }
            true
        });
        if too_many > 0 {
            values.insert(OTHER, too_many);
        }
    }

    fn is_too_many(&mut self, key: &str) -> bool {
        if key == OTHER {
            return false;
        }
        let hash = self.hasher.hash_one(key);
        let counts = is_beyond(&mut self.seen.keys, self.limits.keys, hash);
        self.overflow.keys += u64::from(counts);
        counts
    }

    fn is_too_much(&mut self, key: &str, text: &str) -> bool {
        if IDS.contains(&key) || text == OTHER {
            return false;
        }
        let hash = self.hasher.hash_one((key, text));
        let counts = is_beyond(&mut self.seen.values, self.limits.values, hash);
        self.overflow.values += u64::from(counts);
        counts
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
    use usage_proto::{Stats, StatsData, Usage, UsageData};

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
        let first = UsageData::new().tag("os", "linux").value("engine", "tsm");
        assert_eq!(looked(&seen, first.clone()), (first.clone(), Overflow::default()));
        // Neither a third text nor a third key, and ids are not counted as texts.
        let data = UsageData::new().tag("os", "plan9").tag("x", "y").value("a", 1).value("b", 2);
        let expected = UsageData::new().tag("os", OTHER).tag(OTHER, OTHER).value(OTHER, 2);
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
