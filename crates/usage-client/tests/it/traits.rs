//! What the types can do, held at compile time.

use std::fmt::Debug;

use usage_client::{Preview, PushError, Reporting, StartError, Status, ureq};

fn shared<T: Send + Sync + Debug + 'static>() {}

#[test]
fn types_can_be_shared() {
    shared::<Reporting>();
    shared::<StartError>();
    shared::<PushError>();
    shared::<Preview>();
    shared::<Status>();
    shared::<ureq::Client>();
}
