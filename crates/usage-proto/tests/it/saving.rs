//! The future of an async save: encoded when it is made, sent when it is polled, judged at the end.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::Response;
use usage_proto::{
    Api, BaseUrl, Error, Saved, Saving, TransportError, TransportErrorKind, Usage, UsageData,
};

type Answer = Result<Response<Bytes>, TransportError>;

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn saved(usage: &Usage, answer: Answer) -> Result<Saved, Error> {
    let api = Api::new(BaseUrl::STAGING);
    let mut saving = Saving::new(&api, usage, |request| {
        assert_eq!(request.uri().path(), "/api/v1/usage/influxdb");
        ready(answer)
    });
    match poll(&mut saving) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("the answer is there"),
    }
}

#[test]
fn what_the_adapter_gives_is_judged() {
    let usage = Usage::new("influxdb");
    let answer = |status| Ok(Response::builder().status(status).body(Bytes::new()).unwrap());
    assert_eq!(saved(&usage, answer(201)).unwrap().status(), 201);
    assert!(matches!(saved(&usage, answer(500)), Err(Error::Response(_))));
    let refused = saved(&usage, Err(TransportError::connect("refused"))).unwrap_err();
    assert!(matches!(refused, Error::Transport(e) if e.kind() == TransportErrorKind::Connect));
}

#[test]
fn what_cannot_be_built_is_not_executed() {
    let usage = Usage::new("influxdb").data(UsageData::new().value("x", f64::NAN));
    let api = Api::new(BaseUrl::STAGING);
    let mut saving: Saving<Ready<Answer>> =
        Saving::new(&api, &usage, |_| panic!("nothing is to be sent"));
    assert!(matches!(poll(&mut saving), Poll::Ready(Err(Error::Build(_)))));
}

#[test]
fn it_holds_no_borrow_of_the_payload() {
    fn detached<F: Send + 'static>(future: F) -> F {
        future
    }
    let api = Api::new(BaseUrl::STAGING);
    let product = String::from("influxdb");
    let mut saving = {
        let usage = Usage::new(product.as_str());
        detached(Saving::new(&api, &usage, |_| ready(Err(TransportError::timeout("late")))))
    };
    drop(product);
    assert!(poll(&mut saving).is_ready());
}
