//! What the reports of a time say together.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use usage_proto::{Payload, Tags, Values};

use super::Store;
use super::error::StoreError;
use super::instance::Rule;
use super::kind::Kind;
use super::selection::Selection;
use super::stored::Stored;
use super::time_text::time_text;

/// How many names of a list are told; the rest is counted together.
const TOP: usize = 15;

/// How many instances are asked about at once.
const ASKED: usize = 1000;

/// What was reported about a product since a time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The product.
    pub product: String,
    /// How many reports came, by kind.
    pub reports: BTreeMap<Kind, u64>,
    /// How many installations reported.
    pub active: u64,
    /// How many of them had not reported before.
    pub new: u64,
    /// Whether an id is the same after a restart of the product. Where it is not, starts are counted.
    pub ids_are_stable: bool,
    /// How many reports name no installation.
    pub without_id: u64,
    /// The versions that installations had last.
    pub versions: Shares,
    /// Their operating systems.
    pub os: Shares,
    /// Their processors.
    pub arch: Shares,
}

/// How many installations have which of something, the most frequent first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Shares {
    /// The first 15.
    pub top: Vec<(String, u64)>,
    /// All others together.
    pub others: u64,
    /// Those that do not say it.
    pub unknown: u64,
}

/// What an installation said last, as places in the list of all texts.
#[derive(Debug, Clone, Copy, Default)]
struct Said {
    version: Option<usize>,
    os: Option<usize>,
    arch: Option<usize>,
}

#[derive(Debug, Default)]
struct Counting {
    reports: BTreeMap<Kind, u64>,
    without_id: u64,
    instances: HashMap<String, Said>,
    /// Each text once: there are few, and many who say them.
    texts: Vec<String>,
    places: HashMap<String, usize>,
}

impl Store {
    /// What was reported since a time, about one product or each of them. It takes memory for each
    /// installation that has reported, and not for each report.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] or [`StoreError::Read`].
    pub fn summary(
        &self,
        since: SystemTime,
        product: Option<&str>,
    ) -> Result<Vec<Summary>, StoreError> {
        let selection = Selection::new().since(since);
        let selection = product.into_iter().fold(selection, Selection::product);
        let mut products = BTreeMap::<String, Counting>::new();
        for row in self.reports(selection) {
            let row = row?;
            let product = match &row.report {
                Payload::Server(server) => &server.product,
                Payload::Stats(stats) => &stats.product,
                Payload::Usage(usage) => &usage.product,
                _ => continue,
            };
            match products.get_mut(product) {
                Some(counting) => counting.add(row),
                None => products.entry(product.clone()).or_default().add(row),
            }
        }
        let since = time_text(since);
        products.into_iter().map(|(name, counting)| self.finish(name, &counting, &since)).collect()
    }

    fn finish(
        &self,
        product: String,
        counting: &Counting,
        since: &str,
    ) -> Result<Summary, StoreError> {
        let active = counting.instances.len() as u64;
        let names: Vec<&str> = counting.instances.keys().map(String::as_str).collect();
        let mut known = 0;
        for names in names.chunks(ASKED) {
            known += self.backend().known_before(&product, names, since)?;
        }
        Ok(Summary {
            ids_are_stable: Rule::of(&product).is_stable,
            product,
            reports: counting.reports.clone(),
            active,
            new: active.saturating_sub(known),
            without_id: counting.without_id,
            versions: counting.shares(|said| said.version),
            os: counting.shares(|said| said.os),
            arch: counting.shares(|said| said.arch),
        })
    }
}

impl Counting {
    fn add(&mut self, row: Stored<Payload>) {
        let kind = match &row.report {
            Payload::Server(_) => Kind::Server,
            Payload::Stats(_) => Kind::Stats,
            _ => Kind::Usage,
        };
        *self.reports.entry(kind).or_default() += 1;
        let Some(instance) = row.instance else {
            self.without_id += 1;
            return;
        };
        let mut said = self.instances.get(&instance).copied().unwrap_or_default();
        match &row.report {
            Payload::Server(server) => said.version = self.place(&server.version).or(said.version),
            Payload::Stats(stats) => {
                stats.data.iter().for_each(|item| self.hear(&mut said, &item.tags, &item.values));
            }
            Payload::Usage(usage) => {
                usage.data.iter().for_each(|item| self.hear(&mut said, &item.tags, &item.values));
            }
            _ => {}
        }
        self.instances.insert(instance, said);
    }

    /// The last word counts.
    fn hear(&mut self, said: &mut Said, tags: &Tags, values: &Values) {
        let find = |name| tags.get(name).or_else(|| values.get(name)?.as_str());
        said.version = find("version").and_then(|text| self.place(text)).or(said.version);
        said.os = find("os").and_then(|text| self.place(text)).or(said.os);
        said.arch = find("arch").and_then(|text| self.place(text)).or(said.arch);
    }

    fn place(&mut self, text: &str) -> Option<usize> {
        if text.trim().is_empty() {
            return None;
        }
        if let Some(place) = self.places.get(text) {
            return Some(*place);
        }
        self.texts.push(text.to_owned());
        let place = self.texts.len() - 1;
        self.places.insert(text.to_owned(), place);
        Some(place)
    }

    fn shares(&self, of: impl Fn(&Said) -> Option<usize>) -> Shares {
        let mut counts = vec![0_u64; self.texts.len()];
        let mut unknown = 0;
        for said in self.instances.values() {
            match of(said) {
                Some(place) => counts[place] += 1,
                None => unknown += 1,
            }
        }
        let named = self.texts.iter().cloned().zip(counts).filter(|(_, count)| *count > 0);
        let mut top: Vec<_> = named.collect();
        top.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        let others = top.iter().skip(TOP).map(|(_, count)| count).sum();
        top.truncate(TOP);
        Shares { top, others, unknown }
    }
}
