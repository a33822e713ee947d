//! Tokens, as a holder of the store sees them.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use usage_proto::Token;

use super::batch::{Job, NewToken, Reply, Work};
use super::error::StoreError;
use super::registrant::Registrant;
use super::token::{StoredToken, TokenChange, TokenChoice};
use super::token_hash::TokenHash;
use super::{Store, instance, name_length};

/// The longest time that two tokens count beside each other: both can be written down.
const OVERLAP: Duration = Duration::from_secs(1000 * 366 * 24 * 60 * 60);

impl Store {
    /// Makes a token for an organisation, durable when this returns.
    ///
    /// Only its SHA-256 is stored: nobody can read the token again, so hand it on now. An
    /// organisation may have several.
    ///
    /// # Errors
    ///
    /// [`StoreError::BlankOrganisation`] or [`StoreError::LongOrganisation`]; [`StoreError::Random`],
    /// [`StoreError::Write`] or [`StoreError::Closed`].
    pub fn create_token(&self, organisation: &str) -> Result<Token, StoreError> {
        let organisation = organisation.trim();
        if organisation.is_empty() {
            return Err(StoreError::BlankOrganisation);
        }
        let most = name_length::ORGANISATION;
        if name_length::is_too_long(organisation, most) {
            return Err(StoreError::LongOrganisation { most });
        }
        self.issue_token(organisation.to_owned(), None)
    }

    /// The same for somebody who has filled in the form.
    pub(crate) fn register(&self, registrant: &Registrant) -> Result<Token, StoreError> {
        self.issue_token(registrant.organisation.clone(), Some(registrant.clone()))
    }

    fn issue_token(
        &self,
        organisation: String,
        registrant: Option<Registrant>,
    ) -> Result<Token, StoreError> {
        let token = random_token()?;
        let hash = TokenHash::of(token.expose().as_bytes());
        let work = Work::Token(NewToken { hash, organisation, registrant });
        let (reply, answer) = sync_channel(1);
        self.inner.queue.send(Job { work, reply: Reply::Thread(reply) })?;
        answer.recv().map_err(|_| StoreError::Closed)??;
        Ok(token)
    }

    /// Whether there is a token for an organisation that has not ended.
    ///
    /// ```
    /// use usage_server::{Database, Store};
    ///
    /// let store = Store::open(&Database::temporary())?;
    /// assert!(!store.has_token("Example Inc.")?);
    /// store.create_token("Example Inc.")?;
    /// assert!(store.has_token("Example Inc.")?);
    /// # Ok::<(), usage_server::StoreError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] or [`StoreError::Read`].
    pub fn has_token(&self, organisation: &str) -> Result<bool, StoreError> {
        self.backend().has_token(organisation.trim())
    }

    /// All tokens, by their ids, with those that have ended.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] or [`StoreError::Read`].
    pub fn tokens(&self) -> Result<Vec<StoredToken>, StoreError> {
        self.backend().tokens()
    }

    /// The [id](StoredToken::id) of a token, whether it has ended or not; `None` if it is not known.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] or [`StoreError::Read`].
    pub fn token_id(&self, token: &Token) -> Result<Option<i64>, StoreError> {
        self.backend().token_id(TokenHash::of(token.expose().as_bytes()))
    }

    /// Ends tokens: reports that come with them are refused, by every server of the database, within
    /// ten seconds at most. Returns how many tokens were meant.
    ///
    /// ```
    /// use usage_server::{Database, Store, TokenChoice};
    ///
    /// let store = Store::open(&Database::temporary())?;
    /// let token = store.create_token("Example Inc.")?;
    /// let id = store.token_id(&token)?.expect("it was just made");
    /// store.revoke_tokens(TokenChoice::Id(id))?;
    /// assert!(store.tokens()?[0].has_ended);
    /// # Ok::<(), usage_server::StoreError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError::NoToken`] or [`StoreError::NoOrganisation`] if there is none; otherwise
    /// [`StoreError::Write`] or [`StoreError::Gone`].
    pub fn revoke_tokens(&self, choice: TokenChoice) -> Result<usize, StoreError> {
        let choice = match choice {
            TokenChoice::Organisation(name) => TokenChoice::Organisation(name.trim().to_owned()),
            id => id,
        };
        let none = match &choice {
            TokenChoice::Id(id) => StoreError::NoToken { id: *id },
            TokenChoice::Organisation(name) => no_organisation(name),
        };
        match choice {
            // The tokens of those that were removed have no name.
            TokenChoice::Organisation(name) if name.is_empty() => Err(none),
            choice => some(self.change_tokens(&TokenChange::End(choice))?, none),
        }
    }

    /// Makes a token for the organisation of another one, which ends after an overlap: the time to
    /// put the new one where the old one is. It is a thousand years at most.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoToken`] or [`StoreError::Ended`]; [`StoreError::Random`]; otherwise
    /// [`StoreError::Write`] or [`StoreError::Gone`].
    pub fn rotate_token(&self, id: i64, overlap: Duration) -> Result<Token, StoreError> {
        let token = random_token()?;
        let overlap = overlap.min(OVERLAP);
        let by = TokenHash::of(token.expose().as_bytes());
        if self.change_tokens(&TokenChange::Replace { id, by, overlap })? > 0 {
            return Ok(token);
        }
        let is_there = self.tokens()?.iter().any(|token| token.id == id);
        Err(if is_there { StoreError::Ended { id } } else { StoreError::NoToken { id } })
    }

    /// Removes an organisation: its tokens end, and its name and who registered it are forgotten. Its
    /// reports stay, as those of nobody. Returns how many tokens it had.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoOrganisation`] if there is none; otherwise [`StoreError::Write`] or
    /// [`StoreError::Gone`].
    pub fn remove_organisation(&self, organisation: &str) -> Result<usize, StoreError> {
        let organisation = organisation.trim().to_owned();
        let none = no_organisation(&organisation);
        if organisation.is_empty() {
            return Err(none);
        }
        some(self.change_tokens(&TokenChange::Remove { organisation })?, none)
    }

    fn change_tokens(&self, change: &TokenChange) -> Result<usize, StoreError> {
        let changed = self.backend().change_tokens(change);
        self.inner.known.clear();
        changed
    }
}

fn no_organisation(name: &str) -> StoreError {
    StoreError::NoOrganisation { organisation: name.to_owned() }
}

fn some(count: usize, none: StoreError) -> Result<usize, StoreError> {
    if count == 0 { Err(none) } else { Ok(count) }
}

fn random_token() -> Result<Token, StoreError> {
    let random = |source| StoreError::Random { source };
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| random(Arc::new(error)))?;
    Token::new(&instance::hex(&bytes)).map_err(|error| random(Arc::new(error)))
}
