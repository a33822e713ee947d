//! W6: the token is in no log and in no `Debug`.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::server::Server;
use crate::{CREATED, TOKEN, client, usage};

/// Writes down everything, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0.lock().unwrap(), "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push_str(event.metadata().target());
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn w6_the_token_is_not_in_the_log_at_level_trace() {
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.clone());
    let server = Server::answering(CREATED);
    let client = client(&server.url());
    client.save(&usage()).await.unwrap();
    client.save(&usage()).await.unwrap();
    assert!(server.requests()[1].head.contains(TOKEN));

    let log = log.0.lock().unwrap();
    assert!(log.contains("hyper_util::client::legacy"), "nothing was logged: {log}");
    for part in TOKEN.as_bytes().windows(8) {
        let text = str::from_utf8(part).unwrap();
        assert!(!log.contains(text), "{text} is in the log: {log}");
    }
}

#[test]
fn w6_the_token_is_not_in_debug() {
    let client = client("http://127.0.0.1:1");
    let debug = format!("{client:?}");
    assert!(!debug.contains(TOKEN), "{debug}");
    assert!(debug.contains("127.0.0.1"), "{debug}");
}
