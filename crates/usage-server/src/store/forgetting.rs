//! A server whose customer wants to be forgotten, as the API is asked to.

use std::thread::sleep;
use std::time::Instant;

use sha2::{Digest, Sha256};

use super::Store;
use super::erasure::{Audit, SLICE};
use super::error::StoreError;
use super::server_of_cluster::ServerOfCluster;
use super::target::Target;

/// Who is to be forgotten, and by whom that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Forgetting {
    pub(crate) product: String,
    pub(crate) whom: ServerOfCluster,
    /// The token that came with it: what was reported with that is its holder's.
    pub(crate) token_id: Option<i64>,
    /// Whose reports are meant besides, whichever of its tokens they came with.
    pub(crate) organisation: Option<String>,
    /// Whether what came without a token is meant.
    pub(crate) anonymous: bool,
}

/// What was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forgot {
    pub(crate) reports: u64,
    /// Nothing is left.
    pub(crate) is_all: bool,
}

impl Forgetting {
    /// As an erasure by the operator is noted, and under a name of its own.
    fn audit(&self, reports: u64) -> Audit {
        const KIND: &str = "forgotten";
        let ServerOfCluster { cluster, server } = &self.whom;
        let parts = [KIND, "\0", cluster, "\0", server];
        let hash = parts.into_iter().fold(Sha256::new(), Sha256::chain_update);
        Audit { kind: KIND, hash: hash.finalize().into(), reports, organisation: None }
    }

    fn target(&self) -> Target {
        Target::Server {
            id: self.whom.server.clone(),
            product: self.product.clone(),
            token_id: self.token_id,
            organisation: self.organisation.clone(),
            anonymous: self.anonymous,
        }
    }
}

impl Store {
    /// Erases what a server has reported, for as long as it `may_go_on`. In slices, with pauses as long
    /// as each took: reports that come wait for one slice at worst. Blocks.
    ///
    /// It is noted where something was erased: who asks again and again leaves nothing behind.
    pub(crate) fn forget(
        &self,
        forgetting: &Forgetting,
        may_go_on: impl Fn() -> bool,
    ) -> Result<Forgot, StoreError> {
        let target = forgetting.target();
        let mut forgot = Forgot { reports: 0, is_all: false };
        let mut after = 0;
        let erased = loop {
            if !may_go_on() {
                break Ok(());
            }
            match self.forget_slice(forgetting, &target, &mut after) {
                Ok(Some(reports)) => forgot.reports += reports,
                Ok(None) => {
                    forgot.is_all = true;
                    break Ok(());
                }
                Err(error) => break Err(error),
            }
        };
        // What is gone by now is noted, whatever became of the rest.
        if forgot.reports > 0 {
            self.backend().close_erasure(&forgetting.audit(forgot.reports))?;
        }
        erased.map(|()| forgot)
    }

    /// `None` at the end.
    fn forget_slice(
        &self,
        forgetting: &Forgetting,
        target: &Target,
        after: &mut i64,
    ) -> Result<Option<u64>, StoreError> {
        let begun = Instant::now();
        let found = self.backend().find(target, *after, SLICE)?;
        let Some(last) = found.last() else {
            // In a file that has lost its name nothing is found either.
            self.backend().is_there()?;
            return Ok(None);
        };
        *after = *last;
        let mut meant = Vec::with_capacity(found.len());
        for position in found {
            // One at a time in memory, since each may be large.
            let Some(row) = self.backend().row(position)? else { continue };
            let is_meant = forgetting.whom.is_named_by(&row.body);
            if is_meant.map_err(|error| self.not_read(error))? {
                meant.push(position);
            }
        }
        let deleted = if meant.is_empty() { 0 } else { self.backend().delete(&meant, None)? };
        // To look costs the processor as much as to delete.
        sleep(begun.elapsed());
        Ok(Some(deleted))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use rusqlite::Connection;

    use super::{Forgetting, Forgot};
    use crate::store::Store;
    use crate::store::database::Database;
    use crate::store::instance::hex;
    use crate::store::server_of_cluster::ServerOfCluster;

    fn forgetting() -> Forgetting {
        Forgetting {
            product: "p".to_owned(),
            whom: ServerOfCluster::new("clus1", " serv1 ").unwrap(),
            token_id: None,
            organisation: Some("Example Inc.".to_owned()),
            anonymous: true,
        }
    }

    /// What is not done in time goes on with the next request, and each is noted.
    #[test]
    fn w57_it_ends_when_its_time_is_over_and_goes_on_later() {
        let store = Store::open(&Database::temporary()).unwrap();
        let connection = Connection::open(store.path()).unwrap();
        connection
            .execute_batch(
                "INSERT INTO product VALUES (1, 'p');
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250)
                 INSERT INTO report (received_at, kind, product_id, instance, data)
                 SELECT unixepoch('2020-01-01') * 1000, 3, 1, 'serv1',
                     '[{\"tags\":{},\"values\":{\"server_id\":\"serv1\"}}]' FROM n;",
            )
            .unwrap();
        assert_eq!(
            store.forget(&forgetting(), || false).unwrap(),
            Forgot { reports: 0, is_all: false }
        );
        let slices = Cell::new(0);
        let two = || {
            slices.set(slices.get() + 1);
            slices.get() <= 2
        };
        let forgot = store.forget(&forgetting(), two).unwrap();
        assert_eq!(forgot, Forgot { reports: 200, is_all: false });
        let forgot = store.forget(&forgetting(), || true).unwrap();
        assert_eq!(forgot, Forgot { reports: 50, is_all: true });
        let noted: (i64, i64) = connection
            .query_row("SELECT count(*), sum(reports) FROM erasure", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!((noted, store.usage().count()), ((2, 250), 0));
    }

    /// `printf 'forgotten\0clus1\0serv1' | sha256sum`.
    #[test]
    fn who_knows_the_ids_can_look_whether_they_were_forgotten() {
        let audit = forgetting().audit(7);
        assert_eq!((audit.kind, audit.reports, audit.organisation), ("forgotten", 7, None));
        assert_eq!(
            hex(&audit.hash),
            "4aee40215acfe861615ceec8291918777042431a922414c4d4d8332af262fc60"
        );
    }
}
