use testkit::scripted::PATIENCE;
use tokio::sync::mpsc;

/// Something that happens on a thread of a server, and that an async test waits for.
pub(crate) struct Event(mpsc::UnboundedReceiver<()>);

impl Event {
    /// The event, and what a script calls when it happens.
    pub(crate) fn new() -> (Self, impl Fn() + Clone + Send + Sync + 'static) {
        let (happened, event) = mpsc::unbounded_channel();
        (Self(event), move || _ = happened.send(()))
    }

    /// Waits until it has happened once more.
    pub(crate) async fn happens(&mut self) {
        let event = tokio::time::timeout(PATIENCE, self.0.recv()).await;
        event.expect("in time").expect("a script that is still there");
    }
}
