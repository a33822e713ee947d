//! What comes before anyone looks.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};

use testkit::outcome::{Outcome, sent};
use testkit::samples::{SHORT, api, usage};
use testkit::scripted::{PATIENCE, ScriptedServer};
use tokio::sync::Notify;
use tower_layer::layer_fn;
use tower_service::Service;
use usage_proto::Deadlines;
use usage_proto::TransportErrorKind::{Interrupted, Protocol};
use usage_reqwest::Client;

use crate::{client, save, soon};

#[tokio::test]
async fn a_reset_that_overtakes_the_connect_is_interrupted() {
    let (reset, was_reset) = mpsc::channel();
    let server = ScriptedServer::run(move |connection| {
        connection.reset();
        reset.send(()).unwrap();
    });
    let client = client(&server.url());
    let mut save = pin!(client.save(&usage()));
    // To the call's own first pause, and then to where it connects.
    assert!(poll_immediately(save.as_mut()).await.is_none());
    tokio::time::sleep(SHORT / 10).await;
    assert!(poll_immediately(save.as_mut()).await.is_none());
    // Blocks the runtime too, which learns of the connection and of its end at once.
    was_reset.recv_timeout(PATIENCE).unwrap();
    assert_eq!(Outcome::of(&save.await), sent(Interrupted));
}

async fn poll_immediately<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Hands out a connection only once the server has spoken.
#[derive(Clone)]
struct Late<C> {
    connector: C,
    spoken: Arc<Notify>,
}

impl<C, To> Service<To> for Late<C>
where
    C: Service<To, Response: Send, Error: Send, Future: Send + 'static>,
{
    type Response = C::Response;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, to: To) -> Self::Future {
        let (connecting, spoken) = (self.connector.call(to), Arc::clone(&self.spoken));
        Box::pin(async move {
            let connection = connecting.await;
            spoken.notified().await;
            connection
        })
    }
}

#[tokio::test]
async fn what_comes_before_the_request_is_protocol() {
    let spoken = Arc::new(Notify::new());
    let server = ScriptedServer::run({
        let spoken = Arc::clone(&spoken);
        move |mut connection| {
            connection.send("SSH-2.0-OpenSSH_9.9\r\n");
            spoken.notify_one();
            connection.hang();
        }
    });
    let late = layer_fn(move |connector| Late { connector, spoken: Arc::clone(&spoken) });
    let client = Client::configured(api(&server.url()), Deadlines::new(), |builder| {
        builder.connector_layer(late)
    });
    let Outcome::Unanswered { kind, .. } = soon(save(&client.unwrap())).await else {
        panic!("an answer");
    };
    assert_eq!(kind, Protocol);
    assert_eq!(server.received().len(), 0);
}
