//! `tokens`: who may report with what.

use std::time::Duration;

use serde::Serialize;
use usage_proto::Token;
use usage_server::{Store, StoredToken, TokenChoice};

use crate::cli::{TokenChoiceArgs, TokensArgs, TokensCommand};
use crate::failure::Failure;
use crate::plural::counted;
use crate::{output, table, terminal_text, token_file};

pub(crate) fn run(args: &TokensArgs, json: bool) -> Result<(), Failure> {
    match &args.command {
        TokensCommand::List { database } => list(&database.open()?, json),
        TokensCommand::Create { organisation, database } => {
            // It may be made before the first server is started.
            let store = Store::open(&database.database()?).map_err(Failure::server)?;
            let token = store.create_token(organisation).map_err(Failure::server)?;
            tell_new(organisation, &token, json)
        }
        TokensCommand::Revoke { choice, database } => revoke(&database.open()?, choice, json),
        TokensCommand::Rotate { id, overlap, database } => {
            rotate(&database.open()?, *id, *overlap, json)
        }
        TokensCommand::Remove { organisation, database } => {
            let tokens = database.open()?.remove_organisation(organisation);
            let tokens = tokens.map_err(Failure::server)?;
            tell_count("removed", tokens, &format!("{organisation:?} is removed"), json)
        }
    }
}

fn list(store: &Store, json: bool) -> Result<(), Failure> {
    let tokens = store.tokens().map_err(Failure::server)?;
    if json {
        let tokens = tokens.iter().map(Listed::from).collect();
        return Ok(output::json(&List { tokens })?);
    }
    let heading = ["ID", "ORGANISATION", "CREATED", "STATE", "REGISTERED BY"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(tokens.into_iter().map(|token| {
        let state = state(&token);
        let email = token.email.unwrap_or_else(|| "-".to_owned());
        [token.id.to_string(), token.organisation, token.created_at, state, email].to_vec()
    }));
    for line in table::align(&rows) {
        output::line(&terminal_text::escape(&line))?;
    }
    Ok(())
}

fn state(token: &StoredToken) -> String {
    match (&token.ends_at, token.has_ended) {
        (Some(at), true) => format!("ended {at}"),
        (Some(at), false) => format!("ends {at}"),
        (None, _) => "valid".to_owned(),
    }
}

fn revoke(store: &Store, choice: &TokenChoiceArgs, json: bool) -> Result<(), Failure> {
    let choice = match (choice.id, &choice.organisation) {
        (Some(id), _) => TokenChoice::Id(id),
        (None, Some(name)) => TokenChoice::Organisation(name.clone()),
        (None, None) => TokenChoice::Id(known(store, choice)?),
    };
    let tokens = store.revoke_tokens(choice).map_err(Failure::server)?;
    tell_count("revoked", tokens, "revoked", json)
}

/// The id of a token that somebody holds.
fn known(store: &Store, choice: &TokenChoiceArgs) -> Result<i64, Failure> {
    let unknown = |message: &str| Failure::Build {
        message: message.to_owned(),
        field: Some("token".to_owned()),
        source: None,
    };
    let token = token_file::find(choice.token_file.as_deref())?;
    let token = token.ok_or_else(|| unknown("there is no token to look for"))?;
    let id = store.token_id(&token).map_err(Failure::server)?;
    id.ok_or_else(|| unknown("the token is not one of this database: nothing was revoked"))
}

fn rotate(store: &Store, id: i64, overlap: Duration, json: bool) -> Result<(), Failure> {
    let token = store.rotate_token(id, overlap).map_err(Failure::server)?;
    let tokens = store.tokens().map_err(Failure::server)?;
    let old = tokens.into_iter().find(|token| token.id == id);
    let organisation = old.map(|token| token.organisation).unwrap_or_default();
    tell_new(&organisation, &token, json)
}

/// The only time that the token is shown.
fn tell_new(organisation: &str, token: &Token, json: bool) -> Result<(), Failure> {
    let token = token.expose();
    let printed = if json {
        output::json(&New { organisation, token })
    } else {
        output::line(&format!("token for {organisation:?}: {token}"))
    };
    printed.map_err(Failure::Output)
}

fn tell_count(outcome: &'static str, tokens: usize, done: &str, json: bool) -> Result<(), Failure> {
    let printed = if json {
        output::json(&Ended { outcome, tokens })
    } else {
        let tokens = counted(tokens as u64, "token");
        output::line(&terminal_text::escape(&format!("{done}: {tokens}")))
    };
    printed.map_err(Failure::Output)
}

#[derive(Serialize)]
struct List<'a> {
    tokens: Vec<Listed<'a>>,
}

#[derive(Serialize)]
struct Listed<'a> {
    id: i64,
    organisation: &'a str,
    created_at: &'a str,
    ends_at: Option<&'a str>,
    has_ended: bool,
    email: Option<&'a str>,
}

impl<'a> From<&'a StoredToken> for Listed<'a> {
    fn from(token: &'a StoredToken) -> Self {
        Self {
            id: token.id,
            organisation: &token.organisation,
            created_at: &token.created_at,
            ends_at: token.ends_at.as_deref(),
            has_ended: token.has_ended,
            email: token.email.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct New<'a> {
    organisation: &'a str,
    token: &'a str,
}

#[derive(Serialize)]
struct Ended {
    outcome: &'static str,
    tokens: usize,
}
