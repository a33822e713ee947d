//! What is seen of requests.

use std::time::Instant;

use usage_proto::{IDEMPOTENCY_KEY, IdempotencyKey, TOKEN_HEADER};
use usage_reporter::{Attempt, ReportKind, State};

use super::life::{SentReport, number_of};
use super::place::Place;
use super::world::World;

impl World {
    pub(super) fn saw_send(&mut self, now: Instant, attempt: Attempt) {
        let Attempt { id, report: kind, number: count, request, .. } = attempt;
        let number = number_of(&request);
        self.life.model.saw_send(now, Place::of_request(&request), (id, number, kind, count));
        self.life.sent.push(id);
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
