//! Reports that somebody wants to be gone.

use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use sha2::{Digest, Sha256};

use super::Store;
use super::error::StoreError;
use super::instance::normal;
use super::kind::Kind;
use super::target::Target;
use super::time_text::time_text;
use super::token::TokenChoice;

/// How many reports are deleted in one transaction. Servers wait for it.
pub(super) const SLICE: usize = 100;

/// What is to be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Erasure {
    /// An installation of a product: what names this `server_id`, or names it as its `cluster_id`
    /// where there is no `server_id`, in its fields, tags or values; and servers and statistics of
    /// such a cluster.
    Instance(String),
    /// An organisation: its reports, its tokens, and who registered it.
    Organisation(String),
    /// Whatever was stored before this time.
    Before(SystemTime),
}

/// What was erased, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Erased {
    /// Reports, with all that was kept of each.
    pub reports: u64,
    /// Tokens of an organisation.
    pub tokens: u64,
}

/// What is kept of an erasure: not what it was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Audit {
    pub(super) kind: &'static str,
    pub(super) hash: [u8; 32],
    pub(super) reports: u64,
    /// The organisation, whose tokens go with it.
    pub(super) organisation: Option<String>,
}

impl Erasure {
    /// The kind, and what it is called in the hash.
    fn name(&self) -> (&'static str, String) {
        match self {
            Self::Instance(id) => ("instance", normal(id).unwrap_or_default()),
            Self::Organisation(name) => ("organisation", name.trim().to_owned()),
            Self::Before(time) => ("before", time_text(*time)),
        }
    }

    fn audit(&self, reports: u64) -> Audit {
        let (kind, name) = self.name();
        let organisation = matches!(self, Self::Organisation(_)).then(|| name.clone());
        let hash = Sha256::new().chain_update(kind).chain_update([0]).chain_update(name).finalize();
        Audit { kind, hash: hash.into(), reports, organisation }
    }
}

impl Store {
    /// What [`erase`](Self::erase) would erase now.
    ///
    /// # Errors
    ///
    /// [`StoreError::BlankErasure`] or [`StoreError::NoOrganisation`]; otherwise
    /// [`StoreError::Open`] or [`StoreError::Read`].
    pub fn count_erasure(&self, erasure: &Erasure) -> Result<Erased, StoreError> {
        let mut erased = Erased { reports: 0, tokens: self.tokens_of(erasure)? };
        for target in self.targets(erasure)? {
            erased.reports += self.backend().count(&target)?;
        }
        Ok(erased)
    }

    /// Erases reports with all that was kept of them, and says how many. Servers may run meanwhile:
    /// it is done in slices, and takes about half of the time for itself.
    ///
    /// The tokens of an organisation end first. What is kept is that something was erased: when,
    /// which kind of thing, how many reports, and the SHA-256 of what it was, so that one who knows
    /// it can look whether it was.
    ///
    /// # Errors
    ///
    /// [`StoreError::BlankErasure`] or [`StoreError::NoOrganisation`]; otherwise
    /// [`StoreError::Open`], [`StoreError::Read`], [`StoreError::Write`] or [`StoreError::Gone`].
    /// Called again, it goes on.
    pub fn erase(&self, erasure: &Erasure) -> Result<Erased, StoreError> {
        let tokens = self.tokens_of(erasure)?;
        if let Erasure::Organisation(name) = erasure {
            self.revoke_tokens(TokenChoice::Organisation(name.clone()))?;
        }
        let mut reports = 0;
        for target in self.targets(erasure)? {
            reports += self.delete_all(&target)?;
        }
        let closed = self.backend().close_erasure(&erasure.audit(reports));
        self.inner.known.clear();
        reports += closed?;
        self.give_back()?;
        Ok(Erased { reports, tokens })
    }

    fn targets(&self, erasure: &Erasure) -> Result<Vec<Target>, StoreError> {
        let (_, name) = erasure.name();
        if name.is_empty() {
            return Err(StoreError::BlankErasure);
        }
        Ok(match erasure {
            Erasure::Instance(_) => vec![Target::Instance(name)],
            Erasure::Organisation(_) => vec![Target::Organisation(name)],
            Erasure::Before(_) => {
                let products = self.backend().products()?;
                let old = |(product, kind): (&String, Kind)| Target::Old {
                    kind,
                    product: product.clone(),
                    before: name.clone(),
                };
                let each = products.iter().flat_map(|one| Kind::ALL.map(|kind| (one, kind)));
                each.map(old).collect()
            }
        })
    }

    /// How many tokens go too; an error if there is no such organisation.
    fn tokens_of(&self, erasure: &Erasure) -> Result<u64, StoreError> {
        let Erasure::Organisation(_) = erasure else { return Ok(0) };
        let (_, name) = erasure.name();
        let tokens = self.tokens()?.into_iter().filter(|token| token.organisation == name).count();
        if tokens == 0 {
            return Err(StoreError::NoOrganisation { organisation: name });
        }
        Ok(tokens as u64)
    }

    fn delete_all(&self, target: &Target) -> Result<u64, StoreError> {
        let (mut deleted, mut after) = (0, 0);
        loop {
            let found = self.backend().find(target, after, SLICE)?;
            let Some(last) = found.last() else { return Ok(deleted) };
            after = *last;
            let begun = Instant::now();
            deleted += self.backend().delete(&found, None)?;
            sleep(begun.elapsed());
        }
    }

    /// Gives back what is free, slice by slice.
    fn give_back(&self) -> Result<(), StoreError> {
        loop {
            let begun = Instant::now();
            if !self.backend().give_back()? {
                return Ok(());
            }
            sleep(begun.elapsed().max(Duration::from_millis(1)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::Erasure;
    use crate::store::instance::hex;

    /// Who knows what it was can look whether it was erased: `printf 'instance\0serv1' |
    /// sha256sum`.
    #[test]
    fn an_audit_says_nothing_but_a_hash() {
        let audit = Erasure::Instance(" serv1 ".to_owned()).audit(7);
        assert_eq!((audit.kind, audit.reports, audit.organisation), ("instance", 7, None));
        assert_eq!(
            hex(&audit.hash),
            "ed2f9e302a05bb9f84dd4b640947532d981956ba354e8c3757c209cd3889048d"
        );
        let organisation = Erasure::Organisation("serv1".to_owned()).audit(7);
        assert_ne!(audit.hash, organisation.hash);
        assert_eq!(organisation.organisation.as_deref(), Some("serv1"));
        assert_eq!(Erasure::Before(SystemTime::UNIX_EPOCH).audit(0).kind, "before");
    }
}
