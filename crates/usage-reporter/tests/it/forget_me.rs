//! To be forgotten: what leaves, what is remembered until the API has answered, and when it ends.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Response};
use usage_proto::{Api, BaseUrl, Payload, Token, TransportError, parse_request};
use usage_reporter::{ForgetMe, ForgetOutcome, ForgetStep, Identity, State};

const START: SystemTime = SystemTime::UNIX_EPOCH;
const HOUR: Duration = Duration::from_secs(60 * 60);

fn api() -> Api {
    Api::new(BaseUrl::STAGING)
}

/// A state as a product leaves it behind, and who it is.
fn stored(random: u8) -> (State, Identity) {
    let mut state: State =
        serde_json::from_str(r#"{"version":1,"failures":3,"next_due_unix_ns":7}"#).unwrap();
    let identity = Identity::single_node(&mut state, [random; 32]);
    (reread(&state), identity)
}

/// As the next process finds it.
fn reread(state: &State) -> State {
    serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap()
}

fn answer(status: u16, body: &'static str) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap()
}

type Answers<'a> = &'a mut dyn FnMut(Request<Bytes>) -> Result<Response<Bytes>, TransportError>;

/// What became of it, and what is on the disk then.
fn run(
    mut forget_me: ForgetMe,
    now: SystemTime,
    send: Answers<'_>,
) -> (ForgetOutcome, Option<State>) {
    let mut disk = None;
    for _ in 0..100 {
        match forget_me.step(now) {
            ForgetStep::Store(state) => disk = Some(reread(&state)),
            ForgetStep::Send(request) => {
                assert!(disk.is_some(), "an attempt is stored before it is sent");
                match send(request) {
                    Ok(response) => forget_me.on_response(now, response),
                    Err(error) => forget_me.on_failure(now, error),
                }
            }
            ForgetStep::Done(outcome) => return (outcome, disk),
        }
    }
    panic!("it does not end");
}

fn nothing(_: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
    panic!("nothing is sent")
}

fn ids(request: &Request<Bytes>) -> (String, String) {
    let Payload::Forget(forget) = parse_request(request).unwrap() else { panic!("{request:?}") };
    assert_eq!(forget.product, "tinykv");
    (forget.cluster_id, forget.server_id)
}

#[test]
fn w57_one_request_leaves_and_the_identity_goes_with_it() {
    let (state, identity) = stored(7);
    let token = Token::new("token-goes-here").unwrap();
    let api = api().with_token(token).unwrap();
    let mut sent = Vec::new();
    let forget_me = ForgetMe::asked(api, "tinykv", state, None);
    let (outcome, disk) = run(forget_me, START, &mut |request| {
        assert_eq!(request.headers()["x-authorization"], "token-goes-here");
        sent.push(ids(&request));
        Ok(answer(200, r#"{"reports":12}"#))
    });
    assert_eq!(outcome, ForgetOutcome::Forgotten { reports: Some(12) });
    assert_eq!(outcome.to_string(), "forgotten: the Usage API has erased 12 reports");
    assert_eq!(sent, [(identity.cluster_id, identity.server_id)]);
    // As good as new: whoever opts in again is another server.
    let disk = disk.unwrap();
    assert_eq!(disk, State::new());
    let again = ForgetMe::asked(self::api(), "tinykv", disk, None);
    assert_eq!(run(again, START, &mut nothing), (ForgetOutcome::NothingToForget, None));
}

/// A product with clusters knows the name of its own.
#[test]
fn the_cluster_is_the_one_that_was_reported() {
    for (named, expected) in [(Some("clus1"), "clus1"), (None, "")] {
        let mut state = State::new();
        let server = Identity::new(&mut state, "clus1", [9; 16]).server_id;
        let forget_me = ForgetMe::asked(api(), "tinykv", state, named);
        let (outcome, _) = run(forget_me, START, &mut |request| {
            assert_eq!(ids(&request), (expected.to_owned(), server.clone()));
            Ok(answer(204, ""))
        });
        assert_eq!(outcome, ForgetOutcome::Forgotten { reports: None });
    }
}

/// A crash between the wish and its answer loses nothing, and does not send for ever.
#[test]
fn what_is_not_answered_is_tried_again_ten_times_with_pauses() {
    for is_seen in [true, false] {
        check_attempts(is_seen);
    }
}

fn check_attempts(is_seen: bool) {
    let (state, identity) = stored(7);
    let mut forget_me = ForgetMe::asked(api(), "tinykv", state, None);
    let ForgetStep::Store(mut disk) = forget_me.step(START) else { panic!("first the state") };
    assert_eq!(disk.server_id(), None, "the identity is given up");
    // The process dies here, and at each later start right after it has sent.
    drop(forget_me);
    let (mut now, mut sent) = (START, 1);
    for _ in 0..1000 {
        now += HOUR / 2;
        disk = reread(&disk);
        if !disk.is_to_be_forgotten(now) {
            let again = ForgetMe::again(api(), "tinykv", disk.clone());
            run(again, now, &mut nothing);
            continue;
        }
        let mut again = ForgetMe::again(api(), "tinykv", disk);
        let ForgetStep::Store(state) = again.step(now) else { panic!("first the state") };
        disk = state;
        let ForgetStep::Send(request) = again.step(now) else { panic!("then the request") };
        assert_eq!(ids(&request).1, identity.server_id);
        sent += 1;
        if sent == 10 && is_seen {
            // The last one is seen to fail.
            again.on_failure(now, TransportError::connect("nobody is there"));
            let ForgetStep::Store(state) = again.step(now) else { panic!("the end is stored") };
            disk = state;
            let ForgetStep::Done(outcome) = again.step(now) else { panic!("it is over") };
            let ForgetOutcome::GivenUp { why, identities } = outcome else { panic!("{outcome}") };
            assert!(why.contains("nobody is there"), "{why}");
            assert_eq!(identities, std::slice::from_ref(&identity));
        }
    }
    assert_eq!(sent, 10);
    disk = reread(&disk);
    assert!(now.duration_since(START).unwrap() > 100 * HOUR);
    // Nothing but another wish sends it again.
    assert!(disk.has_something_to_forget());
    let asked = ForgetMe::asked(api(), "tinykv", disk, None);
    let (outcome, disk) = run(asked, now, &mut |_| Ok(answer(200, "{}")));
    assert_eq!(outcome, ForgetOutcome::Forgotten { reports: None });
    assert_eq!(disk, Some(State::new()));
}

/// What may be better later is remembered, and what an API will not do is told.
#[test]
fn w47_each_answer_has_its_outcome() {
    for (status, pending) in [
        (200, None),
        (307, Some(true)),
        (401, Some(true)),
        (408, Some(true)),
        (403, Some(false)),
        (410, Some(false)),
        (422, Some(false)),
        (429, Some(true)),
        (500, Some(true)),
        (503, Some(true)),
        (511, Some(true)),
    ] {
        let (state, identity) = stored(7);
        let asked = ForgetMe::asked(api(), "tinykv", state, None);
        let (outcome, disk) = run(asked, START, &mut |_| Ok(answer(status, "")));
        let disk = disk.unwrap();
        match (&outcome, pending) {
            (ForgetOutcome::Forgotten { .. }, None) => continue,
            (ForgetOutcome::Pending { why, is_refused }, Some(true)) => {
                assert!(why.contains(&status.to_string()), "{why}");
                assert_eq!(*is_refused, [307, 401].contains(&status), "{status}");
            }
            (ForgetOutcome::GivenUp { identities, .. }, Some(false)) => {
                assert_eq!(identities[..], *std::slice::from_ref(&identity));
                assert!(outcome.to_string().contains(&identity.server_id), "{outcome}");
            }
            _ => panic!("{status}: {outcome:?}"),
        }
        assert!(disk.has_something_to_forget() && disk.server_id().is_none());
        let later = START + 2 * HOUR;
        assert_eq!(disk.is_to_be_forgotten(later), pending == Some(true), "{status}");
    }
}

#[test]
fn w47_an_api_that_cannot_forget_is_not_asked_again_and_the_ids_are_told() {
    for status in [404, 405, 501] {
        let (state, identity) = stored(7);
        let asked = ForgetMe::asked(api(), "tinykv", state, None);
        let (outcome, disk) = run(asked, START, &mut |_| Ok(answer(status, "404 page not found")));
        assert_eq!(outcome, ForgetOutcome::Unsupported { identities: vec![identity.clone()] });
        let words = outcome.to_string();
        assert!(words.contains("cannot forget") && words.contains(&identity.cluster_id), "{words}");
        let disk = disk.unwrap();
        let much_later = START + 1000 * HOUR;
        assert!(!disk.is_to_be_forgotten(much_later));
        let again = ForgetMe::again(api(), "tinykv", disk);
        assert_eq!(run(again, much_later, &mut nothing), (ForgetOutcome::NothingToForget, None));
    }
}

#[test]
fn what_the_api_asks_to_wait_is_waited() {
    let (state, _) = stored(7);
    let asked = ForgetMe::asked(api(), "tinykv", state, None);
    let (_, disk) = run(asked, START, &mut |_| {
        let mut busy = answer(503, "");
        busy.headers_mut().insert("retry-after", 36_000.into());
        Ok(busy)
    });
    let disk = disk.unwrap();
    assert!(!disk.is_to_be_forgotten(START + 9 * HOUR));
    assert!(disk.is_to_be_forgotten(START + 10 * HOUR));
}

/// Who opts in meanwhile is another server, and the old one is still to be forgotten.
#[test]
fn two_identities_are_forgotten_one_after_the_other() {
    let (state, first) = stored(7);
    let asked = ForgetMe::asked(api(), "tinykv", state, None);
    let offline = &mut |_| Err(TransportError::connect("offline"));
    let (outcome, disk) = run(asked, START, offline);
    assert!(matches!(outcome, ForgetOutcome::Pending { .. }), "{outcome}");
    let mut state = disk.unwrap();
    let second = Identity::single_node(&mut state, [8; 32]);
    assert_ne!(second, first);
    // A copy of the machine that is given a new identity still knows the wish.
    state.new_identity();
    let second = Identity::single_node(&mut state, [8; 32]);

    let asked = ForgetMe::asked(api(), "tinykv", reread(&state), None);
    let mut sent = Vec::new();
    let (outcome, disk) = run(asked, START, &mut |request| {
        sent.push(ids(&request).1);
        Ok(answer(200, r#"{"reports":2}"#))
    });
    assert_eq!(outcome, ForgetOutcome::Forgotten { reports: Some(4) });
    assert_eq!(sent, [first.server_id, second.server_id]);
    assert_eq!(disk, Some(State::new()));
}

#[test]
fn a_server_whose_ids_are_not_in_the_state_can_be_named() {
    let asked = ForgetMe::asked(api(), "tinykv", State::new(), None).and_server("clus1", "serv1");
    let (outcome, _) = run(asked, START, &mut |request| {
        assert_eq!(ids(&request), ("clus1".to_owned(), "serv1".to_owned()));
        Ok(answer(200, r#"{"reports":1}"#))
    });
    assert_eq!(outcome.to_string(), "forgotten: the Usage API has erased 1 report");
}

/// An API that has found nothing is told apart from one that has forgotten.
#[test]
fn nothing_found_has_words_of_its_own() {
    let (state, _) = stored(7);
    let asked = ForgetMe::asked(api(), "tinykv", state, None);
    let (outcome, disk) = run(asked, START, &mut |_| Ok(answer(200, r#"{"reports":0}"#)));
    assert_eq!(outcome, ForgetOutcome::Forgotten { reports: Some(0) });
    let words = outcome.to_string();
    assert!(words.starts_with("nothing was found under these ids"), "{words}");
    assert!(words.contains("its maker's to erase"), "{words}");
    assert_eq!(disk, Some(State::new()));
}

/// A program that does not tell what became of a request is not held up by it.
#[test]
fn a_request_without_an_outcome_is_one_without_an_answer() {
    let (state, _) = stored(7);
    let mut asked = ForgetMe::asked(api(), "tinykv", state, None);
    let (mut stored, mut sent) = (0, 0);
    let outcome = loop {
        match asked.step(START) {
            ForgetStep::Store(_) => stored += 1,
            ForgetStep::Send(_) => sent += 1,
            ForgetStep::Done(outcome) => break outcome,
        }
    };
    assert_eq!((stored, sent), (2, 1));
    assert!(matches!(outcome, ForgetOutcome::Pending { .. }), "{outcome}");
    // What nobody waits for is ignored.
    asked.on_response(START, answer(200, ""));
    asked.on_failure(START, TransportError::connect("late"));
}

/// A state of before, or of after, is read.
#[test]
fn a_state_with_a_wish_is_read_strictly() {
    let read = |text: &str| serde_json::from_str::<State>(text);
    let wish = r#"{"version":1,"to_forget":[{"cluster_id":"c","server_id":"s","attempts":3,
        "next_unix_ns":-9223372036854775808,"given_up":false,"more":1}]}"#;
    let state = read(wish).unwrap();
    assert!(state.is_to_be_forgotten(START));
    run(ForgetMe::again(api(), "tinykv", state), START, &mut |_| Ok(answer(503, "")));
    for wrong in [r#"{"version":1,"to_forget":{}}"#, r#"{"version":1,"to_forget":[{}]}"#] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
