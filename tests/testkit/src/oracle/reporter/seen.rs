//! What is seen of requests.

use std::time::Instant;

use http::HeaderName;

use usage_proto::{IDEMPOTENCY_KEY, IdempotencyKey, TOKEN_HEADER};
use usage_reporter::{Attempt, LastSent, ReportKind, State};

use super::life::{SentReport, number_of};
use super::model::has_exact_stamp;
use super::place::Place;
use super::world::World;

impl World {
    /// What is kept of the usage report that left last. It is stored before an acknowledgement is.
    pub(super) fn saw_last_sent(&self, now: Instant, sent: Option<&LastSent>) {
        let must = self.life.model.acknowledges();
        assert!(!must || sent.is_some(), "law 12: a delivered report is not shown");
        let Some(sent) = sent else { return };
        // What never left is not shown: it need not be the last attempt.
        let is_it = |(then, request): &&(Instant, http::Request<bytes::Bytes>)| {
            let at = self.wall.time - (now - *then);
            let in_time = !has_exact_stamp(at) || sent.sent() == at;
            in_time && sent.body().as_bytes() == &request.body()[..]
        };
        let found = self.life.left.iter().rev().find(is_it);
        let (_, request) = found.unwrap_or_else(|| panic!("law 12: it did not leave: {sent:?}"));
        assert_eq!((sent.is_whole(), sent.url()), (true, &*request.uri().to_string()), "law 12");
        let token = request.headers().get(TOKEN_HEADER);
        let names: Vec<_> = request.headers().keys().map(HeaderName::as_str).collect();
        let shown: Vec<_> = sent.headers().iter().map(|(name, _)| &**name).collect();
        assert_eq!(shown, names, "law 12: other headers are shown");
        let text = format!("{sent} {}", serde_json::to_string(sent).unwrap());
        let secret = token.map_or("no token", |token| token.to_str().unwrap());
        assert!(!text.contains(&format!(": {secret}")), "law 12: the token is shown");
        assert!(!text.contains(&format!("\"{secret}\"")), "law 12: the token is shown");
        if must {
            assert!(sent.status().is_some() && sent.error().is_none(), "law 12: {sent:?}");
        }
    }

    pub(super) fn saw_send(&mut self, now: Instant, attempt: Attempt) {
        let Attempt { id, report: kind, number: count, request, .. } = attempt;
        let number = number_of(&request);
        self.life.model.saw_send(now, Place::of_request(&request), (id, number, kind, count));
        self.life.sent.push(id);
        if kind == ReportKind::Usage {
            self.life.left.push((now, request.clone()));
        }
        let key = key_of(&request);
        if let Some(first) = self.life.reports.get_mut(&number) {
            assert_eq!(first.key, key, "law 7: a retry with another key");
            assert_eq!(first.request.body(), request.body(), "law 7: a retry with other bytes");
            if first.may_have_arrived {
                assert_eq!(first.request.uri(), request.uri(), "law 7: a retry elsewhere");
                let token =
                    |request: &http::Request<_>| request.headers().get(TOKEN_HEADER).cloned();
                assert_eq!(token(&first.request), token(&request), "law 7: another token");
            }
            first.request = request;
            return;
        }
        if kind == ReportKind::Usage {
            let state: State = serde_json::from_str(&self.disk).unwrap();
            assert_eq!(state.unacknowledged_key(), Some(key), "sent before its key was stored");
        }
        let inherited = self.life.inherited.take_if(|_| kind == ReportKind::Usage);
        let is_new = !self.keys.contains_key(&key.to_string());
        match inherited {
            Some(before) if before.is_right == Some(true) && before.stored_in_time => {
                assert_eq!(before.key, key, "law 7: the key of the run before is not taken over");
            }
            // Numbers that had the key while it was right may go out later.
            Some(before) if before.is_right != Some(false) && before.may_have_been_taken => {
                assert!(is_new || before.key == key, "law 7: a key is used again");
            }
            Some(before) => {
                assert_ne!(before.key, key, "law 7: the key of another period is taken over");
                assert!(is_new, "law 7: a key is used again");
            }
            None => assert!(is_new, "law 7: a key is used again"),
        }
        self.keys.insert(key.to_string(), number);
        self.life.reports.insert(number, SentReport { key, request, may_have_arrived: false });
    }
}

fn key_of(request: &http::Request<bytes::Bytes>) -> IdempotencyKey {
    let text = request.headers()[IDEMPOTENCY_KEY].to_str().unwrap();
    let digits = text.trim_matches('"');
    assert_eq!((text.len(), digits.len()), (34, 32), "{text}");
    IdempotencyKey::from_bytes(u128::from_str_radix(digits, 16).unwrap().to_be_bytes())
}
