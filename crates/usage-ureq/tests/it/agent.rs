//! An agent of the application's own: what is forced on it for each request, and what is checked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use testkit::outcome::{Outcome, in_vain, redirect, refused, saved, sent, simple, unsent};
use testkit::samples::{CREATED, SHORT, TOKEN, api, usage};
use testkit::scripted::{Nobody, Script, ScriptedServer, no_such_host};
use usage_proto::TransportErrorKind::{Connect, Other, Timeout};
use usage_ureq::Client;
use usage_ureq::ureq::config::ConfigBuilder;
use usage_ureq::ureq::middleware::{Middleware, MiddlewareNext};
use usage_ureq::ureq::typestate::AgentScope;
use usage_ureq::ureq::{self, Agent, Body, SendBody, http};

use crate::{Answer, save, source, unanswered};

/// A client over an agent with these settings and no proxy.
fn over(
    server: &ScriptedServer,
    configure: impl FnOnce(ConfigBuilder<AgentScope>) -> ConfigBuilder<AgentScope>,
) -> Client {
    let builder = configure(Agent::config_builder().proxy(None));
    Client::with_agent(api(&server.url()), builder.build().into())
}

#[test]
fn w37_w40_any_status_is_an_answer_and_no_redirect_is_followed() {
    let elsewhere = ScriptedServer::answering(CREATED);
    let moved =
        format!("HTTP/1.1 302 X\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", elsewhere.url());
    let no = "HTTP/1.1 401 X\r\nContent-Length: 14\r\n\r\n{\"error\":\"no\"}";
    let script = Script::answer(moved).read_request().send(no).read_request().send(CREATED);
    let server = ScriptedServer::start([script]);
    // As ureq is by itself: it follows, and makes an error of the 401.
    let client = over(&server, |builder| builder);
    let there = format!("{}/", elsewhere.url());
    assert_eq!(save(&client), refused(302, redirect(Some(&there))));
    assert_eq!(save(&client), refused(401, simple("no")));
    assert_eq!(save(&client), saved(201, "{}"));
    assert_eq!((server.connections(), elsewhere.connections()), (1, 0));
}

#[test]
fn w40_what_fails_before_there_is_a_connection_was_not_sent() {
    let nobody = format!("http://{}", Nobody::new().address());
    for url in [nobody, format!("http://{}", no_such_host())] {
        let agent = Agent::config_builder().proxy(None).build().into();
        assert_eq!(save(&Client::with_agent(api(&url), agent)), unsent(Connect), "{url}");
    }
}

#[test]
fn w41_the_agents_own_deadline_is_the_deadline() {
    let server = ScriptedServer::start([Script::new().hold()]);
    let client = over(&server, |builder| builder.timeout_global(Some(SHORT)));
    let error = unanswered(client.save(&usage()));
    assert_eq!(Outcome::unanswered(&error), sent(Timeout));
    assert_eq!(source(&error), "it took longer than 0.3 s in all");
    // One that is not among ours is told in ureq's words.
    let client = over(&server, |builder| builder.timeout_recv_response(Some(SHORT)));
    let error = unanswered(client.save(&usage()));
    assert_eq!(Outcome::unanswered(&error), sent(Timeout));
    assert_eq!(source(&error), "timeout: receive response");
}

#[test]
fn w42_the_pool_is_the_agents() {
    let server = ScriptedServer::answering(CREATED);
    let agent: Agent = Agent::config_builder().proxy(None).build().into();
    agent.get(server.url()).call().unwrap().body_mut().read_to_vec().unwrap();
    assert_eq!(save(&Client::with_agent(api(&server.url()), agent.clone())), saved(201, "{}"));
    agent.get(server.url()).call().unwrap();
    assert_eq!((server.received().len(), server.connections()), (3, 1));
}

#[test]
fn a_middleware_goes_along() {
    struct Counting(Arc<AtomicUsize>);
    impl Middleware for Counting {
        fn handle(&self, request: http::Request<SendBody>, next: MiddlewareNext) -> Answer {
            self.0.fetch_add(1, Ordering::Relaxed);
            next.handle(request)
        }
    }
    let server = ScriptedServer::answering(CREATED);
    let count = Arc::new(AtomicUsize::new(0));
    let client = over(&server, |builder| builder.middleware(Counting(Arc::clone(&count))));
    assert_eq!(save(&client), saved(201, "{}"));
    assert_eq!(count.load(Ordering::Relaxed), 1);
    assert_eq!(server.received()[0].header("x-authorization"), [TOKEN]);
}

/// Answers every request with this URL's answer, if it gets one.
fn detour(url: String) -> impl Middleware {
    move |request: http::Request<SendBody>, next: MiddlewareNext| {
        let (mut parts, body) = request.into_parts();
        parts.uri = url.parse().unwrap();
        next.handle(http::Request::from_parts(parts, body))
    }
}

#[test]
fn an_answer_from_another_url_is_not_an_answer() {
    let elsewhere = ScriptedServer::answering(CREATED);
    let server = ScriptedServer::answering(CREATED);
    let url = elsewhere.url();
    let client = over(&server, |builder| builder.middleware(detour(url)));
    let error = unanswered(client.save(&usage()));
    assert_eq!((error.kind(), error.may_have_been_sent()), (Other, true));
    assert!(!error.is_retryable(), "each time it would go there");
    assert!(source(&error).contains("another URL"), "{error:?}");
    assert_eq!((elsewhere.received().len(), server.connections()), (1, 0));
}

#[test]
fn an_answer_of_a_middlewares_own_is_taken() {
    fn answer(_: http::Request<SendBody>, _: MiddlewareNext) -> Answer {
        let body = Body::builder().mime_type("application/json").data("{}");
        Ok(http::Response::builder().status(201).header("Content-Length", 2).body(body)?)
    }
    let server = ScriptedServer::answering(CREATED);
    assert_eq!(save(&over(&server, |builder| builder.middleware(answer))), saved(201, "{}"));
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_middleware_that_has_asked_for_the_body_may_have_sent_it() {
    fn twice(request: http::Request<SendBody>, next: MiddlewareNext) -> Answer {
        // An error of a second attempt says nothing of the first.
        assert!(next.handle(request).is_err());
        Err(ureq::Error::HostNotFound)
    }
    let server = ScriptedServer::start([Script::new().read_request()]);
    assert_eq!(save(&over(&server, |builder| builder.middleware(twice))), sent(Other));
    assert_eq!(server.received().len(), 1);
}

#[test]
fn what_the_agent_does_not_take_is_said() {
    let server = ScriptedServer::answering(CREATED);
    let client = over(&server, |builder| builder.https_only(true));
    assert_eq!(unanswered(client.save(&usage())).kind(), Other);
    let request = http::Request::post("ftp://127.0.0.1/").body(bytes::Bytes::new()).unwrap();
    assert_eq!(Outcome::unanswered(&client.execute(request).unwrap_err()), in_vain(Other));
    assert_eq!(server.connections(), 0);
}
