//! A body's bytes, from the socket to whoever reads them, within limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use crate::app::App;
use crate::config::Config;
use crate::places::{Doing, Place};
use crate::refusal::Refusal;

/// Memory that a client gets for its word alone, before a byte of the body came.
const TRUSTED: usize = 64 * 1024;

/// How many bytes of a request's body have come, told to the log whatever becomes of the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received(Arc<AtomicU64>);

impl Received {
    pub(crate) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// When a body has to be there and to be looked at: counted from the head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due(pub(crate) Instant);

impl Due {
    pub(crate) fn of(config: &Config) -> Self {
        Self(Instant::now() + config.body_deadline)
    }
}

/// A request with its whole body.
///
/// Every route takes this, also where the body means nothing: whatever the answer is, a client that
/// sends first and reads later can have it, and the connection can go on.
pub(crate) struct Whole(pub(crate) http::Request<Bytes>);

impl FromRequest<Arc<App>> for Whole {
    type Rejection = Refusal;

    /// A `Content-Length` above the limit is refused before a byte is read, and so before hyper
    /// would invite the body with `100 Continue`.
    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let (limit, deadline) = (app.config.body_limit, app.config.body_deadline);
        let due = Due::of(&app.config);
        parts.extensions.insert(due);
        if body.size_hint().lower() > limit as u64 {
            return Err(Refusal::TooLarge { limit });
        }
        let received = parts.extensions.get::<Received>().cloned().unwrap_or_default();
        let is_for = |doing| {
            if let Some(place) = parts.extensions.get::<Arc<Place>>() {
                place.is_for(doing);
            }
        };
        if !body.is_end_stream() {
            is_for(Doing::Body);
        }
        let Ok(bytes) = timeout_at(due.0, collect(body, limit, &received)).await else {
            return Err(Refusal::Late { deadline });
        };
        is_for(Doing::Answer);
        Ok(Self(http::Request::from_parts(parts, bytes?)))
    }
}

/// A body that comes in one piece, as small ones do, is not copied.
async fn collect(mut body: Body, limit: usize, received: &Received) -> Result<Bytes, Refusal> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let Some(first) = piece(&mut body, 0, limit, received).await? else { return Ok(Bytes::new()) };
    let Some(second) = piece(&mut body, first.len(), limit, received).await? else {
        return Ok(first);
    };
    let mut whole = Vec::with_capacity(announced.min(TRUSTED).max(first.len() + second.len()));
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&second);
    // The buffers that they were read into go with them.
    drop((first, second));
    while let Some(data) = piece(&mut body, whole.len(), limit, received).await? {
        let length = whole.len() + data.len();
        if length > whole.capacity() {
            // It doubles, but not above the limit.
            whole.reserve_exact(length.max(limit.min(2 * whole.capacity())) - whole.len());
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.into())
}

/// The next bytes of a body of which `before` came already; `None` at its end.
async fn piece(
    body: &mut Body,
    before: usize,
    limit: usize,
    received: &Received,
) -> Result<Option<Bytes>, Refusal> {
    while let Some(frame) = body.frame().await {
        // Trailers mean nothing here.
        let Ok(data) = frame.map_err(|_| Refusal::Broken)?.into_data() else { continue };
        received.add(data.len());
        if data.len() > limit - before {
            return Err(Refusal::TooLarge { limit });
        }
        if !data.is_empty() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::body::Body;
    use axum::extract::FromRequest;
    use bytes::Bytes;
    use http::Request;

    use super::Whole;
    use crate::app::App;
    use crate::commit_meter::CommitMeter;
    use crate::config::Config;
    use crate::json_thread::JsonThread;
    use crate::store::Store;
    use crate::store::database::Database;

    #[tokio::test]
    async fn a_body_in_one_piece_is_not_copied() {
        let config = Config::new(Database::temporary());
        let store = Store::open(&config.database).unwrap();
        let app = Arc::new(App::new(
            store,
            config,
            JsonThread::start().unwrap(),
            &CommitMeter::default(),
        ));
        let sent = Bytes::from("[{}]".to_owned());
        let request = Request::post("/").body(Body::from(sent.clone())).unwrap();
        let Whole(request) = Whole::from_request(request, &app).await.unwrap();
        assert_eq!(request.body(), &sent);
        assert_eq!(request.body().as_ptr(), sent.as_ptr());
    }
}
