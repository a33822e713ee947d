//! What every public type can do.

use usage_proto::*;

fn shared<T: Send + Sync + std::fmt::Debug + 'static>() {}
fn cloned<T: Clone>() {}
fn error<T: std::error::Error + Send + Sync + 'static>() {}

#[test]
fn public_types_are_send_sync_and_debug() {
    shared::<Api>();
    shared::<BaseUrl>();
    shared::<Token>();
    shared::<Registration>();
    shared::<Server>();
    shared::<Stats>();
    shared::<StatsData>();
    shared::<Usage>();
    shared::<UsageData>();
    shared::<Tags>();
    shared::<Values>();
    shared::<Value>();
    shared::<Number>();
    shared::<Saved>();
    shared::<Incomplete>();
    shared::<Payload>();
    shared::<Forget>();
    shared::<Forgotten>();
    shared::<Proxy>();
    shared::<Deadlines>();
    shared::<Exchange>();
    shared::<Collector>();
    shared::<Saving<()>>();
    shared::<RegistrationRequest>();
    shared::<IdempotencyKey>();
    shared::<ResponseErrorKind>();
    shared::<SimpleError>();
    shared::<ValidationErrors>();
    shared::<TransportErrorKind>();
}

#[test]
fn errors_are_errors_of_the_standard_library() {
    error::<Error>();
    error::<BuildError>();
    error::<ResponseError>();
    error::<TransportError>();
    error::<InvalidBaseUrl>();
    error::<InvalidToken>();
    error::<InvalidProxy>();
    error::<RedirectError>();
    error::<RegistrationRequestError>();
    error::<ParseRequestError>();
    error::<SimpleError>();
    error::<ValidationErrors>();
}

#[test]
fn what_is_cheap_to_clone_is_clone() {
    cloned::<Api>();
    cloned::<BuildError>();
    cloned::<ResponseError>();
    cloned::<Saved>();
    cloned::<Token>();
    cloned::<BaseUrl>();
    cloned::<Deadlines>();
    cloned::<Proxy>();
    cloned::<Payload>();
    cloned::<Forgotten>();
    cloned::<Registration>();
    cloned::<IdempotencyKey>();
    cloned::<TransportErrorKind>();
    cloned::<Tags>();
    cloned::<Values>();
}
