//! A customer who has opted out asks to be forgotten (rules W57 and W58).

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{Request, StatusCode};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use usage_proto::{Forget, Payload, parse_request};

use crate::app::App;
use crate::body_bytes::{Due, Whole};
use crate::on_database::on_database;
use crate::refusal::Refusal;
use crate::store::error::StoreError;
use crate::store::forgetting::Forgetting;
use crate::store::sender::Sender;
use crate::store::server_of_cluster::ServerOfCluster;
use crate::{call, json_answer, rates, request_rules, token_header, validate};

/// Two ids are all that is in a body.
const BODY_LIMIT: usize = 16 * 1024;

/// The id of a server alone says that it is its owner who asks, unless a report came with the token of
/// the request. It has to be one that nobody guesses: so many hexadecimal digits are 64 bits. A host's
/// name may be as long, and is known to many.
const UNGUESSABLE: usize = 16;

/// Whose turn it is. One erasure at a time takes half of its time for itself, and reports have the rest.
#[derive(Debug)]
pub(crate) struct ForgetTurn(Arc<Semaphore>);

impl Default for ForgetTurn {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

#[derive(Serialize)]
struct Answer {
    reports: u64,
}

/// `POST /api/v1/forget/{product}`, once the fault switches let it through.
pub(crate) async fn forget(State(app): State<Arc<App>>, Whole(request): Whole) -> Response {
    if let Err(refusal) = request_rules::report(&request) {
        return refusal.into_response();
    }
    call::faulty(&app, identify(&app, &request)).await
}

/// Finds out who asks.
async fn identify(app: &Arc<App>, request: &Request<Bytes>) -> Response {
    let sender = match token_header::token(request.headers(), request.uri()) {
        None => None,
        Some(token) => match on_database(app, move |store| store.sender(token)).await {
            Ok(Sender::Known { token_id, organisation }) => Some((token_id, organisation)),
            Ok(Sender::Unknown) => return Refusal::UnknownToken.into_response(),
            Err(error) => return Refusal::NotErased(error).into_response(),
        },
    };
    let (token_id, organisation) = sender.unzip();
    let erased = erase(app, request, token_id, organisation.clone()).await;
    let told = |reports| json_answer::json(StatusCode::OK, &Answer { reports });
    call::answer(erased.map(told), organisation)
}

async fn erase(
    app: &Arc<App>,
    request: &Request<Bytes>,
    token_id: Option<i64>,
    organisation: Option<String>,
) -> Result<u64, Refusal> {
    if let Some(token_id) = token_id {
        rates::token(app, token_id, request.body().len())?;
    }
    let forgetting = forgetting(request, token_id, organisation)?;
    let Due(due) = request.extensions().get().copied().unwrap_or_else(|| Due::of(&app.config));
    let turn = timeout_at(due, app.forget_turn.0.clone().acquire_owned());
    let closed = |_| Refusal::NotErased(StoreError::Closed);
    let turn = turn.await.map_err(|_| Refusal::Crowded)?.map_err(closed)?;
    let of_work = app.clone();
    let forgot = on_database(app, move |store| {
        // It goes on though the client may have gone away: that was asked for.
        let _turn = turn;
        let may_go_on = || Instant::now() < due && !of_work.is_stopping();
        store.forget(&forgetting, may_go_on)
    });
    let forgot = forgot.await.map_err(Refusal::NotErased)?;
    if forgot.is_all { Ok(forgot.reports) } else { Err(Refusal::Unfinished) }
}

/// What is asked for, if it may be.
fn forgetting(
    request: &Request<Bytes>,
    token_id: Option<i64>,
    organisation: Option<String>,
) -> Result<Forgetting, Refusal> {
    if request.body().len() > BODY_LIMIT {
        return Err(Refusal::TooLarge { limit: BODY_LIMIT });
    }
    let forget = match parse_request(request) {
        Ok(Payload::Forget(forget)) => forget,
        Ok(_) => return Err(Refusal::UnknownRoute),
        Err(error) => return Err(Refusal::unread(&error)),
    };
    validate::forget(&forget)?;
    let is_unguessable = is_unguessable(&forget.server_id);
    if token_id.is_none() && !is_unguessable {
        return Err(Refusal::Guessable { least: UNGUESSABLE });
    }
    let Forget { product, cluster_id, server_id, .. } = forget;
    // It was found not to be blank.
    let whom = ServerOfCluster::new(&cluster_id, &server_id).ok_or(Refusal::UnknownRoute)?;
    // Anybody may register under the name of an organisation, so a token is not enough for what came
    // with another one.
    let organisation = organisation.filter(|_| is_unguessable);
    Ok(Forgetting { product, whom, token_id, organisation, anonymous: is_unguessable })
}

fn is_unguessable(server_id: &str) -> bool {
    let mut digits = server_id.trim().chars().filter(|&c| c != '-');
    let count = digits.clone().count();
    count >= UNGUESSABLE && digits.all(|c| c.is_ascii_hexdigit())
}
