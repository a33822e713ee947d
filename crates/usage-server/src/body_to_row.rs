//! From a body to the row that is stored, within bounds of memory.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use tokio::time::timeout_at;
use usage_proto::{Payload, parse_request};

use crate::app::{App, SHOWN};
use crate::body_bytes::Due;
use crate::refusal::Refusal;
use crate::store::room::Place;
use crate::store::row::{Row, RowError};
use crate::terms::Terms;
use crate::validate;

/// Larger bodies are read on a thread of their own. This many bytes take milliseconds at worst, in
/// which a thread answers nobody else.
const LARGE: usize = 32 * 1024;

/// Reads a request, once there is room for its row. The place returned is the row's.
///
/// Who has not come to it when its body was due leaves: a client that waits longer has given up, and
/// what it sends again would wait behind itself.
pub(crate) async fn to_row(
    app: &Arc<App>,
    request: Request<Bytes>,
) -> Result<(Row, Place), Refusal> {
    let limit = row_limit(&request, app.config.body_limit);
    let bytes = request.body().len();
    let Due(due) = request.extensions().get().copied().unwrap_or_else(|| Due::of(&app.config));
    let wait = async {
        // First the turn, then the room: those who wait for a turn leave the room to small reports.
        let turn = if bytes > LARGE { Some(app.json.turn(bytes).await) } else { None };
        Ok::<_, Refusal>((turn, app.store.room(limit).await?))
    };
    let (turn, place) = timeout_at(due, wait).await.map_err(|_| Refusal::Crowded)??;
    let Some(turn) = turn else { return Ok(fit(row(app, &request, limit)?, place)) };
    let of_thread = app.clone();
    app.json.run(turn, move || Ok(fit(row(&of_thread, &request, limit)?, place))).await?
}

/// Gives back the room that the row does not need after all.
fn fit(row: Row, mut place: Place) -> (Row, Place) {
    place.shrink(row.bytes());
    (row, place)
}

/// The largest row that is made of a request: 8 times its body, which is what the emptiest items
/// grow to, and in no case more than twice the limit of a body; and the product in the path.
fn row_limit(request: &Request<Bytes>, body_limit: usize) -> usize {
    let written = request.body().len().saturating_mul(8).min(body_limit.saturating_mul(2));
    written.saturating_add(request.uri().path().len())
}

fn row(app: &App, request: &Request<Bytes>, limit: usize) -> Result<Row, Refusal> {
    let terms = app.terms();
    let payload = parse_request(request).map_err(|error| Refusal::unread(&error))?;
    let row = match payload {
        Payload::Server(server) => {
            validate::server(&server)?;
            taken(&terms, &server.product)?;
            Row::server(server, limit)
        }
        Payload::Stats(mut stats) => {
            validate::stats(&stats)?;
            taken(&terms, &stats.product)?;
            let overflow = app.seen.stats(terms.limits.variety, &mut stats);
            app.tell_overflow(&stats.product, overflow);
            Row::stats(stats, limit)
        }
        Payload::Usage(mut usage) => {
            validate::usage(&usage)?;
            taken(&terms, &usage.product)?;
            let overflow = app.seen.usage(terms.limits.variety, &mut usage);
            app.tell_overflow(&usage.product, overflow);
            Row::usage(usage, limit)
        }
        // A payload that the protocol knows and this version of the server does not.
        _ => return Err(Refusal::UnknownRoute),
    };
    row.map_err(|error| match error {
        RowError::TooLarge { limit } => Refusal::body(format!(
            "The report is above {limit} bytes with its empty tags and values written out: send \
             fewer items at once."
        )),
        RowError::Json(error) => Refusal::body(format!("The report can not be stored: {error}.")),
    })
}

fn taken(terms: &Terms, product: &str) -> Result<(), Refusal> {
    if terms.takes(product) {
        return Ok(());
    }
    Err(Refusal::Product(product.chars().take(SHOWN).collect()))
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use bytes::Bytes;
    use http::Request;

    use super::{LARGE, to_row};
    use crate::app::App;
    use crate::commit_meter::CommitMeter;
    use crate::config::Config;
    use crate::json_thread::JsonThread;
    use crate::store::database::Database;
    use crate::store::{Store, StoreOptions};

    fn usage(body: impl Into<Bytes>) -> Request<Bytes> {
        Request::post("/api/v1/usage/influxdb").body(body.into()).unwrap()
    }

    #[tokio::test]
    async fn large_bodies_wait_for_their_turn_and_take_no_room_meanwhile() {
        let config = Config::new(Database::temporary());
        // Room for one large row, or for many small ones.
        let options = StoreOptions { queue: 1, queue_bytes: 16 * LARGE, ..StoreOptions::default() };
        let store = Store::open_with(&config.database, &options).unwrap();
        let app = Arc::new(App::new(
            store,
            config,
            JsonThread::start().unwrap(),
            &CommitMeter::default(),
        ));
        let large = usage(format!("[{}]", " ".repeat(LARGE)));
        let turn = app.json.turn(1).await;
        let mut waiting = pin!(to_row(&app, large));
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());

        let whole = app.store.room(usize::MAX);
        assert!(pin!(whole).poll(&mut context).is_ready(), "all the room is free");
        let small = pin!(to_row(&app, usage("[]"))).poll(&mut context);
        assert!(matches!(small, Poll::Ready(Ok(_))), "small ones go on");

        drop(turn);
        waiting.await.unwrap();
    }
}
